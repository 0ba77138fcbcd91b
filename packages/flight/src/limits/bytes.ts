/** Limits and defaults of what every layer uses, memory and timers, each with its reason. */

/**
 * Bytes of released body memory that a pool keeps (`maxKeptBytes`). Scoped readers need one or two bodies at a time;
 * this holds several of the usual 2 to 16 MiB, and one large one, without weighing on a process that is idle.
 */
export const defaultBodyPoolBytes: number = 64 * 1024 * 1024;

/** Bodies below this are not recycled: the allocator has such blocks at hand, so nothing would be saved. */
export const minPooledBodyBytes: number = 32 * 1024;

/** Blocks that heads of messages are cut from, up to a quarter of it each. */
export const writeSlabBytes: number = 64 * 1024;

/**
 * Bodies allocated between two looks at the memory outside the heap (a look takes 1 µs), and how much of it may come
 * together before the young generation is collected: half of what makes V8 collect in full, because what is freed
 * counts until a thread has swept it. Measured on Node 24 (GB/s): 2.0 with 32 MiB, 1.7 with 40, 1.6 with 48, 1.1 without.
 */
export const scavengeLookBytes: number = 4 * 1024 * 1024;
export const scavengeStepBytes: number = 32 * 1024 * 1024;

/** The farthest that the step above is put off when bodies are kept: then there is nothing to free. */
export const maxScavengeStepBytes: number = 1024 * 1024 * 1024;

/** The most garbage that is made to fill the young generation: what V8 makes it by default, 16 or 32 MiB, and some. */
export const maxYoungFillBytes: number = 40 * 1024 * 1024;

/** The longest time that a timer can hold, in ms: some 24 days. Anything above counts as never. */
export const maxTimerMs: number = 2 ** 31 - 1;
