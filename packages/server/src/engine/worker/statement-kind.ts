import type { ArrowSchema } from '@peregrine/flight/ipc/messages';
import { type DuckDbLibrary, statementTypes } from '../adbc/duckdb-library.ts';
import type { Address } from '../c-data/native.ts';
import type { PreparedFacts } from './messages.ts';

/**
 * What a statement does. DuckDB gives one row with the number of rows for changes, and one with `Success` for the rest.
 *
 * @param type - one of {@link statementTypes}; undefined for other drivers, whose statements are told by the first word
 * @param schema - of what it gives; undefined where the driver does not tell
 */
export function kindOf(
  type: number | undefined,
  schema: ArrowSchema | undefined,
  sql: string,
): PreparedFacts['kind'] {
  const only = schema?.fields.length === 1 ? schema.fields[0] : undefined;
  if (type === undefined) return kindOfText(sql, schema);
  if (type === statementTypes.select || type === statementTypes.explain) return 'query';
  if (only?.name === 'Success' && only.type.kind === 'bool') return 'ddl';
  const isCount = only?.name === 'Count' && only.type.kind === 'int';
  if (!isCount || /\breturning\b/i.test(sql)) return schema?.fields.length === 0 ? 'ddl' : 'query';
  return updateTypes.has(type) ? 'update' : 'ddl';
}

const updateTypes: ReadonlySet<number> = new Set([
  statementTypes.insert,
  statementTypes.update,
  statementTypes.delete,
  statementTypes.copy,
  statementTypes.execute,
  statementTypes.merge,
]);

/** For other drivers: by the first word. */
function kindOfText(sql: string, schema: ArrowSchema | undefined): PreparedFacts['kind'] {
  const word = /^(?:\s|--[^\n\r]*[\n\r]|\/\*[\s\S]*?\*\/|\()*([a-z]+)/i.exec(sql)?.[1]?.toLowerCase() ?? '';
  if (['insert', 'update', 'delete', 'merge', 'replace', 'copy'].includes(word)) {
    return /\breturning\b/i.test(sql) ? 'query' : 'update';
  }
  if (['create', 'drop', 'alter', 'begin', 'commit', 'rollback', 'set', 'truncate', 'grant'].includes(word)) {
    return 'ddl';
  }
  return schema?.fields.length === 0 ? 'ddl' : 'query';
}

/** Whether the number that the driver gives after a statement is one of changed rows: DuckDB's is so for some types. */
export function countsRows(
  library: DuckDbLibrary | undefined,
  connection: Address,
  statement: Address,
): boolean {
  if (library === undefined) return true;
  const type = library.statementType(connection, statement);
  return type !== undefined && updateTypes.has(type);
}
