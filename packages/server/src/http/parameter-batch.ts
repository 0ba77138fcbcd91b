import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { IpcEncoder } from '@peregrine/flight/ipc';
import {
  Bool,
  type DataType,
  Decimal,
  Field,
  Float64,
  Int64,
  List,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Uint64,
  Utf8,
  Vector,
  makeData,
  vectorFromArray,
} from 'apache-arrow';
import type { EngineInput } from '../engine/types.ts';
import type { JsonValue } from './lossless-json.ts';

/** Values of parameters as the engine binds them. */
export interface ParameterBatch {
  readonly schema: Uint8Array;
  readonly batches: readonly EngineInput[];
}

/**
 * Makes one row of parameters. Integers are 64 bits wide, or 38 digits where they are larger; fractions are doubles;
 * everything else is text that the engine casts to what the statement needs.
 */
export function parameterBatch(values: readonly JsonValue[]): ParameterBatch {
  const columns = values.map((value, i) => columnOf(value, i + 1));
  const fields = columns.map((column, i) => new Field(String(i + 1), column.type, true));
  const schema = new Schema(fields);
  const children = columns.flatMap((column) => column.data.slice(0, 1));
  const data = makeData({ type: new Struct(fields), length: 1, nullCount: 0, children });
  const encoder = new IpcEncoder(schema);
  return {
    schema: encoder.schema().header,
    batches: encoder
      .batch(new RecordBatch(schema, data))
      // A copy, as the header shares a block with others, and a thread that gets a view gets all of its block.
      .map(({ header, bodyPieces }) => ({ header: header.slice(), body: Buffer.concat(bodyPieces) })),
  };
}

function columnOf(value: JsonValue, position: number): Vector {
  const type = typeOf(value, position);
  if (!(type instanceof Decimal)) return vectorFromArray([plain(value)], type);
  const words = new Uint32Array(4);
  let rest = BigInt.asUintN(128, BigInt(String(value)));
  for (let i = 0; i < 4; i++, rest >>= 32n) words[i] = Number(rest & 0xffff_ffffn);
  return new Vector([makeData({ type, length: 1, nullCount: 0, data: words })]);
}

function typeOf(value: JsonValue, position: number): DataType {
  switch (typeof value) {
    case 'boolean':
      return new Bool();
    case 'number':
      return Number.isSafeInteger(value) ? new Int64() : new Float64();
    case 'bigint':
      if (BigInt.asIntN(64, value) === value) return new Int64();
      if (BigInt.asUintN(64, value) === value) return new Uint64();
      if (value > -(10n ** 38n) && value < 10n ** 38n) return new Decimal(0, 38, 128);
      throw new FlightInvalidArgumentError(
        `parameter ${position} is an integer of more than 38 digits; send it as text`,
      );
    case 'string':
      return new Utf8();
    default:
      break;
  }
  if (value === null) return new Null();
  if (!isList(value)) return new Utf8();
  const types = value.filter((item) => item !== null).map((item) => typeOf(item, position));
  const [first = new Utf8()] = types;
  const same = types.every((type) => String(type) === String(first));
  // What is above 2^53 would be rounded to a double.
  const isRounded = value.some((item) => typeof item === 'bigint');
  const numbers = !isRounded && types.every((type) => type instanceof Int64 || type instanceof Float64);
  if (!same && !numbers) {
    throw new FlightInvalidArgumentError(
      `parameter ${position} is a list of values of different types, which no list type can hold`,
    );
  }
  return new List(new Field('item', same ? first : new Float64(), true));
}

/** What apache-arrow's builders take: 64-bit integers as bigint, objects as JSON text. */
function plain(value: JsonValue): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint')
    return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (isList(value)) {
    const items = value.map((item) => plain(item));
    const mixed = items.some((item) => typeof item === 'number');
    return mixed ? items.map((item) => (typeof item === 'bigint' ? Number(item) : item)) : items;
  }
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'bigint' ? String(member) : member,
  );
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
