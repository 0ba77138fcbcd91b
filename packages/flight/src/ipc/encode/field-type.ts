import { DataType, Type } from 'apache-arrow';
import { FlightUnimplementedError } from '../../errors.ts';
import type { ArrowTimeUnit, ArrowType } from '../arrow-types.ts';

const timeUnits: readonly ArrowTimeUnit[] = ['second', 'millisecond', 'microsecond', 'nanosecond'];

/**
 * The raw type of an apache-arrow type. For a dictionary that is the type of its values; children are on the field.
 *
 * @param path - the field, for messages
 * @throws FlightUnimplementedError for a class that is none of apache-arrow's
 */
export function toArrowType(type: DataType, path: string): ArrowType {
  if (DataType.isInt(type)) return { kind: 'int', bitWidth: type.bitWidth, signed: type.isSigned };
  if (DataType.isUtf8(type)) return { kind: 'utf8' };
  if (DataType.isFloat(type)) {
    return { kind: 'float', precision: (['half', 'single', 'double'] as const)[type.precision] };
  }
  if (DataType.isTimestamp(type)) {
    return { kind: 'timestamp', unit: timeUnit(type.unit), timezone: type.timezone || undefined };
  }
  if (DataType.isNull(type)) return { kind: 'null' };
  if (DataType.isBool(type)) return { kind: 'bool' };
  if (DataType.isDecimal(type)) {
    const { precision, scale, bitWidth } = type;
    if (bitWidth !== 32 && bitWidth !== 64 && bitWidth !== 128 && bitWidth !== 256) {
      throw new FlightUnimplementedError(
        `field "${path}" is a decimal of ${bitWidth} bits; the format has 32, 64, 128 and 256`,
      );
    }
    return { kind: 'decimal', precision, scale, bitWidth };
  }
  if (DataType.isDate(type)) return { kind: 'date', unit: type.unit === 0 ? 'day' : 'millisecond' };
  if (DataType.isTime(type)) return { kind: 'time', unit: timeUnit(type.unit), bitWidth: type.bitWidth };
  if (DataType.isDuration(type)) return { kind: 'duration', unit: timeUnit(type.unit) };
  if (DataType.isInterval(type)) {
    return { kind: 'interval', unit: (['year-month', 'day-time', 'month-day-nano'] as const)[type.unit] };
  }
  if (DataType.isBinary(type)) return { kind: 'binary' };
  if (DataType.isLargeUtf8(type)) return { kind: 'large-utf8' };
  if (DataType.isLargeBinary(type)) return { kind: 'large-binary' };
  if (DataType.isUtf8View(type)) return { kind: 'utf8-view' };
  if (DataType.isBinaryView(type)) return { kind: 'binary-view' };
  if (DataType.isFixedSizeBinary(type)) return { kind: 'fixed-size-binary', byteWidth: type.byteWidth };
  if (DataType.isList(type)) return { kind: 'list' };
  if (DataType.isLargeList(type)) return { kind: 'large-list' };
  if (DataType.isFixedSizeList(type)) return { kind: 'fixed-size-list', listSize: type.listSize };
  if (DataType.isStruct(type)) return { kind: 'struct' };
  if (DataType.isMap(type)) return { kind: 'map', keysSorted: type.keysSorted };
  if (DataType.isUnion(type)) {
    return {
      kind: 'union',
      mode: DataType.isDenseUnion(type) ? 'dense' : 'sparse',
      typeIds: [...type.typeIds],
    };
  }
  if (DataType.isDictionary(type)) {
    if (DataType.isDictionary(type.dictionary)) {
      throw new FlightUnimplementedError(
        `field "${path}" is a dictionary of dictionaries, which the format has no schema for`,
      );
    }
    return toArrowType(type.dictionary, path);
  }
  throw new FlightUnimplementedError(
    `field "${path}" has type ${Type[type.typeId] ?? type.typeId}, which cannot be encoded`,
  );
}

function timeUnit(unit: number): ArrowTimeUnit {
  return timeUnits[unit] ?? 'second';
}

const keys = new WeakMap<DataType, string>();

/**
 * A text that two types share when a column of one can stand for a column of the other: everything that decides how
 * bytes are read. Names, nullability, metadata and dictionary ids do not count.
 */
export function typeKey(type: DataType): string {
  let key = keys.get(type);
  if (key === undefined) {
    const own = JSON.stringify(toArrowType(type, ''));
    const children = (type.children ?? []).map((child) => typeKey(child.type)).join();
    const indices = DataType.isDictionary(type) ? `<${typeKey(type.indices)}` : '';
    key = `${own}${indices}[${children}]`;
    keys.set(type, key);
  }
  return key;
}

/** A type as apache-arrow writes it, for messages. */
export function typeName(type: { toString(): string }): string {
  return type.toString();
}
