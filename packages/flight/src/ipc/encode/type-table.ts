import { FlightUnimplementedError } from '../../errors.ts';
import type { ArrowTimeUnit, ArrowType } from '../arrow-types.ts';
import type { FlatbufferBuilder } from '../flatbuffer/builder.ts';

/*
 * The union Type of Schema.fbs: its numbers and the fields of each table are listed in decode/type-table.ts.
 */

const typeNumbers: Readonly<Record<Exclude<ArrowType['kind'], 'unknown'>, number>> = {
  null: 1,
  int: 2,
  float: 3,
  binary: 4,
  utf8: 5,
  bool: 6,
  decimal: 7,
  date: 8,
  time: 9,
  timestamp: 10,
  interval: 11,
  list: 12,
  struct: 13,
  union: 14,
  'fixed-size-binary': 15,
  'fixed-size-list': 16,
  map: 17,
  duration: 18,
  'large-binary': 19,
  'large-utf8': 20,
  'large-list': 21,
  'run-end-encoded': 22,
  'binary-view': 23,
  'utf8-view': 24,
  'list-view': 25,
  'large-list-view': 26,
};

const timeUnits: Readonly<Record<ArrowTimeUnit, number>> = {
  second: 0,
  millisecond: 1,
  microsecond: 2,
  nanosecond: 3,
};
const precisions = { half: 0, single: 1, double: 2 } as const;
const intervalUnits = { 'year-month': 0, 'day-time': 1, 'month-day-nano': 2 } as const;

/**
 * Number of a type in the format's union.
 *
 * @param path - the field, for messages
 * @throws FlightUnimplementedError for a type that is newer than this library
 */
export function typeNumber(type: ArrowType, path: string): number {
  if (type.kind === 'unknown') {
    throw new FlightUnimplementedError(
      `field "${path}" has type number ${type.typeId}, whose parameters are unknown here; forward its messages as they are instead of writing the schema again`,
    );
  }
  return typeNumbers[type.kind];
}

/** Writes the table of a type; returns its place. */
export function writeTypeTable(builder: FlatbufferBuilder, type: ArrowType): number {
  switch (type.kind) {
    case 'int':
      builder.startTable();
      builder.i32(0, type.bitWidth);
      builder.i8(1, type.signed ? 1 : 0);
      break;
    case 'float':
      builder.startTable();
      builder.i16(0, precisions[type.precision]);
      break;
    case 'decimal':
      builder.startTable();
      builder.i32(2, type.bitWidth);
      builder.i32(1, type.scale);
      builder.i32(0, type.precision);
      break;
    case 'date':
      builder.startTable();
      builder.i16(0, type.unit === 'day' ? 0 : 1);
      break;
    case 'time':
      builder.startTable();
      builder.i32(1, type.bitWidth);
      builder.i16(0, timeUnits[type.unit]);
      break;
    case 'timestamp': {
      const timezone = type.timezone === undefined ? 0 : builder.text(type.timezone);
      builder.startTable();
      builder.reference(1, timezone);
      builder.i16(0, timeUnits[type.unit]);
      break;
    }
    case 'duration':
      builder.startTable();
      builder.i16(0, timeUnits[type.unit]);
      break;
    case 'interval':
      builder.startTable();
      builder.i16(0, intervalUnits[type.unit]);
      break;
    case 'union': {
      builder.startVector(4, type.typeIds.length, 4);
      for (const id of type.typeIds.toReversed()) builder.pushI32(id);
      const typeIds = builder.endVector(type.typeIds.length);
      builder.startTable();
      builder.reference(1, typeIds);
      builder.i16(0, type.mode === 'sparse' ? 0 : 1);
      break;
    }
    case 'fixed-size-binary':
      builder.startTable();
      builder.i32(0, type.byteWidth);
      break;
    case 'fixed-size-list':
      builder.startTable();
      builder.i32(0, type.listSize);
      break;
    case 'map':
      builder.startTable();
      builder.i8(0, type.keysSorted ? 1 : 0);
      break;
    default:
      builder.startTable();
  }
  return builder.endTable();
}
