import type { SqlTable } from '@peregrine/flight/sql';
import { type Row, numberOf, queryRows, textOf } from '../../engine/rows.ts';
import { quotePath } from '../../engine/sql-text.ts';
import type { EngineConnection } from '../../engine/types.ts';

/** Views that are described by one statement: it is read and planned by recursion. */
const viewsAtOnce = 100;

/**
 * The columns that views have now, many of them described by one statement. Views stay when what they select from is
 * dropped: such a view has no columns, and must not hide the others.
 */
export async function describeViews(
  connection: EngineConnection,
  views: readonly SqlTable[],
): Promise<Map<SqlTable, Map<string, Row>>> {
  const found = new Map<SqlTable, Map<string, Row>>();
  const waiting: (readonly SqlTable[])[] = [];
  for (let i = 0; i < views.length; i += viewsAtOnce) waiting.push(views.slice(i, i + viewsAtOnce));
  for (let some = waiting.pop(); some !== undefined; some = waiting.pop()) {
    const rows = await describeAtOnce(connection, some);
    if (rows === undefined && some.length > 1) {
      const half = Math.ceil(some.length / 2);
      waiting.push(some.slice(0, half), some.slice(half));
      continue;
    }
    for (const view of some) found.set(view, new Map());
    for (const row of rows ?? []) {
      const view = some[numberOf(row['view']) ?? -1];
      const described = view === undefined ? undefined : found.get(view);
      described?.set(textOf(row['column_name']) ?? '', { ...row, column_index: described.size });
    }
  }
  return found;
}

/** Undefined when one of them is broken. */
async function describeAtOnce(
  connection: EngineConnection,
  views: readonly SqlTable[],
): Promise<Row[] | undefined> {
  const one = ({ catalogName, dbSchemaName, tableName }: SqlTable, i: number): string =>
    `SELECT ${i} AS view, column_name, column_type AS data_type FROM (DESCRIBE ${quotePath(catalogName, dbSchemaName, tableName)})`;
  try {
    return await queryRows(connection, views.map(one).join(' UNION ALL '));
  } catch {
    return undefined;
  }
}
