import assert from 'node:assert/strict';
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
      ['DELETE', '/tables', 'GET'],
      ['GET', '/insert/csv', 'POST'],
      ['GET', '/insert', 'POST'],
      ['GET', '/queries/some', 'DELETE'],
      ['PATCH', '/schema/t', 'GET'],
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
    assert.equal(query.headers.get('allow'), 'GET, POST, OPTIONS');
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
    const large = await server.fetch(`/?query=${'a'.repeat(20_000)}`);
    assert.equal(large.status, 431);
    await large.text();
  });
});
