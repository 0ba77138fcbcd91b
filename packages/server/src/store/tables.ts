import { availableParallelism } from 'node:os';
import type { EngineTables } from './engine-tables.ts';
import type { Entry } from './entries.ts';
import { type ServedTable, loadArrow, makeTables, removeTable, unmadeTable } from './make-table.ts';
import { nameKey } from './names.ts';
import { type RowCounts, createRowCounts } from './row-counts.ts';
import type { StoreChange } from './types.ts';

/** What is served, by the keys of names. */
export type ServedTables = ReadonlyMap<string, ServedTable>;

/** Brings what was found into the engine. */
export interface Tables {
  /**
   * @param served - what is there now
   * @param held - keys of names that stay in the engine as they are
   * @param lost - keys of names that the engine has no more, though nobody here took them out
   */
  apply(
    served: ServedTables,
    entries: readonly Entry[],
    held: ReadonlySet<string>,
    lost?: ReadonlySet<string>,
  ): Promise<{ readonly tables: ServedTables; readonly change: StoreChange }>;
  /** Reads an Arrow file into the engine. */
  load(served: ServedTable): Promise<ServedTable>;
  /**
   * Schemas of views, asked for all at once: to list the columns of one, the engine lists those of all.
   *
   * @returns those that have one now; of others whoever wants to know it asks the engine
   */
  describe(served: readonly ServedTable[]): Promise<readonly ServedTable[]>;
  /**
   * Counts the rows of some more files of a table.
   *
   * @returns the table with its rows when all are counted; undefined when it is not to be counted, or not any more
   */
  count(served: ServedTable): Promise<ServedTable | 'more' | undefined>;
}

/**
 * @param engine - where the tables are made
 * @param another - the same engine by another connection: many tables are made by several
 */
export function createTables(engine: EngineTables, another: () => EngineTables): Tables {
  const counts = createRowCounts((paths) => engine.countRows(paths));
  return {
    async apply(served, entries, held, lost = new Set()) {
      const wanted = new Map(entries.map((entry) => [nameKey(entry.name), entry] as const));
      const removed = await removeOld(engine, served, wanted, held);
      const next = new Map<string, ServedTable>();
      const added: string[] = [];
      const changed: string[] = [];
      // What could not be read is tried again each time: a share may be back, rights may be given.
      const isKept = (key: string, entry: Entry): boolean => {
        const old = served.get(key);
        return old !== undefined && old.problem === undefined && isSame(old.entry, entry) && !lost.has(key);
      };
      const fresh = [...wanted].filter(([key, entry]) => !held.has(key) && !isKept(key, entry));
      const made = await makeAll(
        fresh.map(([, entry]) => entry),
        counts,
        engine,
        another,
      );
      for (const [key, entry] of wanted) {
        const old = served.get(key);
        if (old === undefined) added.push(entry.name);
        if (held.has(key)) {
          next.set(key, old ?? unmadeTable(entry, engine.sqlName(entry.name)));
          continue;
        }
        const table = made.get(entry) ?? old;
        if (table === undefined) continue;
        next.set(key, table);
        if (
          old !== undefined &&
          (!isSame(old.entry, entry) || table.problem !== old.problem || lost.has(key))
        )
          changed.push(entry.name);
      }
      counts.keep(entries);
      return { tables: next, change: { added, changed, removed } };
    },
    load: (served) => loadArrow(engine, served),
    async describe(served) {
      const schemas = await engine
        .viewSchemas(served.map(({ entry }) => entry.name))
        .catch(() => new Map<string, Uint8Array>());
      return served.flatMap((each) => {
        const schema = schemas.get(each.entry.name);
        return schema === undefined ? [] : [{ ...each, table: { ...each.table, schema } }];
      });
    },
    async count(served) {
      const { entry, problem, table } = served;
      if (problem !== undefined || table.rows !== undefined) return undefined;
      const rows = await counts.more(entry);
      return typeof rows === 'bigint' ? { ...served, table: { ...table, rows } } : rows;
    },
  };
}

/** @returns names that are gone */
async function removeOld(
  engine: EngineTables,
  served: ServedTables,
  wanted: ReadonlyMap<string, Entry>,
  held: ReadonlySet<string>,
): Promise<string[]> {
  const removed: string[] = [];
  for (const [key, old] of served) {
    const entry = wanted.get(key);
    if (entry === undefined) removed.push(old.entry.name);
    if (held.has(key)) continue;
    if (entry === undefined || entry.format !== old.entry.format)
      await removeTable(engine, old).catch(() => undefined);
  }
  return removed;
}

/** Tables that a connection makes in one go. */
const madeAtOnce = 16;

/** Connections that make tables at once: more would take the places of statements. */
const mostConnections = 4;

/**
 * Makes tables, many of them by several connections: of CSV and JSON files the engine finds the columns by reading their
 * beginnings, in one thread a statement.
 */
async function makeAll(
  entries: readonly Entry[],
  counts: RowCounts,
  engine: EngineTables,
  another: () => EngineTables,
): Promise<ReadonlyMap<Entry, ServedTable>> {
  const made = new Map<Entry, ServedTable>();
  const groups = Array.from({ length: Math.ceil(entries.length / madeAtOnce) }, (_, index) =>
    entries.slice(index * madeAtOnce, (index + 1) * madeAtOnce),
  );
  const next = groups.values();
  const work = async (used: EngineTables): Promise<void> => {
    for (const group of next) {
      const tables = await makeTables(used, counts, group);
      for (const [index, table] of tables.entries()) {
        const entry = group[index];
        if (entry !== undefined) made.set(entry, table);
      }
    }
  };
  const count = Math.min(groups.length, mostConnections, availableParallelism()) - 1;
  const others = Array.from({ length: Math.max(count, 0) }, another);
  try {
    // The first one makes what all of them need: the catalog, and the schema of what is loaded.
    if (others.length > 0) await engine.ready().catch(() => undefined);
    await Promise.all([engine, ...others].map(work));
  } finally {
    await Promise.all(others.map((other) => other.close()));
  }
  return made;
}

function isSame(a: Entry, b: Entry): boolean {
  return a.version === b.version && a.format === b.format && a.source === b.source && a.name === b.name;
}
