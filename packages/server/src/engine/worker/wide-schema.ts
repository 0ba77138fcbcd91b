import { type ArrowSchema, decodeMessageHeader } from '@peregrine/flight/ipc/messages';
import type { DuckDbLibrary } from '../adbc/duckdb-library.ts';
import type { Address } from '../c-data/native.ts';
import { sqlTokens } from '../sql-tokens.ts';

/**
 * Columns from which on DuckDB is asked otherwise for the schema of a statement: its own answer looks at all columns for
 * each column, which is 0.35 s of 10,000 columns and half a minute of 100,000.
 */
const wideColumns = 2000;

/**
 * The schema of a query that has very many columns: the types are those of the same query that gives no rows, the names
 * are the statement's own, because a query within a query changes those that come twice.
 *
 * @param run - runs a query of the same connection, and gives the schema of its result
 * @returns undefined where the statement has fewer columns, or is no query that can stand within another
 */
export function wideSchema(
  library: DuckDbLibrary,
  connection: Address,
  statement: Address,
  sql: string,
  run: (sql: string) => Uint8Array | undefined,
): ArrowSchema | undefined {
  const names = library.columnNames(connection, statement, wideColumns);
  if (names === undefined) return undefined;
  const tokens = [...sqlTokens(sql)];
  while (tokens.at(-1)?.text === ';') tokens.pop();
  // On lines of its own: a comment may stand at its end.
  const header = run(`SELECT * FROM (\n${sql.slice(0, tokens.at(-1)?.end ?? 0)}\n) LIMIT 0`);
  const message = header === undefined ? undefined : decodeMessageHeader(header);
  if (message?.kind !== 'schema' || message.schema.fields.length !== names.length) return undefined;
  const fields = message.schema.fields.map((field, i) => ({ ...field, name: names[i] ?? field.name }));
  return { ...message.schema, fields };
}
