import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { type ArrowField, type ArrowType, decodeMessageHeader, encodeSchema } from '@peregrine/flight/ipc';
import { layoutOf } from '../engine/c-data/layout.ts';
import type { EngineInput } from '../engine/types.ts';
import type { BoundParameters } from './parameters.ts';
import { readColumns } from './plain/columns.ts';
import { isSet } from './plain/take.ts';

/** An integer type of fewer than 64 bits. */
type NarrowInteger = Extract<ArrowType, { kind: 'int' }>;

/** What narrow integers are told as to clients that cut off what a column has no room for. */
export const wideInteger: ArrowType = { kind: 'int', bitWidth: 64, signed: true };

/** Whether a type is one that {@link narrowIntegers} narrows to. */
export function isNarrowInteger(type: ArrowType): type is NarrowInteger {
  return type.kind === 'int' && type.bitWidth < 64;
}

/**
 * Turns the 64-bit integers of rows into the types that the statement has, where the client was told of 64 bits for all
 * of them: functions such as `chr` take no others. Rows of another schema than was told are left as
 * they are.
 *
 * @param parameterSchema - the parameters as the engine describes them
 * @throws FlightInvalidArgumentError for a number that the type has no room for
 */
export function narrowIntegers(bound: BoundParameters, parameterSchema: Uint8Array): BoundParameters {
  const declared = fieldsOf(parameterSchema);
  const header = decodeMessageHeader(bound.schema);
  if (header.kind !== 'schema' || !declared.some(({ type }) => isNarrowInteger(type))) return bound;
  const { fields } = header.schema;
  if (fields.length !== declared.length || fields.some(({ name }, i) => name !== declared[i]?.name))
    return bound;
  const narrowed = fields.map((field, i): ArrowField => {
    const type = declared[i]?.type;
    return type !== undefined && isNarrowInteger(type) && isWide(field) ? { ...field, type } : field;
  });
  const layouts = layoutOf(header.schema);
  const batches: EngineInput[] = [];
  let before = 0;
  for (const input of bound.batches) {
    const batch = decodeMessageHeader(input.header);
    if (batch.kind !== 'batch') {
      batches.push(input);
      continue;
    }
    if (batch.compression !== undefined) return bound;
    // The message is the reader's.
    const body = input.body.slice();
    for (const [i, { buffers, length }] of readColumns(layouts, batch, body).entries()) {
      const field = narrowed[i];
      if (field === undefined || field === fields[i] || !isNarrowInteger(field.type)) continue;
      const [validity, values] = buffers;
      narrowValues(field.name, field.type, { validity, values, length, before });
    }
    batches.push({ header: input.header, body });
    before += batch.length;
  }
  return { ...bound, schema: encodeSchema({ ...header.schema, fields: narrowed }), batches };
}

interface WideValues {
  readonly validity: Uint8Array | undefined;
  readonly values: Uint8Array | undefined;
  readonly length: number;
  /** Rows of the batches before this one. */
  readonly before: number;
}

function narrowValues(name: string, type: NarrowInteger, values: WideValues): void {
  const { validity = none, values: bytes = none, length, before } = values;
  if (bytes.byteLength < length * 8) {
    throw new FlightInvalidArgumentError(`the values of parameter ${name} are cut off`);
  }
  const memory = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { bitWidth, signed } = type;
  const lowest = signed ? -(2n ** BigInt(bitWidth - 1)) : 0n;
  const highest = 2n ** BigInt(signed ? bitWidth - 1 : bitWidth) - 1n;
  for (let row = 0; row < length; row++) {
    const value = memory.getBigInt64(row * 8, true);
    const isNull = validity.byteLength > 0 && !isSet(validity, row);
    if (!isNull && (value < lowest || value > highest)) {
      const sqlName = `${signed ? '' : 'U'}${sqlNames[bitWidth] ?? 'INTEGER'}`;
      throw new FlightInvalidArgumentError(
        `parameter ${name} is of type ${sqlName}, which has no room for ${value} (row ${before + row + 1} of those that are bound); ` +
          'write a cast to a wider type behind the parameter if it needs one, such as ?::BIGINT',
      );
    }
    // Narrower values never reach those that are still to be read.
    if (bitWidth === 8) memory.setUint8(row, Number(value & 0xffn));
    else if (bitWidth === 16) memory.setUint16(row * 2, Number(value & 0xffffn), true);
    else memory.setUint32(row * 4, Number(value & 0xffffffffn), true);
  }
}

const none = new Uint8Array(0);

const sqlNames: Readonly<Record<number, string | undefined>> = {
  8: 'TINYINT',
  16: 'SMALLINT',
  32: 'INTEGER',
};

function isWide({ dictionary, type }: ArrowField): boolean {
  return dictionary === undefined && type.kind === 'int' && type.bitWidth === 64 && type.signed;
}

function fieldsOf(schema: Uint8Array): readonly ArrowField[] {
  const header = decodeMessageHeader(schema);
  return header.kind === 'schema' ? header.schema.fields : [];
}
