import { FlightUnauthorizedError } from '@peregrine/flight';
import type { Engine, EngineConnection, EngineStatement } from '../engine/types.ts';
import { bareSql } from '../sql/sql-text.ts';

/** Statements without rows that change nothing but the connection. */
const harmless = /^\s*(?:set|reset|use|begin|start|commit|end|rollback|abort)\b/i;

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
    ingest: ({ table }) => Promise.reject(refused(`an insert into ${table}`)),
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

/** A change that gives rows says so: `INSERT … RETURNING`. */
function isAllowed({ kind, sql }: EngineStatement): boolean {
  const bare = bareSql(sql);
  return kind === 'query' ? !/\breturning\b/i.test(bare) : harmless.test(bare);
}

function refused(what: string): FlightUnauthorizedError {
  return new FlightUnauthorizedError(`this server is read-only (--read-only), and ${what} would change data`);
}
