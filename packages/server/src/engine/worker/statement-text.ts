import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { DuckDbLibrary } from '../adbc/duckdb-library.ts';
import { refuseLargeBuffers } from '../buffer-setting.ts';
import { type Address, allocateText, free } from '../c-data/native.ts';
import { refuseFatalCalls } from '../function-calls.ts';
import { sqlTokens } from '../sql-tokens.ts';

/**
 * Refuses SQL that would harm the process.
 *
 * @returns how many statements DuckDB sees in it; undefined where it cannot be parsed, and for other drivers
 * @throws FlightInvalidArgumentError
 */
export function checkText(
  library: DuckDbLibrary | undefined,
  connection: Address,
  sql: string,
): number | undefined {
  if (sql.includes('\0')) throw new FlightInvalidArgumentError('the SQL text holds a NUL character');
  if (library === undefined) return undefined;
  refuseFatalCalls(sql);
  refuseLargeBuffers(sql);
  const text = allocateText(sql);
  try {
    return library.countStatements(connection, text);
  } finally {
    free(text);
  }
}

/** Whether something stands behind a semicolon. */
export function holdsSeveral(sql: string): boolean {
  let ended = false;
  for (const { text } of sqlTokens(sql)) {
    if (ended && text !== ';') return true;
    ended ||= text === ';';
  }
  return false;
}
