import { RecordBatch, type Schema, type Table } from 'apache-arrow';
import { FlightInternalError } from '../errors.ts';
import { describeArgument, toBytes } from '../model/bytes.ts';
import { encodeFlightData } from '../proto/flight-data.ts';
import { FlightBatchEncoder } from './batch-encoder.ts';
import { pump } from './pump.ts';
import type {
  FlightDataSink,
  FlightDataStream,
  FlightSendOptions,
  FlightWriteOptions,
  OutgoingMessage,
} from './types.ts';

/** Bytes of the application; a text is sent as UTF-8. */
export type AppMetadata = Uint8Array | string;

/** One thing that a generator yields. */
export type GeneratorStreamItem =
  /** a batch, or all batches of a table */
  | RecordBatch
  | Table
  /** bytes of the application alone */
  | Uint8Array
  /** a batch with bytes of the application; of a table the first batch has them */
  | readonly [RecordBatch | Table, AppMetadata]
  /** the same by name, for instance of a chunk that was read elsewhere: release it in `onFlushed` */
  | {
      readonly data?: RecordBatch | Table | undefined;
      readonly appMetadata?: AppMetadata | undefined;
      /** Called when the memory of the data may be changed or used again. Default: nothing. */
      readonly onFlushed?: (() => void) | undefined;
    };

/**
 * Where items come from: a generator, synchronous or not, any other iterable, or a function that gives one and takes
 * the signal that is aborted when the call is over.
 */
export type GeneratorStreamSource =
  | Iterable<GeneratorStreamItem>
  | AsyncIterable<GeneratorStreamItem>
  | ((signal: AbortSignal) => Iterable<GeneratorStreamItem> | AsyncIterable<GeneratorStreamItem>);

/**
 * Sends what a generator yields, as far as the client takes it: pyarrow's `GeneratorStream`. When the client goes away
 * the generator is ended at its `yield`, so that its `finally` blocks run. One that waits for something is told the
 * same (`return()`), which JavaScript delivers when the wait is over; let the wait end with the signal.
 */
export class GeneratorStream implements FlightDataStream {
  readonly #schema: Schema;
  readonly #source: GeneratorStreamSource;
  readonly #options: FlightWriteOptions;

  /**
   * @param schema - of every batch
   * @param source - a function is called when the stream is sent, with the signal of the call
   * @param options - take precedence over the server's
   */
  constructor(schema: Schema, source: GeneratorStreamSource, options: FlightWriteOptions = {}) {
    this.#schema = schema;
    this.#source = source;
    this.#options = options;
  }

  /** Runs the generator and sends what it yields; rejects with what it throws. */
  async sendTo(sink: FlightDataSink, options: FlightSendOptions = {}): Promise<void> {
    const encoder = new FlightBatchEncoder(this.#schema, { ...options.write, ...this.#options });
    const source = this.#source;
    const items =
      typeof source === 'function' ? source(options.signal ?? new AbortController().signal) : source;
    const encode = (item: GeneratorStreamItem): Iterable<OutgoingMessage> => encodeItem(encoder, item);
    await pump(sink, { first: encoder.schema(), items, encode }, options.signal);
  }
}

function* encodeItem(
  encoder: FlightBatchEncoder,
  item: GeneratorStreamItem,
): Generator<OutgoingMessage, void, void> {
  if (typeof item !== 'object' || item === null) {
    throw new FlightInternalError(
      `the generator yielded ${describeArgument(item)}; it should yield batches, tables, bytes or { data, appMetadata }`,
    );
  }
  if (item instanceof Uint8Array) yield encodeFlightData({ appMetadata: item });
  else if (item instanceof RecordBatch || 'batches' in item) yield* encodeData(encoder, item);
  else if (isPair(item)) yield* encodeData(encoder, item[0], item[1]);
  else yield* encodeData(encoder, item.data, item.appMetadata, item.onFlushed);
}

function* encodeData(
  encoder: FlightBatchEncoder,
  data: RecordBatch | Table | undefined,
  metadata?: AppMetadata,
  onFlushed?: () => void,
): Generator<OutgoingMessage, void, void> {
  let appMetadata = metadata === undefined ? undefined : toBytes(metadata);
  const batches = data === undefined ? [] : data instanceof RecordBatch ? [data] : data.batches;
  for (const [index, batch] of batches.entries()) {
    yield* encoder.batch(batch, {
      appMetadata,
      recycle: true,
      onFlushed: index === batches.length - 1 ? onFlushed : undefined,
    });
    appMetadata = undefined;
  }
  if (appMetadata !== undefined) yield encodeFlightData({ appMetadata });
  if (batches.length === 0) onFlushed?.();
}

function isPair(
  item: Exclude<GeneratorStreamItem, RecordBatch | Table | Uint8Array>,
): item is readonly [RecordBatch | Table, AppMetadata] {
  return Array.isArray(item);
}
