import { readFileSync } from 'node:fs';
import { type Data, DataType, type Field, type RecordBatch } from 'apache-arrow';

/*
 * What columns hold, read from their buffers as the format describes them, independently of apache-arrow's accessors.
 * The form is the one that fixtures/make-ipc.py writes.
 */

/** A value of a fixture. */
export type Plain = null | boolean | number | string | Plain[] | { t: number; v: Plain };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The values of a column. */
export function plain(data: Data): Plain[] {
  const values: Plain[] = [];
  for (let row = 0; row < data.length; row++) values.push(isNull(data, row) ? null : slot(data, row));
  return values;
}

/** The columns of a batch. */
export function plainBatch(batch: RecordBatch): Plain[][] {
  return batch.data.children.map((column) => plain(column));
}

function isNull(data: Data, row: number): boolean {
  if (data.typeId === 1) return true;
  const bitmap: Uint8Array | undefined = data.nullBitmap;
  if (DataType.isUnion(data.type) || bitmap === undefined || bitmap.byteLength === 0) return false;
  const at = data.offset + row;
  return (bitmap[at >> 3]! & (1 << (at & 7))) === 0;
}

function slot(data: Data, row: number): Plain {
  const { type } = data;
  const values = data.values;
  if (DataType.isDictionary(type)) {
    const index = Number(values[row]);
    let at = index;
    for (const chunk of data.dictionary?.data ?? []) {
      if (at < chunk.length) return plain(chunk)[at] ?? null;
      at -= chunk.length;
    }
    throw new Error(`index ${index} is outside the dictionary`);
  }
  if (DataType.isBool(type))
    return (values[(data.offset + row) >> 3] & (1 << ((data.offset + row) & 7))) !== 0;
  if (DataType.isFloat(type)) return float(type.precision === 0 ? half(values[row]) : values[row]);
  if (DataType.isDecimal(type)) {
    const words = type.bitWidth / 32;
    let number = 0n;
    for (let i = words - 1; i >= 0; i--) number = (number << 32n) | BigInt(values[row * words + i]);
    return BigInt.asIntN(type.bitWidth, number).toString();
  }
  if (DataType.isInterval(type)) {
    if (type.unit === 0) return values[row];
    if (type.unit === 1) return [values[2 * row], values[2 * row + 1]];
    const nanos = (BigInt(values[4 * row + 3]) << 32n) | BigInt(values[4 * row + 2] >>> 0);
    return [values[4 * row], values[4 * row + 1], nanos.toString()];
  }
  if (DataType.isFixedSizeBinary(type)) {
    return hex(values.subarray(row * type.byteWidth, (row + 1) * type.byteWidth));
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return utf8.decode(ranged(data, row));
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return hex(ranged(data, row));
  if (DataType.isUtf8View(type)) return utf8.decode(viewed(data, row));
  if (DataType.isBinaryView(type)) return hex(viewed(data, row));
  if (DataType.isList(type) || DataType.isLargeList(type)) return listed(data, row);
  if (DataType.isMap(type)) return listed(data, row);
  if (DataType.isFixedSizeList(type))
    return plain(data.children[0]!).slice(row * type.listSize, (row + 1) * type.listSize);
  if (DataType.isStruct(type)) return data.children.map((child) => plain(child)[row] ?? null);
  if (DataType.isUnion(type)) {
    const typeId: number = data.typeIds[row];
    const child = data.children[type.typeIds.indexOf(typeId)]!;
    return { t: typeId, v: plain(child)[type.mode === 1 ? data.valueOffsets[row] : row] ?? null };
  }
  const value: number | bigint = values[row];
  return typeof value === 'bigint' ? value.toString() : value;
}

function listed(data: Data, row: number): Plain[] {
  return plain(data.children[0]!).slice(Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1]));
}

function ranged(data: Data, row: number): Uint8Array {
  return data.values.subarray(Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1]));
}

function viewed(data: Data, row: number): Uint8Array {
  const values: Uint8Array = data.values;
  const view = new DataView(values.buffer, values.byteOffset + 16 * row, 16);
  const length = view.getInt32(0, true);
  if (length <= 12) return values.subarray(16 * row + 4, 16 * row + 4 + length);
  const offset = view.getInt32(12, true);
  return data.variadicBuffers[view.getInt32(8, true)]!.subarray(offset, offset + length);
}

function float(value: number): Plain {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return 'Infinity';
  return value === -Infinity ? '-Infinity' : value;
}

function half(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * 2 ** (exponent - 25) * (fraction + 1024);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** What a fixture holds. */
export interface Expected {
  readonly fields: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: readonly number[];
  readonly batches: readonly (readonly (readonly Plain[])[])[];
  readonly custom: readonly Readonly<Record<string, string>>[];
}

const folder = new URL('../../../test/fixtures/ipc/', import.meta.url);

/** The bytes of a fixture, by its whole name. */
export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

/** What the fixture holds. */
export function expected(name: string): Expected {
  const read: Expected = JSON.parse(
    readFileSync(new URL(`${name.replace(/\.\w+$/, '')}.json`, folder), 'utf8'),
  );
  return read;
}

/** The fields of a schema with all below them. */
export function allFields(fields: readonly Field[]): Field[] {
  return fields.flatMap((field) => {
    const children: readonly Field[] = field.type.children ?? [];
    return [field, ...allFields(children)];
  });
}

/** Reads every value of a batch by apache-arrow's accessors. */
export function touchAll(batch: RecordBatch): void {
  for (let i = 0; i < batch.numCols; i++) {
    const vector = batch.getChildAt(i);
    if (vector === null) continue;
    for (const value of vector) touch(value);
  }
}

function touch(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (Symbol.iterator in value && typeof value[Symbol.iterator] === 'function') {
    const items: Iterable<unknown> = value as Iterable<unknown>;
    for (const item of items) touch(item);
  }
}
