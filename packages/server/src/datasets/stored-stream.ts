import type { FlightDataStream } from '@peregrine/flight';
import { type RawIpcMessage, RawIpcStream } from '@peregrine/flight/stream';
import { FlightInternalError } from '@peregrine/flight/errors';
import { largestForwardedBody } from '../limits.ts';
import { MessageCutter, type StoredMessage } from './message-cutter.ts';

/** Stored messages, the schema first; asked for when the stream starts. */
export type StoredMessages = () => AsyncIterable<StoredMessage>;

/**
 * A stream of stored messages. They go out as they are, but for batches and dictionaries that are longer than peers with
 * gRPC's usual limit of 4 MiB take: those are sent in parts.
 *
 * @param longestBody - length of the longest body, in bytes
 */
export function createStoredStream(messages: StoredMessages, longestBody: number): FlightDataStream {
  return {
    sendTo(sink, options) {
      const target = options?.write?.targetMessageBytes ?? largestForwardedBody;
      const source = longestBody <= target ? messages : () => cutLong(messages(), target);
      return new RawIpcStream(source).sendTo(sink, options);
    },
  };
}

async function* cutLong(
  messages: AsyncIterable<StoredMessage>,
  target: number,
): AsyncGenerator<RawIpcMessage> {
  let cutter: MessageCutter | undefined;
  for await (const message of messages) {
    if (cutter === undefined) {
      cutter = new MessageCutter(message.header, target);
      yield message;
    } else {
      yield* cutter.cut(message);
    }
  }
  if (cutter === undefined) throw new FlightInternalError('a stored dataset begins without its schema');
}
