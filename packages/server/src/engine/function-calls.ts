import { FlightUnauthorizedError } from '@peregrine/flight/errors';
import { nameOfToken, plainText, type SqlToken, sqlTokens } from './sql-tokens.ts';

/** Functions that run SQL that they are given as text. */
const runners: ReadonlySet<string> = new Set(['query', 'json_execute_serialized_sql']);

/** Which functions a text calls. */
export interface FunctionCalls {
  /** Names that stand before a parenthesis, in lower case; also in SQL that is given to `query('…')`. */
  readonly names: ReadonlySet<string>;
  /** Whether it makes SQL of its own while it runs, into which nobody can look before. */
  readonly hidden: boolean;
}

/** Words behind which a name before a parenthesis is that of a table: `INSERT INTO query (a)`. */
const declaring: ReadonlySet<string> = new Set([
  'AS',
  'EXISTS',
  'INTO',
  'ON',
  'RECURSIVE',
  'REFERENCES',
  'TABLE',
  'WITH',
]);

/** Reads which functions a text calls. */
export function functionCalls(sql: string): FunctionCalls {
  const names = new Set<string>();
  let hidden = false;
  const tokens = [...sqlTokens(sql)];
  for (const [i, token] of tokens.entries()) {
    const name = nameOfToken(token);
    if (name === undefined || tokens[i + 1]?.text !== '(') continue;
    if (isDeclared(tokens, i)) continue;
    names.add(name);
    if (!runners.has(name)) continue;
    const inner = tokens[i + 3]?.text === ')' ? plainText(tokens[i + 2]) : undefined;
    if (inner === undefined) {
      hidden = true;
      continue;
    }
    // Serialized SQL is JSON: its names are texts in it.
    for (const [word] of inner.toLowerCase().matchAll(/\w+/g)) names.add(word);
    if (name === 'query') hidden ||= functionCalls(inner).hidden;
  }
  return { names, hidden };
}

/**
 * Refuses what ends the process: DuckDB 1.5 throws where nothing catches it when a log cannot be written to the file
 * that `enable_logging` names.
 *
 * @throws FlightUnauthorizedError for such a text, and for one that may be one
 */
export function refuseFatalCalls(sql: string): void {
  // Most texts are done with here; those that insert many rows are long.
  if (!/enable_logging|query|json_execute_serialized_sql/i.test(sql)) return;
  const { names, hidden } = functionCalls(sql);
  if (names.has('enable_logging')) {
    throw new FlightUnauthorizedError('enable_logging is not allowed: a log that fails would end the server');
  }
  if (hidden) {
    throw new FlightUnauthorizedError(
      "query() and json_execute_serialized_sql() take one plain text here, such as query('SELECT 1')",
    );
  }
}

function isDeclared(tokens: readonly SqlToken[], name: number): boolean {
  let first = name;
  while (tokens[first - 1]?.text === '.') first -= 2;
  const before = tokens[first - 1];
  return before?.kind === 'word' && declaring.has(before.text.toUpperCase());
}
