import assert from 'node:assert/strict';
import { FlightError } from '@peregrine/flight';
import type { FlightErrorCode, FlightStreamReader } from '@peregrine/flight';
import { Field, Int32, RecordBatch, Schema, Struct, Uint32, makeData } from 'apache-arrow';
import type { DataType } from 'apache-arrow';

/** A column `number` of 32-bit integers without nulls: what most scenarios send. */
export function numbersSchema(type: Int32 | Uint32 = new Int32(), name = 'number'): Schema {
  return new Schema([new Field(name, type, false)]);
}

/** A batch of that schema. */
export function numbersBatch(schema: Schema, values: readonly number[]): RecordBatch {
  const type: DataType | undefined = schema.fields[0]?.type;
  const column =
    type instanceof Uint32
      ? makeData({ type, length: values.length, nullCount: 0, data: Uint32Array.from(values) })
      : makeData({ type: new Int32(), length: values.length, nullCount: 0, data: Int32Array.from(values) });
  return new RecordBatch(
    schema,
    makeData({ type: new Struct(schema.fields), length: values.length, nullCount: 0, children: [column] }),
  );
}

/** The values of the first column of everything that a reader gives. */
export async function readNumbers(reader: FlightStreamReader): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { data } of reader) {
    for (const value of data?.getChildAt<Int32 | Uint32>(0) ?? []) numbers.push(value ?? Number.NaN);
  }
  return numbers;
}

/** Checks that a promise rejects with a FlightError, of one of the codes if any are given. */
export async function refused(
  promise: Promise<unknown>,
  ...codes: readonly FlightErrorCode[]
): Promise<FlightError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof FlightError, String(error));
    assert.ok(codes.length === 0 || codes.includes(error.code), error.message);
    return error;
  }
  return assert.fail('the call went well, but it should have been refused');
}

/** The text of bytes. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
