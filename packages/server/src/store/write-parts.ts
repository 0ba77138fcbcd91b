import type { EngineInput } from '../engine/types.ts';

/**
 * Writes one part for each group of batches. A part is brought into Parquet while the rows of the next one come, so that
 * neither the sender nor the engine waits for the other; no more than two are on their way.
 *
 * When one fails the other is ended as well, and nothing is on its way any more when this rejects.
 *
 * @param groups - each is asked for when the one before has been taken to its end
 * @param stop - ends what is on its way
 * @returns what `write` gave, in the order of the groups
 * @throws what the first part to fail has thrown
 */
export async function writeParts<T>(
  groups: AsyncIterable<AsyncIterable<EngineInput>>,
  write: (group: AsyncIterable<EngineInput>, signal: AbortSignal) => Promise<T>,
  stop: AbortController,
): Promise<T[]> {
  const parts: Promise<T>[] = [];
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort(error);
  };
  try {
    for await (const group of groups) {
      const { rows, taken } = untilTaken(group);
      const part = write(rows, stop.signal);
      part.catch(fail);
      const before = parts.at(-1);
      parts.push(part);
      await Promise.race([taken, part]);
      await before;
    }
    return await Promise.all(parts);
  } catch (error) {
    fail(error);
    await Promise.allSettled(parts);
    throw failure?.error;
  }
}

/** Tells when a group has been taken to its end, or has been left. */
function untilTaken(group: AsyncIterable<EngineInput>): {
  readonly rows: AsyncIterable<EngineInput>;
  readonly taken: Promise<void>;
} {
  let tell = (): void => undefined;
  const taken = new Promise<void>((resolve) => {
    tell = resolve;
  });
  async function* rows(): AsyncGenerator<EngineInput, void, undefined> {
    try {
      yield* group;
    } finally {
      tell();
    }
  }
  return { rows: rows(), taken };
}
