import { FlightCancelledError, FlightError, FlightTimedOutError } from '@peregrine/flight/errors';
import { cancelGraceMs } from '../limits.ts';
import type { Engine, EngineConnection, EngineResult, EngineStatement } from './types.ts';
import { withConnect } from './with-connect.ts';

/*
 * Drivers that do not cancel: SQLite's runs each statement to its end, and DuckDB's hears of it only when a request to a
 * bucket that is on its way has been answered, or its time is over. Whoever cancelled is answered all the same, and
 * so is who waited longer than the time-out of statements. The statement keeps its thread and its connection, which are
 * freed when the driver is done.
 */

/**
 * The same engine, whose calls end soon after they were cancelled, whatever the driver does.
 *
 * @param timeoutMs - of each statement, with its wait for a thread. Default: none
 * @param graceMs - how long the driver has to end by itself, in milliseconds
 */
export function withPromptCancel(
  engine: Engine,
  timeoutMs?: number,
  graceMs: number = cancelGraceMs,
): Engine {
  return withConnect(engine, async (options) =>
    promptConnection(await engine.connect(options), timeoutMs, graceMs),
  );
}

/** Runs one call of the driver. `drop` frees what it gives when nobody takes it any more. */
type Run = <T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  drop?: (value: T) => Promise<void>,
) => Promise<T>;

function promptConnection(
  inner: EngineConnection,
  timeoutMs: number | undefined,
  graceMs: number,
): EngineConnection {
  /** Calls that go on though they were answered. */
  const left = new Set<Promise<unknown>>();

  function leaveAlone<T>(call: Promise<T>, drop?: (value: T) => Promise<void>): void {
    const rest = call.then((value) => drop?.(value)).catch(() => undefined);
    left.add(rest);
    void rest.then(() => left.delete(rest));
  }

  const run: Run = (signal, work, drop) => {
    if (left.size > 0) return Promise.reject(stillBusy());
    const stop = new AbortController();
    const call = work(signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]));
    return new Promise((resolve, reject) => {
      let grace: NodeJS.Timeout | undefined;
      const leave = (error: () => FlightError): void => {
        stop.abort();
        grace ??= setTimeout(() => {
          leaveAlone(call, drop);
          reject(error());
        }, graceMs);
      };
      const onAbort = (): void => leave(goesOn);
      let isLate = false;
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              isLate = true;
              leave(() => late(timeoutMs));
            }, timeoutMs);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      const told = call.catch((error: unknown) => {
        // It was cancelled because it was late, while it waited for a thread or by the driver.
        const isEnded = isLate && error instanceof FlightError && error.code === 'CANCELLED';
        throw isEnded && timeoutMs !== undefined ? ended(timeoutMs, error) : error;
      });
      void told.then(resolve, reject).finally(() => {
        clearTimeout(grace);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      });
    });
  };

  /** Waits for an end, but not for a statement that goes on. */
  function soon(end: Promise<void>): Promise<void> {
    if (left.size > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      void end.finally(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  const dropResult = (result: EngineResult): Promise<void> => result.close();

  function promptResult(result: EngineResult, signal: AbortSignal | undefined): EngineResult {
    const closing = new AbortController();
    const ended = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
    const close = (): Promise<void> => {
      closing.abort();
      return soon(result.close());
    };
    return {
      schema: result.schema,
      progress: () => result.progress(),
      close,
      [Symbol.asyncIterator]() {
        const iterator = result[Symbol.asyncIterator]();
        return {
          next: () =>
            run(
              ended,
              () => iterator.next(),
              async ({ value }) => value?.release(),
            ),
          async return() {
            await close();
            return { done: true, value: undefined };
          },
        };
      },
    };
  }

  function promptStatement(statement: EngineStatement): EngineStatement {
    return {
      sql: statement.sql,
      kind: statement.kind,
      resultSchema: statement.resultSchema,
      columnCount: statement.columnCount,
      parameterSchema: statement.parameterSchema,
      bind: (schema, batches) => statement.bind(schema, batches),
      query: async (options = {}) =>
        promptResult(
          await run(options.signal, (signal) => statement.query({ ...options, signal }), dropResult),
          options.signal,
        ),
      execute: (options = {}) => run(options.signal, (signal) => statement.execute({ ...options, signal })),
      close: () => soon(statement.close()),
    };
  }

  return {
    prepare: async (sql, options = {}) =>
      promptStatement(
        await run(
          options.signal,
          (signal) => inner.prepare(sql, { ...options, signal }),
          (statement) => statement.close(),
        ),
      ),
    execute: (sql, options = {}) =>
      run(options.signal, (signal) => inner.execute(sql, { ...options, signal })),
    executeEach: (statements) => run(undefined, () => inner.executeEach(statements)),
    describe: (queries) => run(undefined, () => inner.describe(queries)),
    query: async (sql, options = {}) =>
      promptResult(
        await run(options.signal, (signal) => inner.query(sql, { ...options, signal }), dropResult),
        options.signal,
      ),
    ingest: (options, schema, batches) =>
      run(options.signal, (signal) => inner.ingest({ ...options, signal }, schema, batches)),
    begin: (options) => run(undefined, () => inner.begin(options)),
    commit: () => run(undefined, () => inner.commit()),
    // What goes on is rolled back when it has ended and the connection is closed.
    rollback: () => (left.size > 0 ? Promise.resolve() : run(undefined, () => inner.rollback())),
    get inTransaction() {
      return inner.inTransaction;
    },
    getOption: (key) => run(undefined, () => inner.getOption(key)),
    setOption: (key, value) => run(undefined, () => inner.setOption(key, value)),
    getObjects: async (filter) =>
      promptResult(await run(undefined, () => inner.getObjects(filter), dropResult), undefined),
    getTableTypes: async () =>
      promptResult(await run(undefined, () => inner.getTableTypes(), dropResult), undefined),
    getTableSchema: (catalog, schema, table) =>
      run(undefined, () => inner.getTableSchema(catalog, schema, table)),
    progress: async () => inner.progress?.(),
    close: () => soon(inner.close()),
  };
}

function goesOn(): FlightError {
  return new FlightCancelledError(
    'the statement was cancelled; the driver cannot stop it, so that it goes on until it ends by itself',
  );
}

function late(timeoutMs: number): FlightError {
  return new FlightTimedOutError(
    `the statement took longer than ${timeoutMs} ms, the time-out of statements; the driver cannot stop it, so that it goes on`,
    { retryAfterMs: 'never' },
  );
}

function ended(timeoutMs: number, cause: FlightError): FlightError {
  return new FlightTimedOutError(
    `the statement was cancelled after ${timeoutMs} ms, the time-out of statements`,
    { cause, retryAfterMs: 'never' },
  );
}

function stillBusy(): FlightError {
  return new FlightError(
    'ABORTED',
    'this connection still runs a statement that was cancelled, which the driver cannot stop; begin again in another transaction or session',
  );
}
