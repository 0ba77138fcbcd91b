import { reportServerError } from '../diagnostics.ts';
import { FlightInternalError } from '../errors.ts';
import { describeArgument } from '../model/bytes.ts';

/**
 * Calls `take` for each value that a handler gave, one after the other. When the call is over, or `take` fails, the
 * iterator is told to stop: a generator runs its `finally` blocks and lets go of what it holds. A value that is being
 * waited for is not waited for any longer.
 *
 * @param signal - aborted when nobody wants further values
 */
export async function forEachOf<T>(
  values: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal,
  take: (value: T) => Promise<void> | undefined,
): Promise<void> {
  if (!isMany(values)) {
    throw new FlightInternalError(
      `the handler gave ${describeArgument(values)}; it should give an array, a generator or another iterable`,
    );
  }
  if (Symbol.asyncIterator in values) await forEachAsync(values, signal, take);
  else await forEachSync(values, signal, take);
}

/** Handlers of programs without types may give anything. */
function isMany(values: unknown): boolean {
  return (
    typeof values === 'object' &&
    values !== null &&
    (Symbol.iterator in values || Symbol.asyncIterator in values)
  );
}

async function forEachSync<T>(
  values: Iterable<T>,
  signal: AbortSignal,
  take: (value: T) => Promise<void> | undefined,
): Promise<void> {
  // for…of calls return() when it is left early
  for (const value of values) {
    if (signal.aborted) return;
    const taken = take(value);
    if (taken !== undefined) await taken;
    if (signal.aborted) return;
  }
}

async function forEachAsync<T>(
  values: AsyncIterable<T>,
  signal: AbortSignal,
  take: (value: T) => Promise<void> | undefined,
): Promise<void> {
  const iterator = values[Symbol.asyncIterator]();
  let giveUp: (() => void) | undefined;
  const onAbort = (): void => giveUp?.();
  signal.addEventListener('abort', onAbort, { once: true });
  let finished = false;
  try {
    while (!signal.aborted) {
      // not Promise.race: a promise that lives as long as the call would gather a reaction for each value
      const result = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        giveUp = () => resolve(undefined);
        iterator.next().then(resolve, reject);
      });
      if (result === undefined) return;
      if (result.done === true) {
        finished = true;
        return;
      }
      const taken = take(result.value);
      if (taken !== undefined) await taken;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!finished) stop(iterator);
  }
}

/** A generator that waits for something runs its `finally` when that comes; the call does not wait for it. */
function stop(iterator: AsyncIterator<unknown>): void {
  try {
    iterator.return?.()?.catch((error: unknown) => reportServerError('return() of a generator', error));
  } catch (error) {
    reportServerError('return() of a generator', error);
  }
}
