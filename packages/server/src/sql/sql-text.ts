import { FlightInvalidArgumentError } from '@peregrine/flight';

/** A text as SQL literal. @throws FlightInvalidArgumentError when it holds the character U+0000, which engines cut at */
export function quoteLiteral(text: string): string {
  return `'${checked(text).replaceAll("'", "''")}'`;
}

/** A name as SQL identifier, whatever it holds. Throws as {@link quoteLiteral}. */
export function quoteIdentifier(name: string): string {
  return `"${checked(name).replaceAll('"', '""')}"`;
}

/** Names that are there, joined by dots. */
export function quotePath(...names: readonly (string | undefined)[]): string {
  return names
    .filter((name) => name !== undefined)
    .map((name) => quoteIdentifier(name))
    .join('.');
}

function checked(text: string): string {
  if (text.includes('\0')) {
    throw new FlightInvalidArgumentError('names and patterns must not hold the character U+0000');
  }
  return text;
}

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
 * Takes comments, strings and quoted names out of SQL text, so that its keywords can be looked at.
 *
 * ```
 * "--" to the end of the line, nested block comments, single and double quotes (doubled inside), $tag$…$tag$
 * ```
 */
export function bareSql(sql: string): string {
  let bare = '';
  for (let i = 0; i < sql.length; ) {
    const rest = sql.slice(i, i + 2);
    const char = sql.charAt(i);
    if (rest === '--') i = endOf(sql, '\n', i + 2);
    else if (rest === '/*') i = endOfComment(sql, i + 2);
    else if (char === "'" || char === '"') {
      i = endOf(sql, char, i + 1);
      bare += char === '"' ? ' "" ' : " '' ";
      continue;
    } else if (char === '$') {
      const tag = /^\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$/.exec(sql.slice(i, i + 66))?.[0];
      if (tag === undefined) {
        bare += char;
        i++;
        continue;
      }
      i = endOf(sql, tag, i + tag.length);
      bare += " '' ";
      continue;
    } else {
      bare += char;
      i++;
      continue;
    }
    bare += ' ';
  }
  return bare;
}

function endOf(sql: string, end: string, from: number): number {
  const found = sql.indexOf(end, from);
  return found < 0 ? sql.length : found + end.length;
}

function endOfComment(sql: string, from: number): number {
  let depth = 1;
  let i = from;
  while (i < sql.length && depth > 0) {
    if (sql.startsWith('/*', i)) {
      depth++;
      i += 2;
    } else if (sql.startsWith('*/', i)) {
      depth--;
      i += 2;
    } else i++;
  }
  return i;
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
