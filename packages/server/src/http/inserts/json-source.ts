import { FlightDataError } from '@peregrine/flight/errors';
import type { EngineConnection } from '../../engine/types.ts';
import { quoteIdentifier, quoteLiteral } from '../../engine/sql-text.ts';
import { firstCharacter } from './file-start.ts';
import {
  type DataColumn,
  type Selection,
  type TableColumn,
  matchColumns,
  readingOf,
  rowsOf,
} from './table-columns.ts';

/*
 * ndjson       = object a line
 * json         = "[" object, … "]" | { "data": [ object, … ], … } | object a line
 * ndjson-compact = [ value, … ] a line
 * json-compact = { "data": [ [ value, … ], … ], … }
 */

/**
 * Selects the rows of a file of JSON; undefined when it has none.
 *
 * @throws FlightDataError for rows of another form; FlightInvalidArgumentError for names that the table does not have
 */
export async function selectJson(
  connection: EngineConnection,
  columns: readonly TableColumn[],
  path: string,
  format: 'ndjson' | 'ndjson-compact' | 'json' | 'json-compact',
  signal: AbortSignal,
): Promise<Selection | undefined> {
  const start = await firstCharacter(path);
  if (start === '') return undefined;
  const file = quoteLiteral(path);
  const inData = `(SELECT unnest(data) AS json FROM read_json(${file}, format = 'unstructured', columns = {data: 'JSON[]'}))`;
  if (format === 'ndjson-compact') {
    const lines = `read_json_objects(${file}, format = 'newline_delimited')`;
    return selectArrays(connection, columns, lines, signal);
  }
  if (format === 'json-compact') return selectArrays(connection, columns, inData, signal);
  const layout = start === '[' ? 'array' : 'newline_delimited';
  const wrapped = format === 'json' && start === '{' && (await hasData(connection, path, signal));
  const objects = wrapped ? inData : `read_json_objects(${file}, format = '${layout}')`;
  // A column that no row has takes its default, as in any INSERT.
  const found = await rowsOf(
    connection,
    `SELECT DISTINCT unnest(CASE WHEN json_type(json) = 'OBJECT' THEN json_keys(json)
       ELSE error('a row of the JSON is no object but ' || coalesce(json_type(json), 'nothing')) END) FROM ${objects}`,
    signal,
  );
  const keys = new Set(found.map(([key]) => key ?? ''));
  if (keys.size === 0) return undefined;
  const matched = matchColumns([...keys], columns);
  const used = columns.flatMap((column) => matched.filter(({ name }) => name === column.name));
  if (new Set(used.map(({ name }) => name)).size < used.length) {
    throw new FlightDataError('rows of the JSON name a column in two ways that differ in case');
  }
  const type = `STRUCT(${used.map((column) => `${quoteIdentifier(column.key)} ${jsonReading(column).type}`).join(', ')})`;
  const types = used.map(
    (column) => `${quoteLiteral(column.key)}: ${quoteLiteral(jsonReading(column).type)}`,
  );
  const rows = wrapped
    ? `(SELECT unnest(row) FROM (SELECT unnest(data) AS row FROM read_json(${file}, format = 'unstructured', columns = {data: ${quoteLiteral(`${type}[]`)}})))`
    : `read_json(${file}, format = '${layout}', columns = {${types.join(', ')}})`;
  const values = used.map((column) => jsonReading(column).expression(quoteIdentifier(column.key)));
  return { columns: used.map(({ name }) => name), select: `SELECT ${values.join(', ')} FROM ${rows}` };
}

/** Rows as arrays: by position, each as long as the table is wide. */
async function selectArrays(
  connection: EngineConnection,
  columns: readonly TableColumn[],
  rows: string,
  signal: AbortSignal,
): Promise<Selection | undefined> {
  const wrong = await rowsOf(
    connection,
    `SELECT json_array_length(json) FROM ${rows} WHERE json_type(json) <> 'ARRAY' OR json_array_length(json) <> ${columns.length} LIMIT 1`,
    signal,
  );
  if (wrong.length > 0) {
    throw new FlightDataError(
      `a row has ${wrong[0]?.[0]} values, but ${columns.length} columns are asked for`,
    );
  }
  const values = columns.map(({ type }, i) => {
    const reading = readingOf(type, 'json');
    const shape = quoteLiteral(JSON.stringify(reading.type));
    return reading.expression(`json_transform_strict(json_extract(json, '$[${i}]'), ${shape})`);
  });
  return { columns: columns.map(({ name }) => name), select: `SELECT ${values.join(', ')} FROM ${rows}` };
}

/** Whether the file is one object with `data`, as `FORMAT JSON` gives it, and not an object a line. */
async function hasData(connection: EngineConnection, path: string, signal: AbortSignal): Promise<boolean> {
  const file = quoteLiteral(path);
  const keys = await rowsOf(
    connection,
    `SELECT unnest(json_keys(json)) FROM (SELECT json FROM read_json_objects(${file}, format = 'unstructured') LIMIT 1)`,
    signal,
  );
  const names = keys.map(([key]) => key);
  return names.includes('data') && (names.length === 1 || names.includes('meta') || names.includes('rows'));
}

function jsonReading({ type }: DataColumn): ReturnType<typeof readingOf> {
  return readingOf(type, 'json');
}
