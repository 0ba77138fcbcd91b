import { type Data, DataType } from 'apache-arrow';
import { halfValue } from './half.ts';

/*
 * What is in a column, read from its buffers as the format describes them: exact, and independent of apache-arrow's
 * accessors. Sliced columns are understood: `offset` counts for bitmaps and booleans alone, since apache-arrow cuts
 * every other buffer.
 */

/** A value of a column; 64-bit integers and decimals as bigint, text as string, binary as upper-case hex. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | { readonly typeId: number; readonly value: Value };

const decoder = new TextDecoder('utf-8');

/** Whether a slot is null; null columns are all null, unions never are themselves. */
export function isNull(data: Data, row: number): boolean {
  if (DataType.isNull(data.type)) return true;
  const bitmap: Uint8Array | undefined = data.nullBitmap;
  if (DataType.isUnion(data.type) || bitmap === undefined || bitmap.byteLength === 0) return false;
  const bit = data.offset + row;
  return (bitmap[bit >> 3]! & (1 << (bit & 7))) === 0;
}

/** The value of a row. */
export function valueAt(data: Data, row: number): Value {
  return isNull(data, row) ? null : slotAt(data, row);
}

/** What a slot holds, null or not; the slots of columns of nothing hold null. */
export function slotAt(data: Data, row: number): Value {
  const { type } = data;
  const values = data.values;
  if (DataType.isNull(type)) return null;
  if (DataType.isDictionary(type)) return dictionaryValue(data, Number(values[row]));
  if (DataType.isBool(type)) {
    const bit = data.offset + row;
    return (values[bit >> 3] & (1 << (bit & 7))) !== 0;
  }
  if (DataType.isFloat(type)) return type.precision === 0 ? halfValue(values[row]) : values[row];
  if (DataType.isDecimal(type)) return decimal(values, type.bitWidth, row);
  if (DataType.isInterval(type)) return interval(values, type.unit, row);
  if (DataType.isFixedSizeBinary(type)) {
    return hex(values.subarray(row * type.byteWidth, (row + 1) * type.byteWidth));
  }
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return decoder.decode(ranged(data, row));
  if (DataType.isBinary(type) || DataType.isLargeBinary(type)) return hex(ranged(data, row));
  if (DataType.isUtf8View(type)) return decoder.decode(viewed(data, row));
  if (DataType.isBinaryView(type)) return hex(viewed(data, row));
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isMap(type)) {
    return items(data, Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1]));
  }
  if (DataType.isFixedSizeList(type)) return items(data, row * type.listSize, (row + 1) * type.listSize);
  if (DataType.isStruct(type)) return data.children.map((child) => valueAt(child, row));
  if (DataType.isUnion(type)) {
    const typeId: number = data.typeIds[row];
    const child = data.children[type.typeIds.indexOf(typeId)];
    if (child === undefined) throw new Error(`type id ${typeId} is none of the union's`);
    return { typeId, value: valueAt(child, type.mode === 1 ? data.valueOffsets[row] : row) };
  }
  return values[row];
}

/** The bytes of a view of a view column. */
export function viewed(data: Data, row: number): Uint8Array {
  const values: Uint8Array = data.values;
  const view = new DataView(values.buffer, values.byteOffset + 16 * row, 16);
  const length = view.getInt32(0, true);
  if (length <= 12) return values.subarray(16 * row + 4, 16 * row + 4 + length);
  const buffer = data.variadicBuffers[view.getInt32(8, true)];
  if (buffer === undefined) throw new Error(`view ${row} refers to a buffer that is not there`);
  const offset = view.getInt32(12, true);
  return buffer.subarray(offset, offset + length);
}

/** Upper-case hex, as the integration JSON has it. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex').toUpperCase();
}

function dictionaryValue(data: Data, index: number): Value {
  let rest = index;
  for (const chunk of data.dictionary?.data ?? []) {
    if (rest < chunk.length) return valueAt(chunk, rest);
    rest -= chunk.length;
  }
  throw new Error(`index ${index} lies outside the dictionary`);
}

function items(data: Data, start: number, end: number): Value[] {
  const child = data.children[0];
  if (child === undefined) throw new Error('a list has no child');
  const found: Value[] = [];
  for (let row = start; row < end; row++) found.push(valueAt(child, row));
  return found;
}

function ranged(data: Data, row: number): Uint8Array {
  return data.values.subarray(Number(data.valueOffsets[row]), Number(data.valueOffsets[row + 1]));
}

function decimal(values: Uint32Array, bitWidth: number, row: number): bigint {
  const words = bitWidth / 32;
  let number = 0n;
  for (let word = words - 1; word >= 0; word--)
    number = (number << 32n) | BigInt(values[row * words + word]!);
  return BigInt.asIntN(bitWidth, number);
}

/** Months, or days and milliseconds, or months, days and nanoseconds. */
function interval(values: Int32Array, unit: number, row: number): Value {
  if (unit === 0) return values[row]!;
  if (unit === 1) return [values[2 * row]!, values[2 * row + 1]!];
  const nanoseconds = (BigInt(values[4 * row + 3]!) << 32n) | BigInt(values[4 * row + 2]! >>> 0);
  return [values[4 * row]!, values[4 * row + 1]!, nanoseconds];
}
