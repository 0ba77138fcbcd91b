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
