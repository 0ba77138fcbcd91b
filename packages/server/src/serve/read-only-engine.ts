import { FlightUnauthorizedError } from '@peregrine/flight';
import type { Engine, EngineConnection, EngineStatement } from '../engine/types.ts';
import { bareSql, onlyReads } from '../sql/sql-text.ts';

/** Statements without rows that change nothing but the connection. */
const harmless = /^\s*(?:set|reset|use|begin|start|commit|end|rollback|abort)\b/i;

/** They give rows, and change nothing but settings. */
const callOrPragma = /^\s*(?:call|pragma)\b/i;

/**
 * An engine that refuses what changes data, for `--read-only`: a database in memory cannot be opened for reading only,
 * and views over files stand in one.
 *
 * @param engine - goes on to take everything from those who have it
 */
export function readOnlyEngine(engine: Engine): Engine {
  return {
    get info() {
      return engine.info;
    },
    get state() {
      return engine.state;
    },
    get statistics() {
      return engine.statistics;
    },
    connect: async (options) => readOnlyConnection(await engine.connect(options)),
    onState: (listener) => engine.onState(listener),
    close: () => engine.close(),
  };
}

function readOnlyConnection(inner: EngineConnection): EngineConnection {
  const prepare: EngineConnection['prepare'] = async (sql, options) => {
    const statement = await inner.prepare(sql, options);
    if (isAllowed(statement)) return statement;
    await statement.close();
    throw refused('it');
  };
  return {
    get inTransaction() {
      return inner.inTransaction;
    },
    prepare,
    async query(sql, options) {
      const statement = await prepare(sql, options);
      await statement.close();
      return inner.query(sql, options);
    },
    async execute(sql, options) {
      if (!harmless.test(bareSql(sql)) || bareSql(sql).includes(';')) {
        const statement = await prepare(sql, options);
        await statement.close();
      }
      return inner.execute(sql, options);
    },
    // A temporary table is the connection's own: the batches of an exchange are one.
    ingest: (options, schema, batches) =>
      options.temporary === true
        ? inner.ingest(options, schema, batches)
        : Promise.reject(refused(`an insert into ${options.table}`)),
    begin: () => inner.begin(),
    commit: () => inner.commit(),
    rollback: () => inner.rollback(),
    progress: () => inner.progress?.() ?? Promise.resolve(undefined),
    getOption: (key) => inner.getOption(key),
    setOption: (key, value) => inner.setOption(key, value),
    getObjects: (filter) => inner.getObjects(filter),
    getTableTypes: () => inner.getTableTypes(),
    getTableSchema: (catalog, schema, table) => inner.getTableSchema(catalog, schema, table),
    close: () => inner.close(),
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
