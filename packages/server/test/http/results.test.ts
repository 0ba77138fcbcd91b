import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import {
  FlightInvalidArgumentError,
  FlightResourceExhaustedError,
  FlightTimedOutError,
} from '@peregrine/flight';
import {
  Decimal,
  Dictionary,
  Float64,
  Int32,
  Int64,
  type RecordBatch,
  TimestampMicrosecond,
  Utf8,
  Vector,
  makeData,
  tableFromArrays,
  tableFromIPC,
  vectorFromArray,
} from 'apache-arrow';
import { type TestServer, batchOf, rawRequest, startServer, streamedFormats } from './helpers.ts';

const decimals = new Vector([
  makeData({
    type: new Decimal(2, 20, 128),
    length: 2,
    nullCount: 0,
    data: new Uint32Array([0xffff_ffff, 0xffff_ffff, 0, 0, 1, 0, 0, 0]),
  }),
]);

const sample: RecordBatch = batchOf({
  id: vectorFromArray([1n, 2n ** 63n - 1n], new Int64()),
  amount: decimals,
  name: vectorFromArray(['a"b|c\t\n\\', null], new Utf8()),
  tag: vectorFromArray(['x', 'y'], new Dictionary(new Utf8(), new Int32())),
  at: vectorFromArray([1_700_000_000_123, 0], new TimestampMicrosecond('UTC')),
  x: vectorFromArray([1.5, null], new Float64()),
});

const odd = tableFromArrays({ x: Float64Array.of(Number.NaN, -0) });

describe('results over HTTP', () => {
  let server: TestServer;

  before(async () => {
    server = await startServer((sql) => {
      if (sql.includes('wrong')) throw new FlightInvalidArgumentError('Parser Error: no');
      if (sql.includes('full'))
        throw new FlightResourceExhaustedError('8 statements wait', { retryAfterMs: 1400 });
      if (sql.includes('late')) throw new FlightTimedOutError('over');
      if (sql.startsWith('UPDATE')) return { changed: 3n };
      if (sql.includes('odd')) return { schema: odd.schema, batches: odd.batches };
      const batches = sql.includes('nothing') ? [] : [sample, sample];
      return { schema: sample.schema, batches };
    });
  });
  after(() => server.close(0));

  const ask = (format: string, path = '') =>
    server.fetch(`/?format=${format}${path}`, { method: 'POST', body: 'SELECT sample' });

  it('are JSON with meta, data, rows and statistics', async () => {
    const response = await server.fetch('/', { method: 'POST', body: 'SELECT sample' });
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.equal(response.headers.get('x-clickhouse-format'), 'JSON');
    assert.match(response.headers.get('x-clickhouse-query-id') ?? '', /^[0-9a-f-]{36}$/);
    const body = JSON.parse(await response.text());
    assert.deepEqual(
      body.meta.map(({ type }: { type: string }) => type),
      [
        'Nullable(Int64)',
        'Nullable(Decimal(20, 2))',
        'Nullable(String)',
        'Nullable(LowCardinality(String))',
        "Nullable(DateTime64(6, 'UTC'))",
        'Nullable(Float64)',
      ],
    );
    assert.deepEqual(body.data[1], {
      id: '9223372036854775807',
      amount: '0.01',
      name: null,
      tag: 'y',
      at: '1970-01-01T00:00:00.000000Z',
      x: null,
    });
    assert.equal(body.data[0].amount, '184467440737095516.15');
    assert.equal(body.data.length, 4);
    assert.equal(body.rows, 4);
    assert.equal(body.statistics.rows_read, 4);
    assert.equal(typeof body.statistics.elapsed, 'number');
  });

  it('write 64-bit integers as asked', async () => {
    const setting = '&output_format_json_quote_64bit_integers';
    assert.match(await (await ask('ndjson', `${setting}=1`)).text(), /^\{"id":"1",/);
    assert.match(await (await ask('ndjson', `${setting}=0`)).text(), /"id":9223372036854775807,/);
    assert.match(await (await ask('ndjson', `${setting}=true`)).text(), /^\{"id":"1",/);
    assert.match(await (await ask('ndjson', `${setting}=False`)).text(), /"id":9223372036854775807,/);
    assert.match(await (await ask('ndjson', `${setting}=`)).text(), /^\{"id":1,/);
    for (const name of [setting, '&wait_end_of_query', '&output_format_json_quote_denormals']) {
      const wrong = await ask('ndjson', `${name}=yes`);
      assert.equal(wrong.status, 400);
      assert.match(await wrong.text(), /must be 1 or 0, not yes/);
    }
  });

  it('take what a form leaves empty for what was not said', async () => {
    const response = await server.fetch('/?query=SELECT+1&format=&default_format=', {
      headers: { 'x-clickhouse-format': '', accept: 'text/csv' },
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/csv/);
    await response.text();
  });

  it('write numbers that JSON lacks as asked', async () => {
    const read = async (setting: string): Promise<string> =>
      (await server.fetch(`/?format=ndjson${setting}`, { method: 'POST', body: 'SELECT odd' })).text();
    assert.equal(await read(''), '{"x":null}\n{"x":-0.0}\n');
    assert.equal(await read('&output_format_json_quote_denormals=1'), '{"x":"NaN"}\n{"x":-0.0}\n');
  });

  it('are rows as arrays, lines, separated values and Markdown', async () => {
    const compact = JSON.parse(await (await ask('JSONCompact')).text());
    assert.deepEqual(compact.data[0].slice(0, 3), [1, '184467440737095516.15', 'a"b|c\t\n\\']);
    const lines = (await (await ask('ndjson')).text()).trimEnd().split('\n');
    assert.equal(lines.length, 4);
    assert.equal(JSON.parse(lines[3] ?? '').id, '9223372036854775807');
    const csv = await (await ask('csv')).text();
    assert.ok(csv.startsWith('id,amount,name,tag,at,x\n1,184467440737095516.15,"a""b|c\t\n\\",x,2023'), csv);
    assert.ok((await (await ask('CSV')).text()).startsWith('1,'));
    const tsv = await (await ask('tsv')).text();
    assert.ok(
      tsv.startsWith('id\tamount\tname\ttag\tat\tx\n1\t184467440737095516.15\ta"b|c\\t\\n\\\\\tx\t'),
      tsv,
    );
    assert.match(tsv, /\n9223372036854775807\t0\.01\t\\N\ty\t[^\n]*\t\\N\n/);
    const markdown = await (await ask('markdown')).text();
    assert.ok(
      markdown.startsWith(
        '| id | amount | name | tag | at | x |\n| ---: | ---: | --- | --- | --- | ---: |\n',
      ),
    );
    assert.match(markdown, /\| a"b\\\|c\t<br>\\\\ \|/);
  });

  it('are Arrow streams and files that apache-arrow reads', async () => {
    for (const format of ['arrow', 'arrow-file']) {
      const table = tableFromIPC(new Uint8Array(await (await ask(format)).arrayBuffer()));
      assert.equal(table.numRows, 4);
      assert.equal(table.get(3)?.['id'], 2n ** 63n - 1n);
      assert.equal(table.get(2)?.['tag'], 'x');
    }
  });

  it('have a name for browsers that save them', async () => {
    const ask = (format: string) => server.fetch(`/?query=SELECT+1&format=${format}`);
    for (const [format, ending] of [
      ['csv', 'csv'],
      ['feather', 'arrow'],
      ['arrow', 'arrows'],
      ['jsonl', 'ndjson'],
    ] as const) {
      const response = await ask(format);
      assert.equal(response.headers.get('content-disposition'), `inline; filename="result.${ending}"`);
      await response.arrayBuffer();
    }
    const wrong = await ask('xml');
    assert.equal(wrong.headers.get('content-disposition'), null);
    await wrong.text();
  });

  it('are complete without rows', async () => {
    for (const format of streamedFormats) {
      const response = await server.fetch(`/?query=SELECT+nothing&format=${format}`);
      assert.equal(response.status, 200, format);
      const body = new Uint8Array(await response.arrayBuffer());
      if (format === 'json') assert.deepEqual(JSON.parse(new TextDecoder().decode(body)).data, []);
      if (format.startsWith('arrow')) assert.equal(tableFromIPC(body).numRows, 0);
    }
  });

  it('are compressed as the client likes', async () => {
    const { address } = server;
    const plain = (await rawRequest(address, '/?query=SELECT+1&format=csv')).body.toString();
    const gzip = await rawRequest(address, '/?query=SELECT+1&format=csv', {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(gzip.body).toString(), plain);
    assert.match(gzip.trailers['x-clickhouse-summary'] ?? '', /"read_rows":"4"/);
    const brotli = await rawRequest(address, '/?query=SELECT+1&format=csv', {
      headers: { 'accept-encoding': 'br' },
    });
    assert.equal(brotliDecompressSync(brotli.body).toString(), plain);
    const zstd = await rawRequest(address, '/?query=SELECT+1&format=csv', {
      headers: { 'accept-encoding': 'zstd' },
    });
    assert.equal(zstd.headers['content-encoding'], 'zstd');
    // A small body comes as one frame for each piece; the first is the line of names.
    assert.equal(zstd.body.readUInt32LE(0), 0xfd2fb528);
  });

  it('of updates say how many rows changed', async () => {
    const response = await server.fetch('/', { method: 'POST', body: 'UPDATE t SET a = 1' });
    assert.match(response.headers.get('x-clickhouse-summary') ?? '', /"written_rows":"3"/);
    assert.equal(JSON.parse(await response.text()).rows_changed, 3);
  });

  it('of GET only read', async () => {
    const update = await server.fetch('/?query=UPDATE+t+SET+a=1');
    assert.equal(update.status, 405);
    assert.equal(update.headers.get('allow'), 'POST');
    server.engine.log.statements.length = 0;
    await (await server.fetch('/?query=WITH+x+AS+(SELECT+1)+FROM+x')).text();
    assert.equal(server.engine.log.statements[0], 'BEGIN TRANSACTION READ ONLY');
  });

  it('take parameters by position and by name, without loss', async () => {
    const { log } = server.engine;
    log.bound.length = 0;
    const headers = { 'content-type': 'application/json' };
    const post = async (body: string) => (await server.fetch('/', { method: 'POST', headers, body })).text();
    await post('{"sql":"SELECT $1, $2, $3, $4","params":[9007199254740993,"x",null,true]}');
    assert.deepEqual(log.bound.pop(), [9007199254740993n, 'x', null, true]);
    await post('{"query":"SELECT :b, :a, :b","params":{"a":1.5,":b":18446744073709551615}}');
    assert.deepEqual(log.bound.pop(), [18446744073709551615n, 1.5]);
    assert.equal(log.statements.at(-1), 'SELECT $1, $2, $1');
    await (await server.fetch('/?query=SELECT+{n:String}&param_n=%5CN')).text();
    assert.deepEqual(log.bound.pop(), [null]);
    const wrong = await server.fetch('/', { method: 'POST', headers, body: '{"sql":"SELECT 1","parms":[]}' });
    assert.match(JSON.parse(await wrong.text()).detail, /"parms" is not known in a query/);
  });

  it('are limited in rows', async () => {
    await (await server.fetch('/?limit=3', { method: 'POST', body: 'SELECT sample;' })).text();
    assert.equal(server.engine.log.statements.at(-1), 'SELECT * FROM (\nSELECT sample\n) LIMIT 3');
  });

  it('that fail before the first rows have their status and a problem', async () => {
    const wrong = await server.fetch('/?query_id=q%2F1', { method: 'POST', body: 'SELECT wrong FORMAT CSV' });
    assert.equal(wrong.status, 400);
    assert.equal(wrong.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.equal(wrong.headers.get('x-clickhouse-exception-code'), '62');
    assert.deepEqual(JSON.parse(await wrong.text()), {
      type: 'urn:peregrine:error:INVALID_ARGUMENT',
      title: 'Bad Request',
      status: 400,
      detail: 'Parser Error: no',
      code: 'INVALID_ARGUMENT',
      query_id: 'q/1',
    });
    const full = await server.fetch('/?query=SELECT+full');
    assert.equal(full.status, 429);
    assert.equal(full.headers.get('retry-after'), '2');
    assert.equal((await server.fetch('/?query=SELECT+late')).status, 504);
    assert.equal((await server.fetch('/?query=SELECT+1+FORMAT+Native')).status, 400);
    assert.equal((await server.fetch('/', { method: 'POST', body: '-- nothing' })).status, 400);
  });

  it('leave nothing open', () => {
    assert.deepEqual(server.engine.log.open, { connections: 0, statements: 0, results: 0, batches: 0 });
  });
});
