import { FlightDataError } from '@peregrine/flight/errors';
import { quoteIdentifier, quoteLiteral } from '../../engine/sql-text.ts';
import { firstLine, splitCsvLine } from './file-start.ts';
import { type Selection, type TableColumn, matchColumns, readingOf, sameName } from './table-columns.ts';

/** How our CSV is written: null is an empty field without quotes. */
export const csvOptions: string =
  "delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, strict_mode = true";

/**
 * Selects the rows of a file of CSV; undefined when it is empty.
 *
 * @param names - whether the first line has names. Where it need not, it has them if all are columns of the table:
 *   ClickHouse's CSV has none, but takes one, and so do we
 * @throws FlightDataError for a first line with more fields than the table has columns
 */
export async function selectCsv(
  columns: readonly TableColumn[],
  path: string,
  names: boolean,
): Promise<Selection | undefined> {
  const line = await firstLine(path);
  if (line === '') return undefined;
  const fields = splitCsvLine(line);
  const named = names || fields.every((field) => columns.some(({ name }) => sameName(name, field)));
  if (!named && fields.length > columns.length) {
    throw new FlightDataError(
      `the first line has ${fields.length} fields, but only ${columns.length} columns are asked for`,
    );
  }
  const used = named ? matchColumns(fields, columns) : columns.slice(0, fields.length);
  const readings = used.map(({ name, type }) => ({ name, ...readingOf(type, 'separated') }));
  const types = readings.map(({ name, type }) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`).join(', ');
  const values = readings.map(({ name, expression }) => expression(quoteIdentifier(name))).join(', ');
  return {
    columns: used.map(({ name }) => name),
    select: `SELECT ${values} FROM read_csv(${quoteLiteral(path)}, header = ${named}, ${csvOptions}, auto_detect = false, columns = {${types}})`,
  };
}
