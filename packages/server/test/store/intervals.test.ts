import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { queryRows } from '../../src/engine/rows.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store, StorePutMode } from '../../src/store/types.ts';
import { readInputs } from '../engine/support.ts';
import { each } from './numbers.ts';

let engine: Engine;
let connection: EngineConnection;
let folder: string;
let store: Store;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-intervals-'));
  engine = await createDuckDbEngine();
  connection = await engine.connect();
  store = await openStore({ writable: folder, engine, pollMs: Infinity });
});
after(async () => {
  await store.close();
  await connection.close();
  await engine.close();
  await rm(folder, { recursive: true });
});

async function put(name: string, mode: StorePutMode, sql: string): Promise<void> {
  const { schema, batches } = await readInputs(await connection.query(sql));
  await store.put(name, mode, schema, each(batches));
}

async function one(sql: string): Promise<unknown[]> {
  return Object.values((await queryRows(connection, sql))[0] ?? {}).map(String);
}

describe('Intervals that are stored', () => {
  it('keep their microseconds, also below zero', async () => {
    const intervals = `SELECT INTERVAL '1 month 2 days' + INTERVAL 3 MICROSECOND AS i, [-INTERVAL 5 HOUR, NULL] AS l,
      {'a': INTERVAL (-14) MONTH} AS s`;
    await put('spans', 'create', intervals);
    await put('spans', 'append', intervals);
    assert.deepEqual(
      await one('SELECT i::VARCHAR, l::VARCHAR, s::VARCHAR, count(*) FROM spans GROUP BY ALL'),
      ['1 month 2 days 00:00:00.000003', "['-05:00:00', NULL]", "{'a': -1 year -2 months}", '2'],
    );
    assert.deepEqual(
      (await queryRows(connection, 'DESCRIBE spans')).map((row) => row['column_type']),
      ['INTERVAL', 'INTERVAL[]', 'STRUCT(a INTERVAL)'],
    );
  });

  it('go on where a file has them in milliseconds, as Parquet does', async () => {
    const path = join(folder, 'old.parquet').replaceAll("'", "''");
    await connection.execute(`COPY (SELECT INTERVAL 3 MILLISECOND AS i) TO '${path}'`);
    await store.refresh();
    await put('old', 'append', 'SELECT INTERVAL 3 MICROSECOND AS i');
    assert.deepEqual(await one('SELECT min(i)::VARCHAR, max(i)::VARCHAR, any_value(typeof(i)) FROM old'), [
      '00:00:00.000003',
      '00:00:00.003',
      'INTERVAL',
    ]);
  });
});
