import { FlightError } from '@peregrine/flight/errors';
import { quoteIdentifier, quotePath } from '../engine/sql-text.ts';
import { type SqlToken, nameOfIdentifier, sqlTokens } from '../engine/sql-tokens.ts';
import type { Engine, EngineConnection, EngineStatement } from '../engine/types.ts';
import { withConnect, withMethods } from '../engine/with-connect.ts';

/** What a view does not take: in the engine's words, behind which words of SQL its name stands, and what to do. */
interface Refusal {
  /** DuckDB names the view in some of them. */
  readonly said: RegExp;
  readonly behind: readonly string[];
  readonly told: (remedy: string) => string;
}

const takesNoRows = (remedy: string): string =>
  `takes no rows: send them to another table, or make a table of it first with ${remedy}`;
const isNotChanged = (remedy: string): string =>
  `its rows cannot be changed: make a table of it first with ${remedy}, and change that`;

/** What failed: SQL, or rows for a table. */
type Told = { readonly sql: string } | { readonly table: string };

/** DuckDB's words when rows are appended, put in place of it or changed, and SQLite's. */
const refusals: readonly Refusal[] = [
  {
    said: /^(?:Catalog Error: )?(?<view>(?![\w ]+ Error: ).+) is not an? table(?:\n|$)/,
    behind: ['into', 'copy'],
    told: takesNoRows,
  },
  { said: /^Binder Error: Can only insert into base table/, behind: ['into'], told: takesNoRows },
  { said: /^Binder Error: Can only update base table/, behind: ['update'], told: isNotChanged },
  {
    said: /^Binder Error: Can only delete from base table/,
    behind: ['delete from', 'truncate', 'truncate table'],
    told: isNotChanged,
  },
  { said: /^Binder Error: Can only merge into base tables/, behind: ['merge into'], told: isNotChanged },
  {
    said: /^cannot modify (?<view>.+) because it is a view$/m,
    behind: ['into', 'update', 'from'],
    told: isNotChanged,
  },
  {
    said: /^Catalog Error: Can only modify view with ALTER VIEW/,
    behind: ['alter table', 'alter table if exists'],
    told: (remedy) => `it cannot be altered: make a table of it first with ${remedy}, and alter that`,
  },
  {
    said: /^Binder Error: can only create an index on a base table/,
    behind: ['on'],
    told: (remedy) => `it gets no index: make a table of it first with ${remedy}, and index that`,
  },
  {
    said: /^Catalog Error: Existing object (?<view>.+) is of type View, trying to drop type Table/,
    behind: ['drop table', 'drop table if exists'],
    told: () => 'there is no table of this name to be dropped: what is served goes when its file does',
  },
  {
    said: /^Catalog Error: Existing object (?<view>.+) is of type View, trying to replace with type Table/,
    behind: ['replace table'],
    told: (remedy) => `no table takes its place: give another name, or make a table of it with ${remedy}`,
  },
];

/**
 * Explains why a view cannot be changed: files are views, which clients take for tables.
 *
 * @param told - the statement, or the table as its client called it
 * @returns the error as it is, where it is about something else
 */
export function explainView(error: unknown, told: Told): unknown {
  if (!(error instanceof FlightError)) return error;
  for (const { said, behind, told: tell } of refusals) {
    const match = said.exec(error.rawMessage);
    if (match === null) continue;
    const named = match.groups?.['view'];
    const view =
      'table' in told
        ? quoteIdentifier(told.table)
        : (onlyName(told.sql, behind) ?? (named === undefined ? undefined : quoteIdentifier(named)));
    const why = ('table' in told ? takesNoRows : tell)(`CREATE TABLE … AS FROM ${view ?? '…'}`);
    return new FlightError(
      'FAILED_PRECONDITION',
      `${view ?? 'this'} is a view, as served files are, and ${why}`,
      { cause: error },
    );
  }
  return error;
}

/** The one name that stands behind some words; undefined where there are none or several. */
function onlyName(sql: string, behind: readonly string[]): string | undefined {
  const tokens = [...sqlTokens(sql)];
  const found = new Set<string>();
  for (const words of behind) {
    const wanted = words.split(' ');
    for (let i = 0; i + wanted.length < tokens.length; i++) {
      if (!wanted.every((word, k) => tokens[i + k]?.text.toLowerCase() === word)) continue;
      const name = nameAt(tokens, i + wanted.length);
      if (name !== undefined) found.add(name);
    }
  }
  return found.size === 1 ? [...found][0] : undefined;
}

/** Words that may stand where a name does, one behind the other: `TRUNCATE TABLE t`, `ON CONFLICT DO UPDATE SET`. */
const noNames: ReadonlySet<string> = new Set(['table', 'set', 'if', 'conflict']);

/** A name with what stands before it, quoted: `schema.table`. */
function nameAt(tokens: readonly SqlToken[], start: number): string | undefined {
  const parts: string[] = [];
  for (let at = start; ; at += 2) {
    const token = tokens[at];
    if (token?.kind !== 'word' && token?.kind !== 'quoted') return undefined;
    if (parts.length === 0 && noNames.has(token.text.toLowerCase())) return undefined;
    parts.push(nameOfIdentifier(token.text));
    if (tokens[at + 1]?.text !== '.') return quotePath(...parts);
  }
}

/** An engine that says of views what they do not take, whichever way SQL and rows come to it. */
export function explainViews(engine: Engine): Engine {
  return withConnect(engine, async (options) => explainingConnection(await engine.connect(options)));
}

function explainingConnection(inner: EngineConnection): EngineConnection {
  const explained = <T>(told: Told, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw explainView(error, told);
    });
  const explainingStatement = (statement: EngineStatement): EngineStatement => ({
    ...statement,
    // What it names may have become a view since it was prepared.
    bind: (schema, batches) => explained(statement, statement.bind(schema, batches)),
    query: (options) => explained(statement, statement.query(options)),
    execute: (options) => explained(statement, statement.execute(options)),
  });
  return withMethods(inner, {
    prepare: async (sql, options) =>
      explainingStatement(await explained({ sql }, inner.prepare(sql, options))),
    query: (sql, options) => explained({ sql }, inner.query(sql, options)),
    execute: (sql, options) => explained({ sql }, inner.execute(sql, options)),
    ingest: (options, schema, batches) => explained(options, inner.ingest(options, schema, batches)),
  });
}
