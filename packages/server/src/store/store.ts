import {
  FlightInvalidArgumentError,
  FlightUnauthorizedError,
  FlightUnimplementedError,
  FlightServerError,
} from '@peregrine/flight';
import type { Engine } from '../engine/types.ts';
import { type VersionCache, entriesOf } from './entries.ts';
import { createEngineTables, noEngineTables } from './engine-tables.ts';
import { defaultRetainMs, defaultStorePollMs, defaultSweepMs } from './limits.ts';
import { nameKey } from './names.ts';
import { createEnginePartWriter } from './part-writer.ts';
import type { S3Options } from './s3/options.ts';
import { createReach, createSourceLooks } from './source-looks.ts';
import { type Source, openSource } from './sources.ts';
import { createSweeper } from './sweeper.ts';
import { type ServedTable, createTables } from './tables.ts';
import type { Store, StoreChange, StoreProblem, StoreTable } from './types.ts';
import { checkUnions } from './union-columns.ts';
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
 * @throws FlightNotFoundError or FlightInvalidArgumentError for a local path that is not there or of no known kind.
 *   What cannot be read for another reason is told by {@link Store.problems}, and the others are served.
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const { engine, s3 = {}, retainMs = defaultRetainMs, sweepMs = defaultSweepMs } = options;
  const given = [
    ...new Set([...(options.paths ?? []), ...(options.writable === undefined ? [] : [options.writable])]),
  ];
  const sources = await Promise.all(given.map((path) => openSource(path, s3)));
  const target =
    options.writable === undefined ? undefined : sources.find((source) => source.given === options.writable);
  if (target !== undefined && !target.isFolder) {
    throw new FlightInvalidArgumentError(
      `${target.given} cannot be written to: give a folder or s3://bucket/prefix`,
    );
  }
  const engineTables =
    engine === undefined
      ? noEngineTables('this server runs without one')
      : createEngineTables(engine, options.catalog);
  const tables = createTables(engineTables);
  const cache: VersionCache = new Map();
  const listeners = new Set<(change: StoreChange) => void>();
  const buckets = createReach(
    sources,
    engine && {
      setup: (sql) => engineTables.setup(sql),
      version: engine.info.vendorVersion,
      extensions: options.extensions,
      s3,
    },
  );
  const lookAtSources = createSourceLooks(sources, buckets.reach);
  let served: ReadonlyMap<string, ServedTable> = new Map();
  /** Keys of names that datasets in memory have. */
  const held = new Set<string>();
  let sourceProblems: readonly StoreProblem[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  const sweeper = createSweeper(target?.storage, target?.given ?? '', { retainMs, sweepMs });

  /** One thing after the other: views are made by one connection. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  }

  async function look(): Promise<StoreChange> {
    const { looked, problems } = await lookAtSources();
    sourceProblems = problems;
    const { tables: next, change } = await tables.apply(served, await entriesOf(looked, cache), held);
    served = next;
    if (change.added.length + change.changed.length + change.removed.length > 0) {
      for (const listener of listeners) listener(change);
    }
    return change;
  }

  function writableTarget(what: string): Source {
    if (target !== undefined) return target;
    throw new FlightUnauthorizedError(
      `${what} is not possible: this server only reads its files; start it with --writable FOLDER or s3://bucket/prefix`,
    );
  }

  /** A table of the name that lies in plain files; one in another folder cannot be changed. */
  function plainOf(name: string, source: Source): PlainTable | undefined {
    const found = served.get(nameKey(name));
    if (found === undefined || found.entry.format === 'dataset') return undefined;
    if (found.entry.source !== source) {
      throw new FlightUnauthorizedError(
        `${name} lies in ${found.entry.source.given}, which this server only reads; choose another name`,
      );
    }
    const { format, files } = found.entry;
    return { format, files, rows: found.table.rows };
  }

  const store: Store = {
    writable: target !== undefined,
    roots: sources.filter(({ file }) => file === undefined).map(({ storage }) => storage.root),
    singleFiles: sources.flatMap(({ file, storage }) =>
      // DuckDB looks for the log of a database beside it.
      file === undefined
        ? []
        : [storage.url(file), ...(file.endsWith('.duckdb') ? [storage.url(`${file}.wal`)] : [])],
    ),
    tables: () => [...served.values()].flatMap(({ table, inside }) => [table, ...inside].filter(isTable)),
    problems: () => [
      ...sourceProblems,
      ...[sweeper.problem()].filter((problem) => problem !== undefined),
      ...[...served.values()].flatMap(({ entry, problem }) =>
        problem === undefined ? [] : [{ origin: entry.name, message: problem }],
      ),
    ],
    get: (name) => {
      const found = served.get(nameKey(name))?.table;
      return found !== undefined && isTable(found)
        ? found
        : store.tables().find((table) => nameKey(table.name) === nameKey(name));
    },
    async use(sql) {
      const text = sql.toLowerCase();
      const needed = [...served.values()].filter(
        ({ pending, table }) =>
          pending && !held.has(nameKey(table.name)) && text.includes(nameKey(table.name)),
      );
      if (needed.length === 0) return;
      await inTurn(async () => {
        for (const { entry } of needed) {
          const now = served.get(nameKey(entry.name));
          if (now?.pending === true)
            served = new Map(served).set(nameKey(entry.name), await tables.load(now));
        }
      });
    },
    standAside: (name) =>
      inTurn(async () => {
        const key = nameKey(name);
        // Makes the catalog of the views, if nothing else has done it yet.
        if (engine !== undefined) await engineTables.setup('SELECT 1');
        held.add(key);
        return {
          sqlName: engineTables.sqlName(name),
          giveBack: () =>
            inTurn(async () => {
              held.delete(key);
              const found = served.get(key);
              if (found !== undefined) {
                served = new Map([...served].filter(([each]) => each !== key));
                await engineTables.dropTable(found.entry.name);
              }
              await look();
            }),
        };
      }),
    viewName: (name) => engineTables.sqlName(name),
    refresh: () => inTurn(look),
    restore: () =>
      inTurn(async () => {
        await engineTables.close();
        buckets.forget();
        served = new Map();
        // Makes the catalog of the views, also where there are no files.
        if (engine !== undefined) await engineTables.setup('SELECT 1');
        await look();
      }),
    async put(name, mode, schema, batches, putOptions = {}) {
      const source = writableTarget(`storing ${name}`);
      if (engine === undefined) {
        throw new FlightUnimplementedError(`storing ${name} needs the SQL engine, which this server has not`);
      }
      checkUnions(schema);
      const rows = await writeDataset(
        source.storage,
        createEnginePartWriter(engine),
        name,
        mode,
        plainOf(name, source),
        schema,
        batches,
        { ...putOptions, partBytes: options.partBytes },
      );
      await store.refresh();
      const table = store.get(name);
      if (table === undefined) {
        // Stored, and another server has dropped it since.
        throw new FlightServerError(
          `${name} was stored, and another server has dropped it since; put it again if it is still wanted`,
          { code: 'ABORTED' },
        );
      }
      return { rows, table };
    },
    async drop(name) {
      const source = writableTarget(`dropping ${name}`);
      const dropped = await dropDataset(source.storage, name, plainOf(name, source));
      if (dropped) await store.refresh();
      return dropped;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      await unwatch();
      await sweeper.stop();
      await turn;
      await engineTables.close();
    },
  };

  await sweeper.start();
  await store.refresh();
  const unwatch = watchStorages(sources, options.pollMs ?? defaultStorePollMs, () => store.refresh());
  return store;
}

/** An attached database is no table itself. */
function isTable(table: StoreTable): boolean {
  return table.format !== 'duckdb' || table.problem !== undefined || table.name.includes('.');
}
