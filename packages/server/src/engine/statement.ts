import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { ConnectionCore } from './connection.ts';
import { checkDuckDbTypes } from './input-types.ts';
import { createDictionaryInputs, takeInput } from './inputs.ts';
import { insertRows } from './insert-rows.ts';
import { inOwnTransaction } from './own-transaction.ts';
import { createResult, emptyResult } from './result.ts';
import { fieldNames } from './rows.ts';
import type { EngineInput, EngineQueryOptions, EngineResult, EngineStatement } from './types.ts';
import type { OpenedResult, PreparedFacts, SharedBatches } from './worker/messages.ts';

/** Rows that are bound: what each run of the statement takes. */
interface BoundRows {
  readonly schema: Uint8Array;
  readonly inputs: SharedBatches['inputs'];
  readonly order: SharedBatches['order'];
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
  connection: ConnectionCore,
  handle: number,
  sql: string,
  facts: PreparedFacts,
  onClosed: () => void,
): EngineStatement {
  const { core, address } = connection;
  const names = fieldNames(facts.parameterSchema);
  const parameters = names.length;
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
    const buffer = connection.history.takeStreamBuffer(sql);
    const finish = (): void => {
      buffer.release();
      done();
    };
    let unit = 0;
    const start = (): Promise<OpenedResult> => {
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
    columnCount: facts.columnCount,
    parameterSchema: facts.parameterSchema,
    async bind(schema, batches) {
      if (core.dialect === 'duckdb') checkDuckDbTypes(schema);
      bound = takeRows(schema, batches, names);
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
        const { inputs, order, schema } = rows;
        const batches = { schema, inputs, order };
        const inserted = await insertRows(
          { connection, sql, parameters, run, transaction },
          rows.rows,
          batches,
        );
        if (inserted !== undefined) return inserted;
        const args = { connection: address, statement: handle, batches, transaction };
        const runRows = (): Promise<bigint> => core.run('executeRows', args, run);
        return core.dialect === 'duckdb' || rows.rows === 1
          ? await runRows()
          : await inOwnTransaction(connection, runRows);
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

/**
 * Where the columns of rows are that name all parameters, with their sign or without it, in another order; undefined:
 * they go by position.
 */
function orderOf(names: readonly string[], columns: readonly string[]): readonly number[] | undefined {
  const bare = columns.map(withoutSign);
  const order = names.map((name) => bare.indexOf(withoutSign(name)));
  const isPermutation = order.length === columns.length && new Set(order).size === order.length;
  if (!isPermutation || order.includes(-1)) return undefined;
  return order.some((index, place) => index !== place) ? order : undefined;
}

function withoutSign(name: string): string {
  return name.replace(/^[$:@]/, '').toLowerCase();
}

function takeRows(schema: Uint8Array, batches: readonly EngineInput[], names: readonly string[]): BoundRows {
  const columns = fieldNames(schema);
  const parameters = names.length;
  // Drivers that do not tell their parameters say that there are none.
  if (parameters > 0 && columns.length !== parameters) {
    throw new FlightInvalidArgumentError(
      `the statement has ${parameters} parameters, and the rows that were bound have ${columns.length} columns`,
    );
  }
  const header = schema.slice();
  const order = orderOf(names, columns);
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
        batches: { schema: header, inputs: [...dictionaries.list(), taken.input], order },
        rows: taken.rows,
      });
    }
  }
  return { schema: header, inputs, order, batches: units, rows };
}
