import type { RecordBatch, Schema, Table } from 'apache-arrow';
import { FlightError, FlightInvalidArgumentError, locateError } from '../errors.ts';
import { noBytes } from '../bytes/empty.ts';
import { describeArgument, toBytes } from '../model/bytes.ts';
import { encodeFlightData } from '../proto/flight-data.ts';
import { FlightBatchEncoder, type FlightBatchOptions } from './batch-encoder.ts';
import { encodeRawMessage, type RawIpcMessage, type RawMessageOptions } from './raw-message.ts';
import { type FlightStreamStats, noStats } from './stats.ts';
import type {
  FlightDataSink,
  FlightStreamChunk,
  FlightStreamWriter,
  FlightWriteOptions,
  OutgoingMessage,
  WriteTableOptions,
} from './types.ts';

/** What {@link createStreamWriter} can be told. */
export interface StreamWriterOptions {
  /** Encoded FlightDescriptor, which goes with the first message. Default: none. */
  readonly descriptor?: Uint8Array | undefined;
  /** How batches become messages, unless {@link FlightStreamWriter.begin} says otherwise. */
  readonly write?: FlightWriteOptions | undefined;
  /** The call, for errors of the writer itself; see `FlightError.where`. Default: errors do not say. */
  readonly where?: string | undefined;
  /** What close waits for after the last message: the end of the call. Default: nothing. */
  readonly finished?: (() => Promise<void>) | undefined;
}

/**
 * Makes a writer over the sending side of a call.
 *
 * @param sink - the call; nobody else writes to it
 */
export function createStreamWriter(
  sink: FlightDataSink,
  options: StreamWriterOptions = {},
): FlightStreamWriter {
  return new BatchStreamWriter(sink, options);
}

class BatchStreamWriter implements FlightStreamWriter {
  readonly #sink: FlightDataSink;
  readonly #write: FlightWriteOptions | undefined;
  readonly #finished: (() => Promise<void>) | undefined;
  readonly #where: string | undefined;
  /** Goes with the first message and is forgotten then. */
  #descriptor: Uint8Array | undefined;
  #encoder: FlightBatchEncoder | undefined;
  #schema: Schema | undefined;
  /** Whether the stream is one of raw messages. */
  #raw = false;
  #done = false;
  #closed: Promise<void> | undefined;
  /** The write that is under way, if any: the next one waits for it, so that parts of batches do not mix. */
  #last: Promise<void> | undefined;

  constructor(sink: FlightDataSink, options: StreamWriterOptions) {
    this.#sink = sink;
    this.#write = options.write;
    this.#finished = options.finished;
    this.#where = options.where;
    this.#descriptor = options.descriptor;
  }

  get schema(): Schema | undefined {
    return this.#schema;
  }

  get stats(): FlightStreamStats {
    return this.#encoder?.stats ?? noStats;
  }

  begin(schema: Schema, options?: FlightWriteOptions): Promise<void> {
    return this.#inOrder(() => this.#begin(schema, options));
  }

  writeBatch(batch: RecordBatch): Promise<void> {
    return this.#inOrder(() => this.#batch(batch, {}));
  }

  writeTable(table: Table, options: WriteTableOptions = {}): Promise<void> {
    return this.#inOrder(async () => {
      check(table, 'batches', 'writeTable takes a Table; for a RecordBatch there is writeBatch');
      if (this.#encoder === undefined) await this.#begin(table.schema, undefined);
      for (const batch of table.batches) await this.#batch(batch, { maxRows: options.maxChunksize });
    });
  }

  writeMetadata(appMetadata: Uint8Array | string): Promise<void> {
    return this.#inOrder(async () => {
      // Servers of Arrow C++ take the descriptor out of the first message and lose metadata that stands beside it.
      await this.#sendDescriptor();
      await this.#send(encodeFlightData({ appMetadata: toBytes(appMetadata) }));
    });
  }

  writeWithMetadata(batch: RecordBatch, appMetadata: Uint8Array | string): Promise<void> {
    return this.#inOrder(() => this.#batch(batch, { appMetadata: toBytes(appMetadata) }));
  }

  writeChunk(chunk: FlightStreamChunk): Promise<void> {
    const { appMetadata, data } = chunk;
    if (data === undefined) return this.writeMetadata(appMetadata ?? noBytes);
    return this.#inOrder(() => this.#batch(data, { appMetadata, onFlushed: () => chunk.release() }));
  }

  writeRaw(message: RawIpcMessage, options: RawMessageOptions = {}): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#encoder !== undefined) throw mixed('written batch by batch');
      this.#raw = true;
      await this.#send(encodeRawMessage(message, options, this.#takeDescriptor()));
    });
  }

  doneWriting(): Promise<void> {
    if (this.#done) return this.#last ?? Promise.resolve();
    const ended = this.#inOrder(async () => {
      // A peer that got nothing would not even know what the call was about.
      await this.#sendDescriptor();
      this.#sink.end();
    });
    this.#done = true;
    return ended;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.doneWriting();
    } catch (error) {
      // Why the call failed is known better at its end.
      await this.#finished?.();
      throw error;
    }
    await this.#finished?.();
  }

  async #begin(schema: Schema, options: FlightWriteOptions | undefined): Promise<void> {
    check(schema, 'fields', 'begin takes a Schema');
    if (this.#raw) throw mixed('written message by message');
    if (this.#encoder !== undefined) {
      throw new FlightError(
        'FAILED_PRECONDITION',
        'the stream was begun already; a stream has one schema, open another one for another schema',
      );
    }
    const encoder = new FlightBatchEncoder(
      schema,
      options === undefined ? this.#write : { ...this.#write, ...options },
    );
    const message = encoder.schema(this.#takeDescriptor());
    this.#encoder = encoder;
    this.#schema = schema;
    await this.#send(message);
  }

  async #batch(batch: RecordBatch, options: FlightBatchOptions): Promise<void> {
    check(batch, 'data', 'writeBatch takes a RecordBatch; for a Table there is writeTable');
    if (this.#encoder === undefined) await this.#begin(batch.schema, undefined);
    const encoder = this.#encoder;
    if (encoder === undefined) return;
    for (const message of encoder.batch(batch, { ...options, recycle: true })) {
      if (!this.#sink.write(message)) await this.#sink.drained();
    }
  }

  async #send(message: OutgoingMessage): Promise<void> {
    if (!this.#sink.write(message)) await this.#sink.drained();
  }

  async #sendDescriptor(): Promise<void> {
    const descriptor = this.#takeDescriptor();
    if (descriptor !== undefined) await this.#send(encodeFlightData({ descriptor }));
  }

  #takeDescriptor(): Uint8Array | undefined {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    return descriptor;
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    if (this.#done) {
      const error = new FlightError(
        'FAILED_PRECONDITION',
        'nothing can be written after doneWriting or close',
      );
      return Promise.reject(locateError(error, this.#where));
    }
    const guarded = (): Promise<void> =>
      work().catch((error: unknown) => {
        throw locateError(error, this.#where);
      });
    const result = this.#last === undefined ? guarded() : this.#last.then(guarded, guarded);
    const last: Promise<void> = result.then(
      () => this.#settled(last),
      () => this.#settled(last),
    );
    this.#last = last;
    return result;
  }

  #settled(last: Promise<void>): void {
    if (this.#last === last) this.#last = undefined;
  }
}

/** Programs without types may give anything. */
function check(value: unknown, property: string, wanted: string): void {
  const isObject = typeof value === 'object' && value !== null;
  // a Table has the property of a batch too
  if (isObject && property in value && (property === 'batches' || !('batches' in value))) return;
  const got = isObject && 'batches' in value ? 'a Table' : describeArgument(value);
  throw new FlightInvalidArgumentError(`${wanted}; got ${got}`);
}

function mixed(how: string): FlightError {
  return new FlightError(
    'FAILED_PRECONDITION',
    `the stream is ${how}; raw messages and batches cannot be in one stream, as only one of them knows the schema`,
  );
}
