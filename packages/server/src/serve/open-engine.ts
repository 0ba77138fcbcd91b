import { basename } from 'node:path';
import { FlightError, createFlightError } from '@peregrine/flight/errors';
import { createAdbcEngine } from '../engine/adbc-engine.ts';
import { createDuckDbEngine } from '../engine/duckdb.ts';
import { withPromptCancel } from '../engine/prompt-cancel.ts';
import type { EngineLimits } from '../engine/options.ts';
import type { Engine } from '../engine/types.ts';
import { createUnavailableEngine } from '../engine/unavailable.ts';
import { type ServerSettings, SettingsError } from '../settings/settings.ts';
import { fileKind } from '../store/formats.ts';

/**
 * Opens the engine that the settings name.
 *
 * @param tempDirectory - for what does not fit into memory
 * @throws FlightError in the engine's words when its database cannot be opened, SettingsError for a file of data that is
 *   given as the database
 */
export async function openServerEngine(settings: ServerSettings, tempDirectory: string): Promise<Engine> {
  try {
    return await open(settings, tempDirectory);
  } catch (error) {
    const { engine, database } = settings;
    if (engine.kind === 'adbc') throw withPrefix(`--engine adbc:${engine.library} cannot be opened`, error);
    throw database === undefined ? error : withPrefix(`--database ${database} cannot be opened`, error);
  }
}

/** Puts before an error of the engine what of the settings led to it. */
export function withPrefix(prefix: string, error: unknown): unknown {
  if (!(error instanceof FlightError)) return error;
  return createFlightError(error.code, `${prefix}: ${error.rawMessage}`, { cause: error });
}

async function open(settings: ServerSettings, tempDirectory: string): Promise<Engine> {
  const { engine } = settings;
  const limits: EngineLimits = {
    maxRunningStatements: settings.maxRunning,
    maxQueuedStatements: settings.maxQueued,
    queueTimeoutMs: settings.queueTimeout,
    statementTimeoutMs: settings.statementTimeout === 0 ? undefined : settings.statementTimeout,
  };
  switch (engine.kind) {
    case 'none':
      return createUnavailableEngine('this server was started with --engine none');
    case 'adbc':
      return createAdbcEngine({
        ...limits,
        driver: engine.library,
        entrypoint: engine.entrypoint,
        options: Object.fromEntries(engine.options),
      });
    case 'duckdb': {
      checkDatabase(settings.database);
      const opened = await createDuckDbEngine({
        ...limits,
        database: settings.database,
        readOnly: settings.readOnly && settings.database !== undefined,
        memoryLimit: settings.memoryLimit === undefined ? undefined : `${settings.memoryLimit}B`,
        tempDirectory,
        threads: settings.threads,
      });
      // A bucket may take a request and never answer.
      const hasBucket = [...settings.data, settings.writable ?? ''].some((path) => path.includes('s3://'));
      return hasBucket ? withPromptCancel(opened, limits.statementTimeoutMs) : opened;
    }
  }
}

/** DuckDB shows what is in a file of data beside a database in memory, and what is made there is lost. */
function checkDatabase(database: string | undefined): void {
  if (database === undefined) return;
  const kind = fileKind(basename(database));
  if (kind === undefined || kind.format === 'duckdb') return;
  throw new SettingsError(
    `--database ${database}: a file that ends in ${kind.ending} is no database, and tables made in it would be lost: ` +
      `give it as data (peregrine serve ${database}), and --database a file that ends in .duckdb, to keep tables in`,
  );
}
