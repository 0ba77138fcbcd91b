import { FlightError, FlightInvalidArgumentError, createFlightError } from '@peregrine/flight/errors';
import type { EngineConnection } from '../../engine/types.ts';
import { quoteIdentifier, quoteLiteral, quotePath } from '../../engine/sql-text.ts';
import type { HttpContext } from '../context.ts';
import type { HttpFormatName } from '../formats.ts';
import { csvOptions, selectCsv } from './csv-source.ts';
import { exactNumbers } from './exact-numbers.ts';
import { firstCharacter } from './file-start.ts';
import type { InsertTarget } from './insert.ts';
import { selectJson } from './json-source.ts';
import { spool } from './spool.ts';
import { type Selection, type TableColumn, columnsOf, matchColumns, rowsOf } from './table-columns.ts';
import { tsvToCsv } from './tsv-to-csv.ts';

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
  const append = target.mode === 'append';
  const columns = append ? await columnsOf(connection, target, signal) : [];
  // Inside a column of JSON numbers stay numbers.
  const exact = append && !columns.some(({ type }) => type.includes('JSON'));
  await using file = await spool(context, toRead(source, format, exact), endings[format]);
  try {
    if (!append) return await createFrom(connection, target, file.path, format, signal);
    const read = await selectFrom(connection, columns, file.path, format, signal);
    if (read === undefined) return 0n;
    const names = read.columns.map((name) => quoteIdentifier(name)).join(', ');
    return await connection.execute(`INSERT INTO ${quotePath(...target.table)} (${names}) ${read.select}`, {
      signal,
    });
  } catch (error) {
    if (!(error instanceof FlightError)) throw error;
    // The client knows nothing of our file.
    const message = error.rawMessage.replaceAll(file.path, 'the body');
    throw message === error.rawMessage ? error : createFlightError(error.code, message, { cause: error });
  }
}

const endings: Readonly<Record<SpooledFormat, string>> = {
  json: '.json',
  'json-compact': '.json',
  ndjson: '.ndjson',
  'ndjson-compact': '.ndjson',
  csv: '.csv',
  'csv-bare': '.csv',
  tsv: '.csv',
  'tsv-bare': '.csv',
  parquet: '.parquet',
};

/** What is written to the file: escaped tabs as CSV, JSON with its long numbers as text. */
function toRead(
  source: AsyncIterable<Uint8Array>,
  format: SpooledFormat,
  exact: boolean,
): AsyncIterable<Uint8Array> {
  switch (format) {
    case 'tsv':
    case 'tsv-bare':
      return tsvToCsv(source);
    case 'json':
    case 'json-compact':
    case 'ndjson':
    case 'ndjson-compact':
      return exact ? exactNumbers(source) : source;
    default:
      return source;
  }
}

/** Selects the rows into the columns that the table has; undefined when there are none. */
async function selectFrom(
  connection: EngineConnection,
  columns: readonly TableColumn[],
  path: string,
  format: SpooledFormat,
  signal: AbortSignal,
): Promise<Selection | undefined> {
  switch (format) {
    case 'parquet': {
      const file = `read_parquet(${quoteLiteral(path)})`;
      const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${file}`, signal);
      const used = matchColumns(
        described.map(([name]) => name ?? ''),
        columns,
      );
      return { columns: used.map(({ name }) => name), select: `SELECT * FROM ${file}` };
    }
    case 'ndjson':
    case 'ndjson-compact':
    case 'json':
    case 'json-compact':
      return selectJson(connection, columns, path, format, signal);
    default:
      return selectCsv(columns, path, format === 'csv' || format === 'tsv');
  }
}

/** Makes the table of the rows, with types that DuckDB finds by reading all of them. */
async function createFrom(
  connection: EngineConnection,
  { table, mode, columns }: InsertTarget,
  path: string,
  format: SpooledFormat,
  signal: AbortSignal,
): Promise<bigint> {
  const name = quotePath(...table);
  const names =
    columns === undefined ? '' : ` (${columns.map((column) => quoteIdentifier(column)).join(', ')})`;
  const create = mode === 'replace' ? 'CREATE OR REPLACE TABLE' : 'CREATE TABLE';
  await connection.execute(`${create} ${name}${names} AS SELECT * FROM ${await guessed(path, format)}`, {
    signal,
  });
  return BigInt((await rowsOf(connection, `SELECT count(*) FROM ${name}`, signal))[0]?.[0] ?? '0');
}

/** A table function that finds the types itself. */
async function guessed(path: string, format: SpooledFormat): Promise<string> {
  const file = quoteLiteral(path);
  switch (format) {
    case 'parquet':
      return `read_parquet(${file})`;
    case 'ndjson':
      return `read_json(${file}, format = 'newline_delimited', sample_size = -1)`;
    case 'json':
      return (await firstCharacter(path)) === '['
        ? `read_json(${file}, format = 'array', sample_size = -1)`
        : `(SELECT unnest(row) FROM (SELECT unnest(data) AS row FROM read_json(${file}, format = 'unstructured', sample_size = -1)))`;
    case 'json-compact':
    case 'ndjson-compact':
      throw new FlightInvalidArgumentError(
        'rows as arrays have no names to make a table of: create it first, or send JSON',
      );
    default:
      return `read_csv(${file}, header = ${format === 'csv' || format === 'tsv'}, ${csvOptions}, sample_size = -1)`;
  }
}
