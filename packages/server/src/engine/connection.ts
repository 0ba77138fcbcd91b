import { FlightError, FlightUnavailableError } from '@peregrine/flight/errors';
import { decodeMessageHeader, decodeRecordBatch, decodeSchema, DictionaryMemo } from '@peregrine/flight/ipc';
import { toFlightError } from './adbc/errors.ts';
import type { EngineCore, StatementRun } from './core.ts';
import { ingestByDriver, ingestToDuckDb } from './ingest.ts';
import { isPlainScan } from './plain-scan.ts';
import { type IdleConnection, leavesNothing } from './pool/idle-connections.ts';
import { leastStreamBuffer } from './pool/stream-buffers.ts';
import { createTurns } from './pool/turns.ts';
import { createResult } from './result.ts';
import { createStatement } from './statement.ts';
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
  /** Notes SQL that is about to run: whoever sets the buffer of results by himself keeps what he set. */
  noteSql(sql: string): void;
  /** Memory for rows of a query's result that are not asked for yet: what to set it to, and what gives it back. */
  takeStreamBuffer(sql: string): { readonly bytes: number | undefined; readonly release: () => void };
}

/** ADBC's name of the option that begins and ends transactions. */
const autocommit = 'adbc.connection.autocommit';

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
  let hasBegun = false;
  const { address } = opened;
  let bufferBytes: number | 'chosen' = opened.bufferBytes;
  let isAsOpened = engine.dialect === 'duckdb';
  let closing: Promise<void> | undefined;

  const core: EngineCore = {
    ...engine,
    run: (name, args, options) =>
      engine.run(name, args, options).catch((error: unknown) => {
        isAsOpened = false;
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
      if (inTransaction || !hasBegun) return inTransaction;
      const args = { connection: address, key: autocommit };
      return (await core.pool.run('getOption', args, { kind: 'continue' })) === 'false';
    },
    noteSql(sql) {
      core.idle.note(sql);
      if (!leavesNothing(sql)) isAsOpened = false;
      if (/streaming_buffer_size/i.test(sql)) bufferBytes = 'chosen';
      if (/\b(?:begin|start)\b/i.test(sql)) hasBegun = true;
    },
    takeStreamBuffer(sql) {
      if (core.dialect !== 'duckdb' || bufferBytes === 'chosen') return noBuffer;
      const buffer = isPlainScan(sql) ? core.streamBuffers.take() : leastBuffer;
      const bytes = buffer.bytes === bufferBytes ? undefined : buffer.bytes;
      bufferBytes = buffer.bytes;
      return { bytes, release: () => buffer.release() };
    },
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
    own.noteSql(sql);
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
    own.noteSql(sql);
    const { bytes, release } = own.takeStreamBuffer(sql);
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

  /** Reads texts of the first column. */
  async function texts(sql: string): Promise<readonly string[]> {
    const found = await startQuery(sql, {}, () => undefined);
    const schema = decodeSchema(found.schema);
    const values: string[] = [];
    for await (const batch of found) {
      const column = decodeRecordBatch(
        schema,
        decodeMessageHeader(batch.header),
        batch.body,
        noDictionaries,
      ).getChildAt(0);
      for (const value of column ?? []) values.push(String(value));
      batch.release();
    }
    return values;
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
    own.noteSql(sql);
    return alone(options.signal, async () => {
      const statement = await core.quick('newStatement', { connection: address }, options.signal);
      try {
        const facts = await core.run(
          'prepare',
          { connection: address, statement, sql, schema: options.schema !== false },
          own.newRun(options.signal, statement),
        );
        const made = createStatement({ ...own, texts }, statement, sql, facts, () => statements.delete(made));
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
    const isKept = isAsOpened && bufferBytes !== 'chosen' && core.idle.give({ ...opened, bufferBytes });
    if (!isKept) await core.closeConnection(address);
    end();
    onClosed();
  }

  return {
    prepare,
    execute,
    executeEach: (statements) =>
      alone(undefined, async () => {
        for (const sql of statements) own.noteSql(sql);
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
          ? ingestToDuckDb(
              { ...own, execute: (sql) => executeNow(sql, undefined), texts },
              options,
              schema,
              batches,
            )
          : ingestByDriver(own, options, schema, batches),
      ),
    async begin({ readOnly = false } = {}) {
      isAsOpened = false;
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
    isAsOpened = false;
    return alone(undefined, () => core.pool.run('setOption', { connection: address, key, value }));
  }
}

const noDictionaries = new DictionaryMemo();

const noBuffer = { bytes: undefined, release: (): void => undefined };
const leastBuffer = { bytes: leastStreamBuffer, release: (): void => undefined };

/** ADBC's numbers of the depths of GetObjects. */
const depths = { all: 0, catalogs: 1, schemas: 2, tables: 3 } as const;
