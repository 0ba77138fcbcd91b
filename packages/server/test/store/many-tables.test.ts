import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { queryRows } from '../../src/engine/rows.ts';
import type { Engine } from '../../src/engine/types.ts';
import { openStore } from '../../src/store/store.ts';
import { completed } from './completed.ts';

const count = 70;

describe('a folder of many files', () => {
  let engine: Engine;
  let folder: string;

  before(async () => {
    engine = await createDuckDbEngine();
    folder = await mkdtemp(join(tmpdir(), 'peregrine-many-'));
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        if (i % 3 === 0) await writeFile(join(folder, `t${i}.json`), `[{"id": ${i}, "of": "json"}]`);
        else await writeFile(join(folder, `t${i}.csv`), `id,of\n${i},csv\n`);
      }),
    );
    await writeFile(join(folder, 'broken.parquet'), 'PAR1 and nothing else');
  });
  after(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  for (const catalog of [undefined, 'apart']) {
    it(`is made tables by several connections, which are closed, ${catalog ?? 'in the catalog of the engine'}`, async () => {
      let most = 0;
      let open = 0;
      const watched: Engine = {
        ...engine,
        async connect() {
          const opened = await engine.connect();
          open += 1;
          most = Math.max(most, open);
          return {
            ...opened,
            async close() {
              open -= 1;
              await opened.close();
            },
          };
        },
      };
      const store = await openStore({ paths: [folder], engine: watched, pollMs: Infinity, catalog });
      const connection = await engine.connect();
      try {
        assert.equal(most, Math.min(4, availableParallelism()));
        assert.equal(open, 1);
        const tables = store.tables();
        assert.equal(tables.length, count + 1);
        assert.deepEqual(
          store.problems().map(({ origin }) => origin),
          ['broken'],
        );
        for (const { name, schema, sqlName } of await completed(store)) {
          if (name === 'broken') continue;
          assert.ok(schema !== undefined, name);
          const [row] = await queryRows(connection, `SELECT id::VARCHAR AS id FROM ${sqlName}`);
          assert.deepEqual(row, { id: name.slice(1) });
        }

        await writeFile(join(folder, 't1.csv'), 'id,more\n1,2\n');
        await writeFile(join(folder, 'new.csv'), 'id\n1\n');
        const change = await store.refresh();
        assert.deepEqual([change.added, change.changed, change.removed], [['new'], ['t1'], []]);
      } finally {
        await connection.close();
        await store.close();
        await rm(join(folder, 'new.csv'), { force: true });
        await writeFile(join(folder, 't1.csv'), 'id,of\n1,csv\n');
      }
      assert.equal(open, 0);
    });
  }
});
