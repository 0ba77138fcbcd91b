import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import type { IpcCompression } from '../message.ts';
import type { IpcWriteOptions } from '../options.ts';
import { BatchHeaderWriter } from './batch-header.ts';
import { BodyWriter } from './buffers.ts';
import { writeColumn } from './columns.ts';
import { DictionaryTracker } from './dictionary-batch.ts';
import { measureColumn } from './measure.ts';
import type { EncodedMessage, IpcVersion } from './message.ts';
import { type ColumnPlan, planOf } from './plan.ts';
import { encodeSchema } from './schema.ts';

/** Encoder options beyond those that users see. */
export interface IpcEncoderOptions extends IpcWriteOptions {
  /** Whether a dictionary may be replaced by another, which files cannot hold. Default: true. */
  readonly allowDictionaryReplacement?: boolean | undefined;
  /** Bytes of a body above which a dictionary goes as a first part and deltas. Default: never. */
  readonly splitDictionariesAbove?: number | undefined;
}

/** A batch that was looked at but not sent: it can be encoded in parts, and given up without a trace. */
export interface PreparedBatch {
  /** Dictionary batches that have to be sent before. */
  readonly dictionaries: readonly EncodedMessage[];
  /** Rows of the batch. */
  readonly rows: number;
  /** Bytes of a message's header, at most. */
  readonly headerBytes: number;
  /** Bytes of the uncompressed body of rows [from, to), at most. */
  measure(from: number, to: number): number;
  /** The message of rows [from, to). */
  encode(from: number, to: number): EncodedMessage;
  /** Remembers that the dictionaries were sent. */
  commit(): void;
}

/**
 * Encodes the batches of one stream. What it gives are views on the memory of the vectors: that must stay as it is
 * until the bytes were written, and dictionaries must not be altered at all.
 */
export class IpcEncoder {
  readonly #schema: Schema;
  readonly #plans: readonly ColumnPlan[];
  readonly #alignment: number;
  readonly #compression: IpcCompression | undefined;
  readonly #version: IpcVersion;
  readonly #headers: BatchHeaderWriter;
  readonly #dictionaries: DictionaryTracker;
  readonly #headerBytes: number;

  /**
   * @param schema - of every batch
   * @throws FlightUnimplementedError naming the field for a type that cannot be encoded
   */
  constructor(schema: Schema, options: IpcEncoderOptions = {}) {
    this.#schema = schema;
    this.#plans = planOf(schema);
    this.#alignment = options.alignment ?? 8;
    this.#compression = options.compression;
    this.#version = options.metadataVersion ?? 'V5';
    this.#headers = new BatchHeaderWriter(this.#version, options.compression);
    this.#headerBytes = 256 + 80 * countColumns(this.#plans);
    this.#dictionaries = new DictionaryTracker({
      alignment: this.#alignment,
      compression: this.#compression,
      version: this.#version,
      emitDeltas: options.emitDictionaryDeltas ?? false,
      allowReplacement: options.allowDictionaryReplacement ?? true,
      splitAbove: options.splitDictionariesAbove ?? Number.POSITIVE_INFINITY,
    });
  }

  /** The schema message. */
  schema(): EncodedMessage {
    return { header: encodeSchema(this.#schema, this.#version), bodyPieces: [], bodyLength: 0 };
  }

  /**
   * The messages of a batch: dictionaries that the reader does not have yet, then the batch.
   *
   * @throws FlightInvalidArgumentError when the batch is not of the schema, or its buffers do not hold its rows
   * @throws FlightResourceExhaustedError when a body is above `maxWrittenBodyBytes`
   */
  batch(batch: RecordBatch): EncodedMessage[] {
    const prepared = this.prepare(batch);
    const messages = [...prepared.dictionaries, prepared.encode(0, prepared.rows)];
    prepared.commit();
    return messages;
  }

  /** Looks at a batch so that it can be encoded in parts. Errors as in {@link IpcEncoder.batch}. */
  prepare(batch: RecordBatch): PreparedBatch {
    const columns = this.#columns(batch);
    const plans = this.#plans;
    const update = this.#dictionaries.update(plans, columns);
    const { metadata } = batch;
    return {
      dictionaries: update.messages,
      rows: batch.numRows,
      headerBytes: this.#headerBytes + metadataBytes(metadata),
      measure: (from, to) => {
        let bytes = 0;
        for (let i = 0; i < columns.length; i++) {
          const [plan, data] = [plans[i], columns[i]];
          if (plan !== undefined && data !== undefined) {
            bytes += measureColumn(plan, data, from, to - from, this.#alignment);
          }
        }
        return bytes;
      },
      encode: (from, to) => {
        const body = new BodyWriter(this.#alignment, this.#compression, this.#version === 'V4');
        for (let i = 0; i < columns.length; i++) {
          const [plan, data] = [plans[i], columns[i]];
          if (plan !== undefined && data !== undefined) writeColumn(body, plan, data, from, to - from);
        }
        const header = this.#headers.write(body.layout(to - from), body.length, metadata);
        return { header, bodyPieces: body.pieces, bodyLength: body.length };
      },
      commit: () => update.commit(),
    };
  }

  /** The columns of a batch, which must be those of the schema by number and name; types are compared on the way. */
  #columns(batch: RecordBatch): readonly Data[] {
    const { fields } = this.#schema;
    const columns: readonly Data[] = batch.data.children;
    const batchFields = batch.schema.fields;
    if (columns.length !== fields.length) {
      throw new FlightInvalidArgumentError(
        `the batch has ${columns.length} columns, but the stream was begun with ${fields.length}`,
      );
    }
    for (let i = 0; i < fields.length; i++) {
      const [name, expected] = [batchFields[i]?.name, fields[i]?.name];
      if (name !== expected) {
        throw new FlightInvalidArgumentError(
          `column ${i} of the batch is "${name}", but the stream was begun with "${expected}"`,
        );
      }
    }
    return columns;
  }
}

/** Columns, nested ones counted. A header has a node and three or four buffers for each, of 16 bytes. */
function countColumns(plans: readonly ColumnPlan[]): number {
  return plans.reduce((sum, plan) => sum + 1 + countColumns(plan.children), 0);
}

/** Bytes that custom metadata takes in a header, at most: UTF-8 has up to 3 bytes a character. */
function metadataBytes(metadata: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const [key, value] of metadata) bytes += 64 + 3 * (key.length + value.length);
  return bytes;
}
