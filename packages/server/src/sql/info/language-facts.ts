import { SqlNullOrdering } from '@peregrine/flight/sql';
import { queryRows } from '../../engine/rows.ts';
import type { EngineConnection } from '../../engine/types.ts';

/** What engines do in different ways, or not at all. */
export interface LanguageFacts {
  /** Where ORDER BY puts nulls: a number of `SqlNullOrdering`. */
  readonly nullOrdering: number;
  /** `x > ALL (SELECT …)`. */
  readonly quantifiedSubqueries: boolean;
  readonly correlatedSubqueries: boolean;
  readonly fullOuterJoins: boolean;
}

/** DuckDB's, and what is said of an engine that cannot be asked. */
export const duckdbFacts: LanguageFacts = {
  nullOrdering: SqlNullOrdering.SQL_NULLS_SORTED_AT_END,
  quantifiedSubqueries: true,
  correlatedSubqueries: true,
  fullOuterJoins: true,
};

/** Finds out what an engine does by having it done: drivers do not tell. */
export async function findLanguageFacts(connection: EngineConnection): Promise<LanguageFacts> {
  const runs = async (text: string): Promise<boolean> => {
    try {
      await queryRows(connection, text);
      return true;
    } catch {
      return false;
    }
  };
  return {
    nullOrdering: await findNullOrdering(connection),
    quantifiedSubqueries: await runs('SELECT 1 AS a WHERE 2 > ALL (SELECT 1)'),
    correlatedSubqueries: await runs(
      'SELECT a FROM (SELECT 1 AS a) t WHERE EXISTS (SELECT 1 FROM (SELECT 1 AS b) u WHERE u.b = t.a)',
    ),
    fullOuterJoins: await runs(
      'SELECT a FROM (SELECT 1 AS a) t FULL OUTER JOIN (SELECT 2 AS b) u ON t.a = u.b',
    ),
  };
}

async function findNullOrdering(connection: EngineConnection): Promise<number> {
  const nullIsFirst = async (direction: string): Promise<boolean> => {
    const text = `SELECT a FROM (SELECT 1 AS a UNION ALL SELECT NULL AS a) t ORDER BY a ${direction}`;
    const [first] = await queryRows(connection, text);
    return first?.['a'] === null;
  };
  try {
    const ascending = await nullIsFirst('ASC');
    const descending = await nullIsFirst('DESC');
    if (ascending) {
      return descending ? SqlNullOrdering.SQL_NULLS_SORTED_AT_START : SqlNullOrdering.SQL_NULLS_SORTED_LOW;
    }
    return descending ? SqlNullOrdering.SQL_NULLS_SORTED_HIGH : SqlNullOrdering.SQL_NULLS_SORTED_AT_END;
  } catch {
    return duckdbFacts.nullOrdering;
  }
}
