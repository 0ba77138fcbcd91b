import { type FlightError, FlightUnavailableError } from '@peregrine/flight/errors';
import { createConnection } from './connection.ts';
import { duckDbInfo, readInfo } from './info.ts';
import type { EngineSpecification } from './specification.ts';
import { type BlockPool, createBlockPool } from './pool/blocks.ts';
import { createControlThread } from './pool/control-thread.ts';
import {
  checkStored,
  createIdleConnections,
  type IdleConnection,
  type IdleConnections,
} from './pool/idle-connections.ts';
import { leastStreamBuffer, type StreamBuffers, createStreamBuffers } from './pool/stream-buffers.ts';
import type { WorkerPool } from './pool/worker-pool.ts';
import { createStatementRunner, type StatementRunner } from './statement-run.ts';
import type { Engine, EngineConnection, EngineInfo, EngineState } from './types.ts';
import type {
  OpenedDatabase,
  OperationArguments,
  OperationName,
  OperationResult,
  WorkerSetup,
} from './worker/messages.ts';

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
 * Makes an engine of a database that is open.
 *
 * @param pool - has the thread that opened it, which runs the first statement: another one would have to load first
 */
export async function createEngine(
  specification: EngineSpecification,
  pool: WorkerPool,
  opened: OpenedDatabase,
): Promise<Engine> {
  const { library, options, dialect, canReopen } = specification;
  let { database } = opened;
  const setup: WorkerSetup = {
    table: opened.table,
    duckdb: dialect === 'duckdb' ? library : undefined,
    release: opened.release,
  };
  pool.setUp(setup);
  const info = dialect === 'duckdb' ? duckDbInfo(opened.version) : await readInfo(pool, opened.connection);
  const control = createControlThread(setup);
  let state: EngineState = { kind: 'ready' };
  let isClosed = false;
  /** Resolves when the database that broke is open again, or is not to be. Never rejects. */
  let reopening: Promise<void> = Promise.resolve();
  const listeners = new Set<(state: EngineState) => void>();
  const connections = new Set<EngineConnection>();
  const counters = { batchBytes: 0 };
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
    quick: (name, args, signal) => {
      if (dialect !== 'duckdb') return pool.run(name, args, { signal });
      return control.isLoaded || pool.idle === 0
        ? control.run(name, args)
        : pool.run(name, args, { kind: 'continue' });
    },
    control: (name, args) => control.run(name, args),
  };

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
    await keepConnections(await openConnection(undefined));
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

  /** Keeps connections from now on, this one first. */
  async function keepConnections(unused: IdleConnection): Promise<void> {
    if (dialect === 'duckdb' && (await canBeKept(unused)) && !isClosed) idle.start();
    if (!idle.give(unused)) await closeConnection(unused.address);
  }

  /** Whether connections can be used again: what others have stored in a database may change them. */
  async function canBeKept(unused: IdleConnection): Promise<boolean> {
    if (!options.some(([key, value]) => key === 'path' && value !== ':memory:')) return true;
    try {
      await createConnection(core, unused, undefined, () => undefined).execute(checkStored);
      return true;
    } catch {
      return false;
    }
  }

  await keepConnections({
    address: opened.connection,
    generation: idle.generation,
    bufferBytes: leastStreamBuffer,
  });
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
      await pool.close((thread) => thread.run('closeDatabase', { database }).catch(() => undefined));
      await control.close();
      runner.close();
      listeners.clear();
    },
  };
}
