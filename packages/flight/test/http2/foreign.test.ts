import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http2, { type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type HeaderList,
  Http2Error,
  type Http2Listener,
  type Http2Session,
  type Http2Stream,
  connect,
  listen,
  silentHandler,
} from '../../src/http2/index.ts';

/** What one request brought. */
interface Answer {
  readonly headers: HeaderList;
  readonly body: Buffer;
  readonly trailers: HeaderList;
  readonly error: Http2Error | undefined;
}

const requestHeaders: HeaderList = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/echo'],
  [':authority', 'localhost'],
];

function request(session: Http2Session, body: Buffer, headers: HeaderList = requestHeaders): Promise<Answer> {
  return new Promise((resolve) => {
    let answerHeaders: HeaderList = [];
    let trailers: HeaderList = [];
    const parts: Buffer[] = [];
    const stream: Http2Stream = session.request(headers, {
      onHeaders: (list) => {
        answerHeaders = list;
      },
      onData: (buffer, start, end) => {
        parts.push(Buffer.from(buffer.subarray(start, end)));
        stream.consumed(end - start);
      },
      onTrailers: (list) => {
        trailers = list;
      },
      onEnd: () => undefined,
      onClose: (error) => resolve({ headers: answerHeaders, body: Buffer.concat(parts), trailers, error }),
      onDrain: () => undefined,
    });
    stream.write([body], body.length);
    stream.end();
  });
}

/** A server of ours that sends back what it gets, with trailers. */
function echoServer(): Promise<Http2Listener> {
  return listen(
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    {
      session: () => ({
        onRequest: (_headers, _endStream, stream) => {
          stream.sendHeaders([[':status', '200']]);
          return {
            onHeaders: () => undefined,
            onData: (buffer, start, end) => {
              stream.write([Uint8Array.from(buffer.subarray(start, end))], end - start);
              stream.consumed(end - start);
            },
            onTrailers: () => undefined,
            onEnd: () => stream.end([['grpc-status', '0']]),
            onClose: () => undefined,
            onDrain: () => undefined,
          };
        },
      }),
    },
  );
}

describe('our client with node:http2 as the server', () => {
  it('sends and receives bodies of every size, with trailers', async () => {
    const server = http2.createServer();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const session = await connect({ kind: 'tcp', host: '127.0.0.1', port: address.port });
    try {
      for (const size of [0, 1, 16_383, 16_384, 16_385, 5_000_000]) {
        const body = Buffer.alloc(size, size % 251);
        const answer = await request(session, body);
        assert.equal(answer.error, undefined);
        assert.ok(answer.body.equals(body), `a body of ${size} bytes`);
        assert.deepEqual(answer.headers[0], [':status', '200']);
        assert.deepEqual(answer.trailers, [['grpc-status', '0']]);
      }
      const many = await Promise.all(
        Array.from({ length: 300 }, (_, i) => request(session, Buffer.alloc(3000, i % 256))),
      );
      assert.ok(many.every((answer, i) => answer.body.equals(Buffer.alloc(3000, i % 256))));
      assert.ok((await session.ping()) >= 0);
    } finally {
      await session.close();
      server.close();
    }
  });
});

describe('our server with node:http2 as the client', () => {
  it('answers requests of every size, many at once', async () => {
    const server = await echoServer();
    const client = http2.connect(`http://127.0.0.1:${server.port}`);
    try {
      await Promise.all(
        [0, 1, 16_384, 70_000, 5_000_000, ...Array.from({ length: 200 }, (_, i) => i * 10)].map(
          async (size) => {
            const stream = client.request({ ':method': 'POST', ':path': '/echo' });
            const body = Buffer.alloc(size, size % 251);
            const parts: Buffer[] = [];
            let trailers: http2.IncomingHttpHeaders = {};
            stream.on('data', (part: Buffer) => parts.push(part));
            stream.on('trailers', (headers: http2.IncomingHttpHeaders) => {
              trailers = headers;
            });
            stream.end(body);
            await once(stream, 'close');
            assert.ok(Buffer.concat(parts).equals(body), `a body of ${size} bytes`);
            assert.equal(trailers['grpc-status'], '0');
          },
        ),
      );
    } finally {
      client.close();
      await server.close();
    }
  });
});

describe('our client with our server', () => {
  it('talks over a Unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'peregrine-'));
    const path =
      process.platform === 'win32' ? `\\\\.\\pipe\\peregrine-${process.pid}` : join(folder, 'h2.sock');
    const server = await listen(
      { kind: 'unix', path },
      {
        session: () => ({
          onRequest: (_headers, _endStream, stream) => {
            stream.sendHeaders([[':status', '200']], true);
            return { onHeaders() {}, onData() {}, onTrailers() {}, onEnd() {}, onClose() {}, onDrain() {} };
          },
        }),
      },
    );
    const session = await connect({ kind: 'unix', path });
    const answer = await request(session, Buffer.alloc(10));
    assert.deepEqual(answer.headers, [[':status', '200']]);
    assert.equal(answer.error, undefined);
    await session.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lets open streams finish when the server closes', async () => {
    const server = await echoServer();
    const session = await connect({ kind: 'tcp', host: '127.0.0.1', port: server.port });
    const answers = Promise.all(Array.from({ length: 20 }, () => request(session, Buffer.alloc(300_000, 7))));
    await session.ping();
    const closed = server.close();
    for (const answer of await answers) {
      assert.equal(answer.error, undefined);
      assert.equal(answer.body.length, 300_000);
    }
    await closed;
    await session.ended;
    assert.throws(() => session.request(requestHeaders, silentHandler), Http2Error);
  });
});
