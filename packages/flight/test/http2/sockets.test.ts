// Our client and our server over real sockets, and what can go wrong with those.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import {
  type ConnectTarget,
  Http2Error,
  type Http2Listener,
  type Http2Session,
  type Http2TlsPeer,
  connect,
  listen,
} from '../../src/http2/index.ts';
import { floodBudgets } from '../../src/limits/http2.ts';
import { Recorder } from './harness.ts';
import { anyPort, ask, echoServer, socketPath, temporaryFolder } from './endpoints.ts';
import { ACK, frame, requestFields, settings } from './wire.ts';

const authority = createDevCertificateAuthority();
const certificate = authority.issueServer();
const serverTls = { cert: certificate.cert, key: certificate.key };
const clientTls = { rootCertificates: authority.certificate.cert };
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

function local(listener: Http2Listener): ConnectTarget {
  return { kind: 'tcp', host: '127.0.0.1', port: listener.port };
}

/** Sends bodies of many sizes, one by one and at once, and checks what comes back. */
async function exercise(session: Http2Session): Promise<void> {
  const bodies = [0, 1, 5, 16_384, 300_000, 6_000_000].map((size) => {
    const body = Buffer.alloc(size);
    for (let i = 0; i < size; i += 101) body[i] = i & 0xff;
    return body;
  });
  for (const body of bodies) {
    const answer = await ask(session, body, [...requestFields, ['x-size', `${body.length}`]]);
    assert.equal(answer.error, undefined);
    assert.ok(answer.body.equals(body), `a body of ${body.length} bytes`);
    assert.deepEqual(answer.headers, [
      [':status', '200'],
      ['echo-x-size', `${body.length}`],
    ]);
    assert.deepEqual(answer.trailers, [['grpc-status', '0']]);
  }
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => ask(session, Buffer.alloc(i * 1000, i))),
  );
  assert.ok(answers.every((answer, i) => answer.body.equals(Buffer.alloc(i * 1000, i))));
}

describe('our client and our server', () => {
  for (const reuseReadBuffer of [true, false]) {
    it(`talk over TCP ${reuseReadBuffer ? 'with a reused buffer' : "by 'data' events"}`, async () => {
      let peer: Http2Session['peer'] | undefined;
      const server = await echoServer(anyPort, {
        reuseReadBuffer,
        onSession: (session) => {
          peer = session.peer;
        },
      });
      const session = await connect(local(server));
      await exercise(session);
      assert.deepEqual(session.peer, {
        family: 'ipv4',
        address: '127.0.0.1',
        port: server.port,
        tls: undefined,
      });
      assert.equal(peer?.family, 'ipv4');
      assert.equal(peer?.address, '127.0.0.1');
      assert.ok((peer?.port ?? 0) > 0);
      assert.equal(server.sessions.size, 1);
      await session.close();
      await server.close();
      assert.equal(server.sessions.size, 0);
    });
  }

  it('talk over a Unix socket, whose file goes away', async () => {
    const path = socketPath(folder.path);
    const server = await echoServer({ kind: 'unix', path });
    assert.equal(server.port, 0);
    const session = await connect({ kind: 'unix', path });
    await exercise(session);
    assert.deepEqual(session.peer, { family: 'unix', address: path, port: 0, tls: undefined });
    await server.close();
    await session.ended;
    assert.equal(existsSync(path), false);
  });

  for (const [version, reuseReadBuffer] of [
    ['TLSv1.2', true],
    ['TLSv1.3', true],
    ['TLSv1.3', false],
  ] as const) {
    it(`talk over ${version} ${reuseReadBuffer ? 'with a reused buffer' : "by 'data' events"}`, async () => {
      const server = await echoServer(anyPort, { tls: serverTls, reuseReadBuffer });
      const session = await connect(local(server), {
        tls: { ...clientTls, minVersion: version, maxVersion: version },
      });
      await exercise(session);
      assert.equal(session.peer.tls?.protocol, version);
      assert.equal(session.peer.tls.authorized, true);
      assert.match(session.peer.tls.certificate?.subjectAlternativeNames ?? '', /127\.0\.0\.1/);
      assert.equal(server.sessions.size, 1);
      await session.close();
      await server.close();
      assert.equal(server.sessions.size, 0);
    });
  }

  for (const reuseReadBuffer of [true, false]) {
    it(`survive a client that negotiates anew or breaks off, ${reuseReadBuffer ? 'with a reused buffer' : "with 'data' events"}`, async () => {
      const server = await echoServer(anyPort, { tls: serverTls, reuseReadBuffer });
      const raw = async (): Promise<tls.TLSSocket> => {
        const socket = tls.connect({
          host: '127.0.0.1',
          port: server.port,
          ca: authority.certificate.cert,
          ALPNProtocols: ['h2'],
          maxVersion: 'TLSv1.2',
        });
        socket.on('error', () => undefined);
        await once(socket, 'secureConnect');
        socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings()]));
        await once(socket, 'data');
        return socket;
      };
      const renegotiating = await raw();
      // Node's client may wait for ever for what it was about to write: that the server has gone is all that is asked.
      const over = Promise.race([once(renegotiating, 'close'), once(renegotiating, 'end')]);
      // Newer versions of OpenSSL refuse it themselves, and the connection goes on.
      renegotiating.renegotiate({ rejectUnauthorized: false }, () => renegotiating.destroy());
      await over;
      renegotiating.destroy();
      const breaking = await raw();
      const [session] = server.sessions;
      breaking.destroy();
      await session?.ended;
      const other = await connect(local(server), { tls: clientTls });
      assert.equal((await ask(other, Buffer.from('hi'))).body.toString(), 'hi');
      await other.close();
      await server.close();
      assert.equal(server.sessions.size, 0);
    });
  }

  it('do not take the questions how much was read for a flood', async () => {
    const server = await echoServer();
    const ping = { ...floodBudgets.ping, burst: 20, perSecond: 0, perFrameSent: 0 };
    const session = await connect(local(server), { limits: { floodBudgets: { ...floodBudgets, ping } } });
    // A client that has sent a PING is asked behind each 256 KiB, if it answers soon.
    for (let i = 0; i < 5; i++) await session.ping();
    const { body, error } = await ask(session, Buffer.alloc(16 * 1024 * 1024));
    assert.equal(error, undefined);
    assert.equal(body.length, 16 * 1024 * 1024);
    await session.close();
    await server.close();
  });

  it('know each other over mutual TLS', async () => {
    const peers: (Http2TlsPeer | undefined)[] = [];
    const server = await echoServer(anyPort, {
      tls: { ...serverTls, ca: authority.certificate.cert, requestCert: true, rejectUnauthorized: true },
      onSession: (session) => {
        peers.push(session.peer.tls);
      },
    });
    const own = authority.issueClient({ commonName: 'alice' });
    const session = await connect(local(server), {
      tls: { ...clientTls, certificate: own.cert, key: own.key },
    });
    assert.equal((await ask(session, Buffer.from('hi'))).body.toString(), 'hi');
    assert.equal(peers[0]?.certificate?.commonName, 'alice');
    assert.equal(peers[0]?.authorized, true);
    await session.close();
    // In TLS 1.3 a client is done before its certificate was looked at: it hears of it when it reads.
    await assert.rejects(connect(local(server), { tls: clientTls }));
    assert.equal(peers.length, 1);
    await server.close();
  });

  it('talk by a name with several addresses', async () => {
    const server = await echoServer({ kind: 'tcp', host: 'localhost', port: 0 });
    const session = await connect({ kind: 'tcp', host: 'localhost', port: server.port });
    assert.equal((await ask(session, Buffer.from('hi'))).body.toString(), 'hi');
    await session.close();
    await server.close();
  });

  it('hold many connections', async () => {
    const server = await echoServer();
    const sessions = await Promise.all(Array.from({ length: 60 }, () => connect(local(server))));
    const answers = await Promise.all(sessions.map((session, i) => ask(session, Buffer.alloc(20_000, i))));
    assert.ok(answers.every((answer, i) => answer.body.equals(Buffer.alloc(20_000, i))));
    assert.equal(server.sessions.size, 60);
    await server.close();
    for (const session of sessions) assert.equal(await session.ended, undefined);
  });

  it('stop a sender whose reader does not consume, and go on later', async () => {
    let queued = 0;
    let writer: Recorder | undefined;
    const server = await listen(anyPort, {
      session: () => ({
        onRequest: (_headers, _endStream, stream) => {
          writer = new Recorder();
          stream.sendHeaders([[':status', '200']]);
          let left = 100;
          const go = (): void => {
            while (left > 0 && stream.write([Buffer.alloc(500_000, left--)], 500_000)) queued += 500_000;
            if (left === 0) stream.end();
          };
          writer.onDrain = go;
          go();
          return writer;
        },
      }),
    });
    const session = await connect(local(server), { limits: { streamWindowBytes: 1_000_000 } });
    let got = 0;
    let consuming = false;
    const recorder = new Recorder();
    const windowUsed = new Promise<void>((resolve) => {
      recorder.onData = (_buffer, start, end) => {
        got += end - start;
        if (consuming) recorder.stream?.consumed(end - start);
        else if (got >= 1_000_000) resolve();
      };
    });
    const closed = new Promise((resolve) => {
      recorder.onClose = resolve;
    });
    recorder.stream = session.request(requestFields, recorder, true);
    await windowUsed;
    for (let i = 0; i < 20; i++) await session.ping();
    assert.equal(got, 1_000_000, 'the window');
    assert.ok(queued < 5_000_000);
    consuming = true;
    recorder.stream.consumed(got);
    assert.equal(await closed, undefined);
    assert.equal(got, 50_000_000);
    await session.close();
    await server.close();
  });
});

describe('a connection', () => {
  /** A server that takes connections and does with them what it is told. */
  async function odd(onSocket: (socket: Socket) => void): Promise<[ConnectTarget, () => void]> {
    const sockets = new Set<Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      onSocket(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return [
      { kind: 'tcp', host: '127.0.0.1', port },
      () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    ];
  }

  it('to nobody fails with what Node says', async () => {
    const [target, stop] = await odd(() => undefined);
    stop();
    await assert.rejects(connect(target), { code: 'ECONNREFUSED' });
    await assert.rejects(connect({ kind: 'unix', path: socketPath(folder.path) }), {
      code: /ENOENT|ECONNREFUSED/,
    });
  });

  it('to a server that closes at once fails', async () => {
    const [target, stop] = await odd((socket) => socket.end());
    await assert.rejects(connect(target), { code: 'CONNECT_ERROR', message: /closed the connection/ });
    stop();
  });

  it('to a server that says nothing ends in time', async () => {
    const [target, stop] = await odd(() => undefined);
    // on a busy machine the connection itself may take the first of these times
    for (let connectTimeoutMs = 30; ; connectTimeoutMs *= 2) {
      const connected = connect(target, { connectTimeoutMs });
      const error: unknown = await connected.then(
        () => assert.fail('connected'),
        (reason: unknown) => reason,
      );
      if (error instanceof Http2Error && error.code === 'SETTINGS_TIMEOUT') {
        assert.match(error.message, /no SETTINGS within \d+ ms/);
        break;
      }
      assert.equal(error instanceof Error ? error.name : '', 'TimeoutError');
    }
    // A server that never shakes hands.
    await assert.rejects(connect(target, { connectTimeoutMs: 30, tls: clientTls }), { name: 'TimeoutError' });
    stop();
  });

  it('to a server of HTTP/1 fails', async () => {
    const [target, stop] = await odd((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await assert.rejects(connect(target), { name: 'Http2Error' });
    stop();
  });

  it('can be given up by a signal, at any time', async () => {
    const [target, stop] = await odd(() => undefined);
    const reason = new Error('changed my mind');
    await assert.rejects(connect(target, { signal: AbortSignal.abort(reason) }), reason);
    const early = new AbortController();
    const first = connect(target, { signal: early.signal });
    early.abort(reason);
    await assert.rejects(first, reason);
    const [slow, stopSlow] = await odd((socket) => {
      socket.once('data', () => late.abort(reason));
    });
    const late = new AbortController();
    await assert.rejects(connect(slow, { signal: late.signal }), reason);
    stop();
    stopSlow();
  });

  it('takes what a server says at once, before anybody has asked', async () => {
    const [target, stop] = await odd((socket) => {
      socket.write(Buffer.concat([settings([3, 7]), frame('SETTINGS', ACK, 0)]));
    });
    const session = await connect(target);
    assert.equal(session.peerMaxConcurrentStreams, 7);
    session.destroy();
    stop();
  });

  it('that breaks ends its requests, on both sides', async () => {
    const server = await echoServer();
    const session = await connect(local(server));
    const recorder = new Recorder();
    session.request(requestFields, recorder);
    await session.ping();
    const [other] = server.sessions;
    assert.equal(other?.openStreams, 1);
    other?.destroy();
    assert.equal((await session.ended)?.code, 'CONNECT_ERROR');
    assert.equal(recorder.error?.code, 'CONNECT_ERROR');
    await server.close();
  });
});

describe('a listener', () => {
  it('takes the place of a Unix socket that nobody listens on, and of no other', async () => {
    if (process.platform === 'win32') return;
    using own = temporaryFolder();
    const path = socketPath(own.path);
    const child = net.createServer().listen(path);
    await once(child, 'listening');
    await assert.rejects(echoServer({ kind: 'unix', path }), { code: 'EADDRINUSE' });
    child.close();
    await once(child, 'close');
    writeFileSync(path, 'a file of somebody');
    await assert.rejects(echoServer({ kind: 'unix', path }), { code: 'EADDRINUSE' });
  });

  it('tells when its port is taken', async () => {
    const server = await echoServer();
    await assert.rejects(echoServer({ kind: 'tcp', host: '127.0.0.1', port: server.port }), {
      code: 'EADDRINUSE',
    });
    await server.close();
  });

  it('speaks TLS only with those who ask for HTTP/2', async () => {
    const sessions: Http2Session[] = [];
    const server = await echoServer(anyPort, {
      tls: serverTls,
      onSession: (session) => sessions.push(session),
    });
    for (const ALPNProtocols of [undefined, ['http/1.1']]) {
      const socket = tls.connect({
        host: '127.0.0.1',
        port: server.port,
        ca: authority.certificate.cert,
        ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
      });
      socket.on('error', () => undefined);
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    assert.deepEqual(sessions, []);
    await server.close();
  });

  it('survives handshakes that fail, and closes over those that hang', async () => {
    const server = await echoServer(anyPort, { tls: serverTls });
    const garbage = net.connect(server.port, '127.0.0.1', () => garbage.write('no TLS at all\r\n\r\n'));
    garbage.on('error', () => undefined);
    garbage.resume();
    await new Promise((resolve) => garbage.once('close', resolve));
    await assert.rejects(
      connect(local(server), { tls: {} }),
      /certificate|issuer/,
      'an authority that is not known',
    );
    const silent = net.connect(server.port, '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    const session = await connect(local(server), { tls: clientTls });
    assert.equal((await ask(session, Buffer.from('hi'))).body.toString(), 'hi');
    const gone = once(silent, 'close');
    await server.close();
    await gone;
  });

  it('destroys its connections at once', async () => {
    const server = await echoServer();
    const session = await connect(local(server));
    const recorder = new Recorder();
    session.request(requestFields, recorder);
    await session.ping();
    await server.destroy();
    await session.ended;
    assert.equal(recorder.error?.code, 'CONNECT_ERROR');
    await assert.rejects(connect(local(server)), { code: 'ECONNREFUSED' });
  });
});

describe('a client of TLS', () => {
  it('refuses a server that does not speak HTTP/2', async () => {
    const server = tls.createServer({ ...serverTls, ALPNProtocols: ['http/1.1', 'h3'] });
    const plain = tls.createServer(serverTls);
    for (const one of [server, plain]) {
      one.on('tlsClientError', () => undefined);
      one.on('secureConnection', (socket) => socket.on('error', () => undefined));
      one.listen(0, '127.0.0.1');
      await once(one, 'listening');
      const { port } = one.address() as AddressInfo;
      await assert.rejects(connect({ kind: 'tcp', host: '127.0.0.1', port }, { tls: clientTls }));
      one.close();
    }
  });

  it('expects the name that it asked for', async () => {
    const other = authority.issueServer({ names: ['flight.example'] });
    const server = await echoServer(anyPort, { tls: { cert: other.cert, key: other.key } });
    await assert.rejects(connect(local(server), { tls: clientTls }), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    const named = await connect(local(server), { tls: { ...clientTls, serverName: 'flight.example' } });
    await named.close();
    const trusting = await connect(local(server), { tls: { disableVerification: true } });
    assert.equal(trusting.peer.tls?.authorized, false);
    await trusting.close();
    await server.close();
  });
});
