import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { queryRows, readRows } from '../../src/engine/rows.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';

let engine: Engine;
let connection: EngineConnection;
let other: EngineConnection;

before(async () => {
  engine = await createDuckDbEngine();
  connection = await engine.connect();
  other = await engine.connect();
});
after(async () => {
  await connection.close();
  await other.close();
  await engine.close();
});

/** Prepares over a table whose values are 6 to 8, adds others by a connection, and runs it. */
async function prepared<T>(
  sql: string,
  writer: EngineConnection,
  run: (statement: Awaited<ReturnType<EngineConnection['prepare']>>) => Promise<T>,
): Promise<T> {
  await connection.execute(
    'CREATE OR REPLACE TABLE t AS SELECT 6 + (range % 3)::INTEGER AS v FROM range(1000)',
  );
  const statement = await connection.prepare(sql);
  try {
    await writer.execute('INSERT INTO t VALUES (0), (1000), (-5)');
    return await run(statement);
  } finally {
    await statement.close();
  }
}

describe('a statement that was prepared before rows came that are unlike those there', () => {
  for (const who of ['its own connection', 'another'] as const) {
    const writer = (): EngineConnection => (who === 'another' ? other : connection);

    it(`deletes by its condition what ${who} added`, async () => {
      await prepared('DELETE FROM t WHERE v > 5', writer(), async (statement) => {
        assert.equal(await statement.execute(), 1001n);
      });
      const rows = await queryRows(connection, 'SELECT CAST(v AS VARCHAR) AS v FROM t ORDER BY t.v');
      assert.deepEqual(
        rows.map(({ v }) => v),
        ['-5', '0'],
      );
    });

    for (const sql of [
      'SELECT CAST(count(*) AS VARCHAR) FROM t WHERE v > 5',
      'SELECT CAST(v AS VARCHAR) FROM (SELECT DISTINCT v FROM t) ORDER BY v',
      'SELECT CAST(v AS VARCHAR), CAST(count(*) AS VARCHAR) FROM t GROUP BY v ORDER BY v',
      'SELECT CAST(v AS VARCHAR), CAST(row_number() OVER (PARTITION BY v) AS VARCHAR) AS r FROM t QUALIFY r = 1 ORDER BY v',
    ]) {
      it(`reads with ${who} having added: ${sql}`, async () => {
        const got = await prepared(sql, writer(), async (statement) => readRows(await statement.query()));
        assert.deepEqual(got, await queryRows(connection, sql));
      });
    }
  }
});
