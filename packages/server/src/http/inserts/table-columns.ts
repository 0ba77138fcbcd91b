import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { EngineConnection } from '../../engine/types.ts';
import { cellReaders } from '../../formats/cell.ts';
import { cellToText } from '../../formats/json.ts';
import { quoteIdentifier, quoteLiteral, quotePath } from '../../engine/sql-text.ts';
import { createRowsDecoder } from '../writers/rows-decoder.ts';
import type { InsertHead } from '../sql-clauses.ts';
import type { InsertTarget } from './insert.ts';
import { intervalOf } from './interval-text.ts';

/** A column of the table, or of the part of it that the insert names. */
export interface TableColumn {
  readonly name: string;
  /** As DuckDB writes it. */
  readonly type: string;
}

/** A column of the data, and the column of the table that it goes to. */
export interface DataColumn extends TableColumn {
  /** Its name in the data, which may differ in case. */
  readonly key: string;
}

/** What an INSERT selects, and into which columns. */
export interface Selection {
  readonly columns: readonly string[];
  /** `SELECT …` */
  readonly select: string;
}

/** The columns that rows may go to, in the order of the table or of the insert. */
export async function columnsOf(
  connection: EngineConnection,
  { table, columns }: Pick<InsertTarget, 'table' | 'columns'>,
  signal: AbortSignal,
): Promise<TableColumn[]> {
  const names = columns?.map((name) => quoteIdentifier(name)).join(', ') ?? '*';
  const rows = await rowsOf(connection, `DESCRIBE SELECT ${names} FROM ${quotePath(...table)}`, signal);
  return rows.map(([name = '', type = 'VARCHAR']) => ({ name, type }));
}

/**
 * The columns that an insert names, or names the others of.
 *
 * @throws FlightInvalidArgumentError for a column that is left out and not there, or where none is left
 */
export async function namedColumns(
  connection: EngineConnection,
  { table, columns }: Pick<InsertHead, 'table' | 'columns'>,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (columns === undefined || !('except' in columns)) return columns;
  const { except } = columns;
  const all = await columnsOf(connection, { table, columns: undefined }, signal);
  const missing = except.find((name) => !all.some((column) => sameName(column.name, name)));
  if (missing !== undefined) {
    throw new FlightInvalidArgumentError(
      `EXCEPT names a column ${JSON.stringify(missing)}, which the table does not have; its columns are ` +
        all.map(({ name }) => name).join(', '),
    );
  }
  const named = all.map(({ name }) => name).filter((name) => !except.some((other) => sameName(name, other)));
  if (named.length === 0) throw new FlightInvalidArgumentError('EXCEPT leaves no column to insert into');
  return named;
}

/**
 * The columns whose names the data has, in the data's order.
 *
 * @throws FlightInvalidArgumentError for a name that the table does not have: its values would be lost
 */
export function matchColumns(keys: readonly string[], columns: readonly TableColumn[]): DataColumn[] {
  return keys.map((key) => {
    const column =
      columns.find(({ name }) => name === key) ?? columns.find(({ name }) => sameName(name, key));
    if (column !== undefined) return { ...column, key };
    throw new FlightInvalidArgumentError(
      `the data has a column ${JSON.stringify(key)}, which the table does not have; its columns are ` +
        columns.map(({ name }) => name).join(', '),
    );
  });
}

/** Names of columns are the same whatever their case. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** How a value is read from text: as what, and what is made of it. */
export interface TextReading {
  /** The type that the reader of the file is told. */
  readonly type: string;
  /** What is selected, by the column's name in SQL. */
  readonly expression: (column: string) => string;
}

/**
 * How values of a type are read, so that what a SELECT gives in a format can be inserted in it again: bytes are base64
 * in JSON and hexadecimal else, intervals are ISO 8601, lists and structs in separated values are JSON.
 */
export function readingOf(type: string, from: 'json' | 'separated'): TextReading {
  if (type === 'BLOB') {
    const decode = from === 'json' ? 'from_base64' : 'unhex';
    return { type: 'VARCHAR', expression: (column) => `${decode}(${column})` };
  }
  if (type === 'INTERVAL') return { type: 'VARCHAR', expression: intervalOf };
  // DuckDB's reader of CSV takes a time with a zone that it cannot read for null; that of JSON knows no bits and big numbers.
  const isCast =
    from === 'json' ? ['BIT', 'BIGNUM'] : ['BIT', 'TIMESTAMP WITH TIME ZONE', 'TIME WITH TIME ZONE'];
  if (isCast.includes(type)) {
    return { type: 'VARCHAR', expression: (column) => `CAST(${column} AS ${type})` };
  }
  const nested = /\]$|^(?:STRUCT|MAP)\(/.test(type);
  if (!nested || from === 'json') return { type, expression: (column) => column };
  // DuckDB has no CASE over arrays of a fixed length: they are read as lists first.
  const list = type.replaceAll(/\[\d+\]/g, '[]');
  const shape = quoteLiteral(JSON.stringify(list));
  return {
    type: 'VARCHAR',
    expression: (column) =>
      `CAST(CASE WHEN json_valid(${column}) THEN json_transform_strict(${column}, ${shape}) ELSE CAST(${column} AS ${list}) END AS ${type})`,
  };
}

/** Rows of a small result as text. */
export async function rowsOf(
  connection: EngineConnection,
  sql: string,
  signal: AbortSignal,
): Promise<string[][]> {
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
