import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { describe, it } from 'node:test';
import { FlightResourceExhaustedError } from '../../src/errors.ts';
import { BytesDecoder, createServer } from '../../src/grpc/index.ts';
import { maxWaitingCalls } from '../../src/limits/grpc.ts';
import { liveTimers } from '../faults/raw-peer.ts';
import { channelTo, echo, listening, message, methods, textOf } from './support.ts';

describe('the wait between tries to connect', () => {
  it('grows up to its limit, is random in part, and is short again after a connection', async (t) => {
    const silent = createTcpServer();
    const port = await listening(silent);
    silent.close();
    await once(silent, 'close');

    // Each wait is over at once, and told; the parts of chance are given.
    const chances = [0, 0.5, 1, 0.5, 0.25];
    t.mock.method(Math, 'random', () => chances.shift() ?? 0.5);
    const told: number[] = [];
    let whenTold: (() => void) | undefined;
    const real = globalThis.setTimeout;
    t.mock.method(globalThis, 'setTimeout', (callback: () => void, ms: number) => {
      if (ms < 50_000_000) return real(callback, ms);
      told.push(Math.round(ms));
      whenTold?.();
      return real(callback, 0);
    });
    // Days, which nothing else waits for.
    const channel = channelTo(t, port, {
      reconnectInitialDelayMs: 100_000_000,
      reconnectMaxDelayMs: 300_000_000,
    });
    const server = createServer({ lookup: methods({ Echo: echo }) });
    t.after(() => server.close());
    const answered = new Promise<void>((resolve, reject) => {
      whenTold = () => {
        if (told.length === 5)
          server.listen({ kind: 'tcp', host: '127.0.0.1', port }).then(() => resolve(), reject);
      };
    });
    const { response } = await channel.unary('/t.T/Echo', message('x'), { waitForReady: true });
    await answered;
    assert.equal(textOf(response), 'x');
    // 1.6 times as long each time, up to the limit; then a fifth less to a fifth more of it.
    assert.deepEqual(told.slice(0, 5), [80e6, 160e6, 307.2e6, 300e6, 270e6]);

    await server.close();
    const before = told.length;
    await assert.rejects(channel.unary('/t.T/Echo', message('x')));
    assert.equal(told[before], 100e6, 'the first wait again');
  });
});

describe('the wait for the next try to connect', () => {
  it('keeps the process alive as long as somebody waits for it, and no longer', async (t) => {
    const silent = createTcpServer();
    const port = await listening(silent);
    silent.close();
    await once(silent, 'close');
    const timers = liveTimers();
    const channel = channelTo(t, port, {
      reconnectInitialDelayMs: 100_000_000,
      reconnectMaxDelayMs: 100_000_000,
    });
    const gone = new AbortController();
    const call = channel.call('/t.T/Echo', () => new BytesDecoder(), { waitForReady: true });
    const connecting = channel.connect({ waitForReady: true, signal: gone.signal });
    while (channel.state !== 'failed') await new Promise((resolve) => setImmediate(resolve));
    assert.equal(liveTimers(), timers + 1);
    call.cancel();
    assert.equal(liveTimers(), timers + 1, 'somebody else waits');
    gone.abort();
    await assert.rejects(connecting);
    assert.equal(liveTimers(), timers);
    const late = channel.call('/t.T/Echo', () => new BytesDecoder(), { waitForReady: true });
    assert.equal(liveTimers(), timers + 1, 'another one waits for the same');
    late.cancel();
    assert.equal(liveTimers(), timers);
  });
});

describe('calls that wait for a connection', () => {
  it('are as many as the limit, and one more fails at once', async (t) => {
    const silent = createTcpServer();
    const port = await listening(silent);
    t.after(() => silent.close());
    const channel = channelTo(t, port);
    const calls = Array.from({ length: maxWaitingCalls }, () =>
      channel.call('/t.T/Echo', () => new BytesDecoder()),
    );
    const more = channel.call('/t.T/Echo', () => new BytesDecoder());
    await assert.rejects(
      more.read(),
      (error) =>
        error instanceof FlightResourceExhaustedError &&
        /65536 calls wait for a connection/.test(error.message),
    );
    for (const call of calls) call.cancel();
  });
});
