import { type SqlToken, nameOfToken, sqlTokens } from './sql-tokens.ts';

/** Where a text changes a setting of DuckDB. */
export interface SettingChange {
  readonly verb: string;
  /** In lower case. */
  readonly name: string;
  /** What stands behind the name, to the end of the text. */
  readonly rest: readonly SqlToken[];
}

const verbs: ReadonlySet<string> = new Set(['set', 'reset', 'pragma']);
const scopes: ReadonlySet<string> = new Set(['session', 'global', 'local']);

/**
 * Finds the changes of some settings in a text of one or several statements.
 *
 * ```
 * change = ( SET | RESET | PRAGMA ) [ SESSION | GLOBAL | LOCAL ] name …
 * ```
 *
 * @param isWanted - of a name in lower case
 */
export function* settingChanges(
  sql: string,
  isWanted: (name: string) => boolean,
): Generator<SettingChange, void, void> {
  // Most statements have none of these words, and are not cut into tokens.
  if (!/\b(?:set|reset|pragma)\b/i.test(sql)) return;
  const tokens = [...sqlTokens(sql)];
  for (const [i, token] of tokens.entries()) {
    const name = nameOfToken(token);
    if (name === undefined || !isWanted(name)) continue;
    const before = tokens[i - 1]?.text.toLowerCase() ?? '';
    const verb = (scopes.has(before) ? tokens[i - 2]?.text.toLowerCase() : before) ?? '';
    if (verbs.has(verb)) yield { verb, name, rest: tokens.slice(i + 1) };
  }
}
