import { FlightUnauthorizedError } from '@peregrine/flight';
import { nameOfToken, sqlTokens } from '../engine/sql-tokens.ts';
import type { Engine, EngineConnection } from '../engine/types.ts';
import { withConnect } from '../engine/with-connect.ts';

const started = 'whoever starts the server sets it';
const profiled =
  'DuckDB 1.5 cannot profile what is read as Arrow, and fails; EXPLAIN ANALYZE tells what a statement did';

/**
 * Settings of DuckDB that hold for the whole database, and what to do instead: a client that changed them would take
 * the memory, the processors or the settings of everybody else.
 */
const refused: ReadonlyMap<string, string> = new Map([
  ['memory_limit', `${started} with --memory-limit`],
  ['max_memory', `${started} with --memory-limit`],
  ['threads', `${started} with --threads`],
  ['worker_threads', `${started} with --threads`],
  ['external_threads', started],
  ['max_temp_directory_size', `${started} in the file of --init`],
  ['allocator_background_threads', `${started} in the file of --init`],
  ['allocator_flush_threshold', `${started} in the file of --init`],
  ['allocator_bulk_deallocation_flush_threshold', `${started} in the file of --init`],
  ['home_directory', `${started} in the file of --init`],
  ['extension_directory', `${started} in the file of --init`],
  ['custom_extension_repository', `${started} in the file of --init`],
  ['autoinstall_extension_repository', `${started} in the file of --init`],
  ['lock_configuration', 'it would take the settings of every session'],
  ['enable_profiling', profiled],
  ['enable_profile', profiled],
  ['profiling_output', profiled],
  ['profile_output', profiled],
]);

const verbs: ReadonlySet<string> = new Set(['set', 'reset', 'pragma']);
const scopes: ReadonlySet<string> = new Set(['session', 'global', 'local']);

/**
 * An engine whose connections leave alone what belongs to whoever runs the server. Statements of `--init` and flags go
 * to the engine itself.
 *
 * @param engine - goes on to take everything from those who have it
 */
export function keepOperatorSettings(engine: Engine): Engine {
  if (engine.info.dialect !== 'duckdb') return engine;
  return withConnect(engine, async (options) => keepingConnection(await engine.connect(options)));
}

function keepingConnection(inner: EngineConnection): EngineConnection {
  return {
    get inTransaction() {
      return inner.inTransaction;
    },
    async prepare(sql, options) {
      refuseOperatorSettings(sql);
      return inner.prepare(sql, options);
    },
    async query(sql, options) {
      refuseOperatorSettings(sql);
      return inner.query(sql, options);
    },
    async execute(sql, options) {
      refuseOperatorSettings(sql);
      return inner.execute(sql, options);
    },
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
  };
}

/**
 * Refuses statements that change settings of the whole database.
 *
 * ```
 * change = ( SET | RESET | PRAGMA ) [ SESSION | GLOBAL | LOCAL ] name …
 * ```
 *
 * @throws FlightUnauthorizedError with what to do instead
 */
export function refuseOperatorSettings(sql: string): void {
  if (!/\b(?:set|reset|pragma)\b/i.test(sql)) return;
  let before = '';
  for (const token of sqlTokens(sql)) {
    const name = nameOfToken(token);
    const advice = name === undefined || !verbs.has(before) ? undefined : refused.get(name);
    if (name !== undefined && advice !== undefined) {
      throw new FlightUnauthorizedError(`${name} is a setting of the whole server: ${advice}`);
    }
    if (name === undefined || !scopes.has(name)) before = name ?? token.text;
  }
}
