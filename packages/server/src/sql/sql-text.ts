import { sqlTokens } from '../engine/sql-tokens.ts';

/** What escapes `%` and `_` in patterns of the catalog, as SQL_SEARCH_STRING_ESCAPE tells. */
export const patternEscape = '\\';

/** A test of SQL's LIKE, as regular expression: for catalogs that the server filters itself. */
export function likeToRegExp(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern.charAt(i);
    if (char === patternEscape && i + 1 < pattern.length) source += escapeRegExp(pattern.charAt(++i));
    else if (char === '%') source += '.*';
    else if (char === '_') source += '.';
    else source += escapeRegExp(char);
  }
  return new RegExp(`^${source}$`, 'su');
}

function escapeRegExp(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

/**
 * SQL text without comments, with the contents of texts and quoted names taken out, so that its keywords can be looked
 * at: `SELECT 'drop' -- why` becomes `SELECT ''`.
 */
export function bareSql(sql: string): string {
  const words: string[] = [];
  for (const { kind, text } of sqlTokens(sql)) {
    words.push(kind === 'text' ? "''" : kind === 'quoted' ? '""' : text);
  }
  return words.join(' ');
}

/** Statements whose effect is kept in their connection: settings, temporary objects, transactions, prepared names. */
const statefulStatement =
  /^\s*(?:set|reset|use|pragma|begin|start\s+transaction|commit|end|rollback|abort|prepare|execute|deallocate|create\s+(?:or\s+replace\s+)?(?:temp|temporary)\b)\b/i;

/**
 * Whether SQL text leaves something in its connection that later statements of the same client rely on, so that it has
 * to run in the client's session.
 */
export function isStateful(sql: string): boolean {
  return bareSql(sql)
    .split(';')
    .some((statement) => statefulStatement.test(statement));
}

/** How statements begin that only give rows. */
const reading = /^[\s(]*(?:select|with|from|values|table|describe|desc|show|summarize|pivot|unpivot)\b/i;

const explain = /^\s*explain\b\s*(?:analyze\b|\([^)]*\))?/i;

/** What EXPLAIN ANALYZE does as well. */
const change =
  /\b(?:insert|update|delete|merge|create|drop|alter|truncate|copy|export|import|attach|detach|install|load)\b/i;

/**
 * Whether a statement that gives rows may be run each time that somebody wants them, or not at all: it changes nothing.
 * `INSERT … RETURNING`, `EXPLAIN ANALYZE DELETE …` and `CALL` give rows too, and have to run once.
 */
export function onlyReads(sql: string): boolean {
  const bare = bareSql(sql);
  const explained = explain.exec(bare);
  if (explained !== null && change.test(bare)) return false;
  return reading.test(bare.slice(explained?.[0].length ?? 0)) && !/\breturning\b/i.test(bare);
}

/** `EXECUTE name`: what the name stands for is only known to its connection. */
export function isExecute(sql: string): boolean {
  return /^\s*execute\b/i.test(bareSql(sql));
}
