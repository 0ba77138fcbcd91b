import { maxTransparentRetries } from '../../src/limits/grpc.ts';
import assert from 'node:assert/strict';
import * as http2 from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { describe, it, mock, type TestContext } from 'node:test';
import {
  FlightCancelledError,
  FlightInvalidArgumentError,
  FlightTimedOutError,
  FlightUnavailableError,
} from '../../src/errors.ts';
import { createChannel, createServer, type GrpcServer, Metadata } from '../../src/grpc/index.ts';
import { freePort } from '../free-port.ts';
import {
  bytesDecoder,
  bytesOf,
  channelTo,
  echo,
  listening,
  message,
  methods,
  pair,
  textOf,
  until,
} from './support.ts';

const fast = { reconnectInitialDelayMs: 5, reconnectMaxDelayMs: 20 };

async function echoServer(t: TestContext, port: number = 0): Promise<{ server: GrpcServer; port: number }> {
  const server = createServer({ lookup: methods({ Echo: echo }) });
  const listener = await server.listen({ kind: 'tcp', host: '127.0.0.1', port });
  t.after(() => server.close());
  return { server, port: listener.port };
}

type ForeignStream = http2.ServerHttp2Stream;

/** A server of node:http2 that does what the test wants with every stream. */
async function rawServer(
  t: TestContext,
  onStream: (
    stream: ForeignStream,
    headers: http2.IncomingHttpHeaders,
    session: http2.ServerHttp2Session,
  ) => void,
): Promise<{ port: number; sessions: http2.ServerHttp2Session[] }> {
  const server = http2.createServer();
  const sessions: http2.ServerHttp2Session[] = [];
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      onStream(stream, headers, session);
    });
  });
  const port = await listening(server);
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port, sessions };
}

const ok = { ':status': 200, 'content-type': 'application/grpc' };

function answer(stream: ForeignStream, text: string): void {
  stream.respond(ok, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const bytes = bytesOf(text);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.byteLength, 1);
  stream.end(Buffer.concat([prefix, bytes]));
}

describe('connecting', () => {
  it('begins with the first call and shows in the state', async (t) => {
    const { port } = await echoServer(t);
    const channel = channelTo(t, port);
    assert.equal(channel.state, 'idle');
    const call = channel.unary('/t.T/Echo', message('x'));
    assert.equal(channel.state, 'connecting');
    assert.equal(textOf((await call).response), 'x');
    assert.equal(channel.state, 'ready');
    await channel.close();
    assert.equal(channel.state, 'closed');
  });

  it('can be done before the first call', async (t) => {
    const { port } = await echoServer(t);
    const channel = channelTo(t, port);
    await channel.connect();
    assert.equal(channel.state, 'ready');
    await channel.connect();
  });

  it('fails calls at once with what went wrong and where', async (t) => {
    const port = await freePort();
    const channel = channelTo(t, port);
    await assert.rejects(
      channel.unary('/t.T/Echo', message('')),
      (error) => error instanceof FlightUnavailableError && error.message.includes(`127.0.0.1:${port}`),
    );
    assert.equal(channel.state, 'failed');
    // within the back-off the answer is the same, without a try
    await assert.rejects(channel.unary('/t.T/Echo', message('')), FlightUnavailableError);
    await assert.rejects(channel.connect(), FlightUnavailableError);
  });

  it('waits for a server that comes later, when told to', async (t) => {
    const port = await freePort();
    const channel = channelTo(t, port, fast);
    const call = channel.unary('/t.T/Echo', message('x'), { waitForReady: true });
    const connected = channel.connect({ waitForReady: true });
    await until(() => channel.state === 'failed');
    await echoServer(t, port);
    assert.equal(textOf((await call).response), 'x');
    await connected;
  });

  it('waits no longer than the deadline, and not after a cancel', async (t) => {
    const channel = channelTo(t, await freePort(), { ...fast, waitForReady: true });
    await assert.rejects(channel.unary('/t.T/Echo', message(''), { timeoutMs: 30 }), FlightTimedOutError);
    await assert.rejects(channel.connect({ timeoutMs: 30 }), FlightTimedOutError);
    const call = channel.call('/t.T/Echo', bytesDecoder);
    const read = call.read();
    call.cancel();
    await assert.rejects(read, FlightCancelledError);
    await assert.rejects(channel.connect({ signal: AbortSignal.abort() }), FlightCancelledError);
  });

  it('tries again after a back-off', async (t) => {
    const port = await freePort();
    const channel = channelTo(t, port, fast);
    await assert.rejects(channel.unary('/t.T/Echo', message('')), FlightUnavailableError);
    await echoServer(t, port);
    await until(() => channel.state === 'idle');
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('x'))).response), 'x');
  });

  it('takes the address that answers', async (t) => {
    const { port } = await echoServer(t);
    const channel = createChannel(
      { kind: 'tcp', host: 'some.name', port },
      { lookup: () => Promise.resolve(['::1', '127.0.0.1']) },
    );
    t.after(() => channel.close(0));
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('x'))).response), 'x');
  });

  it('gives up a server that says nothing', async (t) => {
    const sockets: Socket[] = [];
    const silent = createTcpServer((socket) => sockets.push(socket));
    const port = await listening(silent);
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const channel = channelTo(t, port, { connectTimeoutMs: 50 });
    await assert.rejects(channel.unary('/t.T/Echo', message('')), FlightUnavailableError);
  });

  it('refuses options that make no sense', () => {
    const target = { kind: 'tcp', host: 'h', port: 1 } as const;
    assert.throws(() => createChannel(target, { tls: {} }), FlightInvalidArgumentError);
    assert.throws(() => createChannel(target, { idleMs: 0 }), /idleMs must be above 0/);
    assert.throws(() => createChannel(target, { connections: { max: -1 } }), /max must be above 0/);
    assert.throws(() => createChannel(target, { keepaliveMs: Number.NaN }), /keepaliveMs/);
  });
});

describe('a connection that is lost', () => {
  it('fails its calls and is replaced for the next one', async (t) => {
    const streams: ForeignStream[] = [];
    const { port, sessions } = await rawServer(t, (stream) => {
      if (streams.push(stream) > 1) answer(stream, 'again');
    });
    const channel = channelTo(t, port);
    const first = channel.unary('/t.T/X', message(''));
    await until(() => streams.length === 1);
    sessions[0]?.destroy();
    await assert.rejects(first, FlightUnavailableError);
    assert.equal(textOf((await channel.unary('/t.T/X', message(''))).response), 'again');
    assert.equal(sessions.length, 2);
  });

  it('is found by a ping that nobody answers', async (t) => {
    const sockets: Socket[] = [];
    const mute = createTcpServer((socket) => {
      sockets.push(socket);
      // SETTINGS, and then never another word
      socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      socket.on('error', () => undefined);
    });
    const port = await listening(mute);
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const channel = channelTo(t, port, { keepaliveMs: 20, keepaliveTimeoutMs: 20 });
    await assert.rejects(
      channel.unary('/t.T/X', message('')),
      (error) => error instanceof FlightUnavailableError && /ping was not answered/.test(error.message),
    );
  });

  it('stays when pings are answered', async (t) => {
    const { channel } = await pair(
      t,
      {
        Slow: async (call) => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          call.write(message('x'));
        },
      },
      { channel: { keepaliveMs: 10, keepaliveTimeoutMs: 60_000 } },
    );
    assert.equal(textOf((await channel.unary('/t.T/Slow', message(''))).response), 'x');
  });

  it('is asked half as often whether it is there when its server found that too much', async (t) => {
    const delays: (number | undefined)[] = [];
    const set = globalThis.setTimeout;
    const timers = mock.method(globalThis, 'setTimeout', (...args: Parameters<typeof set>) => {
      delays.push(args[1]);
      return set(...args);
    });
    t.after(() => timers.mock.restore());
    const { port, sessions } = await rawServer(t, (stream) => answer(stream, 'done'));
    const channel = channelTo(t, port, { keepaliveMs: 123_456 });
    for (let i = 1; i <= 3; i++) {
      await channel.unary('/t.T/X', message(''));
      const session = sessions.at(-1);
      assert.ok(session !== undefined && sessions.length === i);
      // as grpc-go, C++ and Java do
      session.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'));
      session.destroy();
      await until(() => channel.state !== 'ready');
    }
    const keepalive = delays.filter((ms) => ms !== undefined && ms % 123_456 === 0 && ms > 0);
    assert.deepEqual(keepalive, [123_456, 2 * 123_456, 4 * 123_456]);
  });

  it('is closed by us when it has no calls for long', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo }, { channel: { idleMs: 30 } });
    await channel.unary('/t.T/Echo', message('x'));
    await until(() => channel.state === 'idle' && server.connections === 0);
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('y'))).response), 'y');
  });
});

describe('calls that a server did not process', () => {
  it('begin anew on another connection after GOAWAY, with all that was sent', async (t) => {
    let seen = 0;
    const { port, sessions } = await rawServer(t, (stream, _headers, session) => {
      seen += 1;
      if (session === sessions[0] && seen === 1) {
        answer(stream, 'first');
        return;
      }
      if (session === sessions[0]) {
        // stream 1 was the last that is processed: of this one nothing will come
        session.goaway(http2.constants.NGHTTP2_NO_ERROR, 1);
        return;
      }
      let received = Buffer.alloc(0);
      stream.on('data', (bytes: Buffer) => (received = Buffer.concat([received, bytes])));
      stream.on('end', () => answer(stream, `got ${received.subarray(5).toString()}`));
    });
    const channel = channelTo(t, port);
    await channel.unary('/t.T/X', message('request'));
    const { response } = await channel.unary('/t.T/X', message('request'));
    assert.equal(textOf(response), 'got request');
    assert.equal(sessions.length, 2);
    assert.equal(seen, 3);
  });

  it('begin anew after REFUSED_STREAM, and fail when that goes on', async (t) => {
    let refuse = 2;
    let streams = 0;
    const { port } = await rawServer(t, (stream) => {
      streams += 1;
      if (refuse-- > 0) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      else answer(stream, 'done');
    });
    const channel = channelTo(t, port);
    assert.equal(textOf((await channel.unary('/t.T/X', message(''))).response), 'done');
    assert.equal(streams, 3);
    refuse = Infinity;
    streams = 0;
    await assert.rejects(channel.unary('/t.T/X', message('')), FlightUnavailableError);
    assert.equal(streams, 1 + maxTransparentRetries);
  });

  it('do not begin anew once the server has answered', async (t) => {
    let streams = 0;
    const { port } = await rawServer(t, (stream) => {
      streams += 1;
      // node:http2 would end the stream before it resets it
      stream.respond(ok, { waitForTrailers: true });
      stream.write(Buffer.from([0, 0, 0, 0, 0]));
      setImmediate(() => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM));
    });
    const channel = channelTo(t, port);
    await assert.rejects(channel.unary('/t.T/X', message('')), FlightUnavailableError);
    assert.equal(streams, 1);
  });

  it('finish on the old connection while new ones go to another, when the server drains', async (t) => {
    const { channel, server, port } = await pair(t, { Echo: echo }, { port: await freePort() });
    const old = channel.call('/t.T/Echo', bytesDecoder);
    old.write(message('1'));
    assert.equal(textOf(await old.read()), '1');
    const drained = server.drain();
    await until(() => channel.state !== 'ready');
    const second = createServer({ lookup: methods({ Echo: echo }) });
    await second.listen({ kind: 'tcp', host: '127.0.0.1', port });
    t.after(() => second.close());
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('new'))).response), 'new');
    assert.equal(second.connections, 1);
    old.write(message('2'));
    old.end();
    assert.equal(textOf(await old.read()), '2');
    assert.equal(await old.read(), undefined);
    await drained;
  });
});

describe('what is not gRPC', () => {
  it('is named by its HTTP status and content type', async (t) => {
    const { port } = await rawServer(t, (stream) => {
      stream.respond({ ':status': 503, 'content-type': 'text/html' });
      stream.end('<p>busy</p>');
    });
    await assert.rejects(
      channelTo(t, port).unary('/t.T/X', message('')),
      (error) => error instanceof FlightUnavailableError && /503.*text\/html/.test(error.message),
    );
  });

  it('is named also when it comes without a body', async (t) => {
    const { port } = await rawServer(t, (stream) => stream.respond({ ':status': 401 }, { endStream: true }));
    await assert.rejects(channelTo(t, port).unary('/t.T/X', message('')), { code: 'UNAUTHENTICATED' });
  });

  it('may look like gRPC and end without a status', async (t) => {
    const { port } = await rawServer(t, (stream) => {
      stream.respond(ok);
      stream.end(Buffer.from([0, 0, 0, 0, 0]));
    });
    await assert.rejects(channelTo(t, port).unary('/t.T/X', message('')), /no grpc-status/);
  });

  it('may compress in a way that was not offered', async (t) => {
    const { port } = await rawServer(t, (stream) => stream.respond({ ...ok, 'grpc-encoding': 'snappy' }));
    await assert.rejects(channelTo(t, port).unary('/t.T/X', message('')), /snappy/);
  });

  it('is told by resets what went wrong', async (t) => {
    const { port } = await rawServer(t, (stream, headers) => {
      stream.respond(ok, { waitForTrailers: true });
      setImmediate(() => stream.close(Number(headers['x-code'])));
    });
    const channel = channelTo(t, port);
    for (const [number, code] of [
      [8, 'CANCELLED'],
      [11, 'RESOURCE_EXHAUSTED'],
      [2, 'INTERNAL'],
      [12, 'UNAUTHORIZED'],
    ] as const) {
      const call = channel.call('/t.T/X', bytesDecoder, { metadata: metadataOf('x-code', String(number)) });
      await assert.rejects(call.read(), { code });
    }
  });
});

describe('requests', () => {
  it('carry what gRPC asks for', async (t) => {
    let seen: http2.IncomingHttpHeaders = {};
    const { port } = await rawServer(t, (stream, headers) => {
      seen = headers;
      answer(stream, '');
    });
    const channel = channelTo(t, port, { userAgent: 'mine/1', authority: 'over.there' });
    await channel.unary('/t.T/X', message(''), { timeoutMs: 60_000 });
    assert.equal(seen[':method'], 'POST');
    assert.equal(seen[':scheme'], 'http');
    assert.equal(seen[':path'], '/t.T/X');
    assert.equal(seen[':authority'], 'over.there');
    assert.equal(seen['te'], 'trailers');
    assert.equal(seen['content-type'], 'application/grpc');
    assert.match(seen['user-agent'] ?? '', /^mine\/1 grpc-/);
    assert.equal(seen['grpc-accept-encoding'], 'identity,gzip');
    assert.match(String(seen['grpc-timeout']), /^\d{1,8}u$/);
  });
});

describe('closing a channel', () => {
  it('lets running calls finish and refuses new ones', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    call.write(message('1'));
    assert.equal(textOf(await call.read()), '1');
    const closed = channel.close();
    await assert.rejects(channel.unary('/t.T/Echo', message('')), /is closed/);
    call.write(message('2'));
    call.end();
    assert.equal(textOf(await call.read()), '2');
    await closed;
    await channel.close();
  });

  it('cancels running calls after the time given', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    const read = call.read();
    call.write(message('1'));
    await read;
    const next = call.read();
    await Promise.all([assert.rejects(next, FlightCancelledError), channel.close(10)]);
    await until(() => server.activeCalls === 0);
  });

  it('fails calls that wait for a connection', async (t) => {
    const channel = channelTo(t, await freePort(), { ...fast, waitForReady: true });
    const call = channel.unary('/t.T/Echo', message(''));
    await Promise.all([assert.rejects(call, FlightUnavailableError), channel.close()]);
  });
});

function metadataOf(name: string, value: string): Metadata {
  return Metadata.from([[name, value]]);
}
