import { type FlightDataStream, RawIpcStream, type RawIpcMessage } from '@peregrine/flight';
import { MessageCutter } from '../datasets/message-cutter.ts';
import type { EngineBatch, EngineResult } from '../engine/types.ts';
import { largestForwardedBody } from '../limits.ts';

/** Batches with the header of their schema: a result of the engine, or one that was kept. */
export interface BatchSource extends AsyncIterable<EngineBatch> {
  /** The flatbuffer of the IPC schema message. */
  readonly schema: Uint8Array;
  /** Frees what the batches come from. */
  close(): Promise<void>;
}

/**
 * Sends a result as it comes, from the memory that it lies in.
 *
 * @param open - starts the result when the client is there to take it
 * @param schema - what the client was told; sent instead of the result's own, which is the same but for names in
 *   metadata. Default: the result's own
 */
export function streamResult(
  open: (signal: AbortSignal | undefined) => Promise<BatchSource>,
  schema?: Uint8Array,
): FlightDataStream {
  return {
    async sendTo(sink, options = {}) {
      // A batch that was handed to the transport is released by it; one that was not, because the call ended, here.
      let inHand: EngineBatch | undefined;
      async function* messages(): AsyncGenerator<RawIpcMessage> {
        const source = await open(options.signal);
        try {
          yield { header: schema ?? source.schema };
          const target = options.write?.targetMessageBytes ?? largestForwardedBody;
          let cutter: MessageCutter | undefined;
          for await (const batch of source) {
            inHand = batch;
            const { body, header, kind } = batch;
            const message = { header, body, onFlushed: () => batch.release() };
            // An ENUM may have more values than a message can hold; without any nothing is looked at.
            if (kind === 'dictionary') cutter ??= new MessageCutter(source.schema, target);
            if (cutter === undefined) yield message;
            else yield* cutter.cut(message);
            inHand = undefined;
          }
        } finally {
          inHand?.release();
          await source.close();
        }
      }
      await new RawIpcStream(messages).sendTo(
        {
          write(message) {
            inHand = undefined;
            return sink.write(message);
          },
          drained: () => sink.drained(),
          end: () => sink.end(),
        },
        options,
      );
    },
  };
}

/** Batches in memory, as a source that can be read any number of times. */
export function keptSource(schema: Uint8Array, batches: readonly EngineBatch[]): BatchSource {
  return {
    schema,
    async *[Symbol.asyncIterator]() {
      yield* batches;
    },
    close: async () => undefined,
  };
}

/** The batches of a result of the engine. */
export function sourceOf(result: EngineResult): BatchSource {
  return {
    schema: result.schema,
    [Symbol.asyncIterator]: () => result[Symbol.asyncIterator](),
    close: () => result.close(),
  };
}
