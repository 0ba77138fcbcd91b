import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { openEngine } from './core.ts';
import type { DuckDbEngineOptions } from './options.ts';
import type { Engine } from './types.ts';
import { createUnavailableEngine } from './unavailable.ts';
import type { DriverOption } from './worker/messages.ts';

/** Folder of this process's platform package, and the library's file in it. */
const fileNames: Readonly<Record<string, string>> = {
  win32: 'duckdb.dll',
  darwin: 'libduckdb.dylib',
  linux: 'libduckdb.so',
};

/**
 * Opens a DuckDB database. Where the native engine cannot be loaded, the engine that is given is `unavailable` and says
 * why at each call, so that a server goes on without SQL.
 *
 * @throws FlightError in DuckDB's words when the database cannot be opened: no such file, not a database, in use
 */
export async function createDuckDbEngine(options: DuckDbEngineOptions = {}): Promise<Engine> {
  let library: string;
  try {
    library = options.library ?? findLibrary();
    createRequire(import.meta.url).resolve('koffi');
  } catch (error) {
    return createUnavailableEngine(
      `DuckDB cannot be loaded on this platform (${process.platform}-${process.arch}): ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return openEngine({
    ...options,
    library,
    entrypoint: 'duckdb_adbc_init',
    options: databaseOptions(options),
    dialect: 'duckdb',
    canReopen: options.database !== undefined && options.database !== ':memory:',
  });
}

/** Platform packages hold the library; on Linux those for musl are other ones. */
function findLibrary(): string {
  const fileName = fileNames[process.platform];
  if (fileName === undefined) throw new Error('there is no build for it');
  const require = createRequire(import.meta.url);
  const names = ['', '-musl'].map(
    (suffix) => `@duckdb/node-bindings-${process.platform}-${process.arch}${suffix}`,
  );
  const wanted = isMusl() ? names.toReversed() : names;
  let reason: unknown;
  for (const name of wanted) {
    try {
      return join(dirname(require.resolve(`${name}/package.json`)), fileName);
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`the package ${wanted[0]} is not installed`, { cause: reason });
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return false;
  const { header } = report;
  return typeof header === 'object' && header !== null && !('glibcVersionRuntime' in header);
}

function databaseOptions(options: DuckDbEngineOptions): DriverOption[] {
  const { database, readOnly, memoryLimit, tempDirectory, threads, settings } = options;
  const list: DriverOption[] = [['path', database ?? ':memory:']];
  if (readOnly === true) list.push(['access_mode', 'READ_ONLY']);
  if (memoryLimit !== undefined) list.push(['memory_limit', memoryLimit]);
  if (tempDirectory !== undefined) list.push(['temp_directory', tempDirectory]);
  if (threads !== undefined) list.push(['threads', String(threads)]);
  return [...list, ...Object.entries(settings ?? {})];
}
