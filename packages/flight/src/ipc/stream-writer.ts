import { RecordBatch, type Schema, type Table } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../errors.ts';
import { IpcEncoder } from './encode/encoder.ts';
import { type EncodedMessage, encapsulate } from './encode/message.ts';
import type { IpcWriteOptions } from './options.ts';

/*
 * stream := schema message, { dictionary or record batch message }, 0xFFFFFFFF, int32 0
 *
 * https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
 */

/** Options of streams and files. */
export interface IpcStreamWriteOptions extends IpcWriteOptions {
  /** Leaves out the continuation token, as before Arrow 0.15 (2019). Default: false. */
  readonly legacyFraming?: boolean | undefined;
}

/** What can be written at once: a table, or batches of one schema (at least one). */
export type IpcBatchSource = Table | readonly RecordBatch[];

/**
 * Writes an Arrow IPC stream piece by piece. Every method gives the bytes to send next as a gather list; bodies are
 * views on the memory of the vectors.
 */
export class IpcStreamWriter {
  readonly #encoder: IpcEncoder;
  readonly #alignment: number;
  readonly #legacy: boolean;

  /**
   * @throws FlightUnimplementedError naming the field for a type that cannot be encoded
   */
  constructor(schema: Schema, options: IpcStreamWriteOptions = {}) {
    this.#encoder = new IpcEncoder(schema, options);
    this.#alignment = options.alignment ?? 8;
    this.#legacy = options.legacyFraming ?? false;
  }

  /** The schema message, with which a stream starts. */
  start(): Uint8Array[] {
    return this.message(this.#encoder.schema());
  }

  /** A batch, with the dictionaries it needs before it. Errors as in `IpcEncoder.batch`. */
  batch(batch: RecordBatch): Uint8Array[] {
    return this.#encoder.batch(batch).flatMap((message) => this.message(message));
  }

  /** A message that is encoded already, for instance one that was received and is passed on. */
  message(message: EncodedMessage): Uint8Array[] {
    return [encapsulate(message.header, this.#alignment, this.#legacy), ...message.bodyPieces];
  }

  /** The end of the stream. */
  end(): Uint8Array[] {
    return [endOfStream(this.#legacy)];
  }
}

/** What says that no message follows. */
export function endOfStream(legacy: boolean): Uint8Array {
  return Uint8Array.from(legacy ? [0, 0, 0, 0] : [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
}

/**
 * Writes a whole Arrow IPC stream as a gather list.
 *
 * @throws FlightInvalidArgumentError for an empty list of batches, which has no schema
 */
export function writeIpcStream(source: IpcBatchSource, options: IpcStreamWriteOptions = {}): Uint8Array[] {
  const { schema, batches } = partsOf(source);
  const writer = new IpcStreamWriter(schema, options);
  const pieces = writer.start();
  for (const batch of batches) for (const piece of writer.batch(batch)) pieces.push(piece);
  pieces.push(...writer.end());
  return pieces;
}

/** The schema and the batches of what is to be written. */
export function partsOf(source: IpcBatchSource): { schema: Schema; batches: readonly RecordBatch[] } {
  if (!isBatches(source)) return { schema: source.schema, batches: source.batches };
  const first = source[0];
  if (!(first instanceof RecordBatch)) {
    throw new FlightInvalidArgumentError(
      'an empty list of batches has no schema; write a Table made with the schema instead',
    );
  }
  return { schema: first.schema, batches: source };
}

function isBatches(source: IpcBatchSource): source is readonly RecordBatch[] {
  return Array.isArray(source);
}
