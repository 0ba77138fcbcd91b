import { FlightError, FlightUnavailableError, FlightUnimplementedError } from '@peregrine/flight';
import type { EngineCore } from './core.ts';
import { createTurns } from './pool/turns.ts';
import { createResult } from './result.ts';
import type {
  EngineCallOptions,
  EngineConnection,
  EngineQueryOptions,
  EngineResult,
  EngineStatement,
} from './types.ts';

/** ADBC's name of the option that begins and ends transactions. */
const autocommit = 'adbc.connection.autocommit';

/**
 * A connection of the engine.
 *
 * @param address - its handle
 * @param timeoutMs - of each statement
 * @param onClosed - called once, when it is freed
 */
export function createConnection(
  core: EngineCore,
  address: number,
  timeoutMs: number | undefined,
  onClosed: () => void,
): EngineConnection {
  const turns = createTurns();
  const statements = new Set<EngineStatement>();
  const running = new AbortController();
  let result: EngineResult | undefined;
  let inTransaction = false;
  let closing: Promise<void> | undefined;

  /** Waits until the connection is free; the function given ends that. */
  async function begin(signal?: AbortSignal): Promise<() => void> {
    const end = await turns.take(signal);
    if (closing === undefined) return end;
    end();
    throw new FlightUnavailableError('the connection has been closed');
  }

  function joined(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? running.signal : AbortSignal.any([signal, running.signal]);
  }

  const newTime = (): { leftMs: number | undefined } => ({ leftMs: timeoutMs });

  /** Runs work with a statement of its own, which is freed after it. */
  async function withStatement<T>(
    signal: AbortSignal | undefined,
    work: (statement: number) => Promise<T>,
  ): Promise<T> {
    const end = await begin(signal);
    try {
      const statement = await core.pool.run('newStatement', { connection: address }, { signal });
      try {
        return await work(statement);
      } finally {
        await core.pool.run('closeStatement', { statement }, { kind: 'continue' });
      }
    } finally {
      end();
    }
  }

  function execute(sql: string, options: EngineCallOptions = {}): Promise<bigint> {
    return withStatement(options.signal, (statement) =>
      core.run(
        'execute',
        { connection: address, statement, sql },
        { connection: address, statement, signal: joined(options.signal), time: newTime() },
      ),
    );
  }

  /** Runs a query; the connection is busy until its result is closed. */
  async function startQuery(
    sql: string | undefined,
    known: number | undefined,
    options: EngineQueryOptions,
  ): Promise<EngineResult> {
    const end = await begin(options.signal);
    let statement = known;
    const finish = async (): Promise<void> => {
      result = undefined;
      if (known === undefined && statement !== undefined) {
        await core.pool.run('closeStatement', { statement }, { kind: 'continue' }).catch(() => undefined);
      }
      end();
    };
    try {
      statement ??= await core.pool.run('newStatement', { connection: address }, { signal: options.signal });
      const run = { connection: address, statement, signal: joined(options.signal), time: newTime() };
      const started = await core.run('query', { connection: address, statement, sql }, run);
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

  async function prepare(sql: string, options: EngineCallOptions = {}): Promise<EngineStatement> {
    const end = await begin(options.signal);
    try {
      const statement = await core.pool.run(
        'newStatement',
        { connection: address },
        { signal: options.signal },
      );
      try {
        const facts = await core.run(
          'prepare',
          { connection: address, statement, sql },
          { connection: address, statement, signal: joined(options.signal), time: newTime() },
        );
        let isClosed = false;
        const made: EngineStatement = {
          sql,
          kind: facts.kind,
          resultSchema: facts.resultSchema,
          parameterSchema: facts.parameterSchema,
          bind: () => Promise.reject(new FlightUnimplementedError('parameters cannot be bound yet')),
          query: (queryOptions = {}) => startQuery(undefined, statement, queryOptions),
          async execute(callOptions = {}) {
            const done = await begin(callOptions.signal);
            try {
              return await core.run(
                'execute',
                { connection: address, statement, sql: undefined },
                { connection: address, statement, signal: joined(callOptions.signal), time: newTime() },
              );
            } finally {
              done();
            }
          },
          async close() {
            if (isClosed) return;
            isClosed = true;
            const done = await turns.take();
            statements.delete(made);
            await core.pool.run('closeStatement', { statement }, { kind: 'continue' }).catch(() => undefined);
            done();
          },
        };
        statements.add(made);
        return made;
      } catch (error) {
        await core.pool.run('closeStatement', { statement }, { kind: 'continue' });
        throw error;
      }
    } finally {
      end();
    }
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
    const end = await begin();
    try {
      await core.pool.run('endTransaction', { connection: address, commit });
      await core.pool.run('setOption', { connection: address, key: autocommit, value: 'true' });
    } finally {
      end();
    }
  }

  async function free(): Promise<void> {
    running.abort();
    await result?.close();
    await Promise.all([...statements].map((statement) => statement.close()));
    const end = await turns.take();
    await core.pool
      .run('closeConnection', { connection: address }, { kind: 'continue' })
      .catch(() => undefined);
    end();
    onClosed();
  }

  return {
    prepare,
    execute,
    query: (sql, options = {}) => startQuery(sql, undefined, options),
    ingest: () => Promise.reject(new FlightUnimplementedError('bulk ingest is not there yet')),
    async begin() {
      if (inTransaction) throw new FlightError('FAILED_PRECONDITION', 'a transaction is open already');
      if (core.dialect === 'duckdb') await execute('BEGIN TRANSACTION');
      else await setOption(autocommit, 'false');
      inTransaction = true;
    },
    commit: () => endTransaction(true),
    rollback: () => endTransaction(false),
    get inTransaction() {
      return inTransaction;
    },
    async getOption(key) {
      const end = await begin();
      try {
        return await core.pool.run('getOption', { connection: address, key });
      } finally {
        end();
      }
    },
    setOption,
    getObjects: () => Promise.reject(new FlightUnimplementedError('GetObjects is not there yet')),
    getTableTypes: () => Promise.reject(new FlightUnimplementedError('GetTableTypes is not there yet')),
    getTableSchema: () => Promise.reject(new FlightUnimplementedError('GetTableSchema is not there yet')),
    close() {
      closing ??= free();
      return closing;
    },
  };

  async function setOption(key: string, value: string): Promise<void> {
    const end = await begin();
    try {
      await core.pool.run('setOption', { connection: address, key, value });
    } finally {
      end();
    }
  }
}
