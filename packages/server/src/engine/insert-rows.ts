import { createFlightError, FlightError } from '@peregrine/flight/errors';
import type { ConnectionCore } from './connection.ts';

import { type ValuesInsert, valuesInsert } from './insert-values.ts';
import { quoteLiteral } from './sql-text.ts';
import type { StatementRun } from './statement-run.ts';
import { nameOfIdentifier } from './sql-tokens.ts';
import type { SharedBatches } from './worker/messages.ts';

/** A statement that is about to run with rows that are bound. */
interface BoundStatement {
  readonly connection: ConnectionCore;
  readonly sql: string;
  /** How many it has. */
  readonly parameters: number;
  readonly run: StatementRun;
  /** Whether it needs a transaction of its own; otherwise one is open. */
  readonly transaction: boolean;
}

/** With fewer rows, looking at the table takes longer than is won. */
const leastRows = 16;

/**
 * Inserts many rows at once where that is the same as one by one: an INSERT of parameters alone into a table of DuckDB's
 * own, whose rows do not need one another.
 *
 * @returns how many; undefined: nothing was done, and the statement runs row by row
 */
export async function insertRows(
  { connection, sql, parameters, run, transaction }: BoundStatement,
  rows: number,
  batches: SharedBatches,
): Promise<bigint | undefined> {
  const { core, address } = connection;
  if (core.dialect !== 'duckdb' || rows < leastRows) return undefined;
  const insert = valuesInsert(sql, parameters);
  if (insert === undefined || !(await isSame(connection, insert, transaction))) return undefined;
  try {
    return await core.run(
      'insertAtOnce',
      { connection: address, sql: insert.sql, batches, transaction },
      run,
    );
  } catch (error) {
    if (!(error instanceof FlightError) || stops.has(error.code)) throw error;
    // Nothing is left of it: row by row, the row that does not fit is found.
    if (transaction) return undefined;
    // The transaction is the caller's, and cannot go on after that.
    throw createFlightError(error.code, withoutLists(error.rawMessage), { cause: error });
  }
}

/** Somebody stopped the statement, or the database is gone: no row is to blame. */
const stops: ReadonlySet<FlightError['code']> = new Set(['CANCELLED', 'TIMED_OUT', 'UNAVAILABLE']);

/**
 * Whether the order of work does not matter. DuckDB works on thousands of rows at a time, column by column, so it does
 * where two defaults call functions (a sequence that both use), and where a row refers to one before it, which is not
 * there yet; in a transaction of our own that row is tried again. A union takes the values of a list as those of its
 * first member, null too, which by itself would be no union at all. Other databases that are attached have their own ways.
 */
async function isSame(
  connection: ConnectionCore,
  insert: ValuesInsert,
  transaction: boolean,
): Promise<boolean> {
  const listed = (insert.columns ?? []).map((name) => quoteLiteral(nameOfIdentifier(name).toLowerCase()));
  const calls =
    insert.columns === undefined
      ? 'false'
      : `(SELECT count(*) > 1 FROM pragma_table_info(${quoteLiteral(insert.table)}) ` +
        `WHERE dflt_value LIKE '%(%' AND lower(name) NOT IN (${listed.join(', ')}))`;
  const refers = transaction
    ? 'false'
    : "EXISTS (FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY' " +
      `AND lower(referenced_table) = lower(${quoteLiteral(nameOfIdentifier(insert.name))}) AND lower(table_name) = lower(referenced_table))`;
  const unions = `EXISTS (FROM pragma_table_info(${quoteLiteral(insert.table)}) WHERE type LIKE '%UNION(%')`;
  const [differs] = await connection.texts(
    `SELECT (EXISTS (FROM duckdb_databases() WHERE type <> 'duckdb') OR ${unions} OR ${calls} OR ${refers})::VARCHAR`,
  );
  return differs === 'false';
}

/** DuckDB's words without the lists that we made: they show all values of a column. */
function withoutLists(message: string): string {
  return message.replace(/ when casting from source column UNNEST\(.*$/s, '').replace(/\n\nLINE 1: .*$/s, '');
}
