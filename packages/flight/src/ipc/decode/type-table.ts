import { FlightDataError } from '../../errors.ts';
import type { ArrowField, ArrowTimeUnit, ArrowType } from '../arrow-types.ts';
import type { FlatbufferReader } from '../flatbuffer/reader.ts';

/*
 * The union Type of Schema.fbs, by its number, with the fields of each table:
 *
 *   1 Null             8 Date { unit: short = MILLISECOND }                15 FixedSizeBinary { byteWidth: int }
 *   2 Int { bitWidth: int; is_signed: bool }                              16 FixedSizeList { listSize: int }
 *   3 FloatingPoint { precision: short }                                  17 Map { keysSorted: bool }
 *   4 Binary           9 Time { unit: short = MILLISECOND; bitWidth: int = 32 }
 *   5 Utf8            10 Timestamp { unit: short; timezone: string }      18 Duration { unit: short = MILLISECOND }
 *   6 Bool            11 Interval { unit: short }                         19 LargeBinary   23 BinaryView
 *   7 Decimal { precision: int; scale: int; bitWidth: int = 128 }         20 LargeUtf8     24 Utf8View
 *  12 List            14 Union { mode: short; typeIds: [int] }            21 LargeList     25 ListView
 *  13 Struct_                                                             22 RunEndEncoded 26 LargeListView
 */

const timeUnits: readonly ArrowTimeUnit[] = ['second', 'millisecond', 'microsecond', 'nanosecond'];
const precisions = ['half', 'single', 'double'] as const;
const dateUnits = ['day', 'millisecond'] as const;
const intervalUnits = ['year-month', 'day-time', 'month-day-nano'] as const;
const unionModes = ['sparse', 'dense'] as const;

/** Types whose table has no fields. */
const plainTypes: ReadonlyMap<number, ArrowType> = new Map<number, ArrowType>([
  [1, { kind: 'null' }],
  [4, { kind: 'binary' }],
  [5, { kind: 'utf8' }],
  [6, { kind: 'bool' }],
  [12, { kind: 'list' }],
  [13, { kind: 'struct' }],
  [19, { kind: 'large-binary' }],
  [20, { kind: 'large-utf8' }],
  [21, { kind: 'large-list' }],
  [22, { kind: 'run-end-encoded' }],
  [23, { kind: 'binary-view' }],
  [24, { kind: 'utf8-view' }],
  [25, { kind: 'list-view' }],
  [26, { kind: 'large-list-view' }],
]);

/**
 * Reads the type of a field.
 *
 * @param number - number of the type in the union
 * @param table - position of the type's table; 0 when absent
 * @param path - the field, for messages
 * @param children - the field's children, already read
 * @param text - reads a string within the schema's budget
 */
export function decodeTypeTable(
  reader: FlatbufferReader,
  number: number,
  table: number,
  path: string,
  children: readonly ArrowField[],
  text: (string: number) => string,
): ArrowType {
  const type = decodeType(reader, number, table, path, children, text);
  checkChildren(type, path, children);
  return type;
}

function decodeType(
  reader: FlatbufferReader,
  number: number,
  table: number,
  path: string,
  children: readonly ArrowField[],
  text: (string: number) => string,
): ArrowType {
  const plain = plainTypes.get(number);
  if (plain !== undefined) return plain;
  if (number === 0) throw new FlightDataError(`field "${path}" has no type`);
  if (number > 26) return { kind: 'unknown', typeId: number };
  if (table === 0) throw new FlightDataError(`field "${path}" has type ${number} without its parameters`);
  switch (number) {
    case 2:
      return decodeIntType(reader, table, path);
    case 3:
      return { kind: 'float', precision: pick(precisions, reader.i16Field(table, 0, 0), path, 'precision') };
    case 7:
      return decodeDecimal(reader, table, path);
    case 8:
      return { kind: 'date', unit: pick(dateUnits, reader.i16Field(table, 0, 1), path, 'date unit') };
    case 9:
      return decodeTime(reader, table, path);
    case 10: {
      const timezone = reader.reference(table, 1);
      return {
        kind: 'timestamp',
        unit: pick(timeUnits, reader.i16Field(table, 0, 0), path, 'time unit'),
        timezone: timezone === 0 ? undefined : text(timezone),
      };
    }
    case 11:
      return {
        kind: 'interval',
        unit: pick(intervalUnits, reader.i16Field(table, 0, 0), path, 'interval unit'),
      };
    case 14:
      return decodeUnion(reader, table, path, children);
    case 15:
      return { kind: 'fixed-size-binary', byteWidth: size(reader.i32Field(table, 0, 0), path, 'byte width') };
    case 16:
      return { kind: 'fixed-size-list', listSize: size(reader.i32Field(table, 0, 0), path, 'list size') };
    case 17:
      return { kind: 'map', keysSorted: reader.boolField(table, 0, false) };
    default:
      return { kind: 'duration', unit: pick(timeUnits, reader.i16Field(table, 0, 1), path, 'time unit') };
  }
}

/** Reads an Int table, which also tells the type of dictionary indices. */
export function decodeIntType(
  reader: FlatbufferReader,
  table: number,
  path: string,
): Extract<ArrowType, { kind: 'int' }> {
  const bitWidth = reader.i32Field(table, 0, 0);
  if (bitWidth !== 8 && bitWidth !== 16 && bitWidth !== 32 && bitWidth !== 64) {
    throw new FlightDataError(`field "${path}": an integer of ${bitWidth} bits is none of 8, 16, 32 and 64`);
  }
  return { kind: 'int', bitWidth, signed: reader.boolField(table, 1, false) };
}

function decodeDecimal(reader: FlatbufferReader, table: number, path: string): ArrowType {
  const precision = reader.i32Field(table, 0, 0);
  const scale = reader.i32Field(table, 1, 0);
  const bitWidth = reader.i32Field(table, 2, 128);
  if (bitWidth !== 32 && bitWidth !== 64 && bitWidth !== 128 && bitWidth !== 256) {
    throw new FlightDataError(
      `field "${path}": a decimal of ${bitWidth} bits is none of 32, 64, 128 and 256`,
    );
  }
  const most = { 32: 9, 64: 18, 128: 38, 256: 76 }[bitWidth];
  if (precision < 1 || precision > most) {
    throw new FlightDataError(
      `field "${path}": precision ${precision} of a decimal of ${bitWidth} bits is not between 1 and ${most}`,
    );
  }
  return { kind: 'decimal', precision, scale, bitWidth };
}

function decodeTime(reader: FlatbufferReader, table: number, path: string): ArrowType {
  const unit = pick(timeUnits, reader.i16Field(table, 0, 1), path, 'time unit');
  const bitWidth = reader.i32Field(table, 1, 32);
  const expected = unit === 'second' || unit === 'millisecond' ? 32 : 64;
  if (bitWidth !== expected) {
    throw new FlightDataError(`field "${path}": a time in ${unit}s takes ${expected} bits, not ${bitWidth}`);
  }
  return { kind: 'time', unit, bitWidth: expected };
}

function decodeUnion(
  reader: FlatbufferReader,
  table: number,
  path: string,
  children: readonly ArrowField[],
): ArrowType {
  const mode = pick(unionModes, reader.i16Field(table, 0, 0), path, 'union mode');
  const vector = reader.reference(table, 1);
  // Absent type ids mean 0, 1, 2, …
  if (vector === 0) return { kind: 'union', mode, typeIds: children.map((_, index) => index) };
  const count = reader.count(vector, 4);
  if (count !== children.length) {
    throw new FlightDataError(
      `field "${path}": a union of ${children.length} children has ${count} type ids`,
    );
  }
  const typeIds: number[] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.i32(vector + 4 + 4 * i);
    if (id < 0 || id > 127 || typeIds.includes(id)) {
      throw new FlightDataError(
        `field "${path}": type id ${id} of a union is not between 0 and 127, or repeats`,
      );
    }
    typeIds.push(id);
  }
  return { kind: 'union', mode, typeIds };
}

function checkChildren(type: ArrowType, path: string, children: readonly ArrowField[]): void {
  const expected = childCount(type.kind);
  if (expected !== undefined && children.length !== expected) {
    throw new FlightDataError(
      `field "${path}": type ${type.kind} takes ${expected} child fields, but there are ${children.length}`,
    );
  }
  if (type.kind === 'union' && children.length > 128) {
    throw new FlightDataError(
      `field "${path}": a union has at most 128 children, but there are ${children.length}`,
    );
  }
  if (type.kind === 'map') {
    const entries = children[0];
    if (
      entries?.type.kind !== 'struct' ||
      entries.children.length !== 2 ||
      entries.dictionary !== undefined
    ) {
      throw new FlightDataError(`field "${path}": the child of a map must be a struct of a key and a value`);
    }
  }
}

function childCount(kind: ArrowType['kind']): number | undefined {
  switch (kind) {
    case 'list':
    case 'large-list':
    case 'list-view':
    case 'large-list-view':
    case 'fixed-size-list':
    case 'map':
      return 1;
    case 'run-end-encoded':
      return 2;
    default:
      return undefined;
  }
}

function pick<T>(values: readonly T[], index: number, path: string, what: string): T {
  const value = values[index];
  if (value === undefined) {
    throw new FlightDataError(
      `field "${path}": ${what} ${index} is none of the format's (0 to ${values.length - 1})`,
    );
  }
  return value;
}

function size(value: number, path: string, what: string): number {
  if (value < 0) throw new FlightDataError(`field "${path}": ${what} ${value} is negative`);
  return value;
}
