// Bounds of a session and of a listener as they are when nobody sets them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import {
  defaultMaxConcurrentStreams,
  floodBudgets,
  maxWaitingRequests,
  rememberedResets,
} from '../../src/limits/http2.ts';
import { anyPort, echoServer } from './endpoints.ts';
import { client, Harness, Recorder, server } from './harness.ts';
import { ACK, END_HEADERS, frame, parse, preface, request, requestFields, settings } from './wire.ts';

describe('the limits of a session that sets none', () => {
  it('let a client open as many streams as they say, and say so', () => {
    const harness = new Harness('server');
    const [first] = parse(harness.output());
    const said = new Map<number, number>();
    for (let at = 0; at < (first?.payload.length ?? 0); at += 6) {
      said.set(first?.payload.readUInt16BE(at) ?? 0, first?.payload.readUInt32BE(at + 2) ?? 0);
    }
    assert.equal(first?.type, 'SETTINGS');
    assert.equal(said.get(3), defaultMaxConcurrentStreams);
    harness.send(preface, settings(), frame('SETTINGS', ACK, 0));
    for (let i = 0; i < defaultMaxConcurrentStreams; i++) harness.send(request(1 + 2 * i, END_HEADERS));
    assert.equal(harness.core.openStreams, defaultMaxConcurrentStreams);
    harness.output();
    harness.send(request(1 + 2 * defaultMaxConcurrentStreams, END_HEADERS));
    assert.equal(harness.core.openStreams, defaultMaxConcurrentStreams);
    assert.deepEqual(
      harness.frames().map(({ type, payload }) => [type, payload.readUInt32BE()]),
      [['RST_STREAM', 7]],
    );
  });

  it('let so many requests wait for the server and no more', () => {
    const harness = client({}, [[3, 0]]);
    const ask = (): unknown => harness.core.request(requestFields, new Recorder(), true);
    for (let i = 0; i < maxWaitingRequests; i++) ask();
    assert.throws(ask, { code: 'REFUSED_STREAM', message: /65536 requests wait/ });
    assert.equal(harness.core.openStreams, maxWaitingRequests);
  });

  it('remember the streams that were reset last, and no more of them', () => {
    const resets = (count: number): Harness => {
      const budgets = { ...floodBudgets, reset: { burst: 10 * rememberedResets, perSecond: 0 } };
      const harness = server({ floodBudgets: budgets });
      harness.answer = (stream) => stream.reset('CANCEL');
      for (let i = 0; i < count; i++) harness.send(request(1 + 2 * i, END_HEADERS));
      harness.output();
      return harness;
    };
    // What was on its way when the stream was reset is passed over.
    const few = resets(rememberedResets);
    few.send(frame('DATA', 0, 1, [1]));
    assert.deepEqual(few.frames(), []);
    // That of a stream reset long ago is answered: it takes no memory of ours to know better.
    const many = resets(rememberedResets + 1);
    many.send(frame('DATA', 0, 3, [1]));
    assert.deepEqual(many.frames(), []);
    many.send(frame('DATA', 0, 1, [1]));
    assert.deepEqual(
      many.frames().map(({ type, stream, payload }) => [type, stream, payload.readUInt32BE()]),
      [['RST_STREAM', 1, 5]],
    );
  });
});

describe('a TLS listener', () => {
  it('closes a connection that does not do its handshake in time', async () => {
    const certificate = createDevCertificateAuthority().issueServer();
    const listener = await echoServer(anyPort, {
      tls: { cert: certificate.cert, key: certificate.key },
      tlsHandshakeTimeoutMs: 50,
    });
    try {
      for (const start of [Buffer.alloc(0), Buffer.from('160301', 'hex')]) {
        const socket = net.connect(listener.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        if (start.length > 0) socket.write(start);
        await once(socket, 'close');
      }
      assert.equal(listener.sessions.size, 0);
    } finally {
      await listener.destroy();
    }
  });
});
