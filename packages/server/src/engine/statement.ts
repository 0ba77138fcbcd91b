import { FlightInvalidArgumentError } from '@peregrine/flight';
import { decodeMessageHeader } from '@peregrine/flight/ipc';
import { createDictionaryInputs, takeInput } from './inputs.ts';
import { insertRows, type StatementConnection } from './insert-rows.ts';
import { createResult, emptyResult } from './result.ts';
import type { EngineInput, EngineQueryOptions, EngineResult, EngineStatement } from './types.ts';
import type { PreparedFacts, SharedBatches } from './worker/messages.ts';

/** Rows that are bound: what each run of the statement takes. */
interface BoundRows {
  readonly schema: Uint8Array;
  readonly inputs: SharedBatches['inputs'];
  /** The batches with the dictionaries that each needs, and their rows. */
  readonly batches: readonly { readonly batches: SharedBatches; readonly rows: number }[];
  readonly rows: number;
}

/**
 * A prepared statement.
 *
 * @param handle - its handle in the engine
 * @param onClosed - called once, before it is freed
 */
export function createStatement(
  connection: StatementConnection,
  handle: number,
  sql: string,
  facts: PreparedFacts,
  onClosed: () => void,
): EngineStatement {
  const { core, address } = connection;
  const parameters = fieldCount(facts.parameterSchema);
  let bound: BoundRows | undefined;
  let closing: Promise<void> | undefined;

  function checkBound(): void {
    if (parameters > 0 && bound === undefined && core.dialect === 'duckdb') {
      throw new FlightInvalidArgumentError(
        `the statement has ${parameters} parameters and none are bound; bind a row before it is run`,
      );
    }
  }

  async function query(options: EngineQueryOptions = {}): Promise<EngineResult> {
    checkBound();
    const rows = bound;
    if (rows !== undefined && rows.rows === 0 && facts.resultSchema !== undefined)
      return emptyResult(facts.resultSchema);
    const done = await connection.begin(options.signal);
    const run = connection.newRun(options.signal, handle);
    // DuckDB takes one row at a time, other drivers a batch.
    const units = (rows?.batches ?? []).flatMap(({ batches, rows: count }) =>
      core.dialect === 'duckdb'
        ? Array.from({ length: count }, (_, row) => ({ batches, row }))
        : [{ batches, row: 0 }],
    );
    const buffer = connection.takeStreamBuffer(sql);
    const finish = (): void => {
      buffer.release();
      done();
    };
    let unit = 0;
    const start = (): Promise<{ result: number; schema: Uint8Array }> => {
      const streamBuffer = unit === 0 ? buffer.bytes : undefined;
      const next = units[unit++];
      return next === undefined
        ? core.run('query', { connection: address, statement: handle, sql: undefined, streamBuffer }, run)
        : core.run('queryRow', { connection: address, statement: handle, ...next, streamBuffer }, run);
    };
    try {
      const first = await start();
      const result = createResult(
        core,
        {
          address: first.result,
          schema: first.schema,
          run,
          more: async () => (unit < units.length ? (await start()).result : undefined),
          onClosed: () => {
            connection.setResult(undefined);
            finish();
            return Promise.resolve();
          },
        },
        { ...options, signal: run.signal },
      );
      connection.setResult(result);
      return result;
    } catch (error) {
      finish();
      throw error;
    }
  }

  return {
    sql,
    kind: facts.kind,
    resultSchema: facts.resultSchema,
    parameterSchema: facts.parameterSchema,
    async bind(schema, batches) {
      bound = takeRows(schema, batches, parameters);
      await Promise.resolve();
    },
    query,
    async execute(options = {}) {
      checkBound();
      const rows = bound;
      if (rows !== undefined && rows.rows === 0) return 0n;
      const done = await connection.begin(options.signal);
      try {
        const run = connection.newRun(options.signal, handle);
        if (rows === undefined) {
          return await core.run('execute', { connection: address, statement: handle, sql: undefined }, run);
        }
        const transaction = core.dialect === 'duckdb' && rows.rows > 1 && !(await connection.inTransaction());
        const batches = { schema: rows.schema, inputs: rows.inputs };
        const inserted = await insertRows(
          { connection, sql, parameters, run, transaction },
          rows.rows,
          batches,
        );
        if (inserted !== undefined) return inserted;
        return await core.run(
          'executeRows',
          { connection: address, statement: handle, batches, transaction },
          run,
        );
      } finally {
        done();
      }
    },
    close() {
      closing ??= (async () => {
        onClosed();
        const done = await connection.begin(undefined, true);
        await core.pool
          .run('closeStatement', { statement: handle }, { kind: 'continue' })
          .catch(() => undefined);
        done();
        bound = undefined;
      })();
      return closing;
    },
  };
}

function fieldCount(schema: Uint8Array): number {
  const message = decodeMessageHeader(schema);
  return message.kind === 'schema' ? message.schema.fields.length : 0;
}

function takeRows(schema: Uint8Array, batches: readonly EngineInput[], parameters: number): BoundRows {
  const columns = fieldCount(schema);
  // Drivers that do not tell their parameters say that there are none.
  if (parameters > 0 && columns !== parameters) {
    throw new FlightInvalidArgumentError(
      `the statement has ${parameters} parameters, and the rows that were bound have ${columns} columns`,
    );
  }
  const header = schema.slice();
  const dictionaries = createDictionaryInputs();
  const inputs: SharedBatches['inputs'][number][] = [];
  const units: { batches: SharedBatches; rows: number }[] = [];
  let rows = 0;
  for (const each of batches) {
    const taken = takeInput(each);
    inputs.push(taken.input);
    if (taken.kind === 'dictionary') dictionaries.add(taken);
    else {
      rows += taken.rows;
      units.push({
        batches: { schema: header, inputs: [...dictionaries.list(), taken.input] },
        rows: taken.rows,
      });
    }
  }
  return { schema: header, inputs, batches: units, rows };
}
