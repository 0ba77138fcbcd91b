import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import type { IpcCompression } from '../message.ts';
import type { IpcWriteOptions } from '../options.ts';
import { BatchHeaderWriter } from './batch-header.ts';
import { BodyWriter } from './buffers.ts';
import { writeColumn } from './columns.ts';
import { type DictionaryState, DictionaryTracker } from './dictionary-batch.ts';
import { measureColumn } from './measure.ts';
import type { EncodedMessage, IpcVersion } from './message.ts';
import { type ColumnPlan, planOf } from './plan.ts';
import { encodeSchema } from './schema.ts';
import { SmallDictionaries } from './small-dictionaries.ts';
import { type RowRange, splitRows } from './split.ts';

/** Encoder options beyond those that users see. */
export interface IpcEncoderOptions extends IpcWriteOptions {
  /** Whether a dictionary may be replaced by another, which files cannot hold. Default: true. */
  readonly allowDictionaryReplacement?: boolean | undefined;
  /**
   * Bytes of a body above which a dictionary does not go whole: with `emitDictionaryDeltas` as a first part and deltas,
   * otherwise each part of a batch gets a dictionary of the values that it uses. Default: never.
   */
  readonly splitDictionariesAbove?: number | undefined;
}

/** A batch that was looked at but not sent: it can be encoded in parts, and given up without a trace. */
export interface PreparedBatch {
  /** Dictionary batches that have to be sent before what {@link PreparedBatch.encode} gives; whole, or in deltas. */
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
  /**
   * The batch in parts, in order: all that has to be sent. Dictionaries above `splitDictionariesAbove` are cut down to
   * what each part uses. Call `commit` before the first message leaves.
   *
   * @param target - bytes of a body; one row above it is a part of its own. `Infinity`: no limit
   * @param maxRows - rows of a part. Default: no limit
   */
  parts(target: number, maxRows?: number): Generator<PreparedPart, void, void>;
}

/** Messages for some rows of a batch. */
export interface PreparedPart {
  /** Dictionary batches that have to be sent before. */
  readonly dictionaries: readonly EncodedMessage[];
  /** The rows themselves. */
  readonly batch: EncodedMessage;
  /** Whether no other part follows. */
  readonly last: boolean;
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
  /** Bytes that a dictionary may take to go whole. */
  readonly #splitAbove: number;

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
    this.#splitAbove = options.splitDictionariesAbove ?? Number.POSITIVE_INFINITY;
    this.#dictionaries = new DictionaryTracker({
      alignment: this.#alignment,
      compression: this.#compression,
      version: this.#version,
      emitDeltas: options.emitDictionaryDeltas ?? false,
      allowReplacement: options.allowDictionaryReplacement ?? true,
      splitAbove: this.#splitAbove,
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
    const messages: EncodedMessage[] = [];
    for (const part of prepared.parts(Number.POSITIVE_INFINITY)) {
      messages.push(...part.dictionaries, part.batch);
    }
    prepared.commit();
    return messages;
  }

  /** Looks at a batch so that it can be encoded in parts. Errors as in {@link IpcEncoder.batch}. */
  prepare(batch: RecordBatch): PreparedBatch {
    const columns = this.#columns(batch);
    const needed = this.#dictionaries.needed(this.#plans, columns);
    const update = this.#dictionaries.update(needed);
    const { metadata, numRows: rows } = batch;
    const prepared: PreparedBatch = {
      dictionaries: update.messages,
      rows,
      headerBytes: this.#headerBytes + metadataBytes(metadata),
      measure: (from, to) => this.#measure(columns, from, to),
      encode: (from, to) => {
        const body = this.#body();
        for (let i = 0; i < columns.length; i++) {
          const [plan, data] = [this.#plans[i], columns[i]];
          if (plan !== undefined && data !== undefined) writeColumn(body, plan, data, from, to - from);
        }
        return this.#message(body, to - from, metadata);
      },
      commit: () => update.commit(),
      parts: (target, maxRows) => partsOf(prepared, update.messages, splitRows(prepared, target, maxRows)),
    };
    if (needed === undefined || update.tooLarge.size === 0) return prepared;
    return this.#prepareLarge(prepared, columns, needed, update.tooLarge, metadata);
  }

  /** A batch with dictionaries that are too large to go whole. */
  #prepareLarge(
    prepared: PreparedBatch,
    columns: readonly Data[],
    needed: ReadonlyMap<number, DictionaryState>,
    tooLarge: ReadonlySet<number>,
    metadata: ReadonlyMap<string, string>,
  ): PreparedBatch {
    const { rows } = prepared;
    const measure = (from: number, to: number): number => prepared.measure(from, to);
    const tracker = this.#dictionaries;
    const fork = tracker.fork();
    const large = new SmallDictionaries(this.#plans, columns, needed, tooLarge, rows, this.#splitAbove);
    const encodeSmall = ({ from, to }: RowRange): PreparedPart => {
      const part = large.columns(from, to);
      const columns = part.map(({ data }) => data);
      const update = fork.update(fork.needed(this.#plans, columns));
      update.commit();
      const body = this.#body();
      part.forEach(({ data, start }, index) => {
        const plan = this.#plans[index];
        if (plan !== undefined) writeColumn(body, plan, data, start, to - from);
      });
      return {
        dictionaries: update.messages,
        batch: this.#message(body, to - from, metadata),
        last: to === rows,
      };
    };
    let whole: readonly EncodedMessage[] | undefined;
    const wholeMessages = (): readonly EncodedMessage[] => {
      if (whole === undefined) {
        const update = fork.update(needed);
        update.commit();
        whole = update.messages;
      }
      return whole;
    };
    const parts = function* (target: number, maxRows?: number): Generator<PreparedPart, void, void> {
      const ranges = large.parts({ measure, target, maxRows });
      if (ranges === undefined)
        yield* partsOf(prepared, wholeMessages(), splitRows(prepared, target, maxRows));
      else for (const range of ranges) yield encodeSmall(range);
    };
    return {
      ...prepared,
      get dictionaries() {
        return wholeMessages();
      },
      commit: () => tracker.adopt(fork),
      parts,
    };
  }

  #body(): BodyWriter {
    return new BodyWriter(this.#alignment, this.#compression, this.#version === 'V4');
  }

  #message(body: BodyWriter, rows: number, metadata: ReadonlyMap<string, string>): EncodedMessage {
    const header = this.#headers.write(body.layout(rows), body.length, metadata);
    return { header, bodyPieces: body.pieces, bodyLength: body.length };
  }

  #measure(columns: readonly Data[], from: number, to: number): number {
    let bytes = 0;
    for (let i = 0; i < columns.length; i++) {
      const [plan, data] = [this.#plans[i], columns[i]];
      if (plan !== undefined && data !== undefined) {
        bytes += measureColumn(plan, data, from, to - from, this.#alignment);
      }
    }
    return bytes;
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

const noMessages: readonly EncodedMessage[] = [];

/** The parts of a batch whose dictionaries go whole, before the first of them. */
function* partsOf(
  prepared: PreparedBatch,
  dictionaries: readonly EncodedMessage[],
  ranges: Iterable<RowRange>,
): Generator<PreparedPart, void, void> {
  let before = dictionaries;
  for (const { from, to } of ranges) {
    yield { dictionaries: before, batch: prepared.encode(from, to), last: to === prepared.rows };
    before = noMessages;
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
