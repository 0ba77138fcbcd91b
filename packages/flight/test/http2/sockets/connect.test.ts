// Connections that we open: what the other end may do meanwhile, and TLS as a client sees it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import { createDevCertificateAuthority } from '../../../src/auth/dev-certificates.ts';
import { type ConnectTarget, Http2Error, connect } from '../../../src/http2/index.ts';
import { anyPort, echoServer, local, socketPath, temporaryFolder } from '../endpoints.ts';
import { Recorder } from '../harness.ts';
import { ACK, frame, requestFields, settings } from '../wire.ts';

const authority = createDevCertificateAuthority();
const certificate = authority.issueServer();
const serverTls = { cert: certificate.cert, key: certificate.key };
const clientTls = { rootCertificates: authority.certificate.cert };
const folder = temporaryFolder();
after(() => folder[Symbol.dispose]());

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
