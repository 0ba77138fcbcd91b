import type { RecordBatch, Schema } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../errors.ts';
import { FlightBatchEncoder } from './batch-encoder.ts';
import { pump } from './pump.ts';
import type {
  FlightDataSink,
  FlightDataStream,
  FlightSendOptions,
  FlightWriteOptions,
  OutgoingMessage,
} from './types.ts';

/** Batches with their schema: a Table, a reader of apache-arrow or of this library, or something of one's own. */
export type RecordBatchSource =
  | {
      /** Schema of all batches. */
      readonly schema: Schema;
      /** The batches, in the order in which they are sent. */
      readonly batches: readonly RecordBatch[];
    }
  | ({
      /** Schema of all batches. */
      readonly schema: Schema;
    } & (Iterable<RecordBatch> | AsyncIterable<RecordBatch>));

/** How a {@link RecordBatchStream} is sent. */
export interface RecordBatchStreamOptions extends FlightWriteOptions {
  /** The schema, for an array of batches that may be empty. Default: that of the first batch. */
  readonly schema?: Schema | undefined;
}

/** Sends batches that are there, or that a reader gives: pyarrow's `RecordBatchStream`. */
export class RecordBatchStream implements FlightDataStream {
  readonly #source: RecordBatchSource | readonly RecordBatch[];
  readonly #options: RecordBatchStreamOptions;

  /**
   * @param source - a Table, an array of batches, or a reader: anything with a schema that iterates over batches
   * @param options - take precedence over the server's
   */
  constructor(source: RecordBatchSource | readonly RecordBatch[], options: RecordBatchStreamOptions = {}) {
    this.#source = source;
    this.#options = options;
  }

  /** @throws FlightInvalidArgumentError for an empty array without a schema */
  async sendTo(sink: FlightDataSink, options: FlightSendOptions = {}): Promise<void> {
    const source = this.#source;
    const write = { ...options.write, ...this.#options };
    const schema = isBatches(source) ? this.#schemaOf(source) : await schemaOf(source);
    const encoder = new FlightBatchEncoder(this.#options.schema ?? schema, write);
    const batches = isBatches(source) ? source : 'batches' in source ? source.batches : source;
    const encode = (batch: RecordBatch): Iterable<OutgoingMessage> => encoder.batch(batch, { recycle: true });
    await pump(sink, { first: encoder.schema(), items: batches, encode }, options.signal);
  }

  #schemaOf(batches: readonly RecordBatch[]): Schema {
    const schema = this.#options.schema ?? batches[0]?.schema;
    if (schema === undefined) {
      throw new FlightInvalidArgumentError(
        'an empty array of batches has no schema; give it in the options, or send a Table',
      );
    }
    return schema;
  }
}

/** apache-arrow's asynchronous readers know their schema only once they were opened. */
async function schemaOf(source: RecordBatchSource): Promise<Schema> {
  if ('open' in source && typeof source.open === 'function') await source.open();
  return source.schema;
}

function isBatches(source: RecordBatchSource | readonly RecordBatch[]): source is readonly RecordBatch[] {
  return Array.isArray(source);
}
