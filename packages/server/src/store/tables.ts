import { FlightError, messageOf } from '@peregrine/flight';
import { createRangeDataset } from '../datasets/file-dataset.ts';
import { readMessageIndex } from '../datasets/message-index.ts';
import type { RangeSource } from '../datasets/range-source.ts';
import { readMessages } from '../datasets/read-messages.ts';
import type { EngineTables } from './engine-tables.ts';
import type { Entry } from './entries.ts';
import { nameKey } from './names.ts';
import { quoteIdentifier } from '../engine/sql-text.ts';
import type { StoreChange, StoreTable } from './types.ts';

/** A table and what the engine has of it. */
export interface ServedTable {
  readonly entry: Entry;
  readonly table: StoreTable;
  /** Tables of an attached database. */
  readonly inside: readonly StoreTable[];
  /** Whether SQL has to wait until it is loaded. */
  readonly pending: boolean;
  /** Why SQL cannot read it; an Arrow file is served over Flight all the same. */
  readonly problem: string | undefined;
}

/** Brings what was found into the engine. */
export interface Tables {
  /**
   * @param served - what is there now, by the keys of names
   * @param held - keys of names that stay in the engine as they are
   */
  apply(
    served: ReadonlyMap<string, ServedTable>,
    entries: readonly Entry[],
    held: ReadonlySet<string>,
  ): Promise<{ readonly tables: ReadonlyMap<string, ServedTable>; readonly change: StoreChange }>;
  /** Reads an Arrow file into the engine. */
  load(served: ServedTable): Promise<ServedTable>;
}

/** @param engine - where the tables are made */
export function createTables(engine: EngineTables): Tables {
  async function remove({ entry }: ServedTable): Promise<void> {
    if (entry.format === 'duckdb') await engine.detach(entry.name);
    await engine.dropTable(entry.name);
  }

  async function make(entry: Entry): Promise<ServedTable> {
    try {
      if (entry.problem !== undefined) return await makeBroken(entry, entry.problem);
      if (entry.format === 'arrow') return await makeArrow(entry);
      if (entry.format === 'duckdb') return await makeAttached(entry);
      const rows = await engine.createView(entry.name, entry.scan ?? '', entry.rowsSql);
      return {
        entry,
        inside: [],
        pending: false,
        problem: undefined,
        table: { ...tableOf(entry, engine.sqlName(entry.name)), rows: entry.rows ?? rows },
      };
    } catch (error) {
      return makeBroken(entry, reasonOf(error));
    }
  }

  async function makeBroken(entry: Entry, problem: string): Promise<ServedTable> {
    // It was another table before, perhaps: what is told must not be its old rows.
    await remove(broken(entry, problem)).catch(() => undefined);
    await engine.createBroken(entry.name, problem).catch(() => undefined);
    return broken(entry, problem);
  }

  async function makeArrow(entry: Entry): Promise<ServedTable> {
    const dataset = createRangeDataset(entry.name, entry.origin, () => openEntry(entry));
    const { schemaHeader, rows } = await dataset.describe();
    const base = {
      ...tableOf(entry, engine.sqlName(entry.name)),
      schema: schemaHeader,
      rows: BigInt(rows),
      dataset,
    };
    try {
      await engine.createPending(entry.name, schemaHeader);
    } catch (error) {
      // Such as a type that the engine does not have: it is served over Flight all the same.
      const problem = `SQL cannot read it: ${reasonOf(error)}`;
      await engine.createBroken(entry.name, problem).catch(() => undefined);
      return { entry, inside: [], pending: false, problem, table: base };
    }
    return { entry, inside: [], pending: true, problem: undefined, table: base };
  }

  async function makeAttached(entry: Entry): Promise<ServedTable> {
    await engine.detach(entry.name);
    await engine.dropTable(entry.name);
    const inside: StoreTable[] = [];
    for (const { schemaName, tableName } of await engine.attach(entry.name, pathOf(entry))) {
      const sqlName = [entry.name, schemaName, tableName].map(quoteIdentifier).join('.');
      const name =
        schemaName === 'main' ? `${entry.name}.${tableName}` : `${entry.name}.${schemaName}.${tableName}`;
      const { schema } = await engine.describe(sqlName);
      inside.push({ ...tableOf(entry, sqlName), name, schema, bytes: undefined });
    }
    return {
      entry,
      inside,
      pending: false,
      problem: undefined,
      table: tableOf(entry, quoteIdentifier(entry.name)),
    };
  }

  /** Asked for all views at once: to list the columns of one, the engine lists those of all. */
  async function addSchemas(made: Map<string, ServedTable>, held: ReadonlySet<string>): Promise<void> {
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

  return {
    async apply(served, entries, held) {
      const next = new Map<string, ServedTable>();
      const added: string[] = [];
      const changed: string[] = [];
      const wanted = new Map(entries.map((entry) => [nameKey(entry.name), entry] as const));
      const removed: string[] = [];
      for (const [key, old] of served) {
        const entry = wanted.get(key);
        if (entry === undefined) removed.push(old.entry.name);
        if (held.has(key)) continue;
        if (entry === undefined || entry.format !== old.entry.format)
          await remove(old).catch(() => undefined);
      }
      for (const [key, entry] of wanted) {
        const old = served.get(key);
        if (held.has(key)) {
          next.set(key, old ?? unmade(entry, engine.sqlName(entry.name)));
          if (old === undefined) added.push(entry.name);
          continue;
        }
        const same = old !== undefined && isSame(old.entry, entry);
        if (same && old.problem === undefined) {
          next.set(key, old);
          continue;
        }
        // What could not be read is tried again each time: a share may be back, rights may be given.
        const made = await make(entry);
        next.set(key, made);
        if (old === undefined) added.push(entry.name);
        else if (!same || made.problem !== old.problem) changed.push(entry.name);
      }
      await addSchemas(next, held);
      return { tables: next, change: { added, changed, removed } };
    },
    async load(served) {
      const { entry } = served;
      try {
        const source = await openEntry(entry);
        try {
          const index = await readMessageIndex(source, entry.name);
          await engine.loadTable(entry.name, index.schemaHeader, readMessages(source, index));
        } finally {
          await source.close();
        }
        return { ...served, pending: false };
      } catch (error) {
        return { ...served, pending: false, problem: `SQL cannot read it: ${reasonOf(error)}` };
      }
    },
  };
}

function isSame(a: Entry, b: Entry): boolean {
  return a.version === b.version && a.format === b.format && a.source === b.source && a.name === b.name;
}

function tableOf(entry: Entry, sqlName: string): StoreTable {
  const { name, origin, format, version, rows, bytes, files, modifiedMs } = entry;
  return {
    name,
    origin,
    format,
    sqlName,
    version,
    schema: undefined,
    rows,
    bytes,
    files: files.length,
    modifiedMs,
    problem: undefined,
    dataset: undefined,
  };
}

/** A table whose name in the engine is somebody else's. */
function unmade(entry: Entry, sqlName: string): ServedTable {
  return { entry, inside: [], pending: false, problem: undefined, table: tableOf(entry, sqlName) };
}

function broken(entry: Entry, problem: string): ServedTable {
  return {
    entry,
    inside: [],
    pending: false,
    problem,
    table: { ...tableOf(entry, quoteIdentifier(entry.name)), problem },
  };
}

/** The one file of a table, as the engine calls it. */
function pathOf(entry: Entry): string {
  return entry.source.storage.url(entry.files[0]?.path ?? '');
}

function openEntry(entry: Entry): Promise<RangeSource> {
  return entry.source.storage.open(entry.files[0]?.path ?? '');
}

/** What went wrong, without the SQL of the view that nobody wrote. */
function reasonOf(error: unknown): string {
  if (error instanceof FlightError) return error.rawMessage.replace(/\n+LINE \d+:[^]*$/, '').trim();
  return messageOf(error);
}
