// Options that nobody gives, by what a peer sees of them.
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { connect, type Http2Stream, silentHandler } from '../../src/http2/index.ts';
import {
  defaultClientIdleMs,
  defaultClientKeepaliveMs,
  defaultMaxCallsPerConnection,
  defaultServerKeepaliveMs,
  defaultServerMaxReceiveBytes,
} from '../../src/limits/grpc.ts';
import { connectTimeoutMs } from '../../src/limits/http2.ts';
import { echo, message, pair } from './support.ts';

describe('a server without options', () => {
  it('takes messages up to its limit and no more, before it takes memory for them', async (t) => {
    const { port } = await pair(t, { Wait: async (call) => void (await call.read()) });
    const session = await connect({ kind: 'tcp', host: '127.0.0.1', port });
    t.after(() => session.destroy());
    const announce = (byteLength: number, onEnd: (status: string | undefined) => void): Http2Stream => {
      const said: (readonly [string, string])[] = [];
      const stream = session.request(
        [
          [':method', 'POST'],
          [':scheme', 'http'],
          [':path', '/t.T/Wait'],
          [':authority', 'localhost'],
          ['content-type', 'application/grpc'],
          ['te', 'trailers'],
        ],
        {
          ...silentHandler,
          onHeaders: (headers) => said.push(...headers),
          onTrailers: (headers) => said.push(...headers),
          onClose: () => onEnd(new Map(said).get('grpc-status')),
        },
      );
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(byteLength, 1);
      stream.write([prefix], 5);
      return stream;
    };
    let ended = false;
    const largest = announce(defaultServerMaxReceiveBytes, () => {
      ended = true;
    });
    const status = await new Promise((resolve) => announce(defaultServerMaxReceiveBytes + 1, resolve));
    assert.equal(status, '8');
    await session.ping();
    assert.equal(ended, false);
    largest.reset('CANCEL');
  });

  it('says how many calls a connection may have', async (t) => {
    const { port } = await pair(t, { Echo: echo });
    const session = await connect({ kind: 'tcp', host: '127.0.0.1', port });
    t.after(() => session.destroy());
    await session.ping();
    assert.equal(session.peerMaxConcurrentStreams, defaultMaxCallsPerConnection);
  });
});

describe('a channel and a server without options', () => {
  it('watch their connection, and let it go when it is not used', async (t) => {
    const delays = new Set<number | undefined>();
    const set = globalThis.setTimeout;
    const timers = mock.method(globalThis, 'setTimeout', (...args: Parameters<typeof set>) => {
      delays.add(args[1]);
      return set(...args);
    });
    t.after(() => timers.mock.restore());
    const { channel } = await pair(t, { Echo: echo });
    await channel.unary('/t.T/Echo', message('x'));
    for (const ms of [
      connectTimeoutMs,
      defaultServerKeepaliveMs,
      defaultClientKeepaliveMs,
      defaultClientIdleMs,
    ]) {
      assert.ok(delays.has(ms), `no timer of ${ms} ms among ${[...delays].join()}`);
    }
  });
});
