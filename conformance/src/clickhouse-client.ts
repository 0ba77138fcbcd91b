/** ClickHouse's own client for Node against our HTTP side: what it selects, inserts, streams, cancels and is told. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type DataServer, serveData } from '@peregrine/server';

describe("ClickHouse's client", () => {
  let server: DataServer;
  let client: ClickHouseClient;

  before(async () => {
    // One thread: with several, DuckDB interrupts the others when one fails, and now and then tells of that instead.
    server = await serveData({ flightPort: 0, httpPort: 0, threads: 1 });
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
    await client.insert({
      table: 'u',
      columns: { except: ['name'] },
      values: [{ id: 3 }],
      format: 'JSONEachRow',
    });
    const result = await client.query({ query: 'SELECT * FROM u ORDER BY id', format: 'CSV' });
    assert.equal(await result.text(), '1,x\n2,y\n3,\n');
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

  it('is told what is wrong, as it reads errors', async () => {
    const failed = async (asking: Promise<unknown>, type: string, text: RegExp): Promise<void> => {
      const error: unknown = await asking.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof ClickHouseError, String(error));
      assert.equal(error.type, type);
      assert.match(error.message, text);
    };
    await failed(client.query({ query: 'SELECT * FROM nowhere' }), 'UNKNOWN_TABLE', /nowhere does not exist/);
    await failed(client.query({ query: 'SELEC 1' }), 'SYNTAX_ERROR', /syntax error/);
    await failed(client.command({ query: 'DROP TABLE nowhere' }), 'UNKNOWN_TABLE', /nowhere/);
    await failed(
      client.insert({ table: 't', values: [{ nope: 1 }], format: 'JSONEachRow' }),
      'SYNTAX_ERROR',
      /has a column "nope"/,
    );
  });

  it('takes no result for complete that broke off', async () => {
    const query =
      "SELECT CASE WHEN range = 300000 THEN error('boom') ELSE range::VARCHAR END AS v FROM range(400000)";
    for (const compression of [false, true]) {
      const other = createClient({
        url: server.httpUrl ?? assert.fail('HTTP is off'),
        log: { level: ClickHouseLogLevel.OFF },
        compression: { response: compression },
      });
      const stream = (await other.query({ query, format: 'JSONEachRow' })).stream();
      await assert.rejects(async () => {
        for await (const rows of stream) assert.ok(rows.length > 0);
      }, /boom/);
      const all = await other.query({ query, format: 'JSONEachRow' });
      await assert.rejects(all.json(), /boom/);
      const whole = await other.query({ query, format: 'JSON' });
      await assert.rejects(whole.json());
      const text = await other.query({ query, format: 'CSV' });
      await assert.rejects(text.text());
      await other.close();
    }
  });

  it('gives parameters of each kind without loss', async () => {
    const result = await client.query({
      query:
        'SELECT {i:Int64} AS i, {s:String} AS s, {b:Boolean} AS b, {d:Date} AS d, {l:Array(String)} AS l, ' +
        '{f:Float64} AS f, {n:Nullable(String)} AS n, {t:DateTime} AS t, {u:DateTime64(3)} AS u',
      query_params: {
        i: 9_223_372_036_854_775_807n,
        s: 'it\'s \t\n\\ "q" \\t',
        b: true,
        d: '2024-02-29',
        l: ["it's", 'a,b', 'c\\d'],
        f: 0.1,
        n: null,
        t: new Date('2024-01-02T03:04:05Z'),
        u: new Date('2024-01-02T03:04:05.678Z'),
      },
      format: 'JSONEachRow',
    });
    assert.deepEqual(await result.json(), [
      {
        i: '9223372036854775807',
        s: 'it\'s \t\n\\ "q" \\t',
        b: true,
        d: '2024-02-29',
        l: ["it's", 'a,b', 'c\\d'],
        f: 0.1,
        n: null,
        t: '2024-01-02T03:04:05.000000',
        u: '2024-01-02T03:04:05.678000',
      },
    ]);
    const named = await client.query({
      query: 'SELECT count(*) AS n FROM {table:Identifier}',
      query_params: { table: 't' },
      format: 'JSONEachRow',
    });
    assert.deepEqual(await named.json(), [{ n: 2 }]);
  });

  it('inserts streams of objects and of text', async () => {
    await client.command({ query: 'CREATE TABLE streamed (id BIGINT, name VARCHAR)' });
    const rows = 20_000;
    await client.insert({
      table: 'streamed',
      values: Readable.from(
        (function* () {
          for (let id = 0; id < rows; id++) yield { id, name: `n${id}` };
        })(),
        { objectMode: true },
      ),
      format: 'JSONEachRow',
    });
    const lines = (...parts: string[]): Readable => Readable.from(parts, { objectMode: false });
    await client.insert({ table: 'streamed', values: lines('-1,"a\n', 'b"\n-2,c\n'), format: 'CSV' });
    await client.insert({
      table: 'streamed',
      columns: ['name', 'id'],
      values: lines('a\\tb\t-3\n\\N\t-4\n'),
      format: 'TabSeparated',
    });
    await client.insert({
      table: 'streamed',
      values: { meta: [], data: [{ id: -5, name: 'json' }] },
      format: 'JSON',
    });
    await client.insert({
      table: 'streamed',
      values: [
        [-7, 'array'],
        ['-9223372036854775808', null],
      ],
      format: 'JSONCompactEachRow',
    });
    const executed = await client.exec({
      query: 'INSERT INTO streamed (id) FORMAT CSVWithNames',
      values: lines('id\n-6\n'),
    });
    assert.equal(executed.summary?.written_rows, '1');
    executed.stream.resume();
    const empty = await client.insert({ table: 'streamed', values: [], format: 'JSONEachRow' });
    assert.equal(empty.executed, false);
    const result = await client.query({
      query: 'SELECT id, name FROM streamed WHERE id < 0 ORDER BY id DESC',
      format: 'JSONCompact',
    });
    assert.deepEqual((await result.json<unknown[]>()).data, [
      [-1, 'a\nb'],
      [-2, 'c'],
      [-3, 'a\tb'],
      [-4, null],
      [-5, 'json'],
      [-6, null],
      [-7, 'array'],
      ['-9223372036854775808', null],
    ]);
    const arrays = await client.query({
      query: 'SELECT id, name FROM streamed WHERE id < -5 ORDER BY id DESC',
      format: 'JSONCompactEachRow',
    });
    assert.deepEqual(await arrays.json(), [
      [-6, null],
      [-7, 'array'],
      ['-9223372036854775808', null],
    ]);
    const count = await client.query({ query: 'SELECT count(*) AS n FROM streamed', format: 'JSONEachRow' });
    assert.deepEqual(await count.json(), [{ n: rows + 8 }]);
  });

  it('keeps nothing of an insert that it gives up', async () => {
    await client.command({ query: 'CREATE TABLE given_up (id BIGINT)' });
    const controller = new AbortController();
    const values = new Readable({ objectMode: true, read: () => undefined });
    values.push({ id: 1 });
    const inserting = client.insert({
      table: 'given_up',
      values,
      format: 'JSONEachRow',
      abort_signal: controller.signal,
    });
    while (server.engine.statistics.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await assert.rejects(inserting);
    while (server.engine.statistics.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const result = await client.query({ query: 'SELECT count(*) AS n FROM given_up', format: 'JSONEachRow' });
    assert.deepEqual(await result.json(), [{ n: 0 }]);
  });

  it('leaves a result half-way, and its statement ends', async () => {
    const result = await client.query({
      query: 'SELECT range AS n FROM range(1000000000)',
      format: 'JSONEachRow',
    });
    const stream = result.stream();
    await once(stream, 'data');
    result.close();
    while (server.engine.statistics.connections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(server.engine.statistics.batchBytes, 0);
  });

  it('executes, with settings, a name of its own and the time that it waits', async () => {
    const { stream, query_id } = await client.exec({
      query: 'SELECT 1 AS x FORMAT CSVWithNames',
      query_id: 'mine',
      clickhouse_settings: { max_execution_time: 60, wait_end_of_query: 1 },
    });
    assert.equal(query_id, 'mine');
    assert.equal(await text(stream), 'x\n1\n');
    const options = {
      url: server.httpUrl ?? assert.fail('HTTP is off'),
      log: { level: ClickHouseLogLevel.OFF },
      username: 'somebody',
      password: 'without an account',
    };
    const somebody = createClient(options);
    assert.deepEqual(await somebody.ping(), { success: true });
    await somebody.close();
    const impatient = createClient({ ...options, request_timeout: 300 });
    const endless = 'SELECT count(*) FROM range(1000000000000) a WHERE hash(a) = 1';
    await assert.rejects(impatient.query({ query: endless }), /Timeout/);
    await impatient.close();
    while (server.engine.statistics.running > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await assert.rejects(
      client.query({ query: endless, clickhouse_settings: { max_execution_time: 1 } }),
      /ran for more than 1000 ms/,
    );
  });
});
