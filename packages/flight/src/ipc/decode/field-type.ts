import {
  Binary,
  BinaryView,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMicrosecond,
  DurationMillisecond,
  DurationNanosecond,
  DurationSecond,
  type Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  Null,
  SparseUnion,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { FlightDataError, FlightUnimplementedError } from '../../errors.ts';
import type { ArrowDictionaryEncoding, ArrowField, ArrowTimeUnit, ArrowType } from '../arrow-types.ts';

/**
 * Makes apache-arrow's type of a field's raw one. The classes of the exact type (`Int32`, not `Int`) are used, so that
 * types compare equal with those that people write.
 *
 * @param field - the field; its dictionary encoding is not looked at
 * @param path - where it is, for messages
 * @param children - the field's children, already made
 * @throws FlightUnimplementedError naming the field when apache-arrow has no class for the type
 */
export function toDataType(field: ArrowField, path: string, children: Field[]): DataType {
  const { type } = field;
  switch (type.kind) {
    case 'null':
      return new Null();
    case 'bool':
      return new Bool();
    case 'int':
      return toInt(type);
    case 'float':
      return { half: () => new Float16(), single: () => new Float32(), double: () => new Float64() }[
        type.precision
      ]();
    case 'decimal':
      return new Decimal(type.scale, type.precision, type.bitWidth);
    case 'utf8':
      return new Utf8();
    case 'large-utf8':
      return new LargeUtf8();
    case 'utf8-view':
      return new Utf8View();
    case 'binary':
      return new Binary();
    case 'large-binary':
      return new LargeBinary();
    case 'binary-view':
      return new BinaryView();
    case 'fixed-size-binary':
      return new FixedSizeBinary(type.byteWidth);
    case 'date':
      return type.unit === 'day' ? new DateDay() : new DateMillisecond();
    case 'time':
      return times[type.unit]();
    case 'timestamp':
      return timestamps[type.unit](type.timezone ?? null);
    case 'duration':
      return durations[type.unit]();
    case 'interval':
      return intervals[type.unit]();
    case 'list':
      return new List(onlyChild(children, path));
    case 'large-list':
      return new LargeList(onlyChild(children, path));
    case 'fixed-size-list':
      return new FixedSizeList(type.listSize, onlyChild(children, path));
    case 'struct':
      return new Struct(children);
    case 'map':
      return toMap(onlyChild(children, path), type.keysSorted);
    case 'union':
      return type.mode === 'dense'
        ? new DenseUnion([...type.typeIds], children)
        : new SparseUnion([...type.typeIds], children);
    case 'list-view':
    case 'large-list-view':
    case 'run-end-encoded':
    case 'unknown':
      throw new FlightUnimplementedError(
        `field "${path}" has type ${type.kind === 'unknown' ? `number ${type.typeId}` : type.kind}, which apache-arrow has no class for; ` +
          'read the stream at the raw level, or have the sender cast the column',
      );
  }
}

const times: Readonly<Record<ArrowTimeUnit, () => DataType>> = {
  second: () => new TimeSecond(),
  millisecond: () => new TimeMillisecond(),
  microsecond: () => new TimeMicrosecond(),
  nanosecond: () => new TimeNanosecond(),
};

const timestamps: Readonly<Record<ArrowTimeUnit, (timezone: string | null) => DataType>> = {
  second: (timezone) => new TimestampSecond(timezone),
  millisecond: (timezone) => new TimestampMillisecond(timezone),
  microsecond: (timezone) => new TimestampMicrosecond(timezone),
  nanosecond: (timezone) => new TimestampNanosecond(timezone),
};

const durations: Readonly<Record<ArrowTimeUnit, () => DataType>> = {
  second: () => new DurationSecond(),
  millisecond: () => new DurationMillisecond(),
  microsecond: () => new DurationMicrosecond(),
  nanosecond: () => new DurationNanosecond(),
};

const intervals: Readonly<Record<'year-month' | 'day-time' | 'month-day-nano', () => DataType>> = {
  'year-month': () => new IntervalYearMonth(),
  'day-time': () => new IntervalDayTime(),
  'month-day-nano': () => new IntervalMonthDayNano(),
};

function toInt(
  type: Extract<ArrowType, { kind: 'int' }>,
): Int8 | Int16 | Int32 | Int64 | Uint8 | Uint16 | Uint32 | Uint64 {
  switch (type.bitWidth) {
    case 8:
      return type.signed ? new Int8() : new Uint8();
    case 16:
      return type.signed ? new Int16() : new Uint16();
    case 32:
      return type.signed ? new Int32() : new Uint32();
    case 64:
      return type.signed ? new Int64() : new Uint64();
  }
}

/**
 * apache-arrow's map type renames its fields to entries, key and value. The names of the wire are put back, since a
 * schema that is sent on must stay as it was; nothing in apache-arrow finds map fields by name.
 */
function toMap(entries: Field, keysSorted: boolean): Map_ {
  const [key, value]: Field[] = entries.type.children;
  const names = [entries, key, value].map((field) => [field, field?.name] as const);
  const type = new Map_(entries, keysSorted);
  for (const [field, name] of names) {
    if (field !== undefined && field.name !== name) Object.assign(field, { name });
  }
  return type;
}

/**
 * Wraps the type of a dictionary's values into the type of the field that has the indices.
 *
 * @param valueType - one object for all fields that share the dictionary
 */
export function toDictionaryType(valueType: DataType, encoding: ArrowDictionaryEncoding): Dictionary {
  // apache-arrow's key types leave the 64-bit integers out; `bigint-indices.ts` says how they are read nevertheless.
  const indices: DataType = toInt(encoding.indexType);
  return new Dictionary(valueType, indices as Dictionary['indices'], encoding.id, encoding.ordered);
}

/** Whether two fields have the same type of values, children's types counted, names and metadata not. */
export function sameFieldType(a: ArrowField, b: ArrowField): boolean {
  return (
    JSON.stringify(a.type) === JSON.stringify(b.type) &&
    a.children.length === b.children.length &&
    a.children.every((child, index) => {
      const other = b.children[index];
      return (
        other !== undefined && child.dictionary?.id === other.dictionary?.id && sameFieldType(child, other)
      );
    })
  );
}

function onlyChild(children: Field[], path: string): Field {
  const child = children[0];
  if (child === undefined) throw new FlightDataError(`field "${path}" has no child field`);
  return child;
}
