import { FlightUnavailableError, messageOf } from '@peregrine/flight/errors';
import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { totalmem } from 'node:os';
import { openEngine } from './open.ts';
import { findDuckDbLibrary } from './duckdb-files.ts';
import type { DuckDbEngineOptions } from './options.ts';
import { streamBuffersWithin } from './pool/stream-buffers.ts';
import { bytesOfSize } from '../size-text.ts';
import type { Engine } from './types.ts';
import { createUnavailableEngine } from './unavailable.ts';
import type { DriverOption } from './worker/messages.ts';

/**
 * Opens a DuckDB database. Where the native engine cannot be loaded, the engine that is given is `unavailable` and says
 * why at each call, so that a server goes on without SQL.
 *
 * @throws FlightError in DuckDB's words when the database cannot be opened: no such file, not a database, in use
 */
export async function createDuckDbEngine(options: DuckDbEngineOptions = {}): Promise<Engine> {
  let library: string;
  try {
    library = options.library ?? findDuckDbLibrary();
    await access(library);
    createRequire(import.meta.url).resolve('koffi');
  } catch (error) {
    return noNativeEngine(error);
  }
  try {
    return await openEngine({
      ...options,
      library,
      entrypoint: 'duckdb_adbc_init',
      options: databaseOptions(options),
      dialect: 'duckdb',
      streamBufferBytes: streamBuffersWithin(memoryBytes(options)),
      canReopen: options.database !== undefined && options.database !== ':memory:',
    });
  } catch (error) {
    const cause = error instanceof FlightUnavailableError ? error.cause : undefined;
    if (cause instanceof Error && isMissingNative(cause)) return noNativeEngine(cause);
    throw error;
  }
}

/** Whether a thread ended because there is no native code for it: koffi has no build, or the system refuses it. */
function isMissingNative(cause: Error): boolean {
  const code = 'code' in cause ? cause.code : undefined;
  return code === 'ERR_DLOPEN_FAILED' || /\bkoffi\b/i.test(cause.message);
}

function noNativeEngine(reason: unknown): Engine {
  return createUnavailableEngine(
    `DuckDB cannot be loaded on this platform (${process.platform}-${process.arch}): ${messageOf(reason)}`,
  );
}

/** Memory that DuckDB may take: its limit, or what the machine or the container has. */
function memoryBytes({ memoryLimit }: DuckDbEngineOptions): number {
  const given = memoryLimit === undefined ? undefined : bytesOfSize(memoryLimit);
  // 0 where there is no limit of a container.
  const constrained = process.constrainedMemory?.() ?? 0;
  return given ?? Math.min(totalmem(), constrained > 0 ? constrained : Infinity);
}

/**
 * DuckDB 1.5 plans a statement when it is prepared, by the least and greatest values that its tables have then: a filter
 * that holds for all of them is left out, groups have places for just these. It keeps the plan when rows are added before
 * the statement runs: a prepared DELETE took rows that its WHERE left alone, and groups had wrong values. Through ADBC every
 * statement is prepared, and runs in a transaction after that one.
 */
const staleOptimizer = 'statistics_propagation';

function databaseOptions(options: DuckDbEngineOptions): DriverOption[] {
  const { database, readOnly, memoryLimit, tempDirectory, threads, settings } = options;
  const list: DriverOption[] = [
    ['path', database ?? ':memory:'],
    ['disabled_optimizers', staleOptimizer],
  ];
  if (readOnly === true) list.push(['access_mode', 'READ_ONLY']);
  if (memoryLimit !== undefined) list.push(['memory_limit', memoryLimit]);
  if (tempDirectory !== undefined) list.push(['temp_directory', tempDirectory]);
  if (threads !== undefined) list.push(['threads', String(threads)]);
  return [...list, ...Object.entries(settings ?? {})];
}
