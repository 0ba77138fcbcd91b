import type { ServerCallContext } from '@peregrine/flight';
import { FlightInvalidArgumentError, FlightUnauthorizedError } from '@peregrine/flight/errors';
import type { DatasetStore } from '../datasets/dataset.ts';
import { type SharedMemory, createSharedMemory } from '../datasets/shared-memory.ts';
import { readTableRows } from '../sql/parameters.ts';
import type { SqlService } from '../sql/service.ts';
import type { Store, StoreProblem } from '../store/types.ts';
import { dropEngineTable, findEngineTable, ingestTable, listEngineTables } from './engine-tables.ts';
import { MemoryPuts } from './memory-puts.ts';
import {
  type PutOutcome,
  type PutRequest,
  type ServedTable,
  tableOfDataset,
  type TableSurroundings,
  tableOfFile,
} from './served-table.ts';

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
  /** The names of datasets in memory and files. */
  names(): string[];
  /** In the order of their names. */
  list(context: ServerCallContext): Promise<ServedTable[]>;
  /** Stores rows, all or nothing. */
  put(path: readonly string[], request: PutRequest): Promise<PutOutcome>;
  /** False when there is no such table. */
  drop(path: readonly string[], context: ServerCallContext): Promise<boolean>;
  /** What of files and buckets cannot be read just now. */
  problems(): readonly StoreProblem[];
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
  const surroundings = { files, engine };
  const memoryPuts = new MemoryPuts({ memory, shared, files, engine });

  function checkWritable(): void {
    if (readOnly) throw new FlightUnauthorizedError('this server is read-only');
  }

  function findOwn(name: string, context: ServerCallContext): ServedTable | undefined {
    const dataset = memory.get(name);
    if (dataset !== undefined) return tableOfDataset(dataset, surroundings);
    const file = files?.get(name);
    return file === undefined ? undefined : tableOfFile(file, surroundings, context);
  }

  async function put(path: readonly string[], request: PutRequest): Promise<PutOutcome> {
    checkWritable();
    const [name] = path;
    if (name === undefined)
      throw new FlightInvalidArgumentError('the put names no dataset: give its descriptor a path');
    if (path.length === 1 && memory.get(name) === undefined && files?.writable === true) {
      return putInStore(files, name, request);
    }
    const isOwn = path.length === 1 && (memory.get(name) ?? files?.get(name)) !== undefined;
    const table =
      engine === undefined || isOwn ? undefined : await findEngineTable(engine, path, request.context);
    if (engine !== undefined && (path.length > 1 || table !== undefined)) {
      return { rows: await ingestTable(engine, table?.path ?? path, request) };
    }
    return memoryPuts.put(name, request);
  }

  return {
    has: (name) => memory.get(name) !== undefined || files?.get(name) !== undefined,
    async find(path, context) {
      const [name] = path;
      const own = path.length === 1 && name !== undefined ? findOwn(name, context) : undefined;
      return own ?? (engine === undefined ? undefined : findEngineTable(engine, path, context));
    },
    names: () => [...memory.list(), ...(files?.tables() ?? [])].map(({ name }) => name),
    list: (context) => listTables(memory, surroundings, context),
    put,
    async drop(path, context) {
      checkWritable();
      const [name] = path;
      if (path.length === 1 && name !== undefined) {
        if (await memoryPuts.drop(name)) return true;
        if (files?.get(name) !== undefined) return files.drop(name);
      }
      return engine === undefined ? false : dropEngineTable(engine, path, context);
    },
    problems: () => files?.problems() ?? [],
    refresh: async () => (await files?.refresh()) ?? { added: [], changed: [], removed: [] },
  };
}

/** All tables by name: what stands before another of its name is what is served. */
async function listTables(
  memory: TableSources['memory'],
  surroundings: TableSurroundings,
  context: ServerCallContext,
): Promise<ServedTable[]> {
  const { engine, files } = surroundings;
  const found = new Map<string, ServedTable>();
  if (engine !== undefined) {
    for (const table of await listEngineTables(engine, context)) found.set(table.name, table);
  }
  // The view in the engine has the same name: the dataset itself is what is served.
  for (const table of files?.tables() ?? []) {
    if (memory.get(table.name) === undefined)
      found.set(table.name, tableOfFile(table, surroundings, context));
  }
  for (const dataset of memory.list()) found.set(dataset.name, tableOfDataset(dataset, surroundings));
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function putInStore(
  files: Store,
  name: string,
  { context, mode, onBatch, rows }: PutRequest,
): Promise<PutOutcome> {
  let taken = 0;
  const incoming = await readTableRows(name, rows, (count) => onBatch((taken += count)));
  const stored = await files.put(name, mode, incoming.schema, incoming.batches, { signal: context.signal });
  return { rows: Number(stored.rows) };
}
