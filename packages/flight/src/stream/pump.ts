import { FlightCancelledError } from '../errors.ts';
import type { FlightDataSink, OutgoingMessage } from './types.ts';

/**
 * Sends messages as fast as the sink takes them. When the signal fires, the producer is told to stop and not waited
 * for: it may be busy for long.
 *
 * @param messages - made as they are asked for
 */
export async function pump(
  sink: FlightDataSink,
  messages: Iterable<OutgoingMessage> | AsyncIterable<OutgoingMessage>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (isAsync(messages)) {
    await pumpAsync(sink, messages[Symbol.asyncIterator](), signal);
    return;
  }
  for (const message of messages) {
    if (signal?.aborted === true) throw cancelled(signal);
    if (!sink.write(message)) await sink.drained();
  }
}

async function pumpAsync(
  sink: FlightDataSink,
  iterator: AsyncIterator<OutgoingMessage>,
  signal: AbortSignal | undefined,
): Promise<void> {
  // One listener for the whole stream: racing each step against a promise would keep all of them until the end.
  let interrupt: ((error: Error) => void) | undefined;
  const onAbort = (): void => interrupt?.(cancelled(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  let finished = false;
  try {
    for (;;) {
      if (signal?.aborted === true) throw cancelled(signal);
      const step = await new Promise<IteratorResult<OutgoingMessage>>((resolve, reject) => {
        interrupt = reject;
        iterator.next().then(resolve, reject);
      });
      if (step.done === true) {
        finished = true;
        return;
      }
      if (!sink.write(step.value)) await sink.drained();
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (!finished) stop(iterator);
  }
}

/** Tells a producer to stop. What it still throws has nobody to go to: the call is over with another error. */
function stop(iterator: AsyncIterator<OutgoingMessage>): void {
  iterator.return?.().catch(() => undefined);
}

function cancelled(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new FlightCancelledError('the call was cancelled');
}

function isAsync<T>(items: Iterable<T> | AsyncIterable<T>): items is AsyncIterable<T> {
  return Symbol.asyncIterator in items;
}
