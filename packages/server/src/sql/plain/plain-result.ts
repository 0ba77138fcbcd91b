import {
  type ArrowField,
  decodeMessageHeader,
  encodeRecordBatchHeader,
  encodeSchema,
  type BatchLayout,
} from '@peregrine/flight/ipc';
import { encodeColumnMetadata } from '@peregrine/flight/sql';
import { type ColumnLayout, layoutOf } from '../../engine/c-data/layout.ts';
import type { EngineBatch, EngineResult } from '../../engine/types.ts';
import { largestForwardedBody } from '../../limits.ts';
import { longestOf } from '../longest.ts';
import { type Column, bytesOf, readColumns, writeColumns } from './columns.ts';
import { isSet, nullRow, takeRows } from './take.ts';
import { type UnsignedBits, isUnsigned, widen, widened } from './widen.ts';

/*
 * Results without dictionaries and unsigned integers, for clients that show the indices of a dictionary instead of its
 * values, and -1 for the largest number of an unsigned type, as Apache's JDBC driver does.
 */

/**
 * The same schema with plain types, and with what drivers show of decimals and texts, which Apache's JDBC driver reads nowhere
 * else; the same bytes where nothing is to be changed.
 */
export function plainSchema(schema: Uint8Array): Uint8Array {
  const header = decodeMessageHeader(schema);
  if (header.kind !== 'schema') return schema;
  const { fields } = header.schema;
  const plain = fields.map((field) => withSize(isPlain(field) ? field : plainField(field)));
  if (plain.every((field, i) => field === fields[i])) return schema;
  return encodeSchema({ ...header.schema, fields: plain });
}

/** A decimal with its digits and a text with its length as metadata of the column; any other field as it is. */
function withSize(field: ArrowField): ArrowField {
  const { metadata, type } = field;
  const size =
    type.kind === 'decimal'
      ? encodeColumnMetadata({ precision: type.precision, scale: type.scale })
      : encodeColumnMetadata({ precision: longestOf(field) });
  if ([...size.keys()].every((key) => metadata.has(key))) return field;
  return { ...field, metadata: new Map([...metadata, ...size]) };
}

function plainField(field: ArrowField): ArrowField {
  const type = isUnsigned(field.type) ? widened[field.type.bitWidth].type : field.type;
  return { ...field, type, dictionary: undefined, children: field.children.map(plainField) };
}

function isPlain({ children, dictionary, type }: ArrowField): boolean {
  return dictionary === undefined && !isUnsigned(type) && children.every(isPlain);
}

/** The same rows in plain types; the same result where all are. */
export function plainResult(result: EngineResult): EngineResult {
  const schema = plainSchema(result.schema);
  if (schema === result.schema) return result;
  const header = decodeMessageHeader(result.schema);
  const isAsItIs = header.kind === 'schema' && header.schema.fields.every(isPlain);
  return {
    schema,
    progress: () => result.progress(),
    close: () => result.close(),
    [Symbol.asyncIterator]: () => (isAsItIs ? result[Symbol.asyncIterator]() : plainBatches(result)),
  };
}

async function* plainBatches(result: EngineResult): AsyncGenerator<EngineBatch, undefined, undefined> {
  const header = decodeMessageHeader(result.schema);
  const layouts = header.kind === 'schema' ? layoutOf(header.schema) : [];
  const unsigned = new Map(header.kind === 'schema' ? unsignedIn(header.schema.fields, layouts) : []);
  const dictionaries = new Map<number, Column>();
  const layoutOfDictionary = new Map<number, ColumnLayout>();
  for (const { id, values } of dictionariesOf(layouts)) layoutOfDictionary.set(id, values);
  const read = (columns: readonly ColumnLayout[], message: BatchLayout, body: Uint8Array): Column[] =>
    readColumns(columns, message, body).map((column) => plainColumn(column, dictionaries, unsigned));
  for await (const batch of result) {
    let rows: EngineBatch[] = [];
    try {
      const message = decodeMessageHeader(batch.header);
      if (message.kind === 'dictionary') {
        const layout = layoutOfDictionary.get(message.id);
        // Its memory is used again, and the values are needed to the end.
        if (layout !== undefined)
          dictionaries.set(message.id, read([layout], message, new Uint8Array(batch.body))[0] ?? none);
      } else if (message.kind === 'batch') {
        rows = builtBatches(read(layouts, message, batch.body), message.length);
      }
    } finally {
      batch.release();
    }
    yield* rows;
  }
  return undefined;
}

function dictionariesOf(
  layouts: readonly ColumnLayout[],
): { readonly id: number; readonly values: ColumnLayout }[] {
  return layouts.flatMap(({ children, dictionary }) =>
    dictionary === undefined
      ? dictionariesOf(children)
      : [...dictionariesOf([dictionary.values]), dictionary],
  );
}

/** Columns of unsigned integers, which have layouts of their own, and their bits. */
function unsignedIn(
  fields: readonly ArrowField[],
  layouts: readonly ColumnLayout[],
): [ColumnLayout, UnsignedBits][] {
  return fields.flatMap(({ children, type }, i) => {
    const layout = layouts[i]?.dictionary?.values ?? layouts[i];
    if (layout === undefined) return [];
    const below = unsignedIn(children, layout.children);
    return isUnsigned(type) ? [[layout, type.bitWidth], ...below] : below;
  });
}

function plainColumn(
  column: Column,
  dictionaries: ReadonlyMap<number, Column>,
  unsigned: ReadonlyMap<ColumnLayout, UnsignedBits>,
): Column {
  const { dictionary } = column.layout;
  if (dictionary !== undefined) {
    const values = dictionaries.get(dictionary.id) ?? { ...none, layout: dictionary.values };
    return takeRows(values, indicesOf(column));
  }
  const bits = unsigned.get(column.layout);
  if (bits !== undefined) return widen(column, bits);
  return { ...column, children: column.children.map((child) => plainColumn(child, dictionaries, unsigned)) };
}

/** The index of each row, {@link nullRow} where it is null. */
function indicesOf({ buffers, layout, length, nullCount }: Column): Int32Array {
  const [validity, bytes] = buffers;
  const width = layout.shape.kind === 'fixed' ? layout.shape.width : 4;
  const source = Buffer.from(bytes?.buffer ?? new ArrayBuffer(0), bytes?.byteOffset, bytes?.byteLength);
  const indices = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const isNull = nullCount > 0 && validity !== undefined && validity.byteLength > 0 && !isSet(validity, i);
    if (isNull) indices[i] = nullRow;
    else if (width === 1) indices[i] = source[i] ?? 0;
    else if (width === 8) indices[i] = Number(source.readBigUInt64LE(8 * i));
    else indices[i] = width === 2 ? source.readUInt16LE(2 * i) : source.readUInt32LE(4 * i);
  }
  return indices;
}

/** One batch, or several of the same number of rows where the values take more than peers accept. */
function builtBatches(columns: readonly Column[], rows: number): EngineBatch[] {
  const bytes = columns.reduce((sum, column) => sum + bytesOf(column), 0);
  const count = Math.min(rows, Math.ceil(bytes / largestForwardedBody));
  if (count <= 1) return [built(columns, rows)];
  const each = Math.ceil(rows / count);
  return Array.from({ length: Math.ceil(rows / each) }, (_, i) => {
    const start = i * each;
    const part = Int32Array.from({ length: Math.min(each, rows - start) }, (_row, k) => start + k);
    return built(
      columns.map((column) => takeRows(column, part)),
      part.length,
    );
  });
}

function built(columns: readonly Column[], rows: number): EngineBatch {
  const { body, layout } = writeColumns(columns, rows);
  const header = encodeRecordBatchHeader(layout, body.byteLength);
  return { kind: 'records', rows, header, body, release: () => undefined };
}

const none: Column = {
  layout: { name: '', shape: { kind: 'null' }, children: [], dictionary: undefined },
  length: 0,
  nullCount: 0,
  buffers: [],
  children: [],
};
