import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine } from '../../src/engine/types.ts';
import { type HttpAddress, type HttpServer, createHttpServer } from '../../src/http/server.ts';
import { until } from './helpers.ts';

/** Columns whose values must come back as they were, and two rows of each; the third row is all null. */
const columns: readonly (readonly [type: string, first: string, second: string])[] = [
  ['BOOLEAN', 'true', 'false'],
  ['TINYINT', '-128', '127'],
  ['BIGINT', '-9223372036854775808', '9007199254740993'],
  ['UBIGINT', '18446744073709551615', '0'],
  ['HUGEINT', '17014118346046923173168730371588410572', '-1'],
  ['DECIMAL(38,10)', '1234567890123456789012345678.0123456789', '-0.0000000001'],
  ['DOUBLE', '0.1', '1e300'],
  ['FLOAT', '0.5', '-1.25'],
  ['VARCHAR', `'a"b\\,c' || chr(10) || chr(9) || '|'`, "''"],
  ['BLOB', "'\\x00\\xFFab'::BLOB", "''::BLOB"],
  ['DATE', "DATE '1969-12-31'", "DATE '2024-02-29'"],
  ['TIME', "TIME '23:59:59.999999'", "TIME '00:00:00'"],
  ['TIMESTAMP', "TIMESTAMP '1969-12-31 23:59:59.999999'", "TIMESTAMP '2024-01-01 00:00:00'"],
  ['TIMESTAMP_NS', "TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", "TIMESTAMP_NS '1970-01-01 00:00:00'"],
  ['TIMESTAMPTZ', "TIMESTAMPTZ '2024-01-01 00:00:00.000001+02'", "TIMESTAMPTZ '1970-01-01 00:00:00Z'"],
  ['INTERVAL', "INTERVAL '14 months 3 days 1.5 seconds'", "INTERVAL '2 days'"],
  ['UUID', "'6ecd8c99-4036-403d-bf84-cf8400f67836'", "'00000000-0000-0000-0000-000000000000'"],
  ["ENUM('x', 'y')", "'x'", "'y'"],
  ['INTEGER[]', '[1, NULL, 3]', '[]'],
  ['INTEGER[2]', '[1, 2]', '[3, NULL]'],
  ['STRUCT(a INTEGER, b VARCHAR)', "{a: 1, b: 'q,\"'}", '{a: NULL, b: NULL}'],
  ['VARCHAR[]', "['a', 'b\"c', NULL]", "['']"],
];

describe('HTTP over DuckDB', () => {
  let engine: Engine;
  let server: HttpServer;
  let address: HttpAddress;
  const folder = mkdtempSync(join(tmpdir(), 'peregrine-http-'));

  before(async () => {
    engine = await createDuckDbEngine();
    server = createHttpServer({ engine, tempDirectory: folder });
    address = await server.listen({ host: '127.0.0.1', port: 0 });
  });
  after(async () => {
    await server.close(0);
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const post = (path: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
    fetch(address.url + path, { method: 'POST', body, headers });

  async function run(sql: string, path = '/'): Promise<string> {
    const response = await post(path, sql);
    const text = await response.text();
    assert.equal(response.status, 200, `${sql}: ${text}`);
    return text;
  }

  it('runs what curl sends', async () => {
    const response = await post('/', 'SELECT 42 AS answer', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    const { meta, data } = JSON.parse(await response.text());
    assert.deepEqual(meta, [{ name: 'answer', type: 'Nullable(Int32)' }]);
    assert.deepEqual(data, [{ answer: 42 }]);
  });

  it('gives every type back as it was inserted, in each format', async () => {
    const names = columns.map((_column, i) => `c${i}`);
    const create = (table: string): string =>
      `CREATE OR REPLACE TABLE ${table} (${columns.map(([type], i) => `c${i} ${type}`).join(', ')})`;
    await run(create('every'));
    await run(
      `INSERT INTO every VALUES (${columns.map(([, first]) => first).join(', ')}), (${columns.map(([, , second]) => second).join(', ')}), (${columns.map(() => 'NULL').join(', ')})`,
    );
    const formats = [
      'JSON',
      'JSONCompact',
      'JSONEachRow',
      'JSONCompactEachRow',
      'CSVWithNames',
      'CSV',
      'TabSeparatedWithNames',
      'TabSeparated',
      'Parquet',
      'ArrowStream',
      'Arrow',
    ];
    for (const format of formats) {
      await run(create('copy'));
      const selected = await post('/', `SELECT * FROM every FORMAT ${format}`);
      const sent = Buffer.from(await selected.arrayBuffer());
      assert.equal(selected.status, 200, `${format}: ${sent.toString()}`);
      const inserted = await post(`/?query=INSERT+INTO+copy+FORMAT+${format}`, sent);
      assert.equal(inserted.status, 200, `${format}: ${await inserted.clone().text()}`);
      assert.deepEqual(JSON.parse(await inserted.text()), { inserted: 3, failed: 0 }, format);
      for (const [i, name] of names.entries()) {
        const differing = await run(
          `SELECT (SELECT list(${name}::VARCHAR) FROM every)::VARCHAR AS sent, (SELECT list(${name}::VARCHAR) FROM copy)::VARCHAR AS got FORMAT JSON`,
        );
        const [{ sent: before, got }] = JSON.parse(differing).data;
        assert.equal(got, before, `${format} ${columns[i]?.[0]}`);
      }
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  it('inserts what stands behind the statement, and named columns', async () => {
    await run("CREATE OR REPLACE TABLE t (id BIGINT, name VARCHAR DEFAULT 'none')");
    await run('INSERT INTO t FORMAT JSONEachRow\n{"id":1}\n{"id":"2"}\n');
    await run('INSERT INTO t (name, id) FORMAT CSV\nx,3\n');
    const arrow = tableToIPC(tableFromArrays({ a: ['y'], b: BigInt64Array.of(4n) }), 'stream');
    assert.equal((await post('/?query=INSERT+INTO+t+(name,id)+FORMAT+ArrowStream', arrow)).status, 200);
    const rows = await run('SELECT * FROM t ORDER BY id FORMAT CSV');
    assert.equal(rows, '1,none\n2,none\n3,x\n4,y\n');
    await run('INSERT INTO t (* EXCEPT (NAME)) FORMAT CSV\n5\n');
    await run('INSERT INTO t (*) FORMAT JSONEachRow\n{"id":6,"name":"z"}\n');
    assert.equal(await run('SELECT * FROM t WHERE id > 4 ORDER BY id FORMAT CSV'), '5,none\n6,z\n');
    for (const [except, reason] of [
      ['nothing', /nothing\\", which the table does not have; its columns are id, name/],
      ['id, name', /leaves no column/],
    ] as const) {
      const refused = await post('/', `INSERT INTO t (* EXCEPT (${except})) FORMAT CSV\n5\n`);
      assert.equal(refused.status, 400);
      assert.match(await refused.text(), reason);
    }
  });

  it('makes tables of what comes, in any coding', async () => {
    const made = await post('/insert/csv?table=made&mode=create', gzipSync('a,b\n1,x\n2,\n'), {
      'content-encoding': 'gzip',
    });
    assert.deepEqual(JSON.parse(await made.text()), { inserted: 2, failed: 0 });
    assert.equal((await post('/insert/csv?table=made&mode=create', 'a\n1\n')).status, 409);
    assert.equal(
      (await post('/insert?table=made&mode=replace', '{"a":1.5}', { 'content-type': 'application/x-ndjson' }))
        .status,
      200,
    );
    assert.match(await run('DESCRIBE made FORMAT TSV'), /^a\tDOUBLE\t/);
    const arrow = tableToIPC(tableFromArrays({ n: Int32Array.of(1, 2) }), 'file');
    assert.equal((await post('/insert/arrow-file?table=from_arrow&mode=create', arrow)).status, 200);
    assert.equal(await run('SELECT sum(n) FROM from_arrow FORMAT CSV'), '3\n');
  });

  it('refuses what is no value of the type, and takes it for no other', async () => {
    const types: readonly string[] = [
      'BOOLEAN BIGINT HUGEINT BIGNUM DOUBLE DECIMAL(4,1) BLOB BIT UUID DATE TIME TIME_NS TIMETZ TIMESTAMP TIMESTAMP_S',
      'TIMESTAMP_MS TIMESTAMP_NS TIMESTAMPTZ INTERVAL INTEGER[] INTEGER[3] TIMESTAMPTZ[]',
    ].flatMap((line) => line.split(' '));
    const bodies = { CSVWithNames: 'v\nPnone\n', TSVWithNames: 'v\nPnone\n', JSONEachRow: '{"v":"Pnone"}\n' };
    for (const type of types) {
      await run(`CREATE OR REPLACE TABLE typed (v ${type})`);
      for (const [format, body] of Object.entries(bodies)) {
        const response = await post(`/?query=INSERT+INTO+typed+FORMAT+${format}`, body);
        assert.ok(response.status >= 400, `${type} ${format}: ${await run('SELECT v::VARCHAR FROM typed')}`);
        await response.text();
      }
    }
  });

  it('takes intervals of ISO 8601 with all their parts, and big numbers of JSON', async () => {
    const intervals = [
      ['P1Y2M3W4DT5H6M7.000008S', '1 year 2 months 25 days 05:06:07.000008'],
      ['-P1Y', undefined],
      ['P', undefined],
      ['P1DT', undefined],
      ['PT1.5H', undefined],
      ['P3000000000M', undefined],
      ['P-1M5DT-3H', '-1 month 5 days -03:00:00'],
      ['PT-.5S', '-00:00:00.5'],
      ['2 days 01:00:00', '2 days 01:00:00'],
    ] as const;
    for (const [text, expected] of intervals) {
      await run('CREATE OR REPLACE TABLE spans (v INTERVAL, n BIGNUM)');
      const body = JSON.stringify({ v: text, n: '123456789012345678901234567890123456789012345' });
      const response = await post('/?query=INSERT+INTO+spans+FORMAT+JSONEachRow', body);
      const answer = await response.text();
      if (expected === undefined) assert.equal(response.status, 400, `${text}: ${answer}`);
      else
        assert.equal(
          await run('SELECT v::VARCHAR, n::VARCHAR FROM spans FORMAT TSV'),
          `${expected}\t123456789012345678901234567890123456789012345\n`,
        );
    }
  });

  it('keeps all or nothing, and says what does not fit', async () => {
    await run('CREATE OR REPLACE TABLE strict (id INTEGER, d DECIMAL(4,1))');
    const refused: readonly (readonly [string, string, number])[] = [
      ['JSONEachRow', '{"id":1}\n{"id":"x"}\n', 400],
      ['JSONEachRow', '{"id":1}\n{"id":\n', 400],
      ['JSONEachRow', '{"id":1,"other":2}\n', 400],
      ['JSONEachRow', '[1,2]\n', 400],
      ['JSONCompact', '{"data":[[1]]}', 400],
      ['JSONCompact', '{"data":[["x",1]]}', 400],
      ['CSV', '1,2\n3,x\n', 400],
      ['CSV', '1,2,3\n', 400],
      ['CSVWithNames', 'id,nope\n1,2\n', 400],
      ['TSV', '1\t2\nx\t2\n', 400],
      ['Parquet', 'no parquet', 400],
      ['ArrowStream', 'no arrow', 413],
    ];
    for (const [format, body, status] of refused) {
      const response = await post(`/?query=INSERT+INTO+strict+FORMAT+${format}`, body);
      const text = await response.text();
      assert.equal(response.status, status, `${format} ${body}: ${text}`);
      assert.ok(!text.includes(folder), text);
    }
    assert.equal(await run('SELECT count(*) FROM strict FORMAT CSV'), '0\n');
    assert.equal((await post('/?query=INSERT+INTO+missing+FORMAT+CSV', '1\n')).status, 404);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('takes rows whose first values are null in formats without names', async () => {
    await run('CREATE OR REPLACE TABLE nulls (a INTEGER, b INTEGER, c VARCHAR)');
    for (const [format, body] of [
      ['CSV', ',,x\n,2,\n'],
      ['TSV', '\\N\t\\N\tx\n\\N\t2\t\\N\n'],
    ]) {
      const response = await post(`/?query=INSERT+INTO+nulls+FORMAT+${format}`, body ?? '');
      assert.equal(response.status, 200, await response.text());
      assert.equal(await run('SELECT * FROM nulls ORDER BY c FORMAT CSV'), ',,x\n,2,\n');
      await run('DELETE FROM nulls');
    }
    const latin1 = await post(
      '/?query=INSERT+INTO+nulls+FORMAT+TSV',
      Uint8Array.of(0x31, 9, 0x32, 9, 0xe4, 10),
    );
    assert.equal(latin1.status, 400, await latin1.text());
    assert.equal(await run('SELECT count(*) FROM nulls FORMAT CSV'), '0\n');
  });

  it('binds parameters of each kind', async () => {
    const body = JSON.stringify({
      sql: 'SELECT :i AS i, :f AS f, :t AS t, :b AS b, :n AS n, :l AS l, $i + 1 AS j',
      params: { i: 41, f: 1.5, t: 'x', b: true, n: null, l: [1, 2] },
    });
    const response = await post('/', body, { 'content-type': 'application/json' });
    const { data } = JSON.parse(await response.text());
    assert.deepEqual(data, [{ i: 41, f: 1.5, t: 'x', b: true, n: null, l: [1, 2], j: 42 }]);
    const big = await post(
      '/',
      '{"sql":"SELECT $1 AS h, $2::DECIMAL(38,10) AS d","params":[123456789012345678901234567890,1234567890.0123456789],"format":"csv"}',
      { 'content-type': 'application/json' },
    );
    assert.equal(await big.text(), 'h,d\n123456789012345678901234567890,1234567890.0123456789\n');
    const url = await fetch(`${address.url}/?query=SELECT+{a:UInt8}%2B1+AS+x&param_a=41&format=csv`);
    assert.equal(await url.text(), 'x\n42\n');
  });

  it('says which parameter has no value', async () => {
    const types = ['UInt8', ' Array(UInt8)', 'Nullable(String)', 'DateTime64(3)', 'Decimal(10,2)', 'String'];
    for (const sql of [
      ...types.map((type) => `SELECT {y:Int8}, {x:${type}}`),
      'SELECT {y:Int8} FROM {x:Identifier}',
    ]) {
      const response = await fetch(`${address.url}/?param_y=1&query=${encodeURIComponent(sql)}`);
      const text = await response.text();
      assert.equal(response.status, 400, `${sql}: ${text}`);
      assert.match(text, /parameter x has no value: send \?param_x=/, sql);
    }
    assert.equal(await run('SELECT {x:Date} FROM (SELECT 1 AS Date) FORMAT TSV'), '{"x":1}\n');
    const other = await post('/', 'SELECT {x:String}, nope FROM (SELECT 1 AS String)');
    assert.match(await other.text(), /nope/);
  });

  it('shows nothing of the statements that are its own', async () => {
    const asked = await Promise.all([
      post('/insert/csv?table=missing', 'a\n1\n'),
      post('/insert/csv?table=missing&columns=a', 'a\n1\n'),
      fetch(`${address.url}/schema/missing`),
    ]);
    for (const response of asked) {
      const text = await response.text();
      assert.equal(response.status, 404, text);
      assert.match(text, /missing/);
      assert.doesNotMatch(text, /LINE|SELECT|position/);
    }
  });

  it('says of a view that it takes no rows', async () => {
    await run('CREATE OR REPLACE VIEW seen AS SELECT 1 AS a');
    const arrow = tableToIPC(tableFromArrays({ a: Int32Array.of(1) }), 'stream');
    const type = { 'content-type': 'application/vnd.apache.arrow.stream' };
    const asked = await Promise.all([
      post('/insert/csv?table=seen', 'a\n1\n'),
      post('/insert/csv?table=seen&mode=replace', 'a\n1\n'),
      post('/insert?table=seen', arrow, type),
      post('/insert?table=main.seen&columns=a', arrow, type),
      post('/', 'INSERT INTO seen VALUES (1)'),
    ]);
    for (const response of asked) {
      const text = await response.text();
      assert.equal(response.status, 409, text);
      assert.match(text, /seen\\" is a view.*CREATE TABLE/);
      assert.match(text, /"code":"FAILED_PRECONDITION"/);
    }
  });

  it('refuses to change anything by GET', async () => {
    await run('CREATE OR REPLACE TABLE kept AS SELECT 1 AS a');
    await run('CREATE SEQUENCE IF NOT EXISTS kept_ids');
    const get = (sql: string) => fetch(`${address.url}/?query=${encodeURIComponent(sql)}`);
    for (const sql of ['DELETE FROM kept', 'INSERT INTO kept VALUES (2)', 'COPY kept TO "x.csv"']) {
      assert.equal((await get(sql)).status, 405, sql);
    }
    const target = join(folder, 'explained.csv');
    for (const sql of [
      `EXPLAIN ANALYZE COPY kept TO '${target}'`,
      'EXPLAIN ANALYZE DELETE FROM kept',
      'FROM checkpoint()',
      "SELECT write_log('x')",
      'PRAGMA threads = 1',
      'SET threads = 1',
      "ATTACH ':memory:' AS other",
      '/* SELECT */ DROP TABLE kept',
    ]) {
      assert.equal((await get(sql)).status, 405, sql);
    }
    for (const sql of ['SELEC 1', 'DELET FROM kept', ',1', 'INSER INTO kept VALUES (3); DROP TABLE kept']) {
      const wrong = await get(sql);
      assert.equal(wrong.status, 400, sql);
      assert.match(await wrong.text(), /syntax error at or near .*"position":\{"line":1,"column":1\}/);
    }
    assert.ok(!existsSync(target));
    for (const sql of [
      'SELECT 1; DELETE FROM kept',
      'SELECT 1; COMMIT; DELETE FROM kept',
      "SELECT nextval('kept_ids')",
      "FROM query('DELETE FROM kept')",
    ]) {
      const { status } = await get(sql);
      assert.ok(status >= 400 && status < 500, `${sql}: ${status}`);
    }
    const hidden = await get('WITH x AS (SELECT 2) INSERT INTO kept SELECT * FROM x RETURNING a');
    assert.ok(hidden.status >= 400, String(hidden.status));
    assert.equal(await run('SELECT count(*) FROM kept FORMAT CSV'), '1\n');
    const pivoted = await get('PIVOT kept ON a USING count(*) FORMAT CSVWithNames');
    assert.equal(await pivoted.text(), '1\n1\n');
    const parquet = await get('FROM kept FORMAT Parquet');
    assert.equal(
      Buffer.from(await parquet.arrayBuffer())
        .subarray(0, 4)
        .toString(),
      'PAR1',
    );
  });

  it('tells errors with their place, and tables with their columns', async () => {
    const wrong = await post('/', 'SELECT 1\nFROM nowhere');
    const problem = JSON.parse(await wrong.text());
    assert.equal(wrong.status, 404);
    assert.equal(problem.code, 'NOT_FOUND');
    assert.equal(problem.position.line, 2);
    assert.equal((await post('/', 'SELEC 1')).status, 400);
    await run('CREATE OR REPLACE TABLE "odd name" (id BIGINT)');
    const { tables } = JSON.parse(await (await fetch(`${address.url}/tables`)).text());
    assert.ok(tables.some(({ name }: { name: string }) => name === 'odd name'));
    const schema = await fetch(`${address.url}/schema/odd%20name`);
    assert.deepEqual(JSON.parse(await schema.text()).columns[0], {
      name: 'id',
      type: 'Int64',
      clickhouse_type: 'Nullable(Int64)',
      nullable: true,
    });
    assert.equal((await fetch(`${address.url}/schema/main.%22odd%20name%22`)).status, 200);
    assert.equal((await fetch(`${address.url}/schema/nowhere`)).status, 404);
    const arrow = await fetch(`${address.url}/schema/odd%20name`, {
      headers: { accept: 'application/vnd.apache.arrow.stream' },
    });
    assert.equal(tableFromIPC(new Uint8Array(await arrow.arrayBuffer())).schema.fields[0]?.name, 'id');
  });

  it('stays awake while a statement runs, and frees it when the client goes', async () => {
    const controller = new AbortController();
    const asking = fetch(address.url, {
      method: 'POST',
      body: 'SELECT count(*) FROM range(1000000000000) a WHERE hash(a) = 1',
      signal: controller.signal,
    }).catch((error: unknown) => error);
    await until(() => engine.statistics.running === 1);
    assert.equal(await (await fetch(`${address.url}/ping`)).text(), 'Ok.\n');
    controller.abort();
    await asking;
    await until(() => engine.statistics.running === 0 && engine.statistics.connections === 0);
    const big = await fetch(`${address.url}/?query=SELECT+a+FROM+range(100000000)+t(a)&format=arrow`);
    await big.body?.cancel();
    await until(() => engine.statistics.batchBytes === 0 && engine.statistics.connections === 0);
  });
});
