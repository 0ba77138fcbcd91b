import { FlightError, toFlightError } from '@peregrine/flight/errors';

/** What DuckDB says when rows are to go into a view: appended, in place of it, or by a statement of its own. */
const isOfView = /\bis not an? table\b|\bis of type View\b|\bCan only insert into base table\b/i;

/**
 * Explains why rows cannot be ingested: files are views, which clients take for tables.
 *
 * @param table - as the client called it
 * @returns the error as it is, where it is about something else
 */
export function explainView(error: unknown, table: string): FlightError {
  const known = toFlightError(error);
  if (!isOfView.test(known.message)) return known;
  return new FlightError(
    'FAILED_PRECONDITION',
    `${JSON.stringify(table)} is a view, as served files are, and takes no rows: send them to another table, ` +
      `or make a table of it first with CREATE TABLE … AS FROM ${table}`,
    { cause: known },
  );
}
