import { FlightInvalidArgumentError } from '@peregrine/flight';
import { openEngine } from './core.ts';
import { findDuckDbLibrary } from './duckdb-files.ts';
import type { EngineLimits } from './options.ts';
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
export function createAdbcEngine(options: AdbcEngineOptions): Promise<Engine> {
  const { driver, entrypoint, options: settings = {}, ...limits } = options;
  return openEngine({
    ...limits,
    library: driver,
    entrypoint,
    options: Object.entries(settings),
    dialect: 'generic',
    canReopen: false,
    helper: findHelper(),
  });
}

/** Where DuckDB is not there, other drivers can be asked but given no data. */
function findHelper(): string | undefined {
  try {
    return findDuckDbLibrary();
  } catch {
    return undefined;
  }
}

/**
 * Reads `PATH.so[,entrypoint][,key=value…]`, the text of `--engine adbc:…` behind the colon.
 *
 * @throws FlightInvalidArgumentError when there is no path or a second entry point
 */
export function parseAdbcEngine(text: string): AdbcEngineOptions {
  const [driver = '', ...rest] = text.split(',');
  if (driver === '') {
    throw new FlightInvalidArgumentError(
      `the engine "adbc:${text}" names no driver; write adbc:PATH[,entrypoint][,key=value…]`,
    );
  }
  let entrypoint: string | undefined;
  const options: Record<string, string> = {};
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals > 0) options[part.slice(0, equals)] = part.slice(equals + 1);
    else if (entrypoint === undefined && part !== '') entrypoint = part;
    else throw new FlightInvalidArgumentError(`"${part}" in the engine "adbc:${text}" is no key=value`);
  }
  return { driver, entrypoint, options };
}
