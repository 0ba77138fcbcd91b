/** ClickHouse's own client for Node against our HTTP side: what it selects, inserts, streams, cancels and is told. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type DataServer, serveData } from '@peregrine/server';

describe("ClickHouse's client", () => {
  let server: DataServer;
  let client: ClickHouseClient;

  before(async () => {
    server = await serveData({ flightPort: 0, httpPort: 0 });
    client = createClient({
      url: server.httpUrl ?? assert.fail('HTTP is off'),
      // Its defaults: user "default", no password, database "default".
      log: { level: ClickHouseLogLevel.OFF },
      compression: { response: true, request: true },
    });
  });
  after(async () => {
    await client.close();
    await server.shutdown();
  });

  it('finds the server alive', async () => {
    assert.deepEqual(await client.ping(), { success: true });
    assert.deepEqual(await client.ping({ select: true }), { success: true });
  });

  it('selects JSON with its meta, rows and statistics', async () => {
    const result = await client.query({ query: "SELECT 1 AS one, 'x' AS name", format: 'JSON' });
    assert.match(result.query_id, /^[0-9a-f-]{36}$/);
    const { data, meta, rows, statistics } = await result.json<{ one: number; name: string }>();
    assert.deepEqual(data, [{ one: 1, name: 'x' }]);
    assert.deepEqual(meta?.[0], { name: 'one', type: 'Nullable(Int32)' });
    assert.equal(rows, 1);
    assert.equal(statistics?.rows_read, 1);
    const compact = await client.query({ query: 'SELECT 1, 2', format: 'JSONCompact' });
    assert.deepEqual((await compact.json<number[]>()).data, [[1, 2]]);
  });

  it('creates a table, inserts NDJSON, and reads it again without loss', async () => {
    await client.command({ query: 'CREATE TABLE t (id BIGINT, amount DECIMAL(20, 2), name VARCHAR)' });
    const { executed, summary } = await client.insert({
      table: 't',
      values: [
        { id: '9223372036854775807', amount: '123456789012345678.91', name: 'a"\n' },
        { id: 2, amount: 0.5, name: null },
      ],
      format: 'JSONEachRow',
    });
    assert.equal(executed, true);
    assert.equal(summary?.written_rows, '2');
    const result = await client.query({ query: 'SELECT * FROM t ORDER BY id DESC', format: 'JSONEachRow' });
    assert.deepEqual(await result.json(), [
      { id: '9223372036854775807', amount: '123456789012345678.91', name: 'a"\n' },
      { id: 2, amount: '0.50', name: null },
    ]);
  });

  it('inserts named columns and CSV', async () => {
    await client.command({ query: 'CREATE TABLE u (id INTEGER, name VARCHAR)' });
    await client.insert({
      table: 'u',
      columns: ['name', 'id'],
      values: [{ id: 1, name: 'x' }],
      format: 'JSONEachRow',
    });
    await client.exec({ query: 'INSERT INTO u FORMAT CSV\n2,y\n' });
    const result = await client.query({ query: 'SELECT * FROM u ORDER BY id', format: 'CSV' });
    assert.equal(await result.text(), '1,x\n2,y\n');
  });

  it('streams rows', async () => {
    const result = await client.query({
      query: 'SELECT range AS n FROM range(100000)',
      format: 'JSONEachRow',
    });
    let sum = 0;
    for await (const rows of result.stream<{ n: number }>()) for (const row of rows) sum += row.json().n;
    assert.equal(sum, (99_999 * 100_000) / 2);
  });

  it('cancels what it no longer wants', async () => {
    const controller = new AbortController();
    const asking = client.query({
      query: 'SELECT count(*) FROM range(1000000000000) a WHERE hash(a) = 1',
      format: 'JSON',
      abort_signal: controller.signal,
    });
    while (server.engine.statistics.running === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await assert.rejects(asking);
    while (server.engine.statistics.running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('is told what is wrong', async () => {
    await assert.rejects(client.query({ query: 'SELECT * FROM nowhere' }), /nowhere does not exist/);
  });
});
