/**
 * A token of SQL, as far as finding clauses and parameters needs it. Comments and white space are no tokens.
 *
 * ```
 * word      = letter or "_", then letters, digits, "_", "$"   ; letters are all characters above ASCII, too
 * quoted    = '"' … '"'        ; doubled inside
 * text      = "'" … "'"        ; doubled inside; $tag$ … $tag$
 *           | "E'" … "'" *( line end "'" … "'" )         ; with backslashes, in the parts behind line ends too
 * parameter = "?" [ digits ] | "$" ( digits | word ) | ":" word       ; not after another ":"
 * number    = digits [ "." digits ] [ "e" [ sign ] digits ]
 * ```
 */
export interface SqlToken {
  readonly kind: 'word' | 'quoted' | 'text' | 'parameter' | 'number' | 'symbol';
  /** As written. */
  readonly text: string;
  /** Offset of its first character, and of the one behind it. */
  readonly start: number;
  readonly end: number;
}

/*
 * What counts is where the engine sees a token: what is a text for us and none for it would be hidden from every check.
 * For DuckDB every character above ASCII is a letter, but for spaces of Unicode; names may have dollars, numbers end
 * where letters begin.
 */
const space = String.raw`\t-\r \u00a0\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff`;
const letter = String.raw`(?:[A-Za-z_]|(?![${space}])[\u0080-\uffff])`;
const wordStart = new RegExp(letter);
const spaces = new RegExp(`[${space}]+`, 'y');
const word = new RegExp(`${letter}(?:${letter}|[0-9$])*`, 'y');
const number = /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?/y;
/** A carriage return ends it, too. */
const lineComment = /--[^\n\r]*/y;
/** What may stand between two parts of a text: a line end at least, and comments. */
const goesOn = /[ \t\f]*(?:--[^\n\r]*)?[\n\r](?:\s|--[^\n\r]*[\n\r])*'/y;
const dollarTag = new RegExp(String.raw`\$(?:${letter}(?:${letter}|\d)*)?\$`, 'y');
/** Behind the dollar or colon stands a name as anywhere, and no name where a text with an E begins. */
const parameter = new RegExp(String.raw`\?\d*|\$\d+|[$:](?![eE]')${letter}(?:${letter}|[0-9$])*`, 'y');

/**
 * Cuts SQL into tokens. What is not closed reaches to the end: the engine will tell.
 *
 * @param limit - stops after so many tokens. Default: none
 */
export function* sqlTokens(sql: string, limit: number = Infinity): Generator<SqlToken, void, void> {
  let at = 0;
  let count = 0;
  while (at < sql.length && count < limit) {
    const skipped = matchAt(spaces, sql, at) ?? matchAt(lineComment, sql, at);
    if (skipped !== undefined) {
      at += skipped.length;
      continue;
    }
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at);
      continue;
    }
    const start = at;
    const kind = kindAt(sql, at);
    at = endOf(sql, at, kind);
    count++;
    yield { kind, text: sql.slice(start, at), start, end: at };
  }
}

function kindAt(sql: string, at: number): SqlToken['kind'] {
  const char = sql.charAt(at);
  if (char === "'" || matchAt(dollarTag, sql, at) !== undefined) return 'text';
  if (char === '"') return 'quoted';
  if (/[eE]/.test(char) && sql.charAt(at + 1) === "'") return 'text';
  if (wordStart.test(char)) return 'word';
  if (/\d/.test(char)) return 'number';
  if (char === ':' && (sql.charAt(at - 1) === ':' || sql.charAt(at + 1) === ':')) return 'symbol';
  return matchAt(parameter, sql, at) === undefined ? 'symbol' : 'parameter';
}

function endOf(sql: string, at: number, kind: SqlToken['kind']): number {
  switch (kind) {
    case 'word':
      return at + (matchAt(word, sql, at)?.length ?? 1);
    case 'number':
      return at + (matchAt(number, sql, at)?.length ?? 1);
    case 'parameter':
      return at + (matchAt(parameter, sql, at)?.length ?? 1);
    case 'quoted':
      return endOfQuotes(sql, at + 1, '"', false);
    case 'text': {
      const tag = matchAt(dollarTag, sql, at);
      if (tag !== undefined) {
        const close = sql.indexOf(tag, at + tag.length);
        return close < 0 ? sql.length : close + tag.length;
      }
      if (sql.charAt(at) === "'") return endOfQuotes(sql, at + 1, "'", false);
      let end = endOfQuotes(sql, at + 2, "'", true);
      for (let next = matchAt(goesOn, sql, end); next !== undefined; next = matchAt(goesOn, sql, end)) {
        end = endOfQuotes(sql, end + next.length, "'", true);
      }
      return end;
    }
    case 'symbol':
      return at + 1;
  }
}

function endOfQuotes(sql: string, from: number, quote: string, backslashes: boolean): number {
  for (let at = from; at < sql.length; at++) {
    const char = sql.charAt(at);
    if (char === '\\' && backslashes) at++;
    else if (char === quote) {
      if (sql.charAt(at + 1) !== quote) return at + 1;
      at++;
    }
  }
  return sql.length;
}

/** Comments nest, as in PostgreSQL. */
function endOfComment(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; at++) {
    if (sql.startsWith('/*', at)) {
      depth++;
      at++;
    } else if (sql.startsWith('*/', at)) {
      depth--;
      at++;
      if (depth === 0) return at + 1;
    }
  }
  return sql.length;
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The name that a token writes, in lower case; undefined for one that is no name. */
export function nameOfToken({ kind, text }: SqlToken): string | undefined {
  return kind === 'word' || kind === 'quoted' ? nameOfIdentifier(text).toLowerCase() : undefined;
}

/** The name that an identifier writes, quoted or not. */
export function nameOfIdentifier(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/** What a text in single quotes says; undefined for every other token, and where escapes might hide something. */
export function plainText(token: SqlToken | undefined): string | undefined {
  if (token?.kind !== 'text' || !token.text.startsWith("'") || token.text.includes('\\')) return undefined;
  return token.text.slice(1, -1).replaceAll("''", "'");
}
