import {
  type FlightDataStream,
  type FlightStreamReader,
  FlightError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnauthorizedError,
  FlightUnimplementedError,
  type ServerCallContext,
} from '@peregrine/flight';
import { type Dataset, type DatasetStore } from '../datasets/dataset.ts';
import {
  type MemoryDataset,
  isMemoryDataset,
  joinDatasets,
  receiveDataset,
} from '../datasets/memory-dataset.ts';
import { type SharedMemory, createSharedMemory } from '../datasets/shared-memory.ts';
import { readTableRows } from '../sql/parameters.ts';
import { quoteIdentifier } from '../engine/sql-text.ts';
import { sameColumns } from '../sql/same-columns.ts';
import type { SqlService } from '../sql/service.ts';
import { nameKey } from '../store/names.ts';
import type { StoodAside, Store, StoreTable } from '../store/types.ts';
import type { PutMode } from './command.ts';
import { findEngineTable, ingestTable, listEngineTables } from './engine-tables.ts';
import { dropMemoryTable, memoryTableName, publishMemoryTable } from './memory-tables.ts';
import { createTurns } from './turns.ts';

/** A table that plain Flight serves, wherever it lies. */
export interface ServedTable {
  /** As clients call it: its name, or its names joined by dots. */
  readonly name: string;
  readonly path: readonly string[];
  /** Where it lies, for people. */
  readonly origin: string;
  /** How SQL calls it; undefined where there is no engine that knows it. */
  readonly sqlName: string | undefined;
  /** The flatbuffer of its IPC schema message, rows and bytes as far as they are known. */
  describe(): Promise<TableFacts>;
  /** Its rows as they are stored; undefined where only the engine can read it. */
  readonly stream: (() => Promise<FlightDataStream>) | undefined;
}

/** What is known of a table without reading it. */
export interface TableFacts {
  readonly schema: Uint8Array;
  readonly rows: number | undefined;
  readonly bytes: number | undefined;
}

/** What a put has stored. */
export interface PutOutcome {
  readonly rows: number;
  /** Why SQL cannot read it; undefined when it can, or when there is no engine. */
  readonly problem?: string | undefined;
  /** The file that the dataset in memory stands before, until it is dropped or the server ends. */
  readonly inPlaceOf?: string | undefined;
}

/** What plain Flight serves from. */
export interface TableSources {
  /** Datasets in memory, and Arrow files. */
  readonly memory: DatasetStore;
  /** Files, folders and buckets. Default: none. */
  readonly files?: Store | undefined;
  /** The engine's own tables. Default: none. */
  readonly sql?: SqlService | undefined;
  /** Refuses puts and drops. Default: false. */
  readonly readOnly?: boolean | undefined;
  /** Where datasets in memory lie. Default: memory of their own, up to `maxMemoryDatasetBytes`. */
  readonly shared?: SharedMemory | undefined;
}

/** Every table by name: datasets in memory, files, then tables of the engine. */
export interface ServedTables {
  /** Whether a text is the name of a dataset in memory or in files. */
  has(name: string): boolean;
  find(path: readonly string[], context: ServerCallContext): Promise<ServedTable | undefined>;
  /** In the order of their names. */
  list(context: ServerCallContext): Promise<ServedTable[]>;
  /** Stores rows, all or nothing. */
  put(
    path: readonly string[],
    mode: PutMode,
    rows: FlightStreamReader,
    onBatch: (rows: number) => Promise<void>,
    context: ServerCallContext,
  ): Promise<PutOutcome>;
  /** False when there is no such table. */
  drop(path: readonly string[], context: ServerCallContext): Promise<boolean>;
  /** Looks at files and buckets now: what changed. */
  refresh(): Promise<{
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  }>;
}

/** Puts the sources together. */
export function createServedTables({
  files,
  memory,
  readOnly = false,
  sql,
  shared = createSharedMemory(),
}: TableSources): ServedTables {
  const engine = sql?.engine.state.kind === 'ready' ? sql : undefined;
  const inTurn = createTurns();
  /** By the keys of names: what gives the name back to the files that a dataset in memory stands before. */
  const stoodAside = new Map<string, StoodAside>();

  function checkWritable(): void {
    if (readOnly) throw new FlightUnauthorizedError('this server is read-only');
  }

  function ofDataset(dataset: Dataset): ServedTable {
    const file = files?.get(dataset.name);
    return {
      name: dataset.name,
      path: [dataset.name],
      origin:
        file === undefined || file.dataset === dataset
          ? dataset.origin
          : `${dataset.origin}, in the place of ${file.origin}`,
      sqlName:
        engine !== undefined && dataset.messages !== undefined ? memoryTableName(dataset.name) : undefined,
      async describe() {
        const { bytes, rows, schemaHeader } = await dataset.describe();
        return { schema: schemaHeader, rows, bytes };
      },
      stream: () => dataset.stream(),
    };
  }

  function ofFile(table: StoreTable, context: ServerCallContext): ServedTable {
    const { dataset } = table;
    return {
      name: table.name,
      path: [table.name],
      origin: table.origin,
      sqlName: table.sqlName,
      async describe() {
        if (table.problem !== undefined) {
          throw new FlightError('FAILED_PRECONDITION', `${table.name} cannot be read: ${table.problem}`);
        }
        if (dataset !== undefined) return ofDataset(dataset).describe();
        const schema = table.schema ?? (await schemaOf(table, context));
        return { schema, rows: numberOf(table.rows), bytes: numberOf(table.bytes) };
      },
      stream: dataset === undefined ? undefined : () => dataset.stream(),
    };
  }

  async function schemaOf(table: StoreTable, context: ServerCallContext): Promise<Uint8Array> {
    if (engine === undefined) {
      throw new FlightUnimplementedError(
        `${table.name} is read by the SQL engine, which this server has not`,
      );
    }
    const lane = await engine.clients.lane(context, { sql: table.sqlName });
    return lane.run(async (connection) => {
      const statement = await connection.prepare(`SELECT * FROM ${table.sqlName}`);
      try {
        return statement.resultSchema ?? new Uint8Array(0);
      } finally {
        await statement.close();
      }
    });
  }

  function findOwn(name: string, context: ServerCallContext): ServedTable | undefined {
    const dataset = memory.get(name);
    if (dataset !== undefined) return ofDataset(dataset);
    const file = files?.get(name);
    return file === undefined ? undefined : ofFile(file, context);
  }

  async function find(path: readonly string[], context: ServerCallContext): Promise<ServedTable | undefined> {
    const [name] = path;
    const own = path.length === 1 && name !== undefined ? findOwn(name, context) : undefined;
    return own ?? (engine === undefined ? undefined : findEngineTable(engine, path, context));
  }

  async function putInMemory(
    name: string,
    mode: PutMode,
    rows: FlightStreamReader,
    onBatch: (rows: number) => Promise<void>,
    context: ServerCallContext,
  ): Promise<PutOutcome> {
    const key = nameKey(name);
    const check = (): void => {
      const file = files?.get(name);
      const inMemory = memory.get(name) !== undefined;
      checkMode(name, mode, inMemory || file !== undefined);
      if (file === undefined || inMemory || (mode !== 'append' && mode !== 'create_append')) return;
      throw new FlightError(
        'FAILED_PRECONDITION',
        `${name} is ${file.origin}, which this server only reads: replace it in memory, or start the server with --writable`,
      );
    };
    // Told before the rows are read, and again when they are there.
    check();
    const received = await receiveDataset(name, rows.raw(), shared, onBatch);
    let dataset = received.dataset;
    return inTurn(key, async () => {
      const isFirst = files !== undefined && !stoodAside.has(key);
      try {
        check();
        const old = memory.get(name);
        if (old !== undefined && (mode === 'append' || mode === 'create_append')) {
          dataset = await appended(old, dataset);
        }
        if (isFirst) stoodAside.set(key, await files.standAside(name));
        // Only now: a put that fails half-way leaves what was there.
        const problem =
          engine === undefined
            ? undefined
            : await publishMemoryTable(engine.engine, dataset, viewNameOf(name), context.signal);
        memory.put(dataset);
        const file = files?.get(name);
        return { rows: received.rows, problem, ...(file !== undefined && { inPlaceOf: file.origin }) };
      } catch (error) {
        dataset.release();
        if (isFirst) await giveBack(key);
        throw error;
      }
    });
  }

  /** The file of the name is there again, for SQL as well. */
  async function giveBack(key: string): Promise<void> {
    const back = stoodAside.get(key);
    stoodAside.delete(key);
    await back?.giveBack();
  }

  /** The view that SQL knows a dataset in memory by. */
  function viewNameOf(name: string): string {
    return stoodAside.get(nameKey(name))?.sqlName ?? quoteIdentifier(name);
  }

  return {
    has: (name) => memory.get(name) !== undefined || files?.get(name) !== undefined,
    find,
    async list(context) {
      const found = new Map<string, ServedTable>();
      if (engine !== undefined) {
        for (const table of await listEngineTables(engine, context)) found.set(table.name, table);
      }
      // The view in the engine has the same name: the dataset itself is what is served.
      for (const table of files?.tables() ?? []) {
        if (memory.get(table.name) === undefined) found.set(table.name, ofFile(table, context));
      }
      for (const dataset of memory.list()) found.set(dataset.name, ofDataset(dataset));
      return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async put(path, mode, rows, onBatch, context) {
      checkWritable();
      const [name] = path;
      if (name === undefined)
        throw new FlightInvalidArgumentError('the put names no dataset: give its descriptor a path');
      if (path.length === 1 && memory.get(name) === undefined) {
        if (files?.writable === true) {
          return putInStore(files, name, mode, rows, onBatch, context);
        }
      }
      const isOwn = path.length === 1 && (memory.get(name) ?? files?.get(name)) !== undefined;
      const table = engine === undefined || isOwn ? undefined : await findEngineTable(engine, path, context);
      if (engine !== undefined && (path.length > 1 || table !== undefined)) {
        return { rows: await ingestTable(engine, path, mode, rows, onBatch, context) };
      }
      return putInMemory(name, mode, rows, onBatch, context);
    },
    async drop(path, context) {
      checkWritable();
      const [name] = path;
      if (path.length === 1 && name !== undefined) {
        const dropped = await inTurn(nameKey(name), async () => {
          if (!memory.drop(name)) return false;
          if (engine !== undefined) await dropMemoryTable(engine.engine, name, viewNameOf(name));
          await giveBack(nameKey(name));
          return true;
        });
        if (dropped) return true;
        if (files?.get(name) !== undefined) return files.drop(name);
      }
      const table = engine === undefined ? undefined : await findEngineTable(engine, path, context);
      if (engine === undefined || table?.sqlName === undefined) return false;
      const kind = table.origin.endsWith('VIEW') ? 'VIEW' : 'TABLE';
      const lane = await engine.clients.lane(context, { sql: table.sqlName });
      await lane.run((connection) => connection.execute(`DROP ${kind} ${table.sqlName}`));
      return true;
    },
    refresh: async () => (await files?.refresh()) ?? { added: [], changed: [], removed: [] },
  };
}

async function putInStore(
  files: Store,
  name: string,
  mode: PutMode,
  rows: FlightStreamReader,
  onBatch: (rows: number) => Promise<void>,
  context: ServerCallContext,
): Promise<PutOutcome> {
  let taken = 0;
  const incoming = await readTableRows(name, rows, (count) => onBatch((taken += count)));
  const stored = await files.put(name, mode, incoming.schema, incoming.batches, { signal: context.signal });
  return { rows: Number(stored.rows) };
}

async function appended(old: Dataset, added: MemoryDataset): Promise<MemoryDataset> {
  if (!isMemoryDataset(old)) {
    throw new FlightError('FAILED_PRECONDITION', `${old.name} is a file and cannot be appended to`);
  }
  const [before, after] = [await old.describe(), await added.describe()];
  if (!sameColumns(before.schemaHeader, after.schemaHeader)) {
    throw new FlightError(
      'FAILED_PRECONDITION',
      `the rows for ${old.name} have other columns than the dataset, and cannot be appended to it`,
    );
  }
  return joinDatasets(old, added);
}

function checkMode(name: string, mode: PutMode, isThere: boolean): void {
  if (mode === 'create' && isThere) {
    throw new FlightError(
      'ALREADY_EXISTS',
      `there is a dataset ${name} already; put with the mode replace or append`,
    );
  }
  if (mode === 'append' && !isThere) {
    throw new FlightNotFoundError(
      `there is no dataset ${name} to append to; put with the mode create or create_append`,
    );
  }
}

function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
