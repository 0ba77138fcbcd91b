import type { RecordBatch, Schema } from 'apache-arrow';
import { FlightInvalidArgumentError, FlightWriteSizeExceededError } from '../errors.ts';
import { decodeMessageHeader } from '../ipc/decode/message.ts';
import { IpcEncoder } from '../ipc/encode/encoder.ts';
import type { EncodedMessage } from '../ipc/encode/message.ts';
import { defaultTargetMessageBytes } from '../limits/stream.ts';
import { encodeFlightData } from '../proto/flight-data.ts';
import { type FlightStreamStats, StatsCounter } from './stats.ts';
import type { FlightWriteOptions, OutgoingMessage } from './types.ts';

/** What goes with one batch. */
export interface FlightBatchOptions {
  /** Bytes of the application; they go with the first record batch message of the batch. Default: none. */
  readonly appMetadata?: Uint8Array | undefined;
  /**
   * Called when all bytes of the batch were handed to the system, or never will be: its memory may be changed or used
   * again. Not called when sending failed. Default: nothing.
   */
  readonly onFlushed?: (() => void) | undefined;
  /** Rows of a message at most. Default: as many as the batch has. */
  readonly maxRows?: number | undefined;
  /** Each message is written once, to one call: its own memory may be used again after that. Default: false. */
  readonly recycle?: boolean | undefined;
}

/**
 * Turns a schema and its batches into FlightData messages: dictionaries before the batch that needs them, batches
 * split to the target size. Where a dictionary is above it, each part gets one of its own, with the values it uses.
 *
 * Application metadata goes with the record batch, not with its dictionaries, as C++ sends it. Where a batch is split
 * it goes with the first part: whoever reads it knows it before the rows come, and sees it once.
 */
export class FlightBatchEncoder {
  readonly #encoder: IpcEncoder;
  readonly #target: number;
  readonly #limit: number;
  #stats = new StatsCounter();

  /**
   * @throws FlightUnimplementedError naming the field for a type that cannot be encoded, FlightInvalidArgumentError for
   * sizes that are none
   */
  constructor(schema: Schema, options: FlightWriteOptions = {}) {
    this.#target = size(options.targetMessageBytes ?? defaultTargetMessageBytes, 'targetMessageBytes');
    const splitDictionariesAbove = Math.max(1, this.#target - dictionaryOverhead);
    this.#encoder = new IpcEncoder(schema, { ...options, splitDictionariesAbove });
    this.#limit = size(options.writeSizeLimitBytes ?? Number.POSITIVE_INFINITY, 'writeSizeLimitBytes');
  }

  /** What has been encoded until now, without what was refused. */
  get stats(): FlightStreamStats {
    return this.#stats.value;
  }

  /**
   * The schema message.
   *
   * @param descriptor - encoded FlightDescriptor, when this is the first message of a DoPut or DoExchange
   */
  schema(descriptor?: Uint8Array): OutgoingMessage {
    this.#stats.count('schema');
    return encodeFlightData({ descriptor, dataHeader: this.#encoder.schema().header });
  }

  /**
   * The messages of a batch, encoded as they are asked for.
   *
   * @throws FlightWriteSizeExceededError before the first message when one of them is above the write size limit; then
   * nothing is remembered of the batch, and it can be written again in smaller parts
   * @throws FlightInvalidArgumentError when the batch is not of the schema
   */
  *batch(batch: RecordBatch, options: FlightBatchOptions = {}): Generator<OutgoingMessage, void, void> {
    const prepared = this.#encoder.prepare(batch);
    const { appMetadata, maxRows, onFlushed, recycle } = options;
    const stats = this.#stats;
    const overhead = prepared.headerBytes + (appMetadata?.byteLength ?? 0) + fieldOverhead;
    // With a limit everything is made before anything is sent. No generator of its own for that: most batches are one
    // message, and each generator costs as much as encoding it.
    const held: OutgoingMessage[] | undefined = this.#limit < Number.POSITIVE_INFINITY ? [] : undefined;
    const before = held === undefined ? undefined : stats.copy();
    let first = true;
    for (const part of prepared.parts(Math.max(1, this.#target - overhead), maxRows)) {
      if (first && held === undefined) prepared.commit();
      for (const dictionary of part.dictionaries) {
        stats.count(decodeMessageHeader(dictionary.header));
        const message = outgoing(dictionary);
        if (held === undefined) yield message;
        else held.push(message);
      }
      stats.count('batch');
      // Messages leave in order: with the last one all are gone.
      const message = outgoing(
        part.batch,
        first ? appMetadata : undefined,
        part.last ? onFlushed : undefined,
        recycle,
      );
      if (held === undefined) yield message;
      else held.push(message);
      first = false;
    }
    if (held === undefined || before === undefined) return;
    for (const { byteLength } of held) {
      if (byteLength <= this.#limit) continue;
      this.#stats = before;
      throw new FlightWriteSizeExceededError(this.#limit, byteLength);
    }
    prepared.commit();
    yield* held;
  }
}

/** Tags and lengths of the fields of a FlightData, and the prefix of gRPC. */
const fieldOverhead = 64;

/** The same, and the header of a dictionary batch, whose values may be nested a little. */
const dictionaryOverhead = 2048;

function outgoing(
  message: EncodedMessage,
  appMetadata?: Uint8Array,
  onFlushed?: () => void,
  recycle?: boolean,
): OutgoingMessage {
  const { header: dataHeader, bodyPieces, bodyLength } = message;
  return encodeFlightData({ dataHeader, appMetadata, bodyPieces, bodyLength, recycle }, onFlushed);
}

/** NaN, or a text that a program without types gives, would compare as no limit at all. */
function size(value: number, name: string): number {
  if (typeof value === 'number' && value >= 0) return value;
  throw new FlightInvalidArgumentError(`${name} is a number of bytes, 0 or more, and not ${String(value)}`);
}
