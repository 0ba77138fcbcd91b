import { type FlightError, FlightUnavailableError } from '@peregrine/flight/errors';
import { checkTimes, checkWhole } from '../option-checks.ts';
import { createConnection } from './connection.ts';
import { readInfo } from './info.ts';
import type { EngineLimits } from './options.ts';
import { type BlockPool, createBlockPool } from './pool/blocks.ts';
import { startEngineThread } from './pool/early-worker.ts';
import {
  checkStored,
  createIdleConnections,
  type IdleConnection,
  type IdleConnections,
} from './pool/idle-connections.ts';
import { leastStreamBuffer, type StreamBuffers, createStreamBuffers } from './pool/stream-buffers.ts';
import { createWorkerPool, type WorkerPool } from './pool/worker-pool.ts';
import { startWorker } from './pool/worker-thread.ts';
import { createStatementRunner, type StatementRunner } from './statement-run.ts';
import type { Engine, EngineConnection, EngineInfo, EngineState } from './types.ts';
import type { DriverOption, OperationArguments, OperationName, OperationResult } from './worker/messages.ts';

/** What makes one engine differ from another. */
export interface EngineSpecification extends EngineLimits {
  /** Path of the driver's library. */
  readonly library: string;
  /** Its function; undefined: by its name. */
  readonly entrypoint: string | undefined;
  /** Options of the database. */
  readonly options: readonly DriverOption[];
  readonly dialect: EngineInfo['dialect'];
  /** Path of libduckdb for drivers of others, see `c-data/borrowed-release.ts`. */
  readonly helper?: string | undefined;
  /** What the buffers of all results may take together, in bytes. Default: 192 MB. */
  readonly streamBufferBytes?: number | undefined;
  /** Whether a database that broke can be opened again without losing anything. */
  readonly canReopen: boolean;
}

/** Blocks that wait to be used again, in bytes: as many as are read ahead. */
const keptBlockBytes = 256 * 1024 * 1024;

/** What connections, statements and results need of their engine. */
export interface EngineCore {
  readonly pool: WorkerPool;
  readonly blocks: BlockPool;
  readonly streamBuffers: StreamBuffers;
  readonly dialect: EngineInfo['dialect'];
  readonly maxReadAheadBytes: number;
  /** What is out, or read ahead, of all results. */
  readonly counters: { batchBytes: number };
  readonly idle: IdleConnections;
  /** Never rejects. */
  closeConnection(address: number): Promise<void>;
  /** Runs an operation that a signal or the time-out of statements cancels in the engine. */
  readonly run: StatementRunner['run'];
  /** Runs what DuckDB does in no time without waiting for a thread; other drivers may ask a server for it. */
  quick<K extends OperationName>(
    name: K,
    args: OperationArguments<K>,
    signal: AbortSignal | undefined,
  ): Promise<OperationResult<K>>;
  /** Asks from a thread that is always free. */
  control<K extends OperationName>(name: K, args: OperationArguments<K>): Promise<OperationResult<K>>;
}

/**
 * Opens a database and makes an engine of it.
 *
 * @throws FlightError where it cannot be opened, FlightInvalidArgumentError for a limit that is none
 */
export async function openEngine(specification: EngineSpecification): Promise<Engine> {
  checkLimits(specification);
  const { library, entrypoint, options, dialect, canReopen } = specification;
  const duckdb = dialect === 'duckdb' ? library : undefined;
  const control = startWorker({ table: undefined, duckdb, release: undefined }, () => undefined);
  // For the first statement: it loads while the other one opens the database.
  startEngineThread();
  const opened = await openDatabase();
  const { table, info, release } = opened;
  let { database } = opened;
  let state: EngineState = { kind: 'ready' };
  let isClosed = false;
  /** Resolves when the database that broke is open again, or is not to be. Never rejects. */
  let reopening: Promise<void> = Promise.resolve();
  const listeners = new Set<(state: EngineState) => void>();
  const connections = new Set<EngineConnection>();
  const counters = { batchBytes: 0 };
  const pool = createWorkerPool(
    { table, duckdb, release },
    {
      maxThreads: specification.maxRunningStatements ?? 16,
      maxQueued: specification.maxQueuedStatements ?? 1_000,
      queueTimeoutMs: specification.queueTimeoutMs ?? 60_000,
      idleMs: 30_000,
    },
  );
  pool.warm();
  const runner = createStatementRunner({
    pool,
    control,
    dialect,
    timeoutMs: specification.statementTimeoutMs,
    onFatal,
  });
  const closeConnection = (connection: number): Promise<void> =>
    pool.run('closeConnection', { connection }, { kind: 'continue' }).catch(() => undefined);
  const idle = createIdleConnections(({ address }) => void closeConnection(address));
  const core: EngineCore = {
    pool,
    blocks: createBlockPool(keptBlockBytes),
    streamBuffers: createStreamBuffers(specification.streamBufferBytes),
    dialect,
    maxReadAheadBytes: specification.maxReadAheadBytes ?? 256 * 1024 * 1024,
    counters,
    idle,
    closeConnection,
    run: (name, args, run) => runner.run(name, args, run),
    quick: (name, args, signal) =>
      dialect === 'duckdb' ? control.run(name, args) : pool.run(name, args, { signal }),
    control: (name, args) => control.run(name, args),
  };

  async function openDatabase(): Promise<{
    table: number;
    database: number;
    info: EngineInfo;
    release: OperationResult<'borrow'>;
  }> {
    try {
      const loaded = await control.run('load', { path: library, entrypoint });
      const handle = await control.run('openDatabase', { options });
      const release = await borrow(handle);
      return { table: loaded, database: handle, release, info: await readInfo(control, handle, dialect) };
    } catch (error) {
      await control.close();
      throw error;
    }
  }

  /** Other drivers than DuckDB's need its library for data that goes in, where it is there. */
  async function borrow(handle: number): Promise<OperationResult<'borrow'>> {
    if (duckdb !== undefined) return control.run('borrow', { path: duckdb, database: handle });
    const path = specification.helper;
    return path === undefined ? undefined : control.run('borrow', { path, database: undefined });
  }

  function setState(next: EngineState): void {
    state = next;
    for (const listener of listeners) listener(next);
  }

  /** The database can no longer be used: connections are ended, and it is opened again where nothing is lost by it. */
  function onFatal(error: FlightError): void {
    if (state.kind === 'unavailable' || isClosed) return;
    setState({ kind: 'unavailable', reason: error.rawMessage });
    reopening = reopenQuietly();
  }

  async function reopenQuietly(): Promise<void> {
    try {
      await reopen();
    } catch {
      // The state says why already, and stays.
    }
  }

  async function reopen(): Promise<void> {
    await closeConnections();
    if (!canReopen || isClosed) return;
    await control.run('closeDatabase', { database });
    database = await control.run('openDatabase', { options });
    await keepConnections();
    setState({ kind: 'ready' });
  }

  async function closeConnections(): Promise<void> {
    const unused = idle.stop();
    await Promise.all([
      ...[...connections].map((connection) => connection.close()),
      ...unused.map(({ address }) => closeConnection(address)),
    ]);
  }

  async function openConnection(signal: AbortSignal | undefined): Promise<IdleConnection> {
    const { generation } = idle;
    const address = await core.quick('openConnection', { database }, signal);
    return { address, generation, bufferBytes: leastStreamBuffer };
  }

  /** Where a database has been written by others, not before it is known what is in it. */
  async function keepConnections(): Promise<void> {
    if (dialect !== 'duckdb') return;
    if (options.some(([key, value]) => key === 'path' && value !== ':memory:')) {
      let connection: EngineConnection | undefined;
      try {
        connection = createConnection(core, await openConnection(undefined), undefined, () => undefined);
        await connection.execute(checkStored);
      } catch {
        return;
      } finally {
        await connection?.close();
      }
    }
    if (!isClosed) idle.start();
  }

  await keepConnections();
  return {
    info,
    get state() {
      return state;
    },
    get statistics() {
      return {
        connections: connections.size,
        running: pool.running,
        queued: pool.queued,
        batchBytes: counters.batchBytes,
      };
    },
    async connect(callOptions = {}) {
      if (isClosed) throw new FlightUnavailableError('the engine has been closed');
      if (state.kind === 'unavailable') {
        throw new FlightUnavailableError(`the database cannot be used: ${state.reason}`);
      }
      const opened = idle.take() ?? (await openConnection(callOptions.signal));
      const connection = createConnection(core, opened, specification.statementTimeoutMs, () =>
        connections.delete(connection),
      );
      connections.add(connection);
      return connection;
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      // Two that close the same database would free it twice.
      await reopening;
      await closeConnections();
      await pool.close();
      await control.run('closeDatabase', { database }).catch(() => undefined);
      await control.close();
      runner.close();
      listeners.clear();
    },
  };
}

function checkLimits(limits: EngineLimits): void {
  const { maxRunningStatements, maxQueuedStatements, maxReadAheadBytes } = limits;
  checkWhole({ maxRunningStatements }, 1);
  checkWhole({ maxQueuedStatements, maxReadAheadBytes }, 0);
  checkTimes({ queueTimeoutMs: limits.queueTimeoutMs }, 0);
  checkTimes({ statementTimeoutMs: limits.statementTimeoutMs }, 1);
}
