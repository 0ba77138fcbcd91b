import {
  FlightInvalidArgumentError,
  FlightServerError,
  FlightUnauthorizedError,
  FlightUnimplementedError,
} from '@peregrine/flight/errors';
import { checkDuckDbTypes } from '../engine/input-types.ts';
import type { Engine, EngineInput } from '../engine/types.ts';
import { checkTimes, checkWhole } from '../option-checks.ts';
import { type EngineTables, createEngineTables, noEngineTables } from './engine-tables.ts';
import { endsWithin } from './ends-within.ts';
import { defaultRetainMs, defaultStorePollMs, defaultSweepMs, firstLookPatienceMs } from './limits.ts';
import { createEnginePartWriter } from './part-writer.ts';
import type { S3Options } from './s3/options.ts';
import { Shelf } from './shelf.ts';
import { createReach, createSourceLooks } from './source-looks.ts';
import { type Source, openSource } from './sources.ts';
import { createSweeper } from './sweeper.ts';
import type { Store, StorePutMode, StorePutOptions, StorePutResult } from './types.ts';
import { watchStorages } from './watch.ts';
import { type PlainTable, dropDataset, writeDataset } from './writer.ts';

/** How a store works. */
export interface StoreOptions {
  /** Folders, files, globs and `s3://` addresses to serve. Default: none. */
  readonly paths?: readonly string[] | undefined;
  /** The folder or `s3://bucket/prefix` that puts and drops go to; it is served too. Default: none, read-only. */
  readonly writable?: string | undefined;
  /** The engine that reads and writes. Default: none, and only Arrow files are served. */
  readonly engine?: Engine | undefined;
  /**
   * Name of an in-memory catalog that takes the views, for engines whose own database is a file. Default: the
   * engine's own catalog.
   */
  readonly catalog?: string | undefined;
  /** Keys, region and endpoint of buckets. Default: those of the environment. */
  readonly s3?: S3Options | undefined;
  /** File or folder of DuckDB's extension httpfs. Default: the one that DuckDB has, or fetches. */
  readonly extensions?: string | undefined;
  /** How often folders and buckets are looked at, in milliseconds; Infinity: only by refresh. Default: 5 s. */
  readonly pollMs?: number | undefined;
  /** How long a version stays after the next one is there, in milliseconds; 0: not at all. Default: one hour. */
  readonly retainMs?: number | undefined;
  /**
   * How often versions whose time is over and what dead servers left are removed from {@link StoreOptions.writable}, in
   * milliseconds, after once at the start; Infinity: never again. Default: 5 minutes.
   */
  readonly sweepMs?: number | undefined;
  /** Arrow bytes of one Parquet part. Default: 256 MiB. */
  readonly partBytes?: number | undefined;
}

/**
 * Opens a store and looks at it once.
 *
 * @throws FlightNotFoundError or FlightInvalidArgumentError for a local path that is not there or of no known kind,
 *   and for numbers of options that mean nothing.
 *   What cannot be read for another reason is told by {@link Store.problems}, and the others are served.
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const prepared = await prepareStore(options);
  await prepared.look();
  return prepared.store;
}

/** A store that has looked at nothing yet. */
export interface PreparedStore {
  readonly store: Store;
  /** Looks at what lies there, for the first time. */
  look(): Promise<void>;
}

/** As {@link openStore}, for those who have something to do while it looks. */
export async function prepareStore(options: StoreOptions): Promise<PreparedStore> {
  const { engine, s3 = {}, retainMs = defaultRetainMs, sweepMs = defaultSweepMs } = options;
  checkTimes({ pollMs: options.pollMs, retainMs }, 0, 'endless');
  checkTimes({ sweepMs }, 1, 'endless');
  checkWhole({ partBytes: options.partBytes }, 1);
  const { sources, target } = await openSources(options, s3);
  const tablesOf = (): EngineTables =>
    engine === undefined
      ? noEngineTables('this server runs without one')
      : createEngineTables(engine, options.catalog);
  const engineTables = tablesOf();
  const buckets = createReach(
    sources,
    engine && {
      setup: (sql) => engineTables.setup(sql),
      version: engine.info.vendorVersion,
      extensions: options.extensions,
      s3,
    },
  );
  const shelf = new Shelf({
    engineTables,
    otherTables: tablesOf,
    hasEngine: engine !== undefined,
    looks: (onLate) => createSourceLooks(sources, buckets.reach, onLate),
  });
  const sweeper = createSweeper(target?.storage, target?.given ?? '', { retainMs, sweepMs });
  let unwatch: (() => Promise<void>) | undefined;
  let looking: Promise<void> | undefined;
  const store: Store = {
    writable: target !== undefined,
    roots: sources.filter(({ file }) => file === undefined).map(({ storage }) => storage.root),
    singleFiles: sources.flatMap(singleFilesOf),
    tables: () => shelf.tables(),
    problems: () => [...shelf.problems(), ...[sweeper.problem()].filter((problem) => problem !== undefined)],
    get: (name) => shelf.get(name),
    fileOf: (name) => shelf.fileOf(name),
    schemaOf: (table) => shelf.schemaOf(table),
    use: (sql) => shelf.use(sql),
    standAside: (name) => shelf.standAside(name),
    viewName: (name) => engineTables.sqlName(name),
    refresh: () => shelf.renew(),
    restore: () => shelf.restore(buckets.forget),
    onChange: (listener) => shelf.onChange(listener),
    put: (...put) => putDataset(shelf, target, options, ...put),
    drop: (name) => dropTable(shelf, target, name),
    async close() {
      await looking?.catch(() => undefined);
      await unwatch?.();
      await sweeper.stop();
      await shelf.close();
    },
  };
  return {
    store,
    look() {
      looking ??= look();
      return looking;
    },
  };

  async function look(): Promise<void> {
    // What a bucket takes longer for goes on behind.
    await endsWithin(sweeper.start(), firstLookPatienceMs);
    await shelf.refresh(firstLookPatienceMs);
    unwatch = watchStorages(sources, options.pollMs ?? defaultStorePollMs, () => shelf.refresh());
  }
}

async function openSources(
  { paths = [], writable }: StoreOptions,
  s3: S3Options,
): Promise<{ readonly sources: readonly Source[]; readonly target: Source | undefined }> {
  const given = [...new Set([...paths, ...(writable === undefined ? [] : [writable])])];
  const sources = await Promise.all(given.map((path) => openSource(path, s3)));
  const target = writable === undefined ? undefined : sources.find((source) => source.given === writable);
  if (target !== undefined && !target.isFolder) {
    throw new FlightInvalidArgumentError(
      `${target.given} cannot be written to: give a folder or s3://bucket/prefix`,
    );
  }
  return { sources, target };
}

/** DuckDB looks for the log of a database beside it. */
function singleFilesOf({ file, storage }: Source): string[] {
  if (file === undefined) return [];
  return [storage.url(file), ...(file.endsWith('.duckdb') ? [storage.url(`${file}.wal`)] : [])];
}

async function putDataset(
  shelf: Shelf,
  target: Source | undefined,
  { engine, partBytes }: StoreOptions,
  name: string,
  mode: StorePutMode,
  schema: Uint8Array,
  batches: AsyncIterable<EngineInput>,
  options: StorePutOptions = {},
): Promise<StorePutResult> {
  const source = writableTarget(target, `storing ${name}`);
  if (engine === undefined) {
    throw new FlightUnimplementedError(`storing ${name} needs the SQL engine, which this server has not`);
  }
  checkDuckDbTypes(schema);
  const rows = await writeDataset(
    source.storage,
    createEnginePartWriter(engine),
    name,
    mode,
    plainOf(shelf, name, source),
    schema,
    batches,
    { ...options, partBytes },
  );
  await shelf.refresh();
  const table = shelf.get(name);
  if (table === undefined) {
    // Stored, and another server has dropped it since.
    throw new FlightServerError(
      `${name} was stored, and another server has dropped it since; put it again if it is still wanted`,
      { code: 'ABORTED' },
    );
  }
  return { rows, table };
}

async function dropTable(shelf: Shelf, target: Source | undefined, name: string): Promise<boolean> {
  const source = writableTarget(target, `dropping ${name}`);
  const dropped = await dropDataset(source.storage, name, plainOf(shelf, name, source));
  if (dropped) await shelf.refresh();
  return dropped;
}

function writableTarget(target: Source | undefined, what: string): Source {
  if (target !== undefined) return target;
  throw new FlightUnauthorizedError(
    `${what} is not possible: this server only reads its files; start it with --writable FOLDER or s3://bucket/prefix`,
  );
}

/** A table of the name that lies in plain files; one in another folder cannot be changed. */
function plainOf(shelf: Shelf, name: string, source: Source): PlainTable | undefined {
  const found = shelf.find(name);
  if (found === undefined || found.entry.format === 'dataset') return undefined;
  if (found.entry.source !== source) {
    throw new FlightUnauthorizedError(
      `${name} lies in ${found.entry.source.given}, which this server only reads; choose another name`,
    );
  }
  const { format, files } = found.entry;
  return { format, files, rows: found.table.rows };
}
