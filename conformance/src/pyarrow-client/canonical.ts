/**
 * Reads Arrow data as JSON in which nothing is lost, so that two implementations can compare what they read:
 * integers and times as decimal text, floats as the bits of a double, bytes as hexadecimal, a union as [code, value], or [null, null].
 * `python/types_checks.py` writes the same from Arrow C++.
 */

import { type Data, DataType, makeVector, type Table, type Vector } from 'apache-arrow';

/** A value of any type. */
export type Canonical = null | boolean | string | readonly Canonical[];

/** Every column of a table, value by value. */
export function canonicalTable(table: Table): Canonical[][] {
  return table.schema.fields.map((_field, index) => {
    const column = table.getChildAt(index);
    return column === null ? [] : canonicalVector(column);
  });
}

function canonicalVector(vector: Vector): Canonical[] {
  return vector.data.flatMap((data: Data) =>
    Array.from({ length: data.length }, (_item, index) => canonicalValue(data, index)),
  );
}

function canonicalValue(data: Data, index: number): Canonical {
  const { type } = data;
  if (DataType.isUnion(type)) {
    const code = data.typeIds[index] ?? 0;
    const child = data.children[type.typeIds.indexOf(code)];
    if (child === undefined) throw new Error(`the union has no type with code ${code}`);
    const childIndex = DataType.isDenseUnion(type) ? Number(data.valueOffsets[index]) : index;
    const value = canonicalValue(child, childIndex);
    return value === null ? [null, null] : [String(code), value];
  }
  if (!data.getValid(index)) return null;
  if (DataType.isDictionary(type)) {
    if (data.dictionary === undefined) throw new Error('a dictionary column without dictionary');
    return canonicalAt(data.dictionary, Number(integer(data, index)));
  }
  if (DataType.isNull(type)) return null;
  if (DataType.isBool(type)) return Boolean(makeVector(data).get(index));
  if (DataType.isFloat(type)) return doubleBits(Number(makeVector(data).get(index)));
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) {
    return String(makeVector(data).get(index));
  }
  if (
    DataType.isBinary(type) ||
    DataType.isLargeBinary(type) ||
    DataType.isBinaryView(type) ||
    DataType.isFixedSizeBinary(type)
  ) {
    return Buffer.from(makeVector(data).get(index)).toString('hex');
  }
  if (DataType.isInterval(type)) return interval(data, index);
  if (DataType.isStruct(type)) return data.children.map((child: Data) => canonicalValue(child, index));
  if (DataType.isFixedSizeList(type)) {
    return range(data.children[0], index * type.listSize, (index + 1) * type.listSize);
  }
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isMap(type)) {
    return range(data.children[0], Number(data.valueOffsets[index]), Number(data.valueOffsets[index + 1]));
  }
  return integer(data, index);
}

function canonicalAt(vector: Vector, index: number): Canonical {
  let rest = index;
  for (const data of vector.data) {
    if (rest < data.length) return canonicalValue(data, rest);
    rest -= data.length;
  }
  throw new Error(`index ${index} is beyond the dictionary of ${vector.length} values`);
}

function range(child: Data | undefined, start: number, end: number): Canonical[] {
  if (child === undefined) throw new Error('a list column without child');
  return Array.from({ length: end - start }, (_item, index) => canonicalValue(child, start + index));
}

function doubleBits(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

/** Months, days, nanoseconds: 4, 4 and 8 bytes. */
function interval(data: Data, index: number): Canonical {
  const view = valueView(data, index, 16);
  return [view.getInt32(0, true), view.getInt32(4, true), view.getBigInt64(8, true)].map(String);
}

/** The value behind integers, decimals, dates, times, timestamps and durations, as it is in memory. */
function integer(data: Data, index: number): string {
  const { type } = data;
  const indices = DataType.isDictionary(type) ? type.indices : type;
  const unsigned = DataType.isInt(indices) && !indices.isSigned;
  const byteWidth = valueByteWidth(indices);
  const view = valueView(data, index, byteWidth);
  let value = 0n;
  for (let byte = byteWidth - 1; byte >= 0; byte -= 1) value = (value << 8n) | BigInt(view.getUint8(byte));
  return String(unsigned ? value : BigInt.asIntN(byteWidth * 8, value));
}

function valueByteWidth(type: DataType): number {
  if (DataType.isInt(type) || DataType.isTime(type) || DataType.isDecimal(type)) return type.bitWidth / 8;
  if (DataType.isDate(type)) return type.unit === 0 ? 4 : 8;
  if (DataType.isTimestamp(type) || DataType.isDuration(type)) return 8;
  throw new Error(`no reading for ${String(type)}`);
}

function valueView(data: Data, index: number, byteWidth: number): DataView {
  const values: unknown = data.values;
  if (!ArrayBuffer.isView(values)) throw new Error(`${String(data.type)} has no values`);
  return new DataView(values.buffer, values.byteOffset + index * byteWidth, byteWidth);
}
