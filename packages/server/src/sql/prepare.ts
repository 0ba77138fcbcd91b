import { decodeMessageHeader, encodeRecordBatchHeader, encodeSchema } from '@peregrine/flight/ipc';
import type { ArrowField } from '@peregrine/flight/ipc';
import type { Lane } from './lane.ts';
import type { BoundParameters } from './parameters.ts';
import { fieldCount } from './rows.ts';
import { type StatementDescription, describeStatement, startQuery } from './plan.ts';

/**
 * Looks at a statement that is to be prepared. Drivers take a statement without a schema for an update, so the rows of a
 * query get one even where the engine needs to know the parameters for it: then it is the one for parameters that are
 * null, and may change when they are bound.
 */
export async function describePrepared(
  lane: Lane,
  sql: string,
  signal: AbortSignal,
): Promise<StatementDescription> {
  const described = await describeStatement({ lane, sql }, signal);
  if (described.kind !== 'query' || described.resultSchema !== undefined) return described;
  const parameters = nullParameters(described.parameterSchema);
  const resultSchema =
    (await describeStatement({ lane, sql, parameters }, signal)).resultSchema ??
    (await schemaByRunning(lane, sql, parameters, signal));
  return { ...described, resultSchema };
}

/**
 * What drivers are told of parameters. DuckDB knows no types before they are bound; the format says null for that, which
 * Apache's JDBC driver takes at its word: it binds nothing but nulls. A text is bound as a literal, which DuckDB turns
 * into the type that is needed, so that is what unknown types are called.
 */
export function advertisedParameters(parameterSchema: Uint8Array): Uint8Array {
  const header = decodeMessageHeader(parameterSchema);
  if (header.kind !== 'schema') return parameterSchema;
  const { fields } = header.schema;
  if (fields.every(({ type }) => type.kind !== 'null')) return parameterSchema;
  return encodeSchema({
    ...header.schema,
    fields: fields.map(
      (field): ArrowField => (field.type.kind === 'null' ? { ...field, type: { kind: 'utf8' } } : field),
    ),
  });
}

async function schemaByRunning(
  lane: Lane,
  sql: string,
  parameters: BoundParameters | undefined,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const plan = await startQuery({ lane, sql, parameters }, signal);
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
  };
}
