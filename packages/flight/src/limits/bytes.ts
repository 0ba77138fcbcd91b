/** Limits and defaults of what every layer uses, memory and timers, each with its reason. */

/**
 * Bytes of released body memory that a pool keeps (`maxKeptBytes`). Scoped readers need one or two bodies at a time;
 * this holds several of the usual 2 to 16 MiB, and one large one, without weighing on a process that is idle.
 */
export const defaultBodyPoolBytes: number = 64 * 1024 * 1024;

/** Bodies below this are not recycled: the allocator has such blocks at hand, so nothing would be saved. */
export const minPooledBodyBytes: number = 32 * 1024;

/** The longest time that a timer can hold, in ms: some 24 days. Anything above counts as never. */
export const maxTimerMs: number = 2 ** 31 - 1;
