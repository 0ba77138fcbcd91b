import { toArrowSchema } from '@peregrine/flight/ipc';
import { type Data, DataType, type Field, type RecordBatch, type Schema } from 'apache-arrow';
import type { JsonBatch, JsonColumn, JsonDictionary, JsonFile, JsonValue, JsonView } from './format.ts';
import { formatFile } from './format.ts';
import { schemaToJson } from './schema.ts';
import { hex, isNull, slotAt, viewed } from './values.ts';

/**
 * Writes batches as integration JSON. The format has one dictionary an id, so the batches must agree on theirs.
 *
 * @param schema - of all batches
 * @param batches - may be sliced
 */
export function writeIntegrationJson(schema: Schema, batches: readonly RecordBatch[]): string {
  return formatFile(toIntegrationJson(schema, batches));
}

/** As {@link writeIntegrationJson}, not yet text. */
export function toIntegrationJson(schema: Schema, batches: readonly RecordBatch[]): JsonFile {
  const dictionaries = new Map<number, JsonDictionary>();
  const written = batches.map((batch) =>
    batchToJson(schema.fields, batch.data.children, batch.numRows, dictionaries),
  );
  return {
    schema: schemaToJson(toArrowSchema(schema)),
    batches: written,
    ...(dictionaries.size === 0 ? {} : { dictionaries: [...dictionaries.values()] }),
  };
}

function batchToJson(
  fields: readonly Field[],
  columns: readonly Data[],
  count: number,
  dictionaries: Map<number, JsonDictionary>,
): JsonBatch {
  return {
    count,
    columns: fields.map((field, index) => {
      const data = columns[index];
      if (data === undefined) throw new Error(`the batch has no column for field ${field.name}`);
      return columnToJson(field.name, data, data.length, dictionaries);
    }),
  };
}

function columnToJson(
  name: string,
  data: Data,
  count: number,
  dictionaries: Map<number, JsonDictionary>,
): JsonColumn {
  const { type } = data;
  if (DataType.isNull(type)) return { name, count };
  const rows = Array.from({ length: count }, (_, row) => row);
  const VALIDITY = rows.map((row) => (isNull(data, row) ? 0 : 1));
  if (DataType.isDictionary(type)) {
    keepDictionary(type.id, data, dictionaries);
    return { name, count, VALIDITY, DATA: rows.map((row) => jsonNumber(data.values[row])) };
  }
  const children = (lengths: (index: number) => number): JsonColumn[] =>
    type.children.map((field: Field, index: number) => {
      const child = data.children[index];
      if (child === undefined) throw new Error(`column ${name} has no child for field ${field.name}`);
      return columnToJson(field.name, child, lengths(index), dictionaries);
    });
  const whole = (index: number): number => data.children[index]?.length ?? 0;
  if (DataType.isUnion(type)) {
    const TYPE_ID = rows.map((row) => Number(data.typeIds[row]));
    if (type.mode === 0) return { name, count, TYPE_ID, children: children(() => count) };
    const OFFSET = rows.map((row) => Number(data.valueOffsets[row]));
    return { name, count, TYPE_ID, OFFSET, children: children(whole) };
  }
  if (DataType.isStruct(type)) return { name, count, VALIDITY, children: children(() => count) };
  if (DataType.isFixedSizeList(type)) {
    return { name, count, VALIDITY, children: children(() => count * type.listSize) };
  }
  const OFFSET = [...rows, count].map((row) => jsonNumber(data.valueOffsets?.[row] ?? 0));
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isMap(type)) {
    return { name, count, VALIDITY, OFFSET, children: children(whole) };
  }
  if (DataType.isUtf8View(type) || DataType.isBinaryView(type)) {
    return {
      name,
      count,
      VALIDITY,
      VIEWS: rows.map((row) => (isNull(data, row) ? { SIZE: 0, INLINED: '' } : viewToJson(data, row))),
      VARIADIC_DATA_BUFFERS: data.variadicBuffers.map(hex),
    };
  }
  const DATA = rows.map((row) => valueToJson(data, row));
  const ranged =
    DataType.isUtf8(type) ||
    DataType.isLargeUtf8(type) ||
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type);
  if (!ranged) return { name, count, VALIDITY, DATA };
  // The values are written one after the other, so the offsets count from the first one written.
  const large = typeof OFFSET[0] === 'string';
  const start = BigInt(OFFSET[0] ?? 0);
  return {
    name,
    count,
    VALIDITY,
    OFFSET: OFFSET.map((offset) => (large ? String(BigInt(offset) - start) : Number(BigInt(offset) - start))),
    DATA,
  };
}

function keepDictionary(id: number, data: Data, dictionaries: Map<number, JsonDictionary>): void {
  const known = dictionaries.get(id);
  const chunks = data.dictionary?.data ?? [];
  const length = data.dictionary?.length ?? 0;
  // A dictionary that grew by deltas is written as it is at the end.
  if (known !== undefined && known.data.count >= length) return;
  const columns = chunks.map((chunk) => columnToJson(`DICT${id}`, chunk, chunk.length, dictionaries));
  const [first] = columns;
  if (first === undefined) return;
  dictionaries.set(id, {
    id,
    data: { count: length, columns: [columns.slice(1).reduce(joinColumns, first)] },
  });
}

/** Puts the chunks of a dictionary together. Columns with offsets or children would need more than that. */
function joinColumns(a: JsonColumn, b: JsonColumn): JsonColumn {
  if (a.children !== undefined || a.VIEWS !== undefined) {
    throw new Error('dictionaries with deltas of nested or view types cannot be written as integration JSON');
  }
  const end = Number(a.OFFSET?.at(-1) ?? 0);
  const moved = b.OFFSET?.slice(1).map((offset) =>
    typeof offset === 'string' ? String(Number(offset) + end) : offset + end,
  );
  return {
    ...a,
    count: a.count + b.count,
    VALIDITY: [...(a.VALIDITY ?? []), ...(b.VALIDITY ?? [])],
    ...(a.OFFSET === undefined || moved === undefined ? {} : { OFFSET: [...a.OFFSET, ...moved] }),
    DATA: [...(a.DATA ?? []), ...(b.DATA ?? [])],
  };
}

function viewToJson(data: Data, row: number): JsonView {
  const bytes = viewed(data, row);
  const SIZE = bytes.byteLength;
  if (SIZE <= 12) {
    return {
      SIZE,
      INLINED: DataType.isUtf8View(data.type) ? Buffer.from(bytes).toString('utf8') : hex(bytes),
    };
  }
  const values: Uint8Array = data.values;
  const view = new DataView(values.buffer, values.byteOffset + 16 * row, 16);
  return {
    SIZE,
    PREFIX_HEX: hex(bytes.subarray(0, 4)),
    BUFFER_INDEX: view.getInt32(8, true),
    OFFSET: view.getInt32(12, true),
  };
}

/** A value of DATA; null slots have theirs too, except for what may be garbage there. */
function valueToJson(data: Data, row: number): JsonValue {
  const value = slotAt(data, row);
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) {
    const [first, second, third] = value;
    return third === undefined
      ? { days: Number(first), milliseconds: Number(second) }
      : { months: Number(first), days: Number(second), nanoseconds: String(third) };
  }
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  throw new Error(`${JSON.stringify(value)} is no value of DATA`);
}

function jsonNumber(value: number | bigint): number | string {
  return typeof value === 'bigint' ? String(value) : value;
}
