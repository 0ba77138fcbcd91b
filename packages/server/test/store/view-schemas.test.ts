import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { openStore } from '../../src/store/store.ts';

let engine: Engine;
let connection: EngineConnection;
let folder: string;

before(async () => {
  engine = await createDuckDbEngine();
  connection = await engine.connect();
  folder = await mkdtemp(join(tmpdir(), 'peregrine-schemas-'));
});
after(async () => {
  await connection.close();
  await engine.close();
  await rm(folder, { recursive: true });
});

async function copy(select: string, path: string): Promise<void> {
  await connection.execute(`COPY (${select}) TO '${join(folder, path).replaceAll("'", "''")}'`);
}

it('knows the schemas of views as the engine streams them, without reading the files a second time', async () => {
  await copy(
    `SELECT true AS b, 1::UTINYINT AS u, 1::HUGEINT AS h, 1.5::DECIMAL(20, 3) AS d, 1.5::FLOAT AS f, 'x' AS "te""xt",
       '\\x01'::BLOB AS bytes, DATE '2020-01-01' AS day, TIME '01:02:03' AS "time", TIMESTAMP '2020-01-01' AS ts,
       TIMESTAMPTZ '2020-01-01' AS tz, '2020-01-01'::TIMESTAMP_NS AS ns, INTERVAL 1 DAY AS iv, uuid() AS id,
       '{}'::JSON AS json, [1, 2] AS list, [1, 2]::INT[2] AS "array", {'a b': 1, 'c': {'d"': 'x'}} AS struct,
       MAP {'k': [1]} AS map, 'a'::ENUM ('a', 'b''c') AS "enum", NULL AS nothing, '101'::BIT AS bits`,
    'types.parquet',
  );
  await copy("SELECT 1 AS a, DATE '2020-01-01' AS b, 'x' AS \"C d\"", "a name's.csv");
  await copy("SELECT 1 AS a, {'x': [1, 2]} AS b, NULL AS c", 'j.json');
  const described: string[] = [];
  const watched: Engine = {
    ...engine,
    async connect() {
      const opened = await engine.connect();
      return {
        ...opened,
        describe(queries) {
          described.push(...queries);
          return opened.describe(queries);
        },
      };
    },
  };
  for (const catalog of [undefined, 'apart']) {
    const store = await openStore({ paths: [folder], engine: watched, pollMs: Infinity, catalog });
    try {
      assert.deepEqual(
        store
          .tables()
          .map(({ name }) => name)
          .sort(),
        ["a name's", 'j', 'types'],
      );
      for (const { name, sqlName, schema } of store.tables()) {
        const statement = await connection.prepare(`SELECT * FROM ${sqlName}`);
        assert.deepEqual(Buffer.from(schema ?? []), Buffer.from(statement.resultSchema ?? []), name);
        await statement.close();
      }
    } finally {
      await store.close();
    }
  }
  assert.equal(described.length, 6);
  assert.deepEqual(
    described.filter((sql) => !sql.startsWith('SELECT CAST(NULL AS ')),
    [],
  );
});
