import { findClickHouseFormat } from './formats.ts';
import { functionCalls } from '../engine/function-calls.ts';
import { type SqlToken, sqlTokens } from '../engine/sql-tokens.ts';

/** SQL without its FORMAT clause. */
export interface SqlWithFormat {
  readonly sql: string;
  readonly format: string | undefined;
}

/** An INSERT whose rows come as data in a format. */
export interface InsertHead {
  /** The table as SQL names it, quoted: `"main"."t"`. */
  readonly table: readonly string[];
  /** The columns named; undefined: all. */
  readonly columns: readonly string[] | { readonly except: readonly string[] } | undefined;
  /** The FORMAT clause; undefined when it is left to the content type. */
  readonly format: string | undefined;
  /** Offset at which data may begin, behind the clause. */
  readonly end: number;
}

/**
 * Takes the FORMAT clause off the end.
 *
 * ```
 * statement [ FORMAT name ] [ ";" ]
 * ```
 * A name that no format has is left to {@link negotiateFormat} to refuse, unless it may be an alias: `SELECT format x`.
 */
export function takeFormatClause(sql: string): SqlWithFormat {
  const tokens = [...sqlTokens(sql)];
  while (tokens.at(-1)?.text === ';') tokens.pop();
  const [before, keyword, name] = tokens.slice(-3);
  const end = tokens.at(-1)?.end ?? 0;
  if (name === undefined || keyword === undefined || before === undefined) return { sql, format: undefined };
  const isClause = isWord(keyword, 'FORMAT') && name.kind === 'word';
  if (!isClause || (isListStart(before) && findClickHouseFormat(name.text) === undefined)) {
    return { sql, format: undefined };
  }
  // What follows the clause is a semicolon or a comment.
  return { sql: sql.slice(0, keyword.start).trimEnd() + (end < sql.length ? '\n' : ''), format: name.text };
}

/** What may stand before a column named `format`. */
function isListStart(token: SqlToken): boolean {
  return (
    token.text === ',' || ['SELECT', 'BY', 'DISTINCT', 'WHERE'].some((keyword) => isWord(token, keyword))
  );
}

/**
 * Reads the head of an INSERT that takes data.
 *
 * ```
 * INSERT INTO [ TABLE ] name { "." name } [ "(" ( columns | "*" [ EXCEPT "(" columns ")" ] ) ")" ] [ FORMAT format ] [ data ]
 * columns = column { "," column }
 * ```
 * Undefined for everything else, `INSERT … VALUES` and `INSERT … SELECT` among it: that is the engine's.
 */
export function readInsertHead(sql: string): InsertHead | undefined {
  const tokens = sqlTokens(sql);
  const next = (): SqlToken | undefined => {
    const step = tokens.next();
    return step.done === true ? undefined : step.value;
  };
  if (!isWord(next(), 'INSERT') || !isWord(next(), 'INTO')) return undefined;
  let token = next();
  if (isWord(token, 'TABLE')) token = next();
  const table: string[] = [];
  for (;;) {
    const name = nameOf(token);
    if (name === undefined) return undefined;
    table.push(name);
    token = next();
    if (token?.text !== '.') break;
    token = next();
  }
  let columns: InsertHead['columns'];
  if (token?.text === '(') {
    const first = next();
    columns = first?.text === '*' ? readExcept(next) : readNames(first, next);
    if (columns === undefined) return undefined;
    token = next();
  }
  if (token === undefined || (token.text === ';' && next() === undefined)) {
    return { table, columns, format: undefined, end: sql.length };
  }
  if (!isWord(token, 'FORMAT')) return undefined;
  const format = next();
  if (format?.kind !== 'word' || isWord(format, 'VALUES')) return undefined;
  return { table, columns, format: format.text, end: format.end };
}

/** Names and the parenthesis behind them. */
function readNames(first: SqlToken | undefined, next: () => SqlToken | undefined): string[] | undefined {
  const names: string[] = [];
  for (let token = first; ; token = next()) {
    const name = nameOf(token);
    if (name === undefined) return undefined;
    names.push(name);
    const separator = next();
    if (separator?.text === ')') return names;
    if (separator?.text !== ',') return undefined;
  }
}

/** What stands behind the asterisk, with the parenthesis that ends it. */
function readExcept(next: () => SqlToken | undefined): { readonly except: string[] } | undefined {
  const token = next();
  if (token?.text === ')') return { except: [] };
  if (!isWord(token, 'EXCEPT') || next()?.text !== '(') return undefined;
  const except = readNames(next(), next);
  return except === undefined || next()?.text !== ')' ? undefined : { except };
}

/** The first words that only read. `WITH` may stand before an INSERT: a read-only transaction takes care of that. */
const readers = new Set([
  'SELECT',
  'FROM',
  'WITH',
  'VALUES',
  'TABLE',
  'SHOW',
  'DESCRIBE',
  'DESC',
  'SUMMARIZE',
  'EXPLAIN',
  'PIVOT',
  'UNPIVOT',
]);

/** First words of statements that may change something, in DuckDB and elsewhere. */
const changingWords: ReadonlySet<string> = new Set(
  (
    'ABORT ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DETACH ' +
    'DO DROP END EXCHANGE EXECUTE EXPLAIN EXPORT FETCH FORCE GRANT IMPORT INSERT INSTALL KILL LOAD LOCK MERGE OPTIMIZE ' +
    'PRAGMA PREPARE REFRESH RELEASE RENAME REPLACE RESET REVOKE ROLLBACK SAVEPOINT SET START SYSTEM TRUNCATE UPDATE ' +
    'UPSERT USE VACUUM'
  ).split(' '),
);

/** Functions that change something of the server though a query calls them. `nextval` is the read-only transaction's. */
const changers: ReadonlySet<string> = new Set([
  'check_peg_parser',
  'checkpoint',
  'disable_logging',
  'disable_peg_parser',
  'disable_profiling',
  'enable_logging',
  'enable_peg_parser',
  'enable_profiling',
  'force_checkpoint',
  'truncate_duckdb_logs',
  'write_log',
]);

/** Whether a statement only reads, as far as its text tells: its first word, and the functions that it calls. */
export function onlyReads(sql: string): boolean {
  if (!beginsReading(sql)) return false;
  const { names, hidden } = functionCalls(sql);
  return !hidden && [...names].every((name) => !changers.has(name));
}

/** Whether a statement begins as one that only reads. EXPLAIN may run what it explains, which has to read as well. */
export function beginsReading(sql: string): boolean {
  const tokens = sqlTokens(sql);
  let explains = false;
  let before = '';
  for (const token of tokens) {
    const opened = before === '(';
    before = token.text;
    if (token.text === '(') continue;
    if (token.kind !== 'word') return false;
    if (isWord(token, 'EXPLAIN')) explains = true;
    else if (explains && opened && isOption(token)) skipParenthesis(tokens);
    else if (!explains || !isWord(token, 'ANALYZE')) return readers.has(token.text.toUpperCase());
  }
  return false;
}

/** Whether the first word begins no statement that DuckDB or another engine knows, as in `SELEC 1`. */
export function beginsUnknown(sql: string): boolean {
  for (const token of sqlTokens(sql)) {
    if (token.text === '(') continue;
    if (token.kind !== 'word') return true;
    return !readers.has(token.text.toUpperCase()) && !changingWords.has(token.text.toUpperCase());
  }
  return true;
}

/** `EXPLAIN (ANALYZE, FORMAT json) …`: the first parenthesis may hold options. */
function isOption(token: SqlToken): boolean {
  return ['ANALYZE', 'FORMAT', 'CODEGEN', 'VERBOSE'].some((option) => isWord(token, option));
}

function skipParenthesis(tokens: Iterator<SqlToken, void>): void {
  for (let depth = 1; depth > 0; ) {
    const step = tokens.next();
    if (step.done === true) return;
    if (step.value.text === '(') depth++;
    if (step.value.text === ')') depth--;
  }
}

/** Whether there is anything but comments. */
export function isEmptySql(sql: string): boolean {
  for (const token of sqlTokens(sql)) if (token.text !== ';') return false;
  return true;
}

/** A statement without the semicolons at its end, on lines of its own, to be put into parentheses. */
export function asSubquery(sql: string): string {
  const tokens = [...sqlTokens(sql)];
  while (tokens.at(-1)?.text === ';') tokens.pop();
  return `(\n${sql.slice(0, tokens.at(-1)?.end ?? 0)}\n)`;
}

/** The parts of a table's name as people write it: `main.t`, `"my table"`; undefined when it is no name. */
export function readTableName(text: string): string[] | undefined {
  const tokens = [...sqlTokens(text)];
  const parts: string[] = [];
  for (const [i, token] of tokens.entries()) {
    const name = i % 2 === 0 ? nameOf(token) : '';
    if (name === undefined || (i % 2 === 1 && token.text !== '.')) return undefined;
    if (i % 2 === 0) parts.push(name);
  }
  return tokens.length % 2 === 1 ? parts : undefined;
}

function isWord(token: SqlToken | undefined, keyword: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === keyword;
}

/** A name, without its quotes; ClickHouse also quotes with backticks, which are symbols here. */
function nameOf(token: SqlToken | undefined): string | undefined {
  if (token?.kind === 'word') return token.text;
  if (token?.kind === 'quoted' && token.text.length > 2) return token.text.slice(1, -1).replaceAll('""', '"');
  return undefined;
}
