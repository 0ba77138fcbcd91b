/** The Arrow types of JavaScript values, where nobody says which they should be. */

import {
  Binary,
  Bool,
  type DataType,
  Decimal,
  Field,
  Float64,
  Int64,
  List,
  Map_,
  Null,
  Struct,
  TimestampMillisecond,
  Utf8,
} from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';

/** Digits of a 128-bit decimal, which takes bigints beyond 64 bits. */
const maxDecimalPrecision = 38;

/**
 * The type of a column of values: boolean, Int64 for whole numbers and bigints (a decimal of 38 digits for bigints
 * beyond that), Float64 for other numbers, text, binary for Uint8Array, timestamps in milliseconds without a zone for
 * Date (the time in UTC), lists for arrays, maps for Map, structs for plain objects, null where all are null.
 *
 * @throws FlightInvalidArgumentError for values of kinds that do not go together, or that have no type
 */
export function inferType(values: readonly unknown[]): DataType {
  const there = values.filter((value) => value !== null && value !== undefined);
  const [first] = there;
  if (first === undefined) return new Null();
  const kind = kindOf(first);
  const other = there.find((value) => kindOf(value) !== kind);
  if (other !== undefined) {
    throw new FlightInvalidArgumentError(
      `one column has values of kinds ${kind} and ${kindOf(other)}; give a schema, or values of one kind`,
    );
  }
  switch (kind) {
    case 'boolean':
      return new Bool();
    case 'number':
      return numberType(there);
    case 'text':
      return new Utf8();
    case 'bytes':
      return new Binary();
    case 'date':
      return new TimestampMillisecond();
    case 'list':
      return new List(
        new Field('item', inferType(there.flatMap((value) => (Array.isArray(value) ? value : []))), true),
      );
    case 'map':
      return mapType(there);
    case 'struct':
      return structType(there);
  }
}

type Kind = 'boolean' | 'number' | 'text' | 'bytes' | 'date' | 'list' | 'map' | 'struct';

function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'number':
    case 'bigint':
      return 'number';
    case 'string':
      return 'text';
    case 'object':
      if (value instanceof Uint8Array) return 'bytes';
      if (value instanceof Date) return 'date';
      if (Array.isArray(value)) return 'list';
      if (value instanceof Map) return 'map';
      if (isPlain(value)) return 'struct';
      break;
    default:
  }
  throw new FlightInvalidArgumentError(`a value of type ${typeof value} has no Arrow type; give a schema`);
}

function isPlain(value: object | null): boolean {
  const prototype: unknown = value === null ? undefined : Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function numberType(values: readonly unknown[]): DataType {
  const whole = values.every((value) => typeof value === 'bigint' || Number.isSafeInteger(value));
  if (!whole) return new Float64();
  const fits = values.every((value) => typeof value !== 'bigint' || BigInt.asIntN(64, value) === value);
  return fits ? new Int64() : new Decimal(0, maxDecimalPrecision, 128);
}

function mapType(values: readonly unknown[]): DataType {
  const entries = values.flatMap((value) => (value instanceof Map ? [...value] : []));
  return new Map_(
    new Field(
      'entries',
      new Struct<{ key: DataType; value: DataType }>([
        new Field('key', inferType(entries.map(([key]: readonly unknown[]) => key)), false),
        new Field('value', inferType(entries.map(([, value]: readonly unknown[]) => value)), true),
      ]),
      false,
    ),
  );
}

function structType(values: readonly unknown[]): DataType {
  const objects = values.map((value) => new Map(Object.entries(value ?? {})));
  const names = new Set(objects.flatMap((object) => [...object.keys()]));
  return new Struct(
    [...names].map((name) => new Field(name, inferType(objects.map((object) => object.get(name))), true)),
  );
}
