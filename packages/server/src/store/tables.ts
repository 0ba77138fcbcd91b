import type { EngineTables } from './engine-tables.ts';
import type { Entry } from './entries.ts';
import { type ServedTable, loadArrow, makeTable, removeTable, unmadeTable } from './make-table.ts';
import { nameKey } from './names.ts';
import { createRowCounts } from './row-counts.ts';
import type { StoreChange } from './types.ts';

/** What is served, by the keys of names. */
export type ServedTables = ReadonlyMap<string, ServedTable>;

/** Brings what was found into the engine. */
export interface Tables {
  /**
   * @param served - what is there now
   * @param held - keys of names that stay in the engine as they are
   */
  apply(
    served: ServedTables,
    entries: readonly Entry[],
    held: ReadonlySet<string>,
  ): Promise<{ readonly tables: ServedTables; readonly change: StoreChange }>;
  /** Reads an Arrow file into the engine. */
  load(served: ServedTable): Promise<ServedTable>;
  /**
   * Counts the rows of some more files of a table.
   *
   * @returns the table with its rows when all are counted; undefined when it is not to be counted, or not any more
   */
  count(served: ServedTable): Promise<ServedTable | 'more' | undefined>;
}

/** @param engine - where the tables are made */
export function createTables(engine: EngineTables): Tables {
  const counts = createRowCounts((paths) => engine.countRows(paths));
  return {
    async apply(served, entries, held) {
      const wanted = new Map(entries.map((entry) => [nameKey(entry.name), entry] as const));
      const removed = await removeOld(engine, served, wanted, held);
      const next = new Map<string, ServedTable>();
      const added: string[] = [];
      const changed: string[] = [];
      for (const [key, entry] of wanted) {
        const old = served.get(key);
        if (old === undefined) added.push(entry.name);
        if (held.has(key)) {
          next.set(key, old ?? unmadeTable(entry, engine.sqlName(entry.name)));
          continue;
        }
        const same = old !== undefined && isSame(old.entry, entry);
        if (same && old.problem === undefined) {
          next.set(key, old);
          continue;
        }
        // What could not be read is tried again each time: a share may be back, rights may be given.
        const made = await makeTable(engine, counts, entry);
        next.set(key, made);
        if (old !== undefined && (!same || made.problem !== old.problem)) changed.push(entry.name);
      }
      counts.keep(entries);
      await addSchemas(engine, next, held);
      return { tables: next, change: { added, changed, removed } };
    },
    load: (served) => loadArrow(engine, served),
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

/** Asked for all views at once: to list the columns of one, the engine lists those of all. */
async function addSchemas(
  engine: EngineTables,
  made: Map<string, ServedTable>,
  held: ReadonlySet<string>,
): Promise<void> {
  const fresh = [...made].filter(
    ([key, { entry, table, problem }]) =>
      !held.has(key) && entry.scan !== undefined && problem === undefined && table.schema === undefined,
  );
  const names = fresh.map(([, { entry }]) => entry.name);
  // What has none now is looked at when somebody asks for it, and at the next look.
  const schemas = await engine.viewSchemas(names).catch(() => new Map<string, Uint8Array>());
  for (const [key, each] of fresh) {
    const schema = schemas.get(each.entry.name);
    made.set(key, { ...each, table: { ...each.table, schema } });
  }
}

function isSame(a: Entry, b: Entry): boolean {
  return a.version === b.version && a.format === b.format && a.source === b.source && a.name === b.name;
}
