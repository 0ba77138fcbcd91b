// Our client and our server over real sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { type Http2Session, type Http2TlsPeer, connect, listen } from '../../src/http2/index.ts';
import { floodBudgets } from '../../src/limits/http2.ts';
import { anyPort, ask, echoServer, local, socketPath, temporaryFolder } from './endpoints.ts';
import { Recorder } from './harness.ts';
import { requestFields, settings } from './wire.ts';

const authority = createDevCertificateAuthority();
const certificate = authority.issueServer();
const serverTls = { cert: certificate.cert, key: certificate.key };
const clientTls = { rootCertificates: authority.certificate.cert };
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

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
