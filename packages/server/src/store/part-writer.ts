import { randomBytes } from 'node:crypto';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '@peregrine/flight/errors';
import type { Engine, EngineConnection, EngineInput } from '../engine/types.ts';
import { queryRows, textOf } from '../engine/rows.ts';
import { quoteIdentifier, quoteLiteral } from '../engine/sql-text.ts';
import { dictionaryColumns, enumValues, textType, toEnumType } from './enum-columns.ts';
import { maxEnumValues } from './limits.ts';
import { holdsUnion, packUnion, unionMembers, unpackUnion } from './union-columns.ts';

/** A column of a dataset, by the engine's names of types. */
export interface Column {
  readonly name: string;
  /** What it was given as, and is read as. */
  readonly type: string;
  /** What it is in Parquet, which has fewer types. */
  readonly stored: string;
}

/** A part that was written. */
export interface WrittenPart {
  readonly rows: bigint;
  readonly columns: readonly Column[];
}

/** Writes Arrow batches as one Parquet file. */
export interface PartWriter {
  /**
   * @param url - where, as {@link Storage.stage} tells
   * @param wanted - columns of the dataset that the rows are added to: rows are converted to them by name
   * @throws FlightInvalidArgumentError for columns that the dataset does not have, or that cannot be stored
   */
  write(
    url: string,
    schema: Uint8Array,
    batches: AsyncIterable<EngineInput>,
    wanted: readonly Column[] | undefined,
    signal?: AbortSignal,
  ): Promise<WrittenPart>;
  /** Columns of a Parquet file that is there. */
  columnsOf(url: string): Promise<readonly Column[]>;
}

/**
 * Writes through the engine: bulk ingest into a temporary table, which spills to disk above the memory limit, and COPY
 * from there. Types and their conversion are the engine's, the same as for any table of it.
 */
export function createEnginePartWriter(engine: Engine): PartWriter {
  return {
    async write(url, schema, batches, wanted, signal) {
      const connection = await engine.connect({ signal });
      const table = quoteIdentifier(`peregrine_put_${randomBytes(6).toString('hex')}`);
      try {
        const rows = await connection.ingest(
          { table: table.slice(1, -1), temporary: true, ifMissing: 'create', ifExists: 'fail', signal },
          schema,
          batches,
        );
        const given = await describe(connection, table);
        const types = wanted === undefined ? given : converted(given, wanted);
        const selected = types.map(storedValue);
        await connection.execute(
          `COPY (SELECT ${selected.join(', ')} FROM ${table}) TO ${quoteLiteral(url)} (FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
          { signal },
        );
        const stored = await describe(connection, `read_parquet(${quoteLiteral(url)})`);
        const enums = await enumsOf(connection, table, types, wanted, dictionaryColumns(schema));
        const columns = withStored(types, enums, stored);
        await assertReadable(connection, url, columns);
        return { rows, columns };
      } finally {
        // Temporary tables are the connection's; said all the same, for engines that keep connections.
        await connection.execute(`DROP TABLE IF EXISTS ${table}`).catch(() => undefined);
        await connection.close();
      }
    },
    async columnsOf(url) {
      const connection = await engine.connect();
      try {
        const found = await describe(connection, `read_parquet(${quoteLiteral(url)})`);
        return found.map(({ name, type }) => ({ name, type, stored: type }));
      } finally {
        await connection.close();
      }
    },
  };
}

/** Reads parts as what they were given as: columns that Parquet has another type for are converted. */
export function selectColumns(columns: readonly Column[]): string {
  const casts = columns
    .filter(({ type, stored }) => type !== stored)
    .map(({ name, type }) => {
      const members = unionMembers(type);
      const value =
        members === undefined
          ? `CAST(${quoteIdentifier(name)} AS ${type})`
          : unpackUnion(name, type, members);
      return `${value} AS ${quoteIdentifier(name)}`;
    });
  return casts.length === 0 ? '*' : `* REPLACE (${casts.join(', ')})`;
}

/** A column on its way into a part. */
interface Conversion {
  readonly name: string;
  readonly type: string;
  /** The column of the put; undefined where it brings none. */
  readonly from: string | undefined;
}

/** SQL of what goes into Parquet. @throws FlightUnimplementedError for unions inside of other types */
function storedValue({ name, type, from }: Conversion): string {
  const given = `CAST(${from === undefined ? 'NULL' : quoteIdentifier(from)} AS ${type})`;
  const members = unionMembers(type);
  if (members === undefined ? holdsUnion(type) : members.some((member) => holdsUnion(member.type))) {
    throw new FlightUnimplementedError(
      `column ${name} cannot be stored: it has a union inside of ${type}, and Parquet has none; ` +
        'put it as a column of its own, or its members',
    );
  }
  const value =
    members === undefined
      ? `CAST(${given} AS ${storableType(type)})`
      : packUnion(given, members, storableType);
  return `${value} AS ${quoteIdentifier(name)}`;
}

async function describe(connection: EngineConnection, from: string): Promise<Conversion[]> {
  const rows = await queryRows(connection, `DESCRIBE SELECT * FROM ${from}`);
  return rows.map((row) => {
    const name = textOf(row['column_name']) ?? '';
    return { name, type: textOf(row['column_type']) ?? '', from: name };
  });
}

function converted(given: readonly Conversion[], wanted: readonly Column[]): Conversion[] {
  const byName = new Map(given.map((column) => [column.name.toLowerCase(), column] as const));
  const result = wanted.map(({ name, type }) => {
    const found = byName.get(name.toLowerCase());
    byName.delete(name.toLowerCase());
    return { name, type: textType(type), from: found?.name };
  });
  if (byName.size > 0) {
    throw new FlightInvalidArgumentError(
      `the dataset has no column ${[...byName.values()].map(({ name }) => name).join(', ')}; ` +
        `it has ${wanted.map(({ name, type }) => `${name} ${type}`).join(', ')}`,
    );
  }
  return result;
}

function withStored(
  types: readonly Conversion[],
  enums: ReadonlyMap<string, string>,
  stored: readonly Conversion[],
): Column[] {
  return types.map(({ name, type }, i) => ({
    name,
    type: enums.get(name) ?? type,
    stored: stored[i]?.type ?? type,
  }));
}

/** Types of the columns that are ENUMs of what is in them: those that came as dictionaries, or are ENUMs already. */
async function enumsOf(
  connection: EngineConnection,
  table: string,
  types: readonly Conversion[],
  wanted: readonly Column[] | undefined,
  dictionaries: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const [i, { name, type, from }] of types.entries()) {
    const isEnum =
      wanted === undefined
        ? type === 'VARCHAR' && dictionaries.has(name.toLowerCase())
        : enumValues(wanted[i]?.type ?? '') !== undefined;
    if (!isEnum) continue;
    const text = from === undefined ? 'NULL' : `CAST(${quoteIdentifier(from)} AS VARCHAR)`;
    const rows = await queryRows(
      connection,
      // One more than there may be, so that too many are seen to be too many.
      `SELECT DISTINCT ${text} AS value FROM ${table} WHERE ${text} IS NOT NULL LIMIT ${maxEnumValues + 1}`,
    );
    found.set(name, toEnumType(rows.map((row) => textOf(row['value']) ?? '')));
  }
  return found;
}

/**
 * DuckDB writes integers of 128 bits as DOUBLE, and intervals in milliseconds, none below zero, as Parquet has them: that is
 * not what was given, so they go as text.
 */
function storableType(type: string): string {
  return type
    .split(/("(?:[^"]|"")*"|'(?:[^']|'')*')/)
    .map((piece, i) => (i % 2 === 1 ? piece : piece.replaceAll(/\b(?:U?HUGEINT|INTERVAL)\b/g, 'VARCHAR')))
    .join('');
}

/** Looked at before anybody is told that it is stored. */
async function assertReadable(
  connection: EngineConnection,
  url: string,
  columns: readonly Column[],
): Promise<void> {
  try {
    await queryRows(
      connection,
      `SELECT ${selectColumns(columns)} FROM read_parquet(${quoteLiteral(url)}) LIMIT 0`,
    );
  } catch (cause) {
    const types = columns
      .filter(({ type, stored }) => type !== stored)
      .map(({ name, type }) => `${name} ${type}`);
    throw new FlightInvalidArgumentError(
      `Parquet cannot keep ${types.join(', ')}; convert it before the put`,
      {
        cause,
      },
    );
  }
}
