import assert from 'node:assert/strict';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { type RecordBatch, Table, tableToIPC } from 'apache-arrow';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { readHttpEndpoint } from '../../src/client/http-endpoint.ts';
import type { FlightTlsOptions } from '../../src/client/options.ts';
import { FlightError, type FlightErrorCode } from '../../src/errors.ts';
import { numbers, valuesOf } from './flight-data.ts';

const arrowStream = 'application/vnd.apache.arrow.stream';
const body = tableToIPC(numbers([1, 2], [3]), 'stream');
const servers: Server[] = [];

after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server, scheme: string): Promise<URL> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return new URL(`${scheme}://127.0.0.1:${port}/data?secret=1`);
}

function serve(listener: RequestListener): Promise<URL> {
  return listen(createServer(listener), 'http');
}

async function read(url: URL, tls?: FlightTlsOptions, signal = new AbortController().signal): Promise<Table> {
  const stream = await readHttpEndpoint(url, { tls, signal, ipc: {} });
  const batches: RecordBatch[] = [];
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) batches.push(batch);
  return new Table(stream.schema, batches);
}

function isError(code: FlightErrorCode, pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlightError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    // the query of a presigned URI is a secret
    assert.doesNotMatch(error.message, /secret/);
    return true;
  };
}

describe('an endpoint at an http location', () => {
  it('is fetched with GET and read as an Arrow stream', async () => {
    let request: IncomingMessage | undefined;
    const url = await serve((incoming, response) => {
      request = incoming;
      response.writeHead(200, { 'content-type': `${arrowStream}; charset=binary` }).end(body);
    });
    assert.deepEqual(valuesOf(await read(url)), [1, 2, 3]);
    assert.equal(request?.method, 'GET');
    assert.equal(request?.url, '/data?secret=1');
    assert.match(request?.headers.accept ?? '', /^application\/vnd\.apache\.arrow\.stream/);
    assert.equal(request?.headers.authorization, undefined);
  });

  for (const type of ['application/octet-stream', undefined]) {
    it(`may have ${type ?? 'no'} content type`, async () => {
      const url = await serve((_, response) =>
        response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(body),
      );
      assert.equal((await read(url)).numRows, 3);
    });
  }

  it('may not have another content type', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    );
    await assert.rejects(
      read(url),
      isError('INVALID_DATA', /text\/html.*\(GET http:\/\/127\.0\.0\.1:\d+\/data\)/),
    );
  });

  const statuses: readonly [number, FlightErrorCode][] = [
    [400, 'INVALID_ARGUMENT'],
    [401, 'UNAUTHENTICATED'],
    [403, 'UNAUTHORIZED'],
    [404, 'NOT_FOUND'],
    [406, 'INVALID_ARGUMENT'],
    [408, 'TIMED_OUT'],
    [410, 'NOT_FOUND'],
    [415, 'INVALID_ARGUMENT'],
    [429, 'RESOURCE_EXHAUSTED'],
    [500, 'UNKNOWN'],
    [501, 'UNIMPLEMENTED'],
    [502, 'UNAVAILABLE'],
    [503, 'UNAVAILABLE'],
    [504, 'TIMED_OUT'],
    [204, 'UNKNOWN'],
  ];
  for (const [status, code] of statuses) {
    it(`that answers ${status} fails as ${code}`, async () => {
      const url = await serve((_, response) => response.writeHead(status).end('because\n  of this'));
      await assert.rejects(
        read(url),
        isError(code, status === 204 ? /204/ : new RegExp(`${status}.*because of this`)),
      );
    });
  }

  it('tells its status also when the page about it never ends, or breaks off', async () => {
    for (const leave of [() => undefined, (response: ServerResponse) => response.destroy()]) {
      const url = await serve((_, response) => {
        response.writeHead(403).write('not you', () => leave(response));
      });
      await assert.rejects(read(url), isError('UNAUTHORIZED', /403.*not you/));
    }
  });

  it('is followed through redirects', async () => {
    const url = await serve((request, response) => {
      if (request.url?.startsWith('/data')) response.writeHead(307, { location: '/other' }).end();
      else response.writeHead(200, { 'content-type': arrowStream }).end(body);
    });
    assert.equal((await read(url)).numRows, 3);
  });

  it('is not followed for ever, nor out of http', async () => {
    const redirecting = (location: string) => (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(302, { location }).end();
    await assert.rejects(
      read(await serve(redirecting('/data'))),
      isError('INVALID_DATA', /more than 5 redirects/),
    );
    await assert.rejects(read(await serve(redirecting('ftp://x/'))), isError('INVALID_DATA', /ftp:/));
    await assert.rejects(read(await serve(redirecting('http://['))), isError('INVALID_DATA', /no URI/));
  });

  it('that is not there is UNAVAILABLE', async () => {
    const url = await serve(() => undefined);
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    await assert.rejects(read(url), isError('UNAVAILABLE', /ECONNREFUSED/));
  });

  it('that breaks off fails', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': arrowStream, 'content-length': body.byteLength });
      response.write(body.subarray(0, body.byteLength - 60), () => response.destroy());
    });
    await assert.rejects(read(url), isError('UNAVAILABLE', /GET/));
  });

  it('that is no Arrow stream fails', async () => {
    const url = await serve((_, response) =>
      response.writeHead(200, { 'content-type': arrowStream }).end('no'),
    );
    await assert.rejects(read(url), isError('INVALID_DATA', /GET/));
  });

  it('is given up when the signal aborts', async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort());
    await assert.rejects(read(url, undefined, controller.signal), isError('CANCELLED', /GET/));
    const late = AbortSignal.timeout(20);
    await assert.rejects(read(await serve(() => undefined), undefined, late), isError('TIMED_OUT', /GET/));
  });

  it('of https is not followed to where others can listen', async () => {
    const authority = createDevCertificateAuthority();
    const plain = await serve((_, response) => response.end(body));
    const server = createTlsServer(authority.issueServer(), (_, response) =>
      response.writeHead(302, { location: plain.href }).end(),
    );
    const url = await listen(server, 'https');
    const tls = { rootCertificates: authority.certificate.cert };
    await assert.rejects(read(url, tls), isError('INVALID_DATA', /http:, which is less safe than https:/));
  });

  it('of https is trusted as the client was told', async () => {
    const authority = createDevCertificateAuthority();
    const { cert, key } = authority.issueServer();
    const server = createTlsServer({ cert, key }, (_, response) => void response.end(body));
    const url = await listen(server, 'https');
    assert.equal((await read(url, { rootCertificates: authority.certificate.cert })).numRows, 3);
    assert.equal((await read(url, { disableServerVerification: true })).numRows, 3);
    await assert.rejects(read(url), isError('UNAVAILABLE', /certificate/));
  });
});
