import type { RecordBatch } from 'apache-arrow';
import { type FlightDataStream, FlightInternalError, GeneratorStream, RawIpcStream } from '@peregrine/flight';
import { IpcDecoder } from '@peregrine/flight/ipc';
import { largestForwardedBody } from '../limits.ts';

/** An IPC message as it is stored: header and body untouched. */
export interface StoredMessage {
  readonly header: Uint8Array;
  readonly body?: Uint8Array | undefined;
  /** Called when the body's memory is no longer looked at. */
  readonly onFlushed?: (() => void) | undefined;
}

/** Stored messages, the schema first; asked for when the stream starts. */
export type StoredMessages = () => AsyncIterable<StoredMessage>;

/**
 * A stream of stored messages. They go out as they are, unless one is longer than peers with gRPC's usual limit of
 * 4 MiB take: then batches are decoded and sent in parts.
 *
 * @param longestBody - length of the longest body, in bytes
 */
export function createStoredStream(messages: StoredMessages, longestBody: number): FlightDataStream {
  if (longestBody <= largestForwardedBody) return new RawIpcStream(messages);
  return {
    async sendTo(sink, options) {
      const decoder = new IpcDecoder();
      const iterator = messages()[Symbol.asyncIterator]();
      try {
        const first = await iterator.next();
        if (first.done !== true) decoder.decode(first.value.header, first.value.body ?? new Uint8Array(0));
        if (decoder.schema === undefined)
          throw new FlightInternalError('a stored dataset begins without its schema');
        await new GeneratorStream(decoder.schema, decodeRest(iterator, decoder)).sendTo(sink, options);
      } finally {
        await iterator.return?.();
      }
    },
  };
}

async function* decodeRest(
  messages: AsyncIterator<StoredMessage>,
  decoder: IpcDecoder,
): AsyncGenerator<RecordBatch, void, undefined> {
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const batch = decoder.decode(next.value.header, next.value.body ?? new Uint8Array(0));
    if (batch !== undefined) yield batch;
  }
}
