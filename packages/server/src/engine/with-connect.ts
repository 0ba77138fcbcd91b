import type { Engine, EngineConnection } from './types.ts';

/** The same engine, whose connections are made by `connect`. */
export function withConnect(engine: Engine, connect: Engine['connect']): Engine {
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
    connect,
    onState: (listener) => engine.onState(listener),
    close: () => engine.close(),
  };
}

/** The same connection, but for the methods that are given. */
export function withMethods(
  inner: EngineConnection,
  own: Partial<Omit<EngineConnection, 'inTransaction'>>,
): EngineConnection {
  return {
    get inTransaction() {
      return inner.inTransaction;
    },
    prepare: (sql, options) => inner.prepare(sql, options),
    executeEach: (statements) => inner.executeEach(statements),
    describe: (queries) => inner.describe(queries),
    query: (sql, options) => inner.query(sql, options),
    execute: (sql, options) => inner.execute(sql, options),
    ingest: (options, schema, batches) => inner.ingest(options, schema, batches),
    begin: (options) => inner.begin(options),
    commit: () => inner.commit(),
    rollback: () => inner.rollback(),
    progress: () => inner.progress?.() ?? Promise.resolve(undefined),
    getOption: (key) => inner.getOption(key),
    setOption: (key, value) => inner.setOption(key, value),
    getObjects: (filter) => inner.getObjects(filter),
    getTableTypes: () => inner.getTableTypes(),
    getTableSchema: (catalog, schema, table) => inner.getTableSchema(catalog, schema, table),
    close: () => inner.close(),
    ...own,
  };
}
