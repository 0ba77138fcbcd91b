import { open } from 'node:fs/promises';
import { FlightInvalidArgumentError } from '@peregrine/flight';
import type { EngineConnection } from '../../engine/types.ts';
import { cellReaders } from '../../formats/cell.ts';
import { cellToText } from '../../formats/json.ts';
import type { HttpContext } from '../context.ts';
import type { HttpFormatName } from '../formats.ts';
import { createRowsDecoder } from '../writers/rows-decoder.ts';
import type { InsertTarget } from './insert.ts';
import { spool } from './spool.ts';
import { tsvToCsv } from './tsv-to-csv.ts';
import { quoteIdentifier, quoteLiteral, quotePath } from '../../sql/sql-text.ts';

/** A column of the table, or of the part of it that the insert names. */
interface Column {
  readonly name: string;
  readonly type: string;
}

/** Formats that DuckDB reads from a file. */
type SpooledFormat = Exclude<HttpFormatName, 'arrow' | 'arrow-file' | 'markdown'>;

/**
 * Spools the rows to a file and has DuckDB read it in one statement, into the types that the table has: nothing is
 * guessed and nothing rounded on the way.
 */
export async function insertText(
  context: HttpContext,
  connection: EngineConnection,
  target: InsertTarget,
  format: SpooledFormat,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<bigint> {
  const isTsv = format === 'tsv' || format === 'tsv-bare';
  await using file = await spool(context, isTsv ? tsvToCsv(source) : source, endings[format]);
  const table = quotePath(...target.table);
  if (target.mode !== 'append') {
    const create = target.mode === 'replace' ? 'CREATE OR REPLACE TABLE' : 'CREATE TABLE';
    await connection.execute(`${create} ${table} AS SELECT * FROM ${await guess(file.path, format, isTsv)}`, {
      signal,
    });
    return BigInt((await rowsOf(connection, `SELECT count(*) FROM ${table}`, signal))[0]?.[0] ?? '0');
  }
  const columns = await columnsOf(connection, target, signal);
  const read = await readInto(connection, columns, file.path, format, signal);
  if (read === undefined) return 0n;
  const names = read.columns.map((name) => quoteIdentifier(name)).join(', ');
  return connection.execute(`INSERT INTO ${table} (${names}) ${read.select}`, { signal });
}

const endings: Readonly<Record<SpooledFormat, string>> = {
  json: '.json',
  'json-compact': '.json',
  ndjson: '.ndjson',
  csv: '.csv',
  'csv-bare': '.csv',
  tsv: '.csv',
  'tsv-bare': '.csv',
  parquet: '.parquet',
};

/** A table function that finds the types itself, for tables that are made of the data. */
async function guess(path: string, format: SpooledFormat, isTsv: boolean): Promise<string> {
  const file = quoteLiteral(path);
  switch (format) {
    case 'parquet':
      return `read_parquet(${file})`;
    case 'ndjson':
      return `read_json(${file}, format = 'newline_delimited', sample_size = -1)`;
    case 'json':
      return (await firstByte(path)) === '['
        ? `read_json(${file}, format = 'array', sample_size = -1)`
        : `(SELECT unnest(row) FROM (SELECT unnest(data) AS row FROM read_json(${file}, format = 'unstructured', sample_size = -1)))`;
    case 'json-compact':
      throw new FlightInvalidArgumentError(
        'JSONCompact has no names to make a table of; create it, or send JSON',
      );
    default:
      return `read_csv(${file}, ${csvOptions(format === 'csv' || format === 'tsv')}${isTsv ? ", delim = ','" : ''}, sample_size = -1)`;
  }
}

function csvOptions(header: boolean): string {
  return `header = ${header}, quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, strict_mode = true`;
}

/** What an INSERT selects, and into which columns; undefined when there are no rows. */
interface Selection {
  readonly columns: readonly string[];
  readonly select: string;
}

async function readInto(
  connection: EngineConnection,
  columns: readonly Column[],
  path: string,
  format: SpooledFormat,
  signal: AbortSignal,
): Promise<Selection | undefined> {
  const file = quoteLiteral(path);
  const all = columns.map(({ name }) => name);
  switch (format) {
    case 'parquet': {
      const described = await rowsOf(connection, `DESCRIBE SELECT * FROM read_parquet(${file})`, signal);
      const names = matchNames(
        described.map(([name]) => name ?? ''),
        columns,
      );
      return { columns: names.map(({ name }) => name), select: `SELECT * FROM read_parquet(${file})` };
    }
    case 'ndjson':
    case 'json': {
      const start = await firstByte(path);
      if (start === '') return undefined;
      const inData = format === 'json' && start === '{';
      const layout = inData ? 'unstructured' : start === '[' ? 'array' : 'newline_delimited';
      // The keys that are there: a column that no row has takes its default, as in any INSERT.
      const objects = inData
        ? `(SELECT unnest(data) AS json FROM read_json(${file}, format = '${layout}', columns = {data: 'JSON[]'}))`
        : `read_json_objects(${file}, format = '${layout}')`;
      const keys = await rowsOf(
        connection,
        `SELECT DISTINCT unnest(json_keys(json)) FROM ${objects}`,
        signal,
      );
      if (keys.length === 0) return undefined;
      const used = matchNames(
        keys.map(([key]) => key ?? ''),
        columns,
        true,
      );
      if (inData) {
        const type = `STRUCT(${used.map(({ key, type }) => `${quoteIdentifier(key)} ${type}`).join(', ')})[]`;
        return {
          columns: used.map(({ name }) => name),
          select: `SELECT unnest(row) FROM (SELECT unnest(data) AS row FROM read_json(${file}, format = '${layout}', columns = {data: ${quoteLiteral(type)}}))`,
        };
      }
      const types = used.map(({ key, type }) => `${quoteLiteral(key)}: ${quoteLiteral(type)}`).join(', ');
      return {
        columns: used.map(({ name }) => name),
        select: `SELECT * FROM read_json(${file}, format = '${layout}', columns = {${types}})`,
      };
    }
    case 'json-compact': {
      if ((await firstByte(path)) === '') return undefined;
      const cells = columns.map(
        ({ type }, i) =>
          `json_transform(json_extract(row, '$[${i}]'), ${quoteLiteral(JSON.stringify(type))})`,
      );
      return {
        columns: all,
        select: `SELECT ${cells.join(', ')} FROM (SELECT unnest(data) AS row FROM read_json(${file}, format = 'unstructured', columns = {data: 'JSON[]'}))`,
      };
    }
    default: {
      const head = (await firstLine(path)) ?? '';
      if (head === '') return undefined;
      // ClickHouse's CSV has no names, but takes a first line that is names; so do we, wherever they fit exactly.
      const fields = splitCsvLine(head);
      const named = fields.every((field) => columns.some(({ name }) => sameName(name, field)));
      const present = named || format === 'csv' || format === 'tsv';
      const used = present ? matchNames(fields, columns) : columns.slice(0, fields.length);
      if (!present && fields.length > columns.length) {
        throw new FlightInvalidArgumentError(
          `the first line has ${fields.length} fields, but the table has ${columns.length} columns`,
        );
      }
      const types = used.map(({ name, type }) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ');
      return {
        columns: used.map(({ name }) => name),
        select: `SELECT * FROM read_csv(${file}, delim = ',', ${csvOptions(present)}, auto_detect = false, columns = {${types}})`,
      };
    }
  }
}

/** The columns whose names the data has, in the data's order. */
function matchNames(
  names: readonly string[],
  columns: readonly Column[],
  sorted: boolean = false,
): (Column & { readonly key: string })[] {
  const used = names.map((key) => {
    const column =
      columns.find(({ name }) => name === key) ?? columns.find(({ name }) => sameName(name, key));
    if (column === undefined) {
      throw new FlightInvalidArgumentError(
        `the data has a column ${JSON.stringify(key)}, which the table does not have; its columns are ${columns.map(({ name }) => name).join(', ')}`,
      );
    }
    return { ...column, key };
  });
  return sorted
    ? used.sort(
        (a, b) =>
          columns.findIndex(({ name }) => name === a.name) - columns.findIndex(({ name }) => name === b.name),
      )
    : used;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

async function columnsOf(
  connection: EngineConnection,
  { table, columns }: InsertTarget,
  signal: AbortSignal,
): Promise<Column[]> {
  const names = columns?.map((name) => quoteIdentifier(name)).join(', ') ?? '*';
  const rows = await rowsOf(connection, `DESCRIBE SELECT ${names} FROM ${quotePath(...table)}`, signal);
  return rows.map(([name = '', type = 'VARCHAR']) => ({ name, type }));
}

/** Rows of a small result as text. */
async function rowsOf(connection: EngineConnection, sql: string, signal: AbortSignal): Promise<string[][]> {
  const result = await connection.query(sql, { signal });
  const decoder = createRowsDecoder(result.schema);
  const rows: string[][] = [];
  for await (const batch of result) {
    const decoded = decoder.decode(batch);
    if (decoded !== undefined) {
      const readers = cellReaders(decoded.data.children);
      for (let row = 0; row < decoded.numRows; row++) rows.push(readers.map((read) => cellToText(read(row))));
    }
    batch.release();
  }
  return rows;
}

/** Bytes of a file in which its first line must end; a line of more names than that belongs to no table. */
const firstLineBytes = 1 << 20;

async function firstLine(path: string): Promise<string | undefined> {
  const start = await startOf(path, firstLineBytes);
  let quoted = false;
  for (const [i, char] of [...start.matchAll(/["\n]/g)].map((found) => [found.index, found[0]] as const)) {
    if (char === '"') quoted = !quoted;
    else if (!quoted) return start.slice(0, i).replace(/\r$/, '');
  }
  return start === '' ? undefined : start;
}

/** The first character that is no white space; '' for an empty file. */
async function firstByte(path: string): Promise<string> {
  return (await startOf(path, 4096)).trimStart().charAt(0);
}

async function startOf(path: string, byteLength: number): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(byteLength), 0, byteLength, 0);
    return Buffer.from(buffer.buffer, 0, bytesRead)
      .toString()
      .replace(/^\uFEFF/, '');
  } finally {
    await file.close();
  }
}

function splitCsvLine(line: string): string[] {
  const fields: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'));
  }
  return fields;
}
