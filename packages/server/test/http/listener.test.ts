import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { lookup } from 'node:dns/promises';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type HttpListener, createHttpListener } from '../../src/http/listener.ts';
import { type HttpServerOptions, createHttpServer } from '../../src/http/server.ts';
import { createFakeEngine } from './fake-engine.ts';

const greet: RequestListener = (request, response) => {
  response.end(`here is ${request.url}`);
};

/** Listens while a test runs. */
async function listening(
  load: () => Promise<{ readonly answer: RequestListener }>,
  host = '127.0.0.1',
): Promise<
  AsyncDisposable & { readonly listener: HttpListener; readonly url: string; readonly port: number }
> {
  const listener = createHttpListener([], load);
  const { port, url } = await listener.listen({ host, port: 0 });
  return { listener, url, port, [Symbol.asyncDispose]: () => listener.close() };
}

describe('requests that come before there is what answers', () => {
  it('wait for it, and are answered in full', async () => {
    let loads = 0;
    await using server = await listening(async () => {
      loads += 1;
      await delay(50);
      return { answer: greet };
    });
    const texts = await Promise.all(
      ['/a', '/b', '/c'].map(async (path) => (await fetch(server.url + path)).text()),
    );
    assert.deepEqual(texts, ['here is /a', 'here is /b', 'here is /c']);
    const asked = loads;
    assert.equal(await (await fetch(`${server.url}/d`)).text(), 'here is /d');
    assert.equal(loads, asked, 'it is there now');
  });

  it('are told why when it cannot be loaded, and the next one tries again', async () => {
    let isBroken = true;
    await using server = await listening(() =>
      isBroken ? Promise.reject(new Error('a file is gone')) : Promise.resolve({ answer: greet }),
    );
    const refused = await fetch(server.url);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('content-type'), 'application/problem+json; charset=utf-8');
    const problem: unknown = await refused.json();
    assert.match(JSON.stringify(problem), /the HTTP side cannot be loaded: a file is gone/);
    isBroken = false;
    assert.equal(await (await fetch(server.url)).text(), 'here is /');
  });

  it('are answered after a try to load that failed, which the program is told of', async () => {
    const errors: string[] = [];
    let tries = 0;
    const options: HttpServerOptions = {
      engine: createFakeEngine(() => ({ changed: 0n })),
      // Read when what answers is made.
      get store() {
        tries += 1;
        if (tries === 1) throw new Error('no memory just now');
        return undefined;
      },
      onError: (error, where) => errors.push(`${where}: ${String(error)}`),
    };
    const server = createHttpServer(options);
    const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
    try {
      const refused = await fetch(`${url}/ping`);
      assert.equal(refused.status, 503);
      assert.match(await refused.text(), /no memory just now/);
      assert.deepEqual(errors, ['loading the HTTP side: Error: no memory just now']);
      assert.equal(await (await fetch(`${url}/ping`)).text(), 'Ok.\n');
    } finally {
      await server.close(0);
    }
  });

  it('are given to nobody when their client has gone', async () => {
    const answered: unknown[] = [];
    let tellLoaded = (): void => undefined;
    const loading = new Promise<void>((resolve) => {
      tellLoaded = resolve;
    });
    await using server = await listening(async () => {
      await loading;
      return { answer: (...each) => void answered.push(each) };
    });
    const client = connect(server.port, '127.0.0.1');
    client.write('GET /gone HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(server.listener.server, 'request');
    const connections = server.listener.server.getConnections.bind(server.listener.server);
    client.destroy();
    while ((await promisify(connections)()) > 0) await delay(5);
    tellLoaded();
    await delay(20);
    assert.deepEqual(answered, []);
  });

  it('are refused when they cannot be read', async () => {
    await using server = await listening(() => Promise.reject(new Error('not asked for')));
    const client = connect(server.port, '127.0.0.1');
    client.write('nonsense\r\n\r\n');
    let answer = '';
    client.setEncoding('utf8').on('data', (text: string) => (answer += text));
    await once(client, 'close');
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n[^]*application\/problem\+json/);
  });
});

describe('the addresses', () => {
  it('of localhost are all listened on, at the same port', async () => {
    await using server = await listening(() => Promise.resolve({ answer: greet }), 'localhost');
    const addresses = await lookup('localhost', { all: true });
    assert.ok(addresses.length > 0);
    for (const { address, family } of addresses) {
      const host = family === 6 ? `[${address}]` : address;
      assert.equal(await (await fetch(`http://${host}:${server.port}/`)).text(), 'here is /');
    }
  });

  it('that are taken are told, and nothing is left of the try', async () => {
    await using server = await listening(() => Promise.resolve({ answer: greet }));
    const second = createHttpListener([], () => Promise.reject(new Error('not asked for')));
    await assert.rejects(
      second.listen({ host: '127.0.0.1', port: server.port }),
      (error) => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE',
    );
    await second.close();
  });
});
