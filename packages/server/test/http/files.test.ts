import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { namesTag, parseByteRange } from '../../src/http/byte-range.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';
import { type TestServer, startServer } from './helpers.ts';

const csv = 'a,b\n1,one\n2,two\n';
const compressed = gzipSync(csv);
/** More than is read at a time. */
const arrow = Buffer.from(tableToIPC(tableFromArrays({ n: new Float64Array(400_000).fill(7) }), 'file'));

let folder: string;
let store: Store;
let server: TestServer;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'peregrine-files-'));
  writeFileSync(join(folder, 'small table.CSV'), csv);
  writeFileSync(join(folder, 'packed.csv.gz'), compressed);
  writeFileSync(join(folder, 'big.arrow'), arrow);
  writeFileSync(join(folder, 'secret.txt'), 'nobody is to see this');
  for (const part of ['year=1', 'year=2']) {
    mkdirSync(join(folder, 'many', part), { recursive: true });
    writeFileSync(join(folder, 'many', part, 'data.csv'), csv);
  }
  store = await openStore({ paths: [folder] });
  server = await startServer(() => assert.fail('no statement runs'), { store });
});
after(async () => {
  await server.close(0);
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  server.fetch(path, { method, headers });

describe('the file of a table over HTTP', () => {
  it('comes as it is, with what tells it from another', async () => {
    const response = await get('/files/small%20table.csv');
    assert.equal(await response.text(), csv);
    assert.equal(response.status, 200);
    const { headers } = response;
    assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
    assert.equal(headers.get('content-length'), String(csv.length));
    assert.equal(headers.get('accept-ranges'), 'bytes');
    assert.equal(headers.get('vary'), 'origin');
    assert.match(headers.get('etag') ?? '', /^"[\w-]{27}"$/);
    assert.match(headers.get('last-modified') ?? '', / GMT$/);
    const packed = await get('/files/packed.csv.gz');
    assert.deepEqual(Buffer.from(await packed.arrayBuffer()), compressed);
    assert.equal(packed.headers.get('content-type'), 'application/gzip');
    const big = await get('/files/BIG.arrow');
    assert.ok(Buffer.from(await big.arrayBuffer()).equals(arrow));
    assert.equal(big.headers.get('content-type'), 'application/vnd.apache.arrow.file');
  });

  it('tells its length to HEAD', async () => {
    const response = await get('/files/big.arrow', {}, 'HEAD');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-length'), String(arrow.length));
    assert.equal(await response.text(), '');
    assert.equal((await get('/files/none.arrow', {}, 'HEAD')).status, 404);
  });

  it('comes in ranges', async () => {
    const last = arrow.length - 1;
    for (const [range, first, end] of [
      ['bytes=0-5', 0, 5],
      ['bytes=-6', last - 5, last],
      [`bytes=${last}-`, last, last],
      ['bytes=1000-2000000', 1000, 2_000_000],
      [`bytes=10-${last + 100}`, 10, last],
    ] as const) {
      const response = await get('/files/big.arrow', { range });
      assert.equal(response.status, 206, range);
      assert.equal(response.headers.get('content-range'), `bytes ${first}-${end}/${arrow.length}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.ok(bytes.equals(arrow.subarray(first, end + 1)), range);
    }
    const outside = await get('/files/big.arrow', { range: `bytes=${arrow.length}-` });
    assert.equal(outside.status, 416);
    assert.equal(outside.headers.get('content-range'), `bytes */${arrow.length}`);
    await outside.text();
  });

  it('is told apart from one that took its place', async () => {
    const path = '/files/small%20table.csv';
    const etag = (await get(path, {}, 'HEAD')).headers.get('etag') ?? '';
    const same = await get(path, { 'if-none-match': `"other", ${etag}` });
    assert.equal(same.status, 304);
    assert.equal(await same.text(), '');
    // Of a proxy that compressed it.
    assert.equal((await get(path, { 'if-none-match': `W/${etag}` })).status, 304);
    assert.equal((await get(path, { 'if-match': `W/${etag}` })).status, 412);
    const asked = await get(path, { 'if-match': '"other"', range: 'bytes=0-1' });
    assert.equal(asked.status, 412);
    assert.match(await asked.text(), /is another than the one of If-Match/);
    assert.equal(await (await get(path, { 'if-match': etag, range: 'bytes=0-1' })).text(), 'a,');
    assert.equal(await (await get(path, { 'if-range': etag, range: 'bytes=0-1' })).text(), 'a,');
    assert.equal(await (await get(path, { 'if-range': '"other"', range: 'bytes=0-1' })).text(), csv);
  });

  it('is nothing but the file of a table', async () => {
    for (const [path, message] of [
      ['/files/secret.txt', /there is no file of a table secret/],
      ['/files/..%2Fsecret.txt', /there is no file of a table/],
      ['/files/%2Fetc%2Fpasswd', /there is no file of a table/],
      ['/files/packed.csv', /the file of packed is \/files\/packed\.csv\.gz; GET .*&format=parquet/],
      ['/files/big', /the file of big is \/files\/big\.arrow/],
      [
        '/files/many.csv',
        /many is not one file as it stands; GET \/\?query=FROM%20%22many%22&format=parquet/,
      ],
    ] as const) {
      const response = await get(path);
      assert.equal(response.status, 404, path);
      assert.match(await response.text(), message);
    }
  });

  it('is not what a dataset in memory took the name of', async () => {
    const aside = await store.standAside('packed');
    assert.equal((await get('/files/packed.csv.gz', {}, 'HEAD')).status, 404);
    await aside.giveBack();
    assert.equal((await get('/files/packed.csv.gz', {}, 'HEAD')).status, 200);
  });
});

describe('a range', () => {
  it('is the whole where it is none that is understood', () => {
    for (const header of [undefined, '', 'bytes=-', 'bytes=5-2', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=a-b'])
      assert.equal(parseByteRange(header, 10), undefined, header);
  });

  it('lies within the file', () => {
    assert.deepEqual(parseByteRange('bytes=2-4', 10), { first: 2, last: 4 });
    assert.deepEqual(parseByteRange('bytes=-20', 10), { first: 0, last: 9 });
    assert.deepEqual(parseByteRange('bytes=9-99999999999999999999', 10), { first: 9, last: 9 });
    for (const header of ['bytes=10-', 'bytes=10-12', 'bytes=-0'])
      assert.equal(parseByteRange(header, 10), 'unsatisfiable', header);
    assert.equal(parseByteRange('bytes=0-', 0), 'unsatisfiable');
  });

  it('goes with a tag, any of several, or all', () => {
    for (const compare of ['strong', 'weak'] as const) {
      assert.ok(namesTag('"a", "b"', '"b"', compare) && namesTag('*', '"b"', compare));
      assert.ok(!namesTag('"a", W/"c"', '"b"', compare));
    }
  });
});
