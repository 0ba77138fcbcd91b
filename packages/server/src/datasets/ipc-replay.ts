import {
  type FlightDataSink,
  type FlightDataStream,
  type FlightSendOptions,
  type OutgoingMessage,
  encodeFlightData,
} from '@peregrine/flight';

/** An IPC message as it is stored: header and body untouched. */
export interface StoredMessage {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
  /** Called when the body's memory is no longer looked at. */
  readonly onFlushed?: (() => void) | undefined;
}

/**
 * A stream that sends stored messages as they are, schema first.
 *
 * @param schemaHeader - the schema message's flatbuffer
 * @param messages - opened when the stream starts and closed when it ends or the client goes
 */
export function createReplay(
  schemaHeader: Uint8Array,
  messages: () => AsyncIterable<StoredMessage> | Iterable<StoredMessage>,
): FlightDataStream {
  return {
    async sendTo(sink: FlightDataSink, options: FlightSendOptions = {}): Promise<void> {
      await write(sink, encodeFlightData({ dataHeader: schemaHeader }));
      for await (const message of messages()) {
        options.signal?.throwIfAborted();
        const encoded = encodeFlightData({ dataHeader: message.header, bodyPieces: [message.body] });
        await write(sink, { ...encoded, onFlushed: message.onFlushed });
      }
    },
  };
}

async function write(sink: FlightDataSink, message: OutgoingMessage): Promise<void> {
  if (!sink.write(message)) await sink.drained();
}
