import { FlightError, FlightUnavailableError } from '@peregrine/flight/errors';
import { toFlightError } from './adbc/errors.ts';
import { type ConnectionHistory, createConnectionHistory } from './connection-history.ts';
import type { EngineCore } from './core.ts';
import { ingestByDriver, ingestToDuckDb } from './ingest.ts';
import { autocommit } from './own-transaction.ts';
import type { IdleConnection } from './pool/idle-connections.ts';
import { createTurns } from './pool/turns.ts';
import { createResult } from './result.ts';
import { readRows } from './rows.ts';
import { createStatement } from './statement.ts';
import type { StatementRun } from './statement-run.ts';
import type {
  EngineCallOptions,
  EnginePrepareOptions,
  EngineConnection,
  EngineQueryOptions,
  EngineResult,
  EngineStatement,
} from './types.ts';
import type { OpenedResult } from './worker/messages.ts';

/** What statements and ingests need of their connection. */
export interface ConnectionCore {
  readonly core: EngineCore;
  readonly address: number;
  /**
   * Waits until the connection is free; the function that is given ends the use of it.
   *
   * @param always - also when it is being closed
   */
  begin(signal?: AbortSignal, always?: boolean): Promise<() => void>;
  /** How a statement runs: what cancels it, and its time. */
  newRun(
    signal: AbortSignal | undefined,
    statement: number | undefined,
  ): StatementRun & { readonly signal: AbortSignal };
  /** The result that keeps the connection busy. */
  setResult(result: EngineResult | undefined): void;
  /** Whether a transaction is open, by {@link EngineConnection.begin} or by SQL. */
  inTransaction(): Promise<boolean>;
  readonly history: ConnectionHistory;
  /** Reads texts of the first column of a query on the connection, which is busy with its caller. */
  texts(sql: string): Promise<readonly string[]>;
}

/**
 * A connection of the engine.
 *
 * @param opened - its handle, and how it is set
 * @param timeoutMs - of each statement
 * @param onClosed - called once, when it is freed
 */
export function createConnection(
  engine: EngineCore,
  opened: IdleConnection,
  timeoutMs: number | undefined,
  onClosed: () => void,
): EngineConnection {
  const turns = createTurns();
  const statements = new Set<EngineStatement>();
  const running = new AbortController();
  let result: EngineResult | undefined;
  let inTransaction = false;
  const { address } = opened;
  const history = createConnectionHistory(engine, opened);
  let closing: Promise<void> | undefined;

  const core: EngineCore = {
    ...engine,
    run: (name, args, options) =>
      engine.run(name, args, options).catch((error: unknown) => {
        history.noteChange();
        throw error;
      }),
  };

  const own: ConnectionCore = {
    core,
    address,
    async begin(signal, always = false) {
      const end = await turns.take(signal);
      if (closing === undefined || always) return end;
      end();
      throw new FlightUnavailableError('the connection has been closed');
    },
    newRun: (signal, statement) => ({
      connection: address,
      statement,
      signal: signal === undefined ? running.signal : AbortSignal.any([signal, running.signal]),
      time: { leftMs: timeoutMs },
    }),
    setResult(next) {
      result = next;
    },
    async inTransaction() {
      if (inTransaction || !history.mayHaveBegun) return inTransaction;
      const args = { connection: address, key: autocommit };
      return (await core.pool.run('getOption', args, { kind: 'continue' })) === 'false';
    },
    history,
    texts,
  };

  /** Runs work while nothing else runs on the connection. */
  async function alone<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const end = await own.begin(signal);
    try {
      return await work();
    } finally {
      end();
    }
  }

  /** Runs SQL on the connection, which is not busy or busy with its caller. */
  async function executeNow(sql: string, signal: AbortSignal | undefined): Promise<bigint> {
    history.note(sql);
    if (core.dialect === 'duckdb')
      return core.run('executeAlone', { connection: address, sql }, own.newRun(signal, undefined));
    const statement = await core.quick('newStatement', { connection: address }, signal);
    try {
      return await core.run(
        'execute',
        { connection: address, statement, sql },
        own.newRun(signal, statement),
      );
    } finally {
      await core.pool.run('closeStatement', { statement }, { kind: 'continue' });
    }
  }

  /** Opens a result on the connection; `onClosed` is called when it is closed, or has failed to open. */
  async function openNow(
    options: EngineQueryOptions,
    onClosed: () => void,
    start: (statement: number, run: StatementRun) => Promise<OpenedResult>,
  ): Promise<EngineResult> {
    let statement: number | undefined;
    const finish = async (): Promise<void> => {
      result = undefined;
      if (statement !== undefined) {
        await core.pool.run('closeStatement', { statement }, { kind: 'continue' }).catch(() => undefined);
      }
      onClosed();
    };
    try {
      statement = await core.quick('newStatement', { connection: address }, options.signal);
      const run = own.newRun(options.signal, statement);
      const started = await start(statement, run);
      const made = createResult(
        core,
        { address: started.result, schema: started.schema, run, onClosed: finish },
        { ...options, signal: run.signal },
      );
      result = made;
      return made;
    } catch (error) {
      await finish();
      throw error;
    }
  }

  function startQuery(sql: string, options: EngineQueryOptions, end: () => void): Promise<EngineResult> {
    history.note(sql);
    const { bytes, release } = history.takeStreamBuffer(sql);
    return openNow(
      options,
      () => {
        release();
        end();
      },
      (statement, run) =>
        core.run('query', { connection: address, statement, sql, streamBuffer: bytes }, run),
    );
  }

  async function texts(sql: string): Promise<readonly string[]> {
    const rows = await readRows(await startQuery(sql, {}, () => undefined));
    return rows.map((row) => String(Object.values(row)[0]));
  }

  function execute(sql: string, options: EngineCallOptions = {}): Promise<bigint> {
    return alone(options.signal, () => executeNow(sql, options.signal));
  }

  async function open(
    options: EngineQueryOptions,
    start: (statement: number, run: StatementRun) => Promise<OpenedResult>,
  ): Promise<EngineResult> {
    return openNow(options, await own.begin(options.signal), start);
  }

  function prepare(sql: string, options: EnginePrepareOptions = {}): Promise<EngineStatement> {
    history.note(sql);
    return alone(options.signal, async () => {
      const statement = await core.quick('newStatement', { connection: address }, options.signal);
      try {
        const facts = await core.run(
          'prepare',
          { connection: address, statement, sql, schema: options.schema !== false },
          own.newRun(options.signal, statement),
        );
        const made = createStatement(own, statement, sql, facts, () => statements.delete(made));
        statements.add(made);
        return made;
      } catch (error) {
        await core.pool.run('closeStatement', { statement }, { kind: 'continue' });
        throw error;
      }
    });
  }

  async function endTransaction(commit: boolean): Promise<void> {
    if (!inTransaction) {
      throw new FlightError(
        'FAILED_PRECONDITION',
        `there is no transaction to ${commit ? 'commit' : 'roll back'}`,
      );
    }
    inTransaction = false;
    if (core.dialect === 'duckdb') {
      await execute(commit ? 'COMMIT' : 'ROLLBACK');
      return;
    }
    await alone(undefined, async () => {
      await core.pool.run('endTransaction', { connection: address, commit });
      await core.pool.run('setOption', { connection: address, key: autocommit, value: 'true' });
    });
  }

  async function free(): Promise<void> {
    running.abort();
    await result?.close();
    await Promise.all([...statements].map((statement) => statement.close()));
    const end = await own.begin(undefined, true);
    const unchanged = history.unchanged();
    if (unchanged === undefined || !core.idle.give(unchanged)) await core.closeConnection(address);
    end();
    onClosed();
  }

  return {
    prepare,
    execute,
    executeEach: (statements) =>
      alone(undefined, async () => {
        for (const sql of statements) history.note(sql);
        const run = own.newRun(undefined, undefined);
        const failures = await core.run('executeEach', { connection: address, statements }, run);
        return failures.map((failure) => (failure === undefined ? undefined : toFlightError(failure)));
      }),
    describe: (queries) =>
      alone(undefined, () =>
        core.run('describe', { connection: address, queries }, own.newRun(undefined, undefined)),
      ),
    query: async (sql, options = {}) => startQuery(sql, options, await own.begin(options.signal)),
    ingest: (options, schema, batches) =>
      alone(options.signal, () =>
        core.dialect === 'duckdb'
          ? ingestToDuckDb({ ...own, execute: (sql) => executeNow(sql, undefined) }, options, schema, batches)
          : ingestByDriver(own, options, schema, batches),
      ),
    async begin({ readOnly = false } = {}) {
      history.noteChange();
      if (inTransaction) throw new FlightError('FAILED_PRECONDITION', 'a transaction is open already');
      if (core.dialect === 'duckdb')
        await execute(readOnly ? 'BEGIN TRANSACTION READ ONLY' : 'BEGIN TRANSACTION');
      else await setOption(autocommit, 'false');
      inTransaction = true;
    },
    commit: () => endTransaction(true),
    rollback: () => endTransaction(false),
    progress: () =>
      closing === undefined ? core.control('progress', { connection: address }) : Promise.resolve(undefined),
    get inTransaction() {
      return inTransaction;
    },
    getOption: (key) => alone(undefined, () => core.pool.run('getOption', { connection: address, key })),
    setOption,
    getObjects: ({ depth, catalog, schema, table, tableTypes, column }) =>
      open({}, (_, run) =>
        core.run(
          'getObjects',
          { connection: address, depth: depths[depth], catalog, schema, table, tableTypes, column },
          run,
        ),
      ),
    getTableTypes: () => open({}, (_, run) => core.run('getTableTypes', { connection: address }, run)),
    getTableSchema: (catalog, schema, table) =>
      alone(undefined, () =>
        core.pool.run('getTableSchema', { connection: address, catalog, schema, table }),
      ),
    close() {
      closing ??= free();
      return closing;
    },
  };

  function setOption(key: string, value: string): Promise<void> {
    history.noteChange();
    return alone(undefined, () => core.pool.run('setOption', { connection: address, key, value }));
  }
}

/** ADBC's numbers of the depths of GetObjects. */
const depths = { all: 0, catalogs: 1, schemas: 2, tables: 3 } as const;
