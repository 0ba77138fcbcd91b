import { FlightCancelledError, FlightResourceExhaustedError } from '@peregrine/flight/errors';
import type { EngineBatch, EngineResult } from '../engine/types.ts';

/** A result that can make room for the next statement of its connection. */
export interface OwnedResult extends EngineResult {
  /**
   * Reads what is left into memory, so that the connection is free while its reader goes on. What that fails with is told
   * to the reader, behind the rows before it.
   *
   * @throws FlightResourceExhaustedError above the limit; the reader is not disturbed
   */
  detach(): Promise<void>;
}

/**
 * A result and what has to be freed with it, once: at its end, when it is abandoned, and when it fails.
 *
 * @param result - the engine's
 * @param onEnd - frees what the result needed, such as its connection
 * @param limitBytes - most that {@link OwnedResult.detach} takes into memory
 */
export function ownResult(
  result: EngineResult,
  onEnd: () => Promise<void> | void,
  limitBytes: number,
): OwnedResult {
  const iterator = result[Symbol.asyncIterator]();
  const detached: EngineBatch[] = [];
  let isDone = false;
  let isCut = false;
  /** What reading failed with: it is for the reader, whoever it was that asked for the rows. */
  let failure: { readonly error: unknown } | undefined;
  let closing: Promise<void> | undefined;
  // Reader and detach ask one after the other: the engine's iterator is for one.
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      // Whoever still reads must not take what came for everything.
      isCut = !isDone;
      isDone = true;
      try {
        await result.close();
      } finally {
        await onEnd();
      }
    })();
    return closing;
  }

  async function pull(): Promise<EngineBatch | undefined> {
    if (isCut) throw new FlightCancelledError('the result was closed before its last row');
    if (failure !== undefined) throw failure.error;
    if (isDone) return undefined;
    try {
      const { done, value } = await iterator.next();
      if (done !== true) return value;
      isDone = true;
    } catch (error) {
      failure = { error };
      isDone = true;
      await close();
      throw error;
    }
    await close();
    return undefined;
  }

  return {
    schema: result.schema,
    progress: () => result.progress(),
    [Symbol.asyncIterator]: () => ({
      next: () =>
        inTurn(async () => {
          const value = detached.shift() ?? (await pull());
          return value === undefined ? { done: true, value } : { done: false, value };
        }),
      async return() {
        detached.length = 0;
        await close();
        return { done: true, value: undefined };
      },
    }),
    close: async () => {
      detached.length = 0;
      await close();
    },
    detach: () =>
      inTurn(async () => {
        let bytes = 0;
        for (;;) {
          const batch = isCut ? undefined : await pull().catch(() => undefined);
          if (batch === undefined) return;
          bytes += batch.body.length;
          detached.push(copyOf(batch));
          batch.release();
          if (bytes > limitBytes) {
            throw new FlightResourceExhaustedError(
              `a result of this connection is still being read and more than ${limitBytes} bytes of it are left; ` +
                'read it to its end or close it before the next statement of the same transaction or session',
            );
          }
        }
      }),
  };
}

/** The batch in memory of JavaScript, to be kept for any time. */
export function copyOf({ kind, rows, header, body }: EngineBatch): EngineBatch {
  return { kind, rows, header: header.slice(), body: body.slice(), release: () => undefined };
}
