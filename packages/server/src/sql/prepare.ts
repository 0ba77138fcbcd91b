import { decodeMessageHeader, encodeRecordBatchHeader, encodeSchema } from '@peregrine/flight/ipc';
import type { ArrowField, ArrowType } from '@peregrine/flight/ipc';
import type { BoundParameters } from './parameters.ts';
import { fieldCount } from '../engine/rows.ts';
import { type StatementDescription, type StatementRequest, describeStatement, startQuery } from './plan.ts';
import { isNarrowInteger, wideInteger } from './narrow-integers.ts';
import { onlyReads } from './sql-text.ts';

/**
 * Looks at a statement that is to be prepared, or that was and has parameters by now. Drivers take a statement without a
 * schema for an update, so the rows of a query get one even where the engine needs to know the parameters for it: then it
 * is the one for parameters that are null, and may change when they are bound.
 */
export async function describePrepared(
  request: StatementRequest,
  signal: AbortSignal,
): Promise<StatementDescription> {
  const { parameters, sql } = request;
  const described = await describeStatement(request, signal);
  if (described.kind !== 'query' || described.resultSchema !== undefined) return described;
  const given = parameters ?? nullParameters(described.parameterSchema);
  const again =
    parameters === undefined ? await describeStatement({ ...request, parameters: given }, signal) : described;
  // What changes something is not run to be looked at.
  const resultSchema =
    again.resultSchema ??
    (onlyReads(sql) ? await schemaByRunning({ ...request, parameters: given }, signal) : undefined);
  return { ...described, resultSchema };
}

/**
 * What Java is told of parameters, so that Apache's JDBC driver can bind them:
 *
 * - It binds nothing but nulls where the type is null, which is what the format says of an unknown type. A text is bound
 *   as a literal, which DuckDB turns into the type that is needed, so that is what unknown types are called.
 * - It writes the milliseconds of `java.sql.Timestamp` and `Time` as they are, whatever the unit. So the unit is
 *   milliseconds.
 * - It knows no dictionaries: an ENUM is bound as the text that its values are.
 * - It cuts numbers off where an integer has no room for them, so that `setLong` of 2^32 puts 0 into an INTEGER. Integers
 *   are called 64 bits wide, and `narrowIntegers` turns what comes into the types that they are.
 */
export function javaParameters(parameterSchema: Uint8Array): Uint8Array {
  const header = decodeMessageHeader(parameterSchema);
  if (header.kind !== 'schema') return parameterSchema;
  const { schema } = header;
  return encodeSchema({
    ...schema,
    fields: schema.fields.map(
      (field): ArrowField => ({ ...withoutDictionary(field), type: javaType(field.type) }),
    ),
  });
}

function withoutDictionary(field: ArrowField): ArrowField {
  return { ...field, dictionary: undefined, children: field.children.map(withoutDictionary) };
}

function javaType(type: ArrowType): ArrowType {
  if (isNarrowInteger(type)) return wideInteger;
  switch (type.kind) {
    case 'null':
      return { kind: 'utf8' };
    case 'timestamp':
      return { ...type, unit: 'millisecond' };
    case 'time':
      return { kind: 'time', unit: 'millisecond', bitWidth: 32 };
    default:
      return type;
  }
}

async function schemaByRunning(request: StatementRequest, signal: AbortSignal): Promise<Uint8Array> {
  const plan = await startQuery(request, signal);
  await plan.close();
  return plan.schema;
}

/** One row of nulls, whose type is null as well. */
function nullParameters(parameterSchema: Uint8Array): BoundParameters | undefined {
  const count = fieldCount(parameterSchema);
  if (count === 0) return undefined;
  const fields = Array.from(
    { length: count },
    (_, i): ArrowField => ({
      name: String(i),
      type: { kind: 'null' },
      nullable: true,
      dictionary: undefined,
      children: [],
      metadata: new Map(),
    }),
  );
  const batch = encodeRecordBatchHeader(
    {
      length: 1,
      nodes: fields.flatMap(() => [1, 1]),
      buffers: [],
      variadicBufferCounts: [],
      compression: undefined,
    },
    0,
  );
  return {
    schema: encodeSchema({ fields, metadata: new Map(), endianness: 'little' }),
    batches: [{ header: batch, body: new Uint8Array(0) }],
    rows: 1,
    bytes: batch.length,
  };
}
