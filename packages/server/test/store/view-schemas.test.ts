import assert from 'node:assert/strict';
import { it } from 'node:test';
import { querySchema } from '../../src/engine/rows.ts';
import type { Engine } from '../../src/engine/types.ts';
import { closeStore, connection, copy, engine, open, useStore } from './opened-store.ts';
import { completed } from './completed.ts';

useStore();

/** The engine, and the queries whose schemas it was asked for, each time together. */
function watchDescribed(): { readonly watched: Engine; readonly asked: readonly (readonly string[])[] } {
  const asked: (readonly string[])[] = [];
  const watched: Engine = {
    ...engine,
    async connect() {
      const opened = await engine.connect();
      return {
        ...opened,
        describe(queries) {
          asked.push(queries);
          return opened.describe(queries);
        },
      };
    },
  };
  return { watched, asked };
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
  const { watched, asked } = watchDescribed();
  for (const catalog of [undefined, 'apart']) {
    const store = await open({ engine: watched, catalog });
    try {
      assert.deepEqual(
        store
          .tables()
          .map(({ name }) => name)
          .sort(),
        ["a name's", 'j', 'types'],
      );
      for (const { name, sqlName, schema } of await completed(store)) {
        const streamed = await querySchema(connection, `SELECT * FROM ${sqlName}`);
        assert.deepEqual(Buffer.from(schema ?? []), Buffer.from(streamed ?? []), name);
      }
    } finally {
      await closeStore();
    }
  }
  assert.equal(asked.flat().length, 6);
  assert.deepEqual(
    asked.flat().filter((sql) => !sql.startsWith('SELECT CAST(NULL AS ')),
    [],
  );
});

it('tells a schema that is being found out to who asks for it, at once with all others', async () => {
  for (const name of ['a', 'b', 'c']) await copy('SELECT 1 AS a', `${name}.csv`);
  const { watched, asked } = watchDescribed();
  const store = await open({ engine: watched });
  const first = store.tables();
  const schemas = await Promise.all(first.map((table) => store.schemaOf(table)));
  assert.deepEqual(
    schemas,
    store.tables().map(({ schema }) => schema),
  );
  assert.ok(schemas.every((schema) => schema !== undefined));
  assert.deepEqual([schemas.length, asked.length], [3, 1]);

  const [old] = first;
  assert.ok(old !== undefined);
  await copy("SELECT 1 AS a, 'x' AS b", 'a.csv');
  await store.refresh();
  const ofOld = await store.schemaOf({ ...old, schema: undefined });
  assert.equal(ofOld, undefined, 'what replaced it is another table');
});
