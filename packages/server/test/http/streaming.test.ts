import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { FlightDataError } from '@peregrine/flight';
import { readIpcFile, readIpcStream } from '@peregrine/flight/ipc';
import { Int64, type RecordBatch, vectorFromArray } from 'apache-arrow';
import { batchOf, rawRequest, startServer, until, streamedFormats } from './helpers.ts';

const small: RecordBatch = batchOf({ id: vectorFromArray([1n, 2n], new Int64()) });
const large: RecordBatch = batchOf({
  id: vectorFromArray(
    Array.from({ length: 65_536 }, (_, i) => BigInt(i)),
    new Int64(),
  ),
});

async function* failing(): AsyncGenerator<RecordBatch, void, void> {
  yield small;
  throw new FlightDataError('the file é is broken');
}

describe('a result that breaks off', () => {
  const start = () => startServer(() => ({ schema: small.schema, batches: failing() }));

  it('is visibly not complete, and says why in a trailer', async () => {
    await using server = await start();
    for (const format of streamedFormats) {
      const { status, headers, trailers, body } = await rawRequest(
        server.address,
        `/?query=SELECT+1&format=${format}`,
      );
      assert.equal(status, 200);
      assert.match(headers.trailer ?? '', /X-Peregrine-Error/);
      const problem = JSON.parse(trailers['x-peregrine-error'] ?? '{}');
      assert.equal(problem.code, 'INVALID_DATA');
      assert.equal(problem.detail, 'the file é is broken');
      const text = body.toString();
      assert.match(text, /the file é is broken/);
      if (format.startsWith('json')) assert.throws(() => JSON.parse(text));
      if (format === 'ndjson') {
        const lines = text.trimEnd().split('\n');
        assert.deepEqual(JSON.parse(lines[1] ?? ''), { id: 2 });
        assert.equal(JSON.parse(lines[2] ?? '').error.code, 'INVALID_DATA');
      }
      if (format === 'csv')
        assert.match(text, /^id\n1\n2\n\nerror: the file é is broken \(INVALID_DATA\)\n$/);
      if (format === 'arrow') {
        const stream = await readIpcStream(body);
        await assert.rejects(stream.readAll(), /ends within a message/);
      }
      if (format === 'arrow-file') assert.throws(() => readIpcFile(body), FlightDataError);
    }
    assert.equal(server.errors.length, streamedFormats.length);
    assert.deepEqual(server.engine.log.open, { connections: 0, statements: 0, results: 0, batches: 0 });
  });

  it('is an error with a status when the client waits for the end', async () => {
    await using server = await start();
    const response = await server.fetch('/?query=SELECT+1&wait_end_of_query=1');
    assert.equal(response.status, 400);
    assert.equal(JSON.parse(await response.text()).code, 'INVALID_DATA');
  });

  it("is marked as ClickHouse marks it for ClickHouse's clients, where no value can look like it", async () => {
    await using server = await start();
    const headers = { 'user-agent': 'clickhouse-js/1.0' };
    const ask = (format: string) =>
      rawRequest(server.address, `/?query=SELECT+1&format=${format}`, { headers });
    const lines = await ask('ndjson');
    const tag = lines.headers['x-clickhouse-exception-tag'];
    assert.match(String(tag), /^[0-9a-f]{16}$/);
    const message = 'Code: 117. DB::Exception: the file é is broken (INCORRECT_DATA)';
    const length = Buffer.byteLength(message) + 1;
    assert.equal(
      lines.body.toString(),
      `{"id":1}\n{"id":2}\n\r\n__exception__\r\n${String(tag)}\r\n${message}\n${length} ${String(tag)}\r\n__exception__\r\n`,
    );
    assert.equal(lines.trailers['x-clickhouse-exception-code'], '117');
    const refused = await rawRequest(server.address, '/?query=DROP+TABLE+t', { headers });
    assert.match(String(refused.headers['content-type']), /^text\/plain/);
    assert.match(
      refused.body.toString(),
      /^Code: 62\. DB::Exception: GET only reads: .* \(SYNTAX_ERROR\)\n$/,
    );
  });

  it("has no end for ClickHouse's clients in formats that have no mark", async () => {
    await using server = await start();
    for (const encoding of ['identity', 'gzip'])
      for (const format of ['csv', 'csv-bare', 'markdown', 'arrow', 'arrow-file']) {
        const headers = { 'user-agent': 'clickhouse-js/1.0', 'accept-encoding': encoding };
        const url = `${server.address.url}/?query=SELECT+1&format=${format}`;
        const [response]: IncomingMessage[] = await once(get(url, { headers }), 'response');
        assert.ok(response !== undefined);
        assert.equal(response.headers['x-clickhouse-exception-tag'], undefined);
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        const [error]: unknown[] = await once(response, 'error');
        assert.ok(error instanceof Error && 'code' in error && error.code === 'ECONNRESET', format);
        const seen = Buffer.concat(pieces);
        const text = response.headers['content-encoding'] === 'gzip' ? gunzipSync(seen) : seen;
        assert.match(text.toString(), /error: the file/, `${format}: what was there came`);
      }
  });

  it('is told in compressed bodies as well', async () => {
    await using server = await start();
    const { body, trailers } = await rawRequest(server.address, '/?query=SELECT+1&format=ndjson', {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.match(gunzipSync(body).toString(), /"error":/);
    assert.ok(trailers['x-peregrine-error']);
  });
});

describe('a result that is sent while it comes', () => {
  it('becomes text in batches that take some milliseconds, also of wide tables', async () => {
    const column = vectorFromArray([1n], new Int64());
    for (const [columns, rows] of [
      [1, 4096],
      [16, 4096],
      [1000, 65],
    ] as const) {
      const wide = batchOf(Object.fromEntries(Array.from({ length: columns }, (_, i) => [`c${i}`, column])));
      await using server = await startServer(() => ({ schema: wide.schema, batches: [wide] }));
      assert.equal((await server.fetch('/?query=SELECT+1&format=csv')).status, 200);
      assert.equal((await server.fetch('/?query=SELECT+1&format=arrow')).status, 200);
      assert.deepEqual(server.engine.log.batchRows, [rows, undefined]);
    }
  });

  it('has no status before its first rows', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await using server = await startServer(() => ({
      schema: small.schema,
      batches: (async function* () {
        await held;
        yield small;
      })(),
    }));
    let answered = false;
    const asking = server.fetch('/?query=SELECT+1').then((response) => {
      answered = true;
      return response;
    });
    await until(() => server.engine.log.open.results === 1);
    assert.equal(answered, false);
    release();
    assert.equal((await asking).status, 200);
  });

  it('shows rows before the next ones are there, compressed or not', async () => {
    for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await using server = await startServer(() => ({
        schema: small.schema,
        batches: (async function* () {
          yield small;
          await held;
          yield small;
        })(),
      }));
      const { host, port } = server.address;
      const request = httpRequest({ host, port, path: '/?query=SELECT+1&format=ndjson', headers });
      request.end();
      const [response]: IncomingMessage[] = await once(request, 'response');
      assert.ok(response !== undefined);
      const [first] = await once(response, 'data');
      assert.ok(Buffer.isBuffer(first) && first.byteLength > 0);
      release();
      response.resume();
      await once(response, 'end');
    }
  });

  it('waits for a client that does not read, and gives the memory back as it does', async () => {
    let made = 0;
    await using server = await startServer(() => ({
      schema: large.schema,
      batches: (async function* () {
        for (; made < 400; made++) yield large; // 200 MB
      })(),
    }));
    const { host, port } = server.address;
    const request = httpRequest({ host, port, path: '/?query=SELECT+1&format=arrow', agent: false });
    request.end();
    const [response]: IncomingMessage[] = await once(request, 'response');
    assert.ok(response !== undefined);
    await once(response, 'readable');
    let before = -1;
    // Until the sockets between are full, and then no further.
    while (before !== made) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(made < 100, `${made} batches were made for a client that reads nothing`);
    assert.ok(server.engine.log.open.batches <= 3, `${server.engine.log.open.batches} batches are held`);
    let bytes = 0;
    for await (const piece of response) bytes += Buffer.isBuffer(piece) ? piece.byteLength : 0;
    assert.ok(bytes > 400 * 65_536 * 8);
    assert.equal(server.engine.log.open.batches, 0);
  });

  it('is cancelled when the client goes away, at whatever point', async () => {
    for (const format of ['arrow', 'ndjson']) {
      for (const compressed of [false, true]) {
        await using server = await startServer((_sql, signal) => ({
          schema: large.schema,
          batches: (async function* () {
            for (;;) {
              signal.throwIfAborted();
              yield large;
            }
          })(),
        }));
        const { host, port } = server.address;
        const headers = compressed ? { 'accept-encoding': 'gzip' } : {};
        const request = httpRequest({
          host,
          port,
          path: `/?query=SELECT+1&format=${format}`,
          headers,
          agent: false,
        });
        request.on('error', () => undefined);
        request.end();
        const [response]: IncomingMessage[] = await once(request, 'response');
        response?.on('error', () => undefined);
        assert.ok(response !== undefined);
        await once(response, 'data');
        request.destroy();
        const { open } = server.engine.log;
        await until(() => open.connections + open.statements + open.results + open.batches === 0);
        assert.equal(server.engine.log.cancelled.length, 1);
        assert.deepEqual(server.errors, []);
      }
    }
  });

  it('is cancelled by its id, and by time', async () => {
    const wait = (signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
      });
    await using server = await startServer((_sql, signal) => ({
      schema: small.schema,
      batches: (async function* () {
        await wait(signal);
        yield small;
      })(),
    }));
    const asking = server.fetch('/?query=SELECT+1&query_id=mine');
    await until(() => server.engine.log.open.results === 1);
    const { queries } = JSON.parse(await (await server.fetch('/queries')).text());
    assert.equal(queries[0].query_id, 'mine');
    const again = await server.fetch('/?query=SELECT+1&query_id=mine');
    assert.equal(again.status, 409);
    const cancelled = await server.fetch('/queries/mine', { method: 'DELETE' });
    assert.equal(cancelled.status, 200);
    assert.equal((await asking).status, 499);
    assert.equal((await server.fetch('/queries/mine', { method: 'DELETE' })).status, 404);
    const late = await server.fetch('/?query=SELECT+1&timeout_ms=20');
    assert.equal(late.status, 504);
    assert.match(JSON.parse(await late.text()).detail, /ran for more than 20 ms/);
  });

  it('ends with the server, which first lets it finish', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const server = await startServer(() => ({
      schema: small.schema,
      batches: (async function* () {
        await held;
        yield small;
      })(),
    }));
    const asking = server.fetch('/?query=SELECT+1&format=csv');
    await until(() => server.engine.log.open.results === 1);
    const closing = server.close(60_000);
    release();
    assert.equal(await (await asking).text(), 'id\n1\n2\n');
    await closing;
  });
});

describe('requests that are not well', () => {
  it('are cut off when they come too slowly', async () => {
    await using server = await startServer(() => ({ changed: 0n }), {
      limits: { idleTimeoutMs: 30, minBytesPerSecond: 1000 },
    });
    const { host, port } = server.address;
    const silent = connect(port, host);
    silent.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nSEL');
    silent.resume();
    // The end may come as a reset, which `once` would throw.
    silent.on('error', () => undefined);
    await new Promise((resolve) => silent.once('close', resolve));
    // A byte now and then keeps no connection either.
    const dripping = connect(port, host);
    dripping.on('error', () => undefined);
    dripping.resume();
    dripping.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n');
    const timer = setInterval(() => dripping.writable && dripping.write('x'), 10);
    await new Promise((resolve) => dripping.once('close', resolve));
    clearInterval(timer);
  });

  it('are answered though their body is refused: a client that looks when it has sent everything sees why', async () => {
    await using server = await startServer(() => ({ changed: 0n }), { limits: { insertBytes: 100_000 } });
    const { host, port } = server.address;
    const piece = Buffer.alloc(1 << 20, '1\n');
    const pieces = 24;
    for (const [path, status] of [
      // Before any of it is read, and on the way.
      ['/insert/nothing?table=t', 400],
      ['/insert/csv?table=t&mode=create', 413],
    ] as const) {
      const socket = connect(port, host);
      const failed = new Promise<never>((_resolve, reject) => socket.once('error', reject));
      const send = (bytes: Uint8Array | string): Promise<void> =>
        Promise.race([new Promise<void>((sent) => socket.write(bytes, () => sent())), failed]);
      const length = pieces * piece.length;
      await send(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`);
      for (let i = 0; i < pieces; i++) await send(piece);
      const answer = await Promise.race([text(socket), failed]);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [^]*connection: close[^]*"code":`, 'i'));
    }
  });

  it('are not waited for without end when their body is refused', async () => {
    await using server = await startServer(() => ({ changed: 0n }), { limits: { idleTimeoutMs: 30 } });
    const { host, port } = server.address;
    const socket = connect(port, host);
    socket.on('error', () => undefined);
    socket.write('POST /insert/nothing?table=t HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx');
    assert.match(await text(socket), /^HTTP\/1.1 400 /);
  });

  it('are refused when they are too large, also when that is only seen on the way', async () => {
    await using server = await startServer(() => ({ changed: 0n }), { limits: { sqlBytes: 1000 } });
    const stated = await rawRequest(server.address, '/', { method: 'POST', body: 'x'.repeat(1001) });
    assert.equal(stated.status, 413);
    assert.match(stated.body.toString(), /the limit is 1000 bytes/);
    const { gzipSync } = await import('node:zlib');
    const bomb = await rawRequest(server.address, '/', {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('x'.repeat(10_000_000)),
    });
    assert.equal(bomb.status, 413);
    const broken = await rawRequest(server.address, '/', {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: 'no gzip',
    });
    assert.equal(broken.status, 400);
    const unknown = await rawRequest(server.address, '/', {
      method: 'POST',
      headers: { 'content-encoding': 'compress' },
      body: 'x',
    });
    assert.equal(unknown.status, 415);
  });
});
