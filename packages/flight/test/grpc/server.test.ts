import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http2 from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { FlightInvalidArgumentError, FlightUnavailableError } from '../../src/errors.ts';
import {
  bytesMessage,
  createServer,
  type GrpcServerCall,
  type GrpcServerOptions,
} from '../../src/grpc/index.ts';
import {
  bytesDecoder,
  bytesOf,
  channelTo,
  echo,
  type Handler,
  message,
  methods,
  pair,
  textOf,
  until,
} from './support.ts';

interface RawAnswer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

const post = { ':method': 'POST', ':path': '/t.T/Echo', 'content-type': 'application/grpc' };

/** A server of ours and a client that speaks no gRPC by itself. */
async function rawClient(
  t: TestContext,
  handlers: Readonly<Record<string, Handler>>,
  options: Partial<GrpcServerOptions> = {},
): Promise<{
  session: http2.ClientHttp2Session;
  request(headers: http2.OutgoingHttpHeaders, body?: readonly Uint8Array[]): Promise<RawAnswer>;
}> {
  const server = createServer({ lookup: methods(handlers), ...options });
  const { port } = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  t.after(async () => {
    session.destroy();
    await server.close();
  });
  return {
    session,
    request: async (headers, body = []) => {
      const stream = session.request(headers);
      const pieces: Buffer[] = [];
      let response: RawAnswer['headers'] = {};
      let trailers: http2.IncomingHttpHeaders = {};
      stream.on('response', (received) => (response = received));
      stream.on('trailers', (received) => (trailers = received));
      stream.on('data', (bytes: Buffer) => pieces.push(bytes));
      stream.on('error', () => undefined);
      for (const bytes of body) {
        stream.write(bytes);
        // so that each piece is a frame of its own, and a read of its own on the other end
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
      await once(stream, 'close');
      return { headers: response, trailers, body: Buffer.concat(pieces) };
    },
  };
}

function framed(text: string): Buffer {
  const bytes = bytesOf(text);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([prefix, bytes]);
}

describe('requests that are not gRPC', () => {
  it('get the HTTP status that fits', async (t) => {
    const { request } = await rawClient(t, { Echo: echo });
    assert.equal((await request({ ...post, 'content-type': 'application/json' })).headers[':status'], 415);
    assert.equal(
      (await request({ ...post, 'content-type': 'application/grpc-web' })).headers[':status'],
      415,
    );
    assert.equal((await request({ ':method': 'POST', ':path': '/t.T/Echo' })).headers[':status'], 415);
    assert.equal((await request({ ':path': '/t.T/Echo' })).headers[':status'], 405);
  });

  it('get a status of gRPC for what only gRPC knows', async (t) => {
    const { request } = await rawClient(t, { Echo: echo });
    const timeout = await request({ ...post, 'grpc-timeout': 'soon' });
    assert.equal(timeout.headers['grpc-status'], '3');
    const encoding = await request({ ...post, 'grpc-encoding': 'snappy' });
    assert.equal(encoding.headers['grpc-status'], '12');
    assert.equal(encoding.headers['grpc-accept-encoding'], 'identity,gzip');
    const path = await request({ ...post, ':path': '/t.T/None' });
    assert.equal(path.headers['grpc-status'], '12');
    assert.equal(path.headers[':status'], 200);
    assert.equal(path.headers['content-type'], 'application/grpc');
  });

  it('may lack te and have a format in the content type', async (t) => {
    const { request } = await rawClient(t, { Echo: echo });
    for (const type of ['application/grpc', 'application/grpc+proto', 'application/grpc;charset=x']) {
      const { trailers, body } = await request({ ...post, 'content-type': type }, [framed('x')]);
      assert.equal(trailers['grpc-status'], '0');
      assert.equal(body.toString(), framed('x').toString());
    }
  });
});

describe('messages of requests', () => {
  it('may be cut at every byte', async (t) => {
    const { request } = await rawClient(t, { Echo: echo });
    const all = Buffer.concat([framed('one'), framed(''), framed('three')]);
    for (let cut = 0; cut <= all.byteLength; cut += 1) {
      const { trailers, body } = await request(post, [all.subarray(0, cut), all.subarray(cut)]);
      assert.equal(trailers['grpc-status'], '0');
      assert.equal(body.equals(all), true, `cut at ${cut}`);
    }
  });

  it('that are broken end the call and not the connection', async (t) => {
    const { request } = await rawClient(t, { Echo: echo }, { maxReceiveBytes: 100 });
    const statusOf = ({ headers, trailers }: RawAnswer): unknown =>
      headers['grpc-status'] ?? trailers['grpc-status'];
    assert.equal(statusOf(await request(post, [Buffer.from([9, 0, 0, 0, 0])])), '13');
    assert.equal(statusOf(await request(post, [Buffer.from([0, 0, 0, 0, 101])])), '8');
    assert.equal(statusOf(await request(post, [Buffer.from([1, 0, 0, 0, 1, 0])])), '13');
    assert.equal(statusOf(await request(post, [framed('abc').subarray(0, 6)])), '13');
    assert.equal(statusOf(await request(post, [framed('fine')])), '0');
  });

  it('are not compressed for a client that did not say that it reads it', async (t) => {
    const { request } = await rawClient(t, { Echo: echo }, { compression: 'gzip' });
    const text = 'abc'.repeat(1000);
    const plain = await request(post, [framed(text)]);
    assert.equal(plain.headers['grpc-encoding'], undefined);
    assert.equal(plain.body.equals(framed(text)), true);
    const packed = await request({ ...post, 'grpc-accept-encoding': 'deflate,gzip' }, [framed(text)]);
    assert.equal(packed.headers['grpc-encoding'], 'gzip');
    assert.ok(packed.body.byteLength < 200);
  });
});

describe('responses', () => {
  it('of calls that fail before anything was sent are one header block', async (t) => {
    const { request } = await rawClient(t, {
      Echo: (call) => {
        call.initialMetadata.set('a', '1');
        call.trailers.set('b', '2');
        throw new FlightInvalidArgumentError('no');
      },
    });
    const { headers, trailers } = await request(post);
    assert.deepEqual(
      [headers['a'], headers['b'], headers['grpc-status'], headers['grpc-message']],
      ['1', '2', '3', 'no'],
    );
    assert.deepEqual({ ...trailers }, {});
  });

  it('tell a handler that headers are gone, and ignore a second end', async (t) => {
    const seen: boolean[] = [];
    const { request } = await rawClient(t, {
      Echo: (call) => {
        seen.push(call.headersSent);
        call.sendHeaders();
        call.sendHeaders();
        seen.push(call.headersSent);
        call.finish();
        call.finish(new Error('too late'));
        seen.push(call.isCancelled);
        assert.throws(() => call.write(message('x')), /is finished/);
      },
    });
    assert.equal((await request(post)).trailers['grpc-status'], '0');
    assert.deepEqual(seen, [false, true, false]);
  });
});

describe('limits of a server', () => {
  it('hold the number of calls, naming it', async (t) => {
    const waiting: GrpcServerCall<Uint8Array>[] = [];
    const { channel, server } = await pair(
      t,
      {
        Wait: async (call) => {
          waiting.push(call);
          await call.read();
        },
      },
      { server: { maxConcurrentCalls: 2 } },
    );
    const calls = [channel.call('/t.T/Wait', bytesDecoder), channel.call('/t.T/Wait', bytesDecoder)];
    await until(() => server.activeCalls === 2);
    await assert.rejects(channel.unary('/t.T/Wait', message('')), { code: 'RESOURCE_EXHAUSTED' });
    for (const call of calls) call.end();
    await Promise.all(calls.map(({ status }) => status));
    await until(() => server.activeCalls === 0);
    const call = channel.call('/t.T/Wait', bytesDecoder);
    call.end();
    assert.equal((await call.status).code, 0);
    assert.equal(waiting.length, 3);
  });

  it('hold the number of connections', async (t) => {
    const { channel, server, port } = await pair(t, { Echo: echo }, { server: { maxConnections: 1 } });
    await channel.unary('/t.T/Echo', message(''));
    await assert.rejects(channelTo(t, port).unary('/t.T/Echo', message('')), FlightUnavailableError);
    assert.equal(server.connections, 1);
  });

  it('are checked', () => {
    const lookup = methods({});
    assert.throws(() => createServer({ lookup, maxReceiveBytes: 0 }), /maxReceiveBytes must be above 0/);
    assert.throws(() => createServer({ lookup, keepaliveMs: -1 }), FlightInvalidArgumentError);
  });
});

describe('connections of a server', () => {
  it('are drained when they are old, without harm to calls', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo }, { server: { maxConnectionAgeMs: 30 } });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    call.write(message('1'));
    assert.equal(textOf(await call.read()), '1');
    await until(() => channel.state !== 'ready');
    for (let n = 0; n < 20; n += 1) {
      assert.equal(textOf((await channel.unary('/t.T/Echo', message('x'))).response), 'x');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    call.write(message('2'));
    call.end();
    assert.equal(textOf(await call.read()), '2');
    assert.equal(await call.read(), undefined);
    assert.ok(server.connections >= 1);
  });

  it('end the calls of old connections after a grace', async (t) => {
    const { channel } = await pair(
      t,
      { Echo: echo },
      { server: { maxConnectionAgeMs: 20, maxConnectionAgeGraceMs: 20 } },
    );
    const call = channel.call('/t.T/Echo', bytesDecoder);
    await assert.rejects(
      call.read(),
      (error) => error instanceof FlightUnavailableError && /age/.test(error.message),
    );
  });

  it('are closed when they have no calls', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo }, { server: { maxConnectionIdleMs: 30 } });
    await channel.unary('/t.T/Echo', message(''));
    await until(() => server.connections === 0);
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('x'))).response), 'x');
  });

  it('are closed when the other end does not answer pings, and their calls end', async (t) => {
    const calls: GrpcServerCall<Uint8Array>[] = [];
    const server = createServer({
      lookup: methods({
        Wait: async (call) => {
          calls.push(call);
          await call.read();
        },
      }),
      keepaliveMs: 20,
      keepaliveTimeoutMs: 20,
    });
    t.after(() => server.close());
    const { port } = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    const socket = connectTcp(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    // a preface, SETTINGS, a request whose headers are literals, and silence
    const field = (name: string, value: string): Buffer =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]);
    const block = Buffer.concat([
      Buffer.from([0x83, 0x86]),
      field(':path', '/t.T/Wait'),
      field('content-type', 'application/grpc'),
    ]);
    socket.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
        Buffer.from([0, 0, block.byteLength, 1, 4, 0, 0, 0, 1]),
        block,
      ]),
    );
    await until(() => calls.length === 1);
    await until(() => server.connections === 0 && server.activeCalls === 0);
    assert.equal(calls[0]?.isCancelled, true);
  });
});

describe('ending a server', () => {
  it('lets running calls finish and takes no new ones', async (t) => {
    const { channel, server, port } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    call.write(message('1'));
    assert.equal(textOf(await call.read()), '1');
    const drained = server.drain();
    await assert.rejects(channelTo(t, port).unary('/t.T/Echo', message('')), FlightUnavailableError);
    call.write(message('2'));
    call.end();
    assert.equal(textOf(await call.read()), '2');
    await drained;
    assert.equal(server.connections, 0);
    await assert.rejects(server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 }), /is closed/);
  });

  it('ends running calls after the grace with a status', async (t) => {
    let reason: unknown;
    const { channel, server } = await pair(t, {
      Wait: (call) =>
        new Promise((resolve) => {
          call.signal.addEventListener('abort', () => {
            ({ reason } = call.signal);
            resolve();
          });
        }),
    });
    const call = channel.call('/t.T/Wait', bytesDecoder);
    const read = call.read();
    await until(() => server.activeCalls === 1);
    await Promise.all([
      assert.rejects(read, { code: 'UNAVAILABLE', rawMessage: 'the server is shutting down' }),
      server.drain(20),
    ]);
    assert.ok(reason instanceof FlightUnavailableError);
    assert.equal(server.connections, 0);
  });

  it('does not wait for a client that does not read', async (t) => {
    const { channel, server } = await pair(t, {
      Flood: async (call) => {
        for (;;) if (!call.write(bytesMessage(new Uint8Array(100_000)))) await call.drained();
      },
    });
    const call = channel.call('/t.T/Flood', bytesDecoder);
    await call.read();
    await server.close();
    assert.notEqual((await call.status).code, 0);
    await until(() => server.activeCalls === 0);
  });

  it('does not wait for a handler that goes on', async (t) => {
    const { channel, server } = await pair(t, { Stubborn: () => new Promise(() => undefined) });
    const call = channel.call('/t.T/Stubborn', bytesDecoder);
    await until(() => server.activeCalls === 1);
    await server.close();
    assert.equal((await call.status).code, 14);
  });

  it('closes one of several listeners', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo });
    const other = await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
    assert.equal(textOf((await channelTo(t, other.port).unary('/t.T/Echo', message('x'))).response), 'x');
    await other.close();
    await assert.rejects(channelTo(t, other.port).unary('/t.T/Echo', message('x')), FlightUnavailableError);
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('x'))).response), 'x');
  });

  it('says when a place is taken', async (t) => {
    const { server, port } = await pair(t, {});
    await assert.rejects(
      server.listen({ kind: 'tcp', host: '127.0.0.1', port }),
      (error) => error instanceof FlightUnavailableError && error.message.includes(`127.0.0.1:${port}`),
    );
  });
});
