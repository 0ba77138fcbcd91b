/**
 * The seams of the stream layer: what it needs of a call below (a source and a sink of FlightData), and what readers
 * and writers look like from above. Clients and servers compile against this file.
 */
import type { ReadableStream } from 'node:stream/web';
import type { RecordBatch, Schema, Table } from 'apache-arrow';
import type { OutgoingMessage } from '../grpc/message.ts';
import type { IpcReadOptions, IpcWriteOptions } from '../ipc/options.ts';
import type { FlightData } from '../proto/flight-data.ts';
import type { RawIpcMessage, RawMessageOptions } from './raw-message.ts';
import type { FlightStreamStats } from './stats.ts';

export type { Body as FlightDataBody } from '../bytes/body-pool.ts';
export type { OutgoingMessage } from '../grpc/message.ts';
export type { FlightData } from '../proto/flight-data.ts';
export type { IpcReadOptions, IpcWriteOptions } from '../ipc/options.ts';

/** Where FlightData comes from: a call's receiving side. */
export interface FlightDataSource {
  /** A message that is already there; `undefined` when {@link FlightDataSource.read} has to wait, or at the end. */
  tryRead(): FlightData | undefined;
  /** The next message; `undefined` at the clean end. Rejects with a FlightError when the call failed. */
  read(): Promise<FlightData | undefined>;
  /** Gives up: the peer sees the call cancelled, pending reads reject. */
  cancel(reason?: string): void;
}

/** Where FlightData goes to: a call's sending side. */
export interface FlightDataSink {
  /** Queues a message. `false`: await {@link FlightDataSink.drained} first. Throws the call's error once it failed. */
  write(message: OutgoingMessage): boolean;
  /** Resolves when there is room again; rejects with the call's error. */
  drained(): Promise<void>;
  /** No more messages from this side. */
  end(): void;
}

/** One piece of a stream: a batch, bytes of the application, or both. */
export interface FlightStreamChunk extends Disposable {
  /** The batch; `undefined` for a message that only carries metadata. */
  readonly data: RecordBatch | undefined;
  /** The application's bytes that came with this message. Those of a schema or dictionary only `raw()` gives. */
  readonly appMetadata: Uint8Array | undefined;
  /**
   * Gives the memory of the batch back to be used for a later one: neither `data` nor anything taken out of it may
   * be touched afterwards. Without it the memory belongs to the user and the garbage collector. Further calls do
   * nothing.
   */
  release(): void;
  /** The same as {@link FlightStreamChunk.release}, for `using`. */
  [Symbol.dispose](): void;
}

/** Reads a stream of batches. Iterating it gives chunks; leaving the loop early cancels the call. */
export interface FlightStreamReader extends AsyncIterable<FlightStreamChunk>, AsyncDisposable {
  /**
   * The schema, once it has arrived. Metadata that comes before it is kept for {@link FlightStreamReader.readNext}.
   * Rejects when the stream ends without one, or fails.
   */
  readonly schema: Promise<Schema>;
  /** The encoded FlightDescriptor of the first message, `undefined` when it has none. Rejects when the stream fails first. */
  readonly descriptor: Promise<Uint8Array | undefined>;
  /** What has been decoded until now, for those who watch how a stream is sent; messages of `raw()` are not. */
  readonly stats: FlightStreamStats;
  /** The next chunk; `undefined` at the end. */
  readNext(): Promise<FlightStreamChunk | undefined>;
  /** Reads to the end. Metadata is dropped. */
  readAll(): Promise<Table>;
  /** The batches as a web stream; cancelling it cancels the call. */
  toReadableStream(): ReadableStream<RecordBatch>;
  /** The messages as they are on the wire, undecoded. Use it instead of the others, not beside them. */
  raw(): AsyncIterableIterator<FlightData>;
  /** Like iterating the reader, but each chunk is valid only until the next is asked for: its memory is used again. */
  scoped(): AsyncIterableIterator<FlightStreamChunk>;
  /** Gives up; the peer sees the call cancelled. Does nothing at the end of the stream. */
  cancel(reason?: string): void;
}

/** How batches become messages. */
export interface FlightWriteOptions extends IpcWriteOptions {
  /**
   * Batches are split by rows so that no message takes more bytes than this; a single row above it still goes as one
   * message. A dictionary above it is cut down to the values that each part of a batch uses. `Infinity` lifts the limit,
   * and a large dictionary goes once, whole. Default: `defaultTargetMessageBytes` of `limits/`, which peers with
   * gRPC's usual 4 MiB receive limit accept.
   */
  readonly targetMessageBytes?: number | undefined;
  /**
   * Soft limit: a batch with a message above this many bytes is refused with FlightWriteSizeExceededError before
   * any of it is sent; it may be cut smaller and written again. Default: no limit.
   */
  readonly writeSizeLimitBytes?: number | undefined;
}

/** What {@link FlightStreamWriter.writeTable} can be told. */
export interface WriteTableOptions {
  /** Rows a batch at most. Default: the table's batches as they are. */
  readonly maxChunksize?: number | undefined;
}

/**
 * Writes a stream of batches. Every promise resolves when the transport has room again, which may be before the last
 * bytes left: batches are sent from where they lie, so their memory must not be changed while the call goes on. For
 * memory that is used again there is {@link FlightStreamWriter.writeChunk}.
 */
export interface FlightStreamWriter extends AsyncDisposable {
  /** The schema that the stream was begun with; undefined before. */
  readonly schema: Schema | undefined;
  /** What has been written until now: after a split or with dictionaries more than was asked for. */
  readonly stats: FlightStreamStats;
  /** Sends the schema. Writing a batch without it begins with the batch's schema. */
  begin(schema: Schema, options?: FlightWriteOptions): Promise<void>;
  /** Sends a batch, with the dictionaries it needs before it. */
  writeBatch(batch: RecordBatch): Promise<void>;
  /** Sends all batches of a table. */
  writeTable(table: Table, options?: WriteTableOptions): Promise<void>;
  /** Sends bytes of the application alone. */
  writeMetadata(appMetadata: Uint8Array | string): Promise<void>;
  /** Sends a batch with bytes of the application; when the batch is split they go with its first part. */
  writeWithMetadata(batch: RecordBatch, appMetadata: Uint8Array | string): Promise<void>;
  /**
   * Sends on what was read from another stream, its batch and its metadata, and releases it once the bytes left. Read
   * with the reader itself, not with `scoped()`, which would release it too early.
   */
  writeChunk(chunk: FlightStreamChunk): Promise<void>;
  /**
   * Sends a message as it is, header and body untouched, whatever types it holds: what `raw()` of a reader gave, or what
   * was stored. The first one must be the schema. Raw messages and batches do not go together in one stream; metadata
   * does.
   */
  writeRaw(message: RawIpcMessage, options?: RawMessageOptions): Promise<void>;
  /** Tells the peer that nothing more comes; reading goes on. */
  doneWriting(): Promise<void>;
  /** {@link FlightStreamWriter.doneWriting}, then waits until the peer has ended the call; rejects with its error. */
  close(): Promise<void>;
}

/** What a server gives a stream to send with. */
export interface FlightSendOptions {
  /** How batches become messages. */
  readonly write?: FlightWriteOptions | undefined;
  /** Aborted when the call is over: producers are stopped and their memory freed. */
  readonly signal?: AbortSignal | undefined;
}

/** What a DoGet handler returns: RecordBatchStream, GeneratorStream, RawIpcStream, or one of your own. */
export interface FlightDataStream {
  /**
   * Sends everything, schema first, and resolves when the sink has taken the last message; ending the call is the
   * server's. Rejects with what the producer threw, or with the call's error.
   */
  sendTo(sink: FlightDataSink, options?: FlightSendOptions): Promise<void>;
}

/** What of {@link IpcReadOptions} a reader takes. */
export type FlightReadOptions = IpcReadOptions;
