import { FlightError, messageOf } from '@peregrine/flight/errors';
import { createRangeDataset } from '../datasets/file-dataset.ts';
import { readMessageIndex } from '../datasets/message-index.ts';
import type { RangeSource } from '../datasets/range-source.ts';
import { readMessages } from '../datasets/read-messages.ts';
import { quoteIdentifier } from '../engine/sql-text.ts';
import type { EngineTables, FileView } from './engine-tables.ts';
import type { Entry } from './entries.ts';
import type { RowCounts } from './row-counts.ts';
import type { StoreTable } from './types.ts';

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

/**
 * Brings what was found into the engine: views of local files in one message, so that the engine works on while this
 * thread is busy. What cannot be read becomes a table that says why.
 */
export async function makeTables(
  engine: EngineTables,
  counts: RowCounts,
  entries: readonly Entry[],
): Promise<ServedTable[]> {
  const together = entries.filter(isLocalView);
  const tried =
    together.length === 0
      ? []
      : await engine.createViews(together.map(viewOf)).catch((error: unknown) => together.map(() => error));
  const failures = new Map(together.map((entry, index) => [entry, tried[index]] as const));
  const made: ServedTable[] = [];
  for (const entry of entries) {
    const failure = failures.get(entry);
    made.push(
      failure === undefined
        ? await makeTable(engine, counts, entry, failures.has(entry))
        : await makeBroken(engine, entry, reasonOf(failure)),
    );
  }
  return made;
}

/** @param hasView - its view is there already */
async function makeTable(
  engine: EngineTables,
  counts: RowCounts,
  entry: Entry,
  hasView: boolean,
): Promise<ServedTable> {
  try {
    if (entry.problem !== undefined) return await makeBroken(engine, entry, entry.problem);
    if (entry.format === 'arrow') return await makeArrow(engine, entry);
    if (entry.format === 'duckdb') return await makeAttached(engine, entry);
    const [failure] = hasView ? [] : await engine.createViews([viewOf(entry)]);
    if (failure !== undefined) throw failure;
    const rows = entry.rows ?? (await counts.first(entry));
    return plainTable(entry, { ...tableOf(entry, engine.sqlName(entry.name)), rows });
  } catch (error) {
    return makeBroken(engine, entry, reasonOf(error));
  }
}

/** A bucket may take its time for each. */
function isLocalView({ format, problem, source }: Entry): boolean {
  return (
    problem === undefined &&
    format !== 'arrow' &&
    format !== 'duckdb' &&
    !source.storage.root.startsWith('s3://')
  );
}

function viewOf({ name, scan = '' }: Entry): FileView {
  return { name, scan };
}

/** Takes a table out of the engine. */
export async function removeTable(engine: EngineTables, { entry }: ServedTable): Promise<void> {
  if (entry.format === 'duckdb') await engine.detach(entry.name);
  await engine.dropTable(entry.name);
}

/** Reads an Arrow file into the engine. */
export async function loadArrow(engine: EngineTables, served: ServedTable): Promise<ServedTable> {
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
    // The view says to ask again until the file is read: that would be said for ever.
    await engine.breakPending(entry.name, reasonOf(error)).catch(() => undefined);
    return { ...served, pending: false, problem: `SQL cannot read it: ${reasonOf(error)}` };
  }
}

/** A table whose name in the engine is somebody else's. */
export function unmadeTable(entry: Entry, sqlName: string): ServedTable {
  return plainTable(entry, tableOf(entry, sqlName));
}

async function makeBroken(engine: EngineTables, entry: Entry, problem: string): Promise<ServedTable> {
  const broken = {
    ...plainTable(entry, { ...tableOf(entry, quoteIdentifier(entry.name)), problem }),
    problem,
  };
  // It was another table before, perhaps: what is told must not be its old rows.
  await removeTable(engine, broken).catch(() => undefined);
  await engine.createBroken(entry.name, problem).catch(() => undefined);
  return broken;
}

async function makeArrow(engine: EngineTables, entry: Entry): Promise<ServedTable> {
  const dataset = createRangeDataset(entry.name, entry.origin, () => openEntry(entry));
  const { schemaHeader, rows } = await dataset.describe();
  const table = {
    ...tableOf(entry, engine.sqlName(entry.name)),
    schema: schemaHeader,
    rows: BigInt(rows),
    dataset,
  };
  try {
    await engine.createPending(entry.name, schemaHeader);
  } catch (error) {
    // Such as a type that the engine does not have: it is served over Flight all the same.
    await engine.createBroken(entry.name, reasonOf(error)).catch(() => undefined);
    return { ...plainTable(entry, table), problem: `SQL cannot read it: ${reasonOf(error)}` };
  }
  return { ...plainTable(entry, table), pending: true };
}

async function makeAttached(engine: EngineTables, entry: Entry): Promise<ServedTable> {
  await engine.detach(entry.name);
  await engine.dropTable(entry.name);
  const attached = (await engine.attach(entry.name, pathOf(entry))).map(({ schemaName, tableName }) => ({
    sqlName: [entry.name, schemaName, tableName].map(quoteIdentifier).join('.'),
    name: schemaName === 'main' ? `${entry.name}.${tableName}` : `${entry.name}.${schemaName}.${tableName}`,
  }));
  const schemas = await engine.describe(attached.map(({ sqlName }) => sqlName));
  const inside = attached.map(({ name, sqlName }, index) => ({
    ...tableOf(entry, sqlName),
    name,
    schema: schemas[index],
    bytes: undefined,
  }));
  return { ...plainTable(entry, tableOf(entry, quoteIdentifier(entry.name))), inside };
}

function plainTable(entry: Entry, table: StoreTable): ServedTable {
  return { entry, table, inside: [], pending: false, problem: undefined };
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
