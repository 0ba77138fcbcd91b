import { FlightUnauthorizedError } from '@peregrine/flight/errors';
import { createTurns } from '../engine/pool/turns.ts';
import type { Engine, EngineConnection, EngineResult, EngineStatement } from '../engine/types.ts';
import { withConnect, withMethods } from '../engine/with-connect.ts';
import { maxDetachedResultBytes } from '../limits.ts';
import { ownResult } from '../sql/owned-result.ts';
import { bareSql, onlyReads } from '../sql/sql-text.ts';

/** Statements without rows that change nothing but the connection. */
const harmless = /^\s*(?:set|reset|use|begin|start|commit|end|rollback|abort)\b/i;

/** They give rows, and change nothing but settings. */
const callOrPragma = /^\s*(?:call|pragma)\b/i;

/** They begin a transaction, which may only read here, whatever else they ask for. */
const beginning = /^\s*(?:begin|start)\b/i;

/** They end one. */
const ending = /^\s*(?:commit|end|rollback|abort)\b/i;

const begin = 'BEGIN TRANSACTION READ ONLY';

/**
 * An engine that refuses what changes data, for `--read-only`: a database in memory cannot be opened for reading only,
 * and views over files stand in one.
 *
 * What a statement is, its text and DuckDB's parser say; that keeps it from writing files, and from attaching databases.
 * What it calls, as a macro that moves a sequence on, nobody sees from outside, so that DuckDB runs it in a transaction
 * that may only read.
 *
 * @param engine - goes on to take everything from those who have it
 */
export function readOnlyEngine(engine: Engine): Engine {
  return withConnect(engine, async (options) => {
    const inner = await engine.connect(options);
    return readOnlyConnection(inner, engine.info.dialect === 'duckdb' ? createReading(inner) : undefined);
  });
}

/** Runs statements of a connection of DuckDB in transactions that may only read. */
interface Reading {
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  query(work: () => Promise<EngineResult>, signal?: AbortSignal): Promise<EngineResult>;
  /** Begins the client's own transaction. */
  begin(work: () => Promise<unknown>): Promise<void>;
  /** Ends it. */
  end<T>(work: () => Promise<T>): Promise<T>;
}

function createReading(inner: EngineConnection): Reading {
  const turns = createTurns();
  /** The client's own transaction is open. */
  let isOpen = false;

  /** Begins a transaction, and gives what ends it; nothing where the client has begun one. */
  async function start(signal: AbortSignal | undefined): Promise<() => Promise<void>> {
    const done = await turns.take(signal);
    if (isOpen) {
      done();
      return async () => undefined;
    }
    try {
      await inner.execute(begin, { signal });
    } catch (error) {
      done();
      throw error;
    }
    return async () => {
      // Settings stay with both. One that failed cannot be committed, and a connection that was closed has ended it.
      await inner.execute('ROLLBACK').catch(() => undefined);
      done();
    };
  }

  return {
    async run(work, signal) {
      const end = await start(signal);
      try {
        return await work();
      } finally {
        await end();
      }
    },
    async query(work, signal) {
      const end = await start(signal);
      try {
        return ownResult(await work(), end, maxDetachedResultBytes);
      } catch (error) {
        await end();
        throw error;
      }
    },
    async begin(work) {
      const done = await turns.take();
      try {
        await work();
        isOpen = true;
      } finally {
        done();
      }
    },
    async end(work) {
      const result = await work();
      isOpen = false;
      return result;
    },
  };
}

function readOnlyConnection(inner: EngineConnection, reading: Reading | undefined): EngineConnection {
  const prepare: EngineConnection['prepare'] = async (sql, options) => {
    const statement = await inner.prepare(sql, options);
    const isFine = options?.writesOwnFile === true || isAllowed(statement);
    if (isFine) return reading === undefined ? statement : readingStatement(statement, reading);
    await statement.close();
    throw refused('it');
  };
  return withMethods(inner, {
    prepare,
    async query(sql, options) {
      const statement = await prepare(sql, options);
      await statement.close();
      const work = (): Promise<EngineResult> => inner.query(sql, options);
      return reading === undefined ? work() : reading.query(work, options?.signal);
    },
    async execute(sql, options) {
      const bare = bareSql(sql);
      if (!harmless.test(bare) || bare.includes(';')) {
        const statement = await prepare(sql, options);
        await statement.close();
      }
      if (reading === undefined) return inner.execute(sql, options);
      if (beginning.test(bare)) {
        if (/\bwrite\b/i.test(bare)) throw refused('such a transaction');
        await reading.begin(() => inner.execute(begin, options));
        return -1n;
      }
      const work = (): Promise<bigint> => inner.execute(sql, options);
      return ending.test(bare) ? reading.end(work) : reading.run(work, options?.signal);
    },
    // A temporary table is the connection's own: the batches of an exchange are one.
    ingest: (options, schema, batches) =>
      options.temporary === true
        ? inner.ingest(options, schema, batches)
        : Promise.reject(refused(`an insert into ${options.table}`)),
    begin: () =>
      reading === undefined ? inner.begin() : reading.begin(() => inner.begin({ readOnly: true })),
    commit: () => (reading === undefined ? inner.commit() : reading.end(() => inner.commit())),
    rollback: () => (reading === undefined ? inner.rollback() : reading.end(() => inner.rollback())),
  });
}

function readingStatement(statement: EngineStatement, reading: Reading): EngineStatement {
  return {
    ...statement,
    query: (options) => reading.query(() => statement.query(options), options?.signal),
    execute(options) {
      // What a transaction of this connection begins with must not begin another one.
      const work = (): Promise<bigint> => statement.execute(options);
      const bare = bareSql(statement.sql);
      if (beginning.test(bare)) return Promise.reject(refused('a transaction that was prepared'));
      return ending.test(bare) ? reading.end(work) : reading.run(work, options?.signal);
    },
  };
}

/**
 * What gives rows may still change something: `INSERT … RETURNING` says so, `COPY … TO` gives the files that it wrote,
 * a sequence moves on, and EXPLAIN ANALYZE runs what it explains.
 */
function isAllowed({ kind, sql }: EngineStatement): boolean {
  const bare = bareSql(sql);
  if (kind !== 'query') return harmless.test(bare);
  return (onlyReads(sql) || callOrPragma.test(bare)) && !/\b(?:returning|nextval)\b/i.test(bare);
}

function refused(what: string): FlightUnauthorizedError {
  return new FlightUnauthorizedError(`this server is read-only (--read-only), and ${what} would change data`);
}
