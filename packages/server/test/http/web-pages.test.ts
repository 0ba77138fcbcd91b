import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Int64, vectorFromArray } from 'apache-arrow';
import { batchOf, rawRequest, startServer } from './helpers.ts';

const batch = batchOf({ id: vectorFromArray([1n], new Int64()) });
const page = 'https://app.example';
const start = (corsOrigins: readonly string[] = []) =>
  startServer(() => ({ schema: batch.schema, batches: [batch] }), { corsOrigins });

describe('requests', () => {
  it('from pages of other sites are refused, unless they are named', async () => {
    await using server = await startServer(() => ({ changed: 1n }), { corsOrigins: [page] });
    const post = (headers: Record<string, string>) =>
      rawRequest(server.address, '/', { method: 'POST', headers, body: 'DROP TABLE t' });
    assert.equal((await post({ origin: 'https://evil.example' })).status, 403);
    assert.equal((await post({ origin: 'null' })).status, 403);
    assert.equal((await post({ origin: 'http://evil.example:1', host: 'evil.example:1' })).status, 421);
    assert.equal(server.engine.log.statements.length, 0);
    const named = await post({ origin: page });
    assert.equal(named.status, 200);
    assert.equal(named.headers['access-control-allow-origin'], page);
    const preflight = await rawRequest(server.address, '/', {
      method: 'OPTIONS',
      headers: { origin: page, 'access-control-request-headers': 'content-type' },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-headers'], 'content-type');
  });

  it('that pages of other sites make without their name are refused, but not links that somebody follows', async () => {
    // A picture, script or frame tells the page whether the answer was an error, which is one bit of any table.
    const sent = (dest: string, more: Record<string, string> = {}) => ({
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': dest === 'document' ? 'navigate' : 'no-cors',
      'sec-fetch-dest': dest,
      ...more,
    });
    const inFrame = sent('iframe', { 'sec-fetch-mode': 'navigate', 'sec-fetch-user': '?1' });
    const followed = sent('document', { 'sec-fetch-user': '?1' });
    for (const [origins, headers, status] of [
      [[], sent('object'), 403],
      [[], sent('image', { 'sec-fetch-site': 'same-site' }), 403],
      [[], inFrame, 403],
      [[], sent('document'), 403],
      [[], followed, 200],
      [[], sent('empty', { 'sec-fetch-site': 'same-origin' }), 200],
      [[], sent('document', { 'sec-fetch-site': 'none' }), 200],
      [[page], inFrame, 403],
      [[page], { ...inFrame, referer: 'https://evil.example/' }, 403],
      [[page], { ...inFrame, referer: 'no address' }, 403],
      [[page], { ...inFrame, referer: `${page}/dashboard` }, 200],
      [['*'], sent('script'), 200],
    ] as const) {
      await using server = await start(origins);
      const answer = await rawRequest(server.address, '/?query=SELECT+1', { headers });
      assert.equal(answer.status, status, JSON.stringify({ origins, headers }));
      assert.equal(server.engine.log.statements.length > 0, status === 200);
    }
  });

  it('of pages that are named can be read whatever the answer is, and by no other page', async () => {
    await using server = await start([page]);
    const headers = { origin: page };
    for (const [path, method, status] of [
      ['/?query=SELECT+1', 'GET', 200],
      ['/tables', 'GET', 200],
      ['/?query=DROP+TABLE+t', 'GET', 405],
      ['/nowhere', 'GET', 404],
      ['/ping', 'DELETE', 405],
      ['/?query=SELECT+1&format=xml', 'GET', 400],
      ['/schema/%ff', 'GET', 400],
      [`/?query=${'a'.repeat(20_000)}`, 'GET', 431],
    ] as const) {
      const answer = await rawRequest(server.address, path, { method, headers });
      assert.equal(answer.status, status, path);
      assert.equal(answer.headers['access-control-allow-origin'], page, path);
      if (status !== 431) assert.match(answer.headers.vary ?? '', /\borigin\b/, path);
    }
    const other = await rawRequest(server.address, '/schema/%ff', {
      headers: { origin: 'https://evil.example' },
    });
    assert.equal(other.status, 403);
    assert.equal(other.headers['access-control-allow-origin'], undefined);
    await using two = await start([page, 'https://b.example']);
    const unknown = await rawRequest(two.address, `/?query=${'a'.repeat(20_000)}`, { headers });
    assert.equal(unknown.status, 431);
    assert.equal(unknown.headers['access-control-allow-origin'], undefined, 'which page asked is not known');
  });

  it('of pages on the internet to a server at home are allowed where the page is named', async () => {
    await using server = await start([page]);
    const asked = { 'access-control-request-private-network': 'true' };
    const ask = (origin: string) =>
      rawRequest(server.address, '/', { method: 'OPTIONS', headers: { ...asked, origin } });
    assert.equal((await ask(page)).headers['access-control-allow-private-network'], 'true');
    const other = await ask('https://evil.example');
    assert.equal(other.status, 403);
    assert.equal(other.headers['access-control-allow-private-network'], undefined);
  });
});
