import { sqlTokens } from '@peregrine/server/sql-tokens';

/** Text of SQL, cut at the semicolons that end statements. */
export interface CutSql {
  /** Without their semicolons. */
  readonly statements: readonly string[];
  /** What stands behind the last semicolon: a statement that goes on, or nothing but spaces. */
  readonly rest: string;
}

/** Cuts text into statements; semicolons in quotes and comments end nothing. */
export function cutStatements(text: string): CutSql {
  const statements: string[] = [];
  let begin = 0;
  let isEmpty = true;
  for (const token of sqlTokens(text)) {
    if (token.text !== ';') {
      isEmpty = false;
      continue;
    }
    if (!isEmpty) statements.push(text.slice(begin, token.start).trim());
    begin = token.end;
    isEmpty = true;
  }
  const rest = text.slice(begin);
  return { statements, rest: isEmpty && !endsInComment(rest) ? '' : rest };
}

/** All statements of a script: the last needs no semicolon. */
export function statementsOf(script: string): readonly string[] {
  const { statements, rest } = cutStatements(script);
  return rest.trim() === '' ? statements : [...statements, rest.trim()];
}

/** Whether a comment is open at the end: what is appended is part of it then. */
function endsInComment(text: string): boolean {
  return sqlTokens(`${text}\nx`, 1).next().done === true;
}

/** Whether a statement begins as one that gives rows: for servers that do not tell when they prepare it, or cannot. */
export function givesRows(sql: string): boolean {
  const first = [...sqlTokens(sql, 100)].find(({ text }) => text !== '(');
  const readers =
    /^(?:select|from|with|values|table|show|describe|desc|summarize|explain|pivot|unpivot|pragma|call)$/i;
  return readers.test(first?.text ?? '') || /\breturning\b/i.test(sql);
}
