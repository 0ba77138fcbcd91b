import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { Int64, vectorFromArray } from 'apache-arrow';
import { batchOf, startServer } from './helpers.ts';

const batch = batchOf({ id: vectorFromArray([1n], new Int64()) });
const start = () => startServer(() => ({ schema: batch.schema, batches: [batch] }));

describe('requests that are not what they should be', () => {
  it('are not run when their bytes are no UTF-8', async () => {
    await using server = await start();
    const bad = Buffer.from([...Buffer.from("SELECT '"), 0xff, 0xfe, 0x27]);
    const json = { 'content-type': 'application/json; charset="UTF-8"' };
    for (const [init, what] of [
      [{ method: 'POST', body: bad }, 'the SQL is not UTF-8'],
      [
        {
          method: 'POST',
          body: Buffer.concat([Buffer.from('{"sql":"'), bad, Buffer.from('"}')]),
          headers: json,
        },
        'the body is not UTF-8',
      ],
    ] as const) {
      const response = await server.fetch('/', init);
      assert.equal(response.status, 400);
      assert.equal(JSON.parse(await response.text()).detail, what);
    }
    const inUrl = await server.fetch("/?query=SELECT+'%ff'");
    assert.equal(inUrl.status, 400);
    assert.match(await inUrl.text(), /the URL is not UTF-8/);
    const replacement = await server.fetch("/?query=SELECT+'%ef%bf%bd'&format=ndjson");
    assert.equal(replacement.status, 200, 'the character itself may be sent');
    const marked = await server.fetch('/?format=ndjson', { method: 'POST', body: '\ufeffSELECT 1' });
    assert.equal(marked.status, 200, 'a byte order mark is left out');
    await Promise.all([replacement.text(), marked.text()]);
  });

  it('are refused as other encodings and as forms, instead of being misread', async () => {
    await using server = await start();
    for (const [path, type, what] of [
      ['/', 'text/plain; charset=ISO-8859-1', /text in iso-8859-1 is not taken: send it as UTF-8/],
      ['/', 'application/json;charset=utf-16', /text in utf-16 is not taken/],
      ['/', 'multipart/form-data; boundary=x', /multipart\/form-data is not taken: send the SQL/],
      ['/insert/csv?table=t', 'text/csv; charset=windows-1252', /text in windows-1252 is not taken/],
    ] as const) {
      const response = await server.fetch(path, {
        method: 'POST',
        body: 'SELECT 1',
        headers: { 'content-type': type },
      });
      assert.equal(response.status, 415, type);
      assert.match(JSON.parse(await response.text()).detail, what);
    }
    for (const name of ['compress', 'decompress']) {
      const response = await server.fetch(`/?${name}=1`, { method: 'POST', body: 'SELECT 1' });
      assert.equal(response.status, 501);
      assert.match(await response.text(), /blocks of ClickHouse's own: use Accept-Encoding/);
    }
  });

  it('are told which methods a path takes', async () => {
    await using server = await start();
    for (const [method, path, allowed] of [
      ['PUT', '/', 'GET, HEAD, POST'],
      ['POST', '/ping', 'GET, HEAD'],
      ['DELETE', '/tables', 'GET, HEAD'],
      ['GET', '/insert/csv', 'POST'],
      ['GET', '/insert', 'POST'],
      ['GET', '/queries/some', 'DELETE'],
      ['PATCH', '/schema/t', 'GET, HEAD'],
      // fastify asks it for a Content-Type before it looks for a route (RFC 10008). Node 20.19 does not know it.
      ...(METHODS.includes('QUERY') ? ([['QUERY', '/tables', 'GET, HEAD']] as const) : []),
    ] as const) {
      const response = await server.fetch(path, { method });
      assert.equal(response.status, 405, `${method} ${path}`);
      assert.equal(response.headers.get('allow'), allowed, path);
      assert.match(
        JSON.parse(await response.text()).detail,
        new RegExp(`does not take ${method}, but ${allowed}`),
      );
    }
    for (const path of ['/nowhere', '/openapi-json', '/pingg', '/schema/t/u'])
      assert.equal((await server.fetch(path, { method: 'PUT' })).status, 404, path);
    const head = await server.fetch('/', { method: 'HEAD' });
    assert.equal(head.status, 200);
    const query = await server.fetch('/?query=SELECT+1', { method: 'HEAD' });
    assert.equal(query.status, 405);
    assert.equal(query.headers.get('allow'), 'GET, POST');
    const options = await server.fetch('/queries/some', { method: 'OPTIONS' });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get('allow'), 'DELETE, OPTIONS');
  });

  it('are answered one after the other when they come at once, in chunks, or with a header that is too large', async () => {
    await using server = await start();
    const ping = await server.fetch('/ping');
    await ping.text();
    const { port } = new URL(ping.url);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const sql = 'SELECT 1 FORMAT JSONEachRow';
    socket.write('GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n');
    socket.write(`POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const part of [sql.slice(0, 5), sql.slice(5)])
      socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
    socket.write('0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const answers = await text(socket);
    assert.deepEqual(
      [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      ['200', '200', '200'],
    );
    assert.ok(answers.indexOf('Ok.') < answers.indexOf('{"id":1}'));
    assert.ok(answers.indexOf('{"id":1}') < answers.indexOf('"status":"ok"'));
  });

  it('have names as long as a URL may be', async () => {
    await using server = await start();
    const id = 'x'.repeat(200);
    const unknown = await server.fetch(`/queries/${id}`, { method: 'DELETE' });
    assert.equal(unknown.status, 404);
    assert.match(await unknown.text(), /no statement x{200} runs/);
    const table = await server.fetch(`/schema/${'t'.repeat(2000)}`);
    assert.equal(table.status, 200, await table.text());
  });

  it('are told what is wrong though they are none', async () => {
    await using server = await start();
    const send = async (bytes: string): Promise<{ status: string; head: string; detail: string }> => {
      const socket = connect(server.address.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes);
      const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
      return { status: head.split(' ')[1] ?? '', head, detail: JSON.parse(body).detail };
    };
    const lines = 'Host: localhost\r\n\r\n';
    for (const [bytes, status, what] of [
      [`GET /?query=SELECT 1 HTTP/1.1\r\n${lines}`, '400', /in a URL a space is %20 or \+/],
      [
        `GET /?query=SELECT+'é' HTTP/1.1\r\nConnection: close\r\n${lines}`,
        '400',
        /what is not ASCII is escaped/,
      ],
      [`GET /schema/%ff HTTP/1.1\r\nConnection: close\r\n${lines}`, '400', /%ff/],
      [`GET /?query=${'a'.repeat(20_000)} HTTP/1.1\r\n${lines}`, '431', /long SQL as the body of a POST/],
      [`NONE / HTTP/1.1\r\n${lines}`, '400', /none of HTTP\/1\.1/],
      [`POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${lines}z\r\n`, '400', /none of HTTP\/1\.1/],
      [`POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${lines}`, '400', /none of HTTP\/1\.1/],
    ] as const) {
      const answer = await send(bytes);
      assert.equal(answer.status, status, bytes.slice(0, 60));
      assert.match(answer.head, /^content-type: application\/problem\+json/im);
      assert.match(answer.detail, what);
    }
  });
});
