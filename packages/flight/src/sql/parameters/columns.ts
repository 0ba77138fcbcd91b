/** Columns of any type out of JavaScript values. */

import {
  BufferType,
  Data,
  DataType,
  type Decimal,
  type Field,
  makeData,
  util,
  vectorFromArray,
} from 'apache-arrow';
import { FlightInternalError, FlightInvalidArgumentError, FlightUnimplementedError } from '../../errors.ts';
import { isWholeNumberType, notOfType, toUnscaled, toWholeNumber } from './scalars.ts';

/**
 * Makes a column.
 *
 * @param values - null and undefined are null
 * @throws FlightInvalidArgumentError for a value that the type cannot hold
 * @throws FlightUnimplementedError for unions and other types that values do not tell
 */
export function columnOf(type: DataType, values: readonly unknown[]): Data {
  if (DataType.isNull(type)) return nullColumn(type, values);
  if (isWholeNumberType(type)) return wholeNumberColumn(type, values);
  if (DataType.isDecimal(type)) return decimalColumn(type, values);
  if (DataType.isStruct(type)) return structColumn(type, values);
  if (DataType.isMap(type)) return mapColumn(type, values);
  if (DataType.isList(type)) return listColumn(type, type.valueField, values);
  if (DataType.isFixedSizeList(type)) return fixedSizeListColumn(type, values);
  if (DataType.isUnion(type) || DataType.isLargeList(type)) {
    throw new FlightUnimplementedError(
      `values of type ${String(type)} cannot be made of JavaScript values; give a RecordBatch`,
    );
  }
  return builtColumn(type, values);
}

const isMissing = (value: unknown): boolean => value === null || value === undefined;

/** Validity of the values; no bitmap where all are there. */
function validity(values: readonly unknown[]): {
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array | undefined;
} {
  const nullCount = values.filter(isMissing).length;
  if (nullCount === 0) return { nullCount, nullBitmap: undefined };
  return { nullCount, nullBitmap: util.packBools(values.map((value) => !isMissing(value))) };
}

function nullColumn(type: DataType, values: readonly unknown[]): Data {
  const found = values.find((value) => !isMissing(value));
  if (found !== undefined) throw notOfType(type, found);
  return only(
    vectorFromArray(
      values.map(() => null),
      type,
    ).data,
    type,
  );
}

function wholeNumberColumn(type: DataType, values: readonly unknown[]): Data {
  const data = new type.ArrayType(values.length);
  for (const [row, value] of values.entries()) {
    if (isMissing(value)) continue;
    const number = toWholeNumber(type, value);
    data[row] = data instanceof BigInt64Array || data instanceof BigUint64Array ? number : Number(number);
    if (BigInt(data[row]) !== number) throw notOfType(type, value);
  }
  const { nullCount, nullBitmap } = validity(values);
  const buffers = { [BufferType.DATA]: data, ...(nullBitmap && { [BufferType.VALIDITY]: nullBitmap }) };
  return new Data(type, 0, values.length, nullCount, buffers);
}

function decimalColumn(type: Decimal, values: readonly unknown[]): Data {
  const words = type.bitWidth / 32;
  const data = new Uint32Array(values.length * words);
  for (const [row, value] of values.entries()) {
    if (isMissing(value)) continue;
    let rest = toUnscaled(value, type.precision, type.scale);
    for (let word = 0; word < words; word += 1) {
      data[row * words + word] = Number(BigInt.asUintN(32, rest));
      rest >>= 32n;
    }
  }
  return makeData({ type, length: values.length, data, ...validity(values) });
}

function structColumn(type: DataType, values: readonly unknown[]): Data {
  const fields: readonly Field[] = type.children ?? [];
  const children = fields.map((field) =>
    columnOf(
      field.type,
      values.map((value) => (isMissing(value) ? null : propertyOf(type, value, field.name))),
    ),
  );
  return makeNested(type, values, { children });
}

function propertyOf(type: DataType, value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notOfType(type, value);
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function mapColumn(type: DataType, values: readonly unknown[]): Data {
  const [entries] = type.children ?? [];
  const [keyField, valueField] = entries?.type.children ?? [];
  if (entries === undefined || keyField === undefined || valueField === undefined)
    throw notOfType(type, 'map');
  const lists = values.map((value) => (isMissing(value) ? [] : entriesOf(type, value)));
  const all = lists.flat();
  const child = makeNested(entries.type, all, {
    children: [
      columnOf(
        keyField.type,
        all.map(([key]) => key),
      ),
      columnOf(
        valueField.type,
        all.map(([, value]) => value),
      ),
    ],
  });
  return makeNested(type, values, { child, valueOffsets: offsetsOf(lists) });
}

function entriesOf(type: DataType, value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value instanceof Map) return [...value];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw notOfType(type, value);
}

function listColumn(type: DataType, item: Field, values: readonly unknown[]): Data {
  const lists = values.map((value) => (isMissing(value) ? [] : itemsOf(type, value)));
  return makeNested(type, values, {
    child: columnOf(item.type, lists.flat()),
    valueOffsets: offsetsOf(lists),
  });
}

function fixedSizeListColumn(
  type: DataType & { readonly listSize: number; readonly valueField: Field },
  values: readonly unknown[],
): Data {
  const lists = values.map((value) => {
    if (isMissing(value)) return Array.from({ length: type.listSize }, () => null);
    const items = itemsOf(type, value);
    if (items.length !== type.listSize) {
      throw new FlightInvalidArgumentError(
        `${String(type)} takes ${type.listSize} items, got ${items.length}`,
      );
    }
    return items;
  });
  return makeNested(type, values, { child: columnOf(type.valueField.type, lists.flat()) });
}

/** Items of an array, a typed array, or an Arrow vector. */
function itemsOf(type: DataType, value: unknown): readonly unknown[] {
  if (typeof value === 'object' && value !== null && Symbol.iterator in value && !(value instanceof Map)) {
    const items: unknown[] = [];
    const iterable: Iterable<unknown> = { [Symbol.iterator]: () => iteratorOf(value) };
    for (const item of iterable) items.push(item);
    return items;
  }
  throw notOfType(type, value);
}

function iteratorOf(value: object & { readonly [Symbol.iterator]: unknown }): Iterator<unknown> {
  const make = value[Symbol.iterator];
  if (typeof make !== 'function') throw new FlightInvalidArgumentError('the value cannot be iterated');
  return Reflect.apply(make, value, []);
}

function offsetsOf(lists: readonly (readonly unknown[])[]): Int32Array {
  const offsets = new Int32Array(lists.length + 1);
  let end = 0;
  for (const [row, list] of lists.entries()) {
    end += list.length;
    offsets[row + 1] = end;
  }
  return offsets;
}

function makeNested(
  type: DataType,
  values: readonly unknown[],
  parts: {
    readonly children?: Data[];
    readonly child?: Data;
    readonly valueOffsets?: Int32Array;
  },
): Data {
  return makeData({ type, length: values.length, ...validity(values), ...parts });
}

/** Types whose builders of apache-arrow take the values as they are. */
function builtColumn(type: DataType, values: readonly unknown[]): Data {
  const checked = values.map((value) => {
    if (isMissing(value)) return null;
    checkBuilt(type, value);
    return value;
  });
  return only(vectorFromArray(checked, type).data, type);
}

/** The builders take anything, and make something of it. */
function checkBuilt(type: DataType, value: unknown): void {
  const of = DataType.isDictionary(type) ? type.dictionary : type;
  if (DataType.isBool(of) && typeof value !== 'boolean') throw notOfType(type, value);
  if (DataType.isFloat(of) && typeof value !== 'number') throw notOfType(type, value);
  if (
    (DataType.isUtf8(of) || DataType.isLargeUtf8(of) || DataType.isUtf8View(of)) &&
    typeof value !== 'string'
  ) {
    throw notOfType(type, value);
  }
  if (
    (DataType.isBinary(of) ||
      DataType.isLargeBinary(of) ||
      DataType.isBinaryView(of) ||
      DataType.isFixedSizeBinary(of)) &&
    !(value instanceof Uint8Array)
  ) {
    throw notOfType(type, value);
  }
  if (DataType.isFixedSizeBinary(of) && value instanceof Uint8Array && value.byteLength !== of.byteWidth) {
    throw new FlightInvalidArgumentError(
      `${String(type)} takes ${of.byteWidth} bytes, got ${value.byteLength}`,
    );
  }
}

function only(data: readonly Data[], type: DataType): Data {
  const [first] = data;
  if (first === undefined)
    throw new FlightInternalError(`a column of type ${String(type)} could not be made`);
  return first;
}
