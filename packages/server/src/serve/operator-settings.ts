import { FlightUnauthorizedError } from '@peregrine/flight/errors';
import { settingChanges } from '../engine/setting-changes.ts';
import type { Engine, EngineConnection } from '../engine/types.ts';
import { withConnect, withMethods } from '../engine/with-connect.ts';

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
  // One that does not name `statistics_propagation` would make prepared statements of everybody wrong: see `duckdb.ts`.
  ['disabled_optimizers', `${started} in the file of --init`],
  ['lock_configuration', 'it would take the settings of every session'],
  ['enable_profiling', profiled],
  ['enable_profile', profiled],
  ['profiling_output', profiled],
  ['profile_output', profiled],
]);

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
  return withMethods(inner, {
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
  });
}

/**
 * Refuses statements that change settings of the whole database.
 *
 * @throws FlightUnauthorizedError with what to do instead
 */
export function refuseOperatorSettings(sql: string): void {
  for (const { name } of settingChanges(sql, (wanted) => refused.has(wanted))) {
    throw new FlightUnauthorizedError(
      `${name} is a setting of the whole server: ${refused.get(name) ?? started}`,
    );
  }
}
