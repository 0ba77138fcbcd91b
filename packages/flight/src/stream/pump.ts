import { FlightCancelledError } from '../errors.ts';
import type { FlightDataSink, OutgoingMessage } from './types.ts';

/** What is to be sent, and how it becomes messages. */
export interface PumpSource<T> {
  /** Sent before the first item. Default: nothing. */
  readonly first?: OutgoingMessage | undefined;
  readonly items: Iterable<T> | AsyncIterable<T>;
  /** The messages of an item, made as they are asked for. */
  readonly encode: (item: T) => Iterable<OutgoingMessage>;
}

/**
 * Sends items as fast as the sink takes them. When the signal fires, or sending fails, the producer's `return()` is
 * called and not waited for: it may be busy for long, or wait for something that never comes. Nothing here keeps it,
 * or what it gave, alive after that.
 *
 * @throws what the producer threw, the sink's error, or the signal's reason
 */
export async function pump<T>(
  sink: FlightDataSink,
  source: PumpSource<T>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { first, items, encode } = source;
  const send = async (messages: Iterable<OutgoingMessage>): Promise<void> => {
    for (const message of messages) {
      if (signal?.aborted === true) throw cancelled(signal);
      if (!sink.write(message)) await sink.drained();
    }
  };
  if (Symbol.asyncIterator in items) {
    await pumpAsync(items[Symbol.asyncIterator](), first, (item) => send(encode(item)), send, signal);
    return;
  }
  if (first !== undefined) await send([first]);
  // for…of calls return() when it is left early
  for (const item of items) {
    // written out: a promise for each item would cost more than the item
    for (const message of encode(item)) {
      if (signal?.aborted === true) throw cancelled(signal);
      if (!sink.write(message)) await sink.drained();
    }
  }
}

async function pumpAsync<T>(
  iterator: AsyncIterator<T>,
  first: OutgoingMessage | undefined,
  sendItem: (item: T) => Promise<void>,
  send: (messages: Iterable<OutgoingMessage>) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  // One listener for the whole stream: racing each step against a promise would keep all of them until the end.
  let interrupt: ((error: Error) => void) | undefined;
  const onAbort = (): void => interrupt?.(cancelled(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  let finished = false;
  try {
    if (first !== undefined) await send([first]);
    for (;;) {
      if (signal?.aborted === true) throw cancelled(signal);
      const step = await new Promise<IteratorResult<T>>((resolve, reject) => {
        interrupt = reject;
        iterator.next().then(resolve, reject);
      });
      if (step.done === true) {
        finished = true;
        return;
      }
      await sendItem(step.value);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    interrupt = undefined;
    if (!finished) stop(iterator);
  }
}

/** Tells a producer to stop. What it still throws has nobody to go to: the call is over with another error. */
function stop(iterator: AsyncIterator<unknown>): void {
  try {
    iterator.return?.()?.catch(() => undefined);
  } catch {
    // the same for one that throws at once
  }
}

function cancelled(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new FlightCancelledError('the call was cancelled');
}
