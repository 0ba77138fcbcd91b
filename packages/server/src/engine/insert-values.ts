import { type SqlToken, sqlTokens } from './sql-tokens.ts';

/** An INSERT of parameters and nothing else, made over so that many rows of them go in at once. */
export interface ValuesInsert {
  /** The name of the table, as written. */
  readonly table: string;
  /** Its last part. */
  readonly name: string;
  /** The columns that it lists, as written; undefined: all of them, in order. */
  readonly columns: readonly string[] | undefined;
  /** The same for lists of values: each parameter is bound to all values of its column. */
  readonly sql: string;
}

/**
 * Reads `INSERT INTO t (a, b) VALUES (?, ?)`:
 *
 * ```
 * insert = INSERT INTO name ["(" part *("," part) ")"] VALUES "(" parameter *("," parameter) ")" *";"
 * name   = part *2("." part)
 * ```
 *
 * @param parameters - how many the statement has: each of them must be there once
 * @returns undefined for everything else: ON CONFLICT and RETURNING, expressions, constants, DEFAULT, BY NAME, WITH
 */
export function valuesInsert(sql: string, parameters: number): ValuesInsert | undefined {
  const tokens = [...sqlTokens(sql)];
  let at = 0;
  const next = (): SqlToken | undefined => tokens[at];
  const word = (wanted: string): boolean => {
    const token = next();
    if (token?.kind !== 'word' || token.text.toUpperCase() !== wanted) return false;
    at++;
    return true;
  };
  const symbol = (wanted: string): boolean => {
    const token = next();
    if (token?.kind !== 'symbol' || token.text !== wanted) return false;
    at++;
    return true;
  };
  const name = (): string | undefined => {
    const token = next();
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    at++;
    return token.text;
  };
  const list = (one: () => string | undefined): string[] | undefined => {
    const items: string[] = [];
    do {
      const item = one();
      if (item === undefined) return undefined;
      items.push(item);
    } while (symbol(','));
    return symbol(')') ? items : undefined;
  };
  const parameter = (): string | undefined => (next()?.kind === 'parameter' ? tokens[at++]?.text : undefined);

  if (!word('INSERT') || !word('INTO')) return undefined;
  const path: string[] = [];
  let last: string | undefined;
  do {
    last = name();
    if (last === undefined) return undefined;
    path.push(last);
  } while (path.length < 3 && symbol('.'));
  const isListed = symbol('(');
  const columns = isListed ? list(name) : undefined;
  if (isListed && columns === undefined) return undefined;
  if (!word('VALUES') || !symbol('(')) return undefined;
  const values = list(parameter);
  while (symbol(';'));
  if (values === undefined || at < tokens.length || values.length !== parameters) return undefined;
  const numbered = values.filter((text) => text !== '?');
  if (new Set(numbered).size < numbered.length) return undefined;
  const table = path.join('.');
  const into = columns === undefined ? table : `${table} (${columns.join(', ')})`;
  const lists = values.map((text) => `unnest(${text})`).join(', ');
  return { table, name: last, columns, sql: `INSERT INTO ${into} SELECT ${lists}` };
}
