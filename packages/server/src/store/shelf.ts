import { setTimeout as delay } from 'node:timers/promises';
import { type VersionCache, entriesOf } from './entries.ts';
import type { EngineTables } from './engine-tables.ts';
import type { ServedTable } from './make-table.ts';
import { fileKind } from './formats.ts';
import { nameKey } from './names.ts';
import { lookPatienceMs } from './limits.ts';
import type { SourceLook, SourceLooks } from './source-looks.ts';
import { type ServedTables, type Tables, createTables } from './tables.ts';
import type { StoodAside, StoreChange, StoreProblem, StoreTable, TableFile } from './types.ts';

/** What a {@link Shelf} works with. */
export interface ShelfParts {
  readonly engineTables: EngineTables;
  /** The same by another connection. */
  readonly otherTables: () => EngineTables;
  /** Whether there is an engine behind {@link engineTables}. */
  readonly hasEngine: boolean;
  /** @param onLate - to be called when more is known */
  readonly looks: (onLate: () => void) => SourceLooks;
}

/** When schemas of the first tables are asked for, in milliseconds: a server is ready before, as a rule. */
const firstDescribeAfterMs = 50;

/** The tables that a store serves, and the order in which they change: one thing after the other. */
export class Shelf {
  readonly #parts: ShelfParts;
  readonly #tables: Tables;
  readonly #looks: SourceLooks;
  readonly #cache: VersionCache = new Map();
  readonly #listeners = new Set<(change: StoreChange) => void>();
  /** Keys of names that datasets in memory have. */
  readonly #held = new Set<string>();
  #served: ServedTables = new Map();
  #problems: readonly StoreProblem[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  /** What is found out about tables that are served already. */
  #completing: Promise<void> = Promise.resolve();
  #isCompleting = false;
  /** The part of it that finds out schemas. */
  #describing: Promise<void> = Promise.resolve();
  #isNew = true;
  #isClosed = false;

  constructor(parts: ShelfParts) {
    this.#parts = parts;
    this.#tables = createTables(parts.engineTables, parts.otherTables);
    this.#looks = parts.looks(() => {
      void this.#inTurn(() => this.#apply(this.#looks.known())).catch(() => undefined);
    });
  }

  /** What is there under a name, with what it was made of. */
  find(name: string): ServedTable | undefined {
    return this.#served.get(nameKey(name));
  }

  /** As {@link Store.tables}. */
  tables(): readonly StoreTable[] {
    return [...this.#served.values()].flatMap(({ table, inside }) => [table, ...inside].filter(isTable));
  }

  /** As {@link Store.get}. */
  get(name: string): StoreTable | undefined {
    const found = this.find(name)?.table;
    return found !== undefined && isTable(found)
      ? found
      : this.tables().find((table) => nameKey(table.name) === nameKey(name));
  }

  /** As {@link Store.fileOf}. */
  fileOf(name: string): TableFile | undefined {
    const entry = this.#held.has(nameKey(name)) ? undefined : this.find(name)?.entry;
    const [file, second] = entry?.files ?? [];
    if (entry === undefined || file === undefined || second !== undefined) return undefined;
    if (entry.format === 'dataset' || entry.format === 'duckdb') return undefined;
    const ending = fileKind(file.path.split('/').at(-1) ?? '')
      ?.ending.slice(1)
      .toLowerCase();
    return ending === undefined ? undefined : { ending, open: () => entry.source.storage.open(file.path) };
  }

  /** As {@link Store.problems}, but for those of sweeping. */
  problems(): readonly StoreProblem[] {
    return [
      ...this.#problems,
      ...[...this.#served.values()].flatMap(({ entry, problem }) =>
        problem === undefined ? [] : [{ origin: entry.name, message: problem }],
      ),
    ];
  }

  /** As {@link Store.onChange}. */
  onChange(listener: (change: StoreChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** As {@link Store.schemaOf}. */
  async schemaOf({ name, schema, version }: StoreTable): Promise<Uint8Array | undefined> {
    if (schema !== undefined) return schema;
    await this.#describing;
    const now = this.get(name);
    return now?.version === version ? now.schema : undefined;
  }

  /** As {@link Store.use}. */
  async use(sql: string): Promise<void> {
    const text = sql.toLowerCase();
    const needed = [...this.#served.values()].filter(
      ({ pending, table }) =>
        pending && !this.#held.has(nameKey(table.name)) && text.includes(nameKey(table.name)),
    );
    if (needed.length === 0) return;
    await this.#inTurn(async () => {
      for (const { entry } of needed) {
        const now = this.find(entry.name);
        if (now?.pending === true) this.#update([await this.#tables.load(now)]);
      }
    });
  }

  /** As {@link Store.standAside}. */
  standAside(name: string): Promise<StoodAside> {
    const { engineTables } = this.#parts;
    return this.#inTurn(async () => {
      await this.#makeCatalog();
      this.#held.add(nameKey(name));
      return { sqlName: engineTables.sqlName(name), giveBack: () => this.#giveBack(name) };
    });
  }

  /** As {@link Store.refresh}. */
  renew(): Promise<StoreChange> {
    return this.#inTurn(async () => this.#apply(await this.#looks.look(Infinity), await this.#lost()));
  }

  /**
   * Looks at what lies there.
   *
   * @param patienceMs - how long one path is waited for. Default: no longer than what else is to be done can wait
   */
  refresh(patienceMs: number = lookPatienceMs): Promise<StoreChange> {
    return this.#inTurn(async () => this.#apply(await this.#looks.look(patienceMs)));
  }

  /**
   * As {@link Store.restore}.
   *
   * @param forget - called when the engine has nothing of the store any more
   */
  restore(forget: () => void): Promise<void> {
    return this.#inTurn(async () => {
      await this.#parts.engineTables.close();
      forget();
      this.#served = new Map();
      await this.#makeCatalog();
      await this.#apply(await this.#looks.look(lookPatienceMs));
    });
  }

  /** Waits for what runs, and ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#completing;
    await this.#turn;
    await this.#parts.engineTables.close();
  }

  /** Views are made by one connection. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Keys of names whose views somebody has dropped. */
  async #lost(): Promise<ReadonlySet<string>> {
    if (!this.#parts.hasEngine) return new Set();
    const views = new Set((await this.#parts.engineTables.views()).map(nameKey));
    return new Set(
      [...this.#served]
        .filter(([key, { entry }]) => entry.format !== 'duckdb' && !this.#held.has(key) && !views.has(key))
        .map(([key]) => key),
    );
  }

  async #apply({ looked, problems }: SourceLook, lost?: ReadonlySet<string>): Promise<StoreChange> {
    this.#problems = problems;
    const entries = await entriesOf(looked, this.#cache);
    const { tables, change } = await this.#tables.apply(this.#served, entries, this.#held, lost);
    this.#served = tables;
    if (change.added.length + change.changed.length + change.removed.length > 0) {
      for (const listener of this.#listeners) listener(change);
    }
    if (!this.#isCompleting) {
      this.#isCompleting = true;
      this.#completing = this.#complete();
    }
    return change;
  }

  /**
   * Finds out what nobody should have to wait for: schemas of views, and the rows of tables that have too many files to
   * count them while they are looked at.
   */
  async #complete(): Promise<void> {
    const described = new Set<ServedTable>();
    const counted = new Set<ServedTable>();
    for (;;) {
      const { views, uncounted } = this.#incomplete(described, counted);
      if (this.#isClosed || (views.length === 0 && uncounted === undefined)) {
        this.#isCompleting = false;
        return;
      }
      // Looks and statements come in between.
      if (views.length > 0) {
        for (const view of views) described.add(view);
        this.#describing = this.#describeSoon(views);
        await this.#describing;
      } else if (uncounted !== undefined) {
        if ((await this.#inTurn(() => this.#count(uncounted))) !== 'more') counted.add(uncounted);
      }
    }
  }

  /** At the start a moment later: what is made ready next has the engine and the processor for itself. */
  async #describeSoon(views: readonly ServedTable[]): Promise<void> {
    if (this.#isNew) await delay(firstDescribeAfterMs);
    this.#isNew = false;
    await this.#inTurn(() => this.#describe(views));
  }

  async #describe(views: readonly ServedTable[]): Promise<void> {
    this.#update(await this.#tables.describe(views.filter((view) => this.#isServed(view))));
  }

  async #count(table: ServedTable): Promise<'more' | 'done'> {
    const counted = await this.#tables.count(table);
    if (typeof counted === 'object' && this.#isServed(table)) this.#update([counted]);
    return counted === 'more' ? 'more' : 'done';
  }

  /** Tables that something is not known of, but for those that were looked at. */
  #incomplete(
    described: ReadonlySet<ServedTable>,
    counted: ReadonlySet<ServedTable>,
  ): { readonly views: readonly ServedTable[]; readonly uncounted: ServedTable | undefined } {
    const served = [...this.#served].filter(([key]) => !this.#held.has(key)).map(([, each]) => each);
    return {
      views: served.filter((each) => !described.has(each) && isViewWithoutSchema(each)),
      uncounted: served.find((each) => !counted.has(each) && each.table.rows === undefined),
    };
  }

  #isServed(table: ServedTable): boolean {
    return this.find(table.entry.name) === table;
  }

  /** Makes the catalog of the views, also where there are no files. */
  async #makeCatalog(): Promise<void> {
    if (this.#parts.hasEngine) await this.#parts.engineTables.setup('SELECT 1');
  }

  #giveBack(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#held.delete(nameKey(name));
      const found = this.find(name);
      if (found !== undefined) {
        this.#served = new Map([...this.#served].filter(([key]) => key !== nameKey(name)));
        await this.#parts.engineTables.dropTable(found.entry.name);
      }
      await this.#apply(await this.#looks.look(lookPatienceMs));
    });
  }

  /** Puts tables in the place of those of their names. */
  #update(tables: readonly ServedTable[]): void {
    this.#served = new Map([
      ...this.#served,
      ...tables.map((table) => [nameKey(table.entry.name), table] as const),
    ]);
  }
}

/** An attached database is no table itself. */
function isTable(table: StoreTable): boolean {
  return table.format !== 'duckdb' || table.problem !== undefined || table.name.includes('.');
}

function isViewWithoutSchema({ entry, problem, table }: ServedTable): boolean {
  return entry.scan !== undefined && problem === undefined && table.schema === undefined;
}
