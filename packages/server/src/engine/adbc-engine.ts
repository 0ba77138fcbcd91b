import { openEngine } from './open.ts';
import { findDuckDbLibrary } from './duckdb-files.ts';
import type { EngineLimits } from './options.ts';
import { withPromptCancel } from './prompt-cancel.ts';
import type { Engine } from './types.ts';

/** Options of {@link createAdbcEngine}. */
export interface AdbcEngineOptions extends EngineLimits {
  /** Path of the driver's library. */
  readonly driver: string;
  /** The driver's function. Default: found by the library's name, else `AdbcDriverInit`. */
  readonly entrypoint?: string | undefined;
  /** Options of the database, such as `uri`. Default: none. */
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/**
 * Opens a database by any ADBC driver.
 *
 * @throws FlightError in the driver's words when it cannot be loaded or the database cannot be opened
 */
export async function createAdbcEngine(options: AdbcEngineOptions): Promise<Engine> {
  const { driver, entrypoint, options: settings = {}, ...limits } = options;
  const engine = await openEngine({
    ...limits,
    library: driver,
    entrypoint,
    options: Object.entries(settings),
    dialect: 'generic',
    canReopen: false,
    helper: findHelper(),
  });
  return withPromptCancel(engine, limits.statementTimeoutMs);
}

/** Where DuckDB is not there, other drivers can be asked but given no data. */
function findHelper(): string | undefined {
  try {
    return findDuckDbLibrary();
  } catch {
    return undefined;
  }
}
