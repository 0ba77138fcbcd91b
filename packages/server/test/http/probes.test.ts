import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Int64, tableFromArrays, tableToIPC, vectorFromArray } from 'apache-arrow';
import { httpFormats } from '../../src/http/formats.ts';
import { batchOf, startServer } from './helpers.ts';

const batch = batchOf({ id: vectorFromArray([1n], new Int64()) });
const start = () => startServer(() => ({ schema: batch.schema, batches: [batch] }), { version: '1.2.3' });

describe('what is asked by those who watch the server', () => {
  it('is alive, ready, and says Ok.', async () => {
    await using server = await start();
    for (const path of ['/ping', '/']) assert.equal(await (await server.fetch(path)).text(), 'Ok.\n');
    assert.deepEqual(JSON.parse(await (await server.fetch('/health')).text()), {
      status: 'ok',
      version: '1.2.3',
    });
    assert.equal((await server.fetch('/ready')).status, 200);
    server.engine.setState({ kind: 'unavailable', reason: 'the database is invalid' });
    const ready = await server.fetch('/ready');
    assert.equal(ready.status, 503);
    assert.equal(ready.headers.get('retry-after'), '1');
    assert.match(JSON.parse(await ready.text()).detail, /the database is invalid/);
    assert.equal((await server.fetch('/health')).status, 200);
    assert.deepEqual(JSON.parse(await (await server.fetch('/tables')).text()), { tables: [] });
  });

  it('counts requests, rows and statements', async () => {
    await using server = await start();
    await (await server.fetch('/?query=SELECT+1&format=ndjson')).text();
    await (await server.fetch('/nowhere')).text();
    const response = await server.fetch('/metrics');
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    assert.match(text, /^peregrine_http_requests_total\{route="\/",method="GET",status="200"\} 1$/m);
    assert.match(text, /^peregrine_http_requests_total\{route="none",method="GET",status="404"\} 1$/m);
    assert.match(text, /^peregrine_http_rows_sent_total\{format="ndjson"\} 1$/m);
    assert.match(text, /^peregrine_engine_ready 1$/m);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
  });

  it('is described by a document that has every route and format', async () => {
    await using server = await start();
    const document = JSON.parse(await (await server.fetch('/openapi.json')).text());
    assert.equal(document.openapi, '3.1.0');
    assert.equal(document.info.version, '1.2.3');
    const content = document.paths['/'].post.responses[200].content;
    for (const { mediaTypes } of httpFormats) {
      if (mediaTypes[0] !== undefined) assert.ok(content[mediaTypes[0]], mediaTypes[0]);
    }
    for (const [path, operations] of Object.entries<Record<string, unknown>>(document.paths)) {
      for (const method of Object.keys(operations)) {
        const url = path.replaceAll(/\{(\w+)\}/g, 'x');
        const response = await server.fetch(url, { method: method.toUpperCase() });
        const text = await response.text();
        assert.ok(!text.includes('is not here; see GET /openapi.json'), `${method} ${path}: ${text}`);
      }
    }
  });

  it('is described without leaving out a route', async () => {
    await using server = await start();
    const document = JSON.parse(await (await server.fetch('/openapi.json')).text());
    const folder = new URL('../../src/http/routes/', import.meta.url);
    const sources = readdirSync(folder).filter((name) => name.endsWith('.js'));
    const routes = sources.flatMap((name) => [
      ...readFileSync(new URL(name, folder), 'utf8').matchAll(/app\.(get|post|put|delete)\('([^']+)'/g),
    ]);
    assert.ok(routes.length >= 12, String(routes.length));
    for (const [, method = '', path = ''] of routes) {
      const written = path.replaceAll(/:(\w+)\??/g, '{$1}');
      assert.ok(document.paths[written]?.[method] !== undefined, `${method} ${written}`);
    }
  });

  it('is described so that generators make types of it that can be used', async () => {
    await using server = await start();
    const { paths, components } = JSON.parse(await (await server.fetch('/openapi.json')).text());
    const operations = Object.values<Record<string, Record<string, unknown>>>(paths).flatMap(Object.values);
    const ids = operations.map(({ operationId }) => operationId);
    assert.ok(ids.every((id) => typeof id === 'string' && /^[a-zA-Z]+$/.test(id)));
    assert.equal(new Set(ids).size, ids.length);
    for (const { operationId, responses } of operations) {
      // Each may be refused: to a page of another site, and while the server ends.
      assert.ok(
        typeof responses === 'object' && responses !== null && 'default' in responses,
        `${operationId}`,
      );
    }
    // An object without members, and members beside alternatives, become types that nothing fits or that say nothing.
    const looksAt = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const names = Object.keys(value);
      if ('type' in value && value.type === 'object')
        assert.ok(names.includes('properties') || names.includes('additionalProperties'), path);
      if (names.includes('properties')) assert.ok(!names.includes('anyOf') && !names.includes('oneOf'), path);
      for (const [name, inner] of Object.entries(value)) looksAt(inner, `${path}.${name}`);
    };
    looksAt(components.schemas, 'schemas');
    const named = new Set(components.schemas.Format.enum);
    for (const { name, others, clickHouse } of httpFormats)
      for (const one of [name, ...others, ...clickHouse]) assert.ok(named.has(one), one);
  });

  it('answers the status alone to HEAD', async () => {
    await using server = await start();
    const paths = [
      '/ping',
      '/health',
      '/ready',
      '/metrics',
      '/openapi.json',
      '/tables',
      '/queries',
      '/schema/t',
    ];
    for (const path of paths) {
      const response = await server.fetch(path, { method: 'HEAD' });
      assert.equal(response.status, 200);
      assert.equal(await response.text(), '');
    }
    server.engine.setState({ kind: 'unavailable', reason: 'the database is invalid' });
    assert.equal((await server.fetch('/ready', { method: 'HEAD' })).status, 503);
  });

  it('takes no more requests while the server ends', async () => {
    const server = await start();
    await server.close(0);
    await assert.rejects(server.fetch('/ping'));
  });
});

describe('Arrow inserts', () => {
  it('go to the engine as they came, stream or file', async () => {
    await using server = await start();
    const table = tableFromArrays({ id: Int32Array.of(1, 2, 3) });
    for (const [format, bytes] of [
      ['ArrowStream', tableToIPC(table, 'stream')],
      ['Arrow', tableToIPC(table, 'file')],
    ] as const) {
      const response = await server.fetch(`/?query=INSERT+INTO+t+FORMAT+${format}`, {
        method: 'POST',
        body: bytes,
      });
      assert.equal(response.status, 200, await response.clone().text());
      assert.match(response.headers.get('x-clickhouse-summary') ?? '', /"written_rows":"3"/);
    }
    const typed = await server.fetch('/insert?table=main.t', {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.apache.arrow.stream' },
      body: tableToIPC(table, 'stream'),
    });
    assert.equal(typed.status, 200);
    assert.deepEqual(server.engine.log.ingests, [
      { table: 't', rows: 3 },
      { table: 't', rows: 3 },
      { table: 't', rows: 3 },
    ]);
    assert.deepEqual(server.engine.log.open, { connections: 0, statements: 0, results: 0, batches: 0 });
  });

  it('that are cut off, empty or of no known format are refused', async () => {
    await using server = await start();
    const bytes = tableToIPC(tableFromArrays({ id: Int32Array.of(1) }), 'stream');
    const post = (path: string, body: Uint8Array) => server.fetch(path, { method: 'POST', body });
    assert.equal((await post('/insert/arrow?table=t', bytes.subarray(0, bytes.length - 30))).status, 400);
    assert.equal((await post('/insert/arrow?table=t', new Uint8Array(0))).status, 400);
    assert.equal((await post('/insert/arrow-file?table=t', bytes.subarray(0, 4))).status, 400);
    assert.equal((await post('/insert/xml?table=t', bytes)).status, 400);
    assert.equal((await post('/insert/markdown?table=t', bytes)).status, 400);
    assert.equal((await post('/insert/arrow?table=t;x', bytes)).status, 400);
    assert.equal((await post('/insert/arrow?table=t&mode=x', bytes)).status, 400);
    assert.equal((await post('/?query=INSERT+INTO+t', bytes)).status, 400);
    assert.equal((await post('/?query=INSERT+INTO+a.b.c.d+FORMAT+Arrow', bytes)).status, 400);
    assert.deepEqual(server.engine.log.ingests, []);
  });
});
