// What a listener does with its address and with those who come.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { describe, it } from 'node:test';
import tls from 'node:tls';
import { createDevCertificateAuthority } from '../../../src/auth/dev-certificates.ts';
import { type Http2Session, connect } from '../../../src/http2/index.ts';
import { anyPort, ask, echoServer, local, socketPath, temporaryFolder } from '../endpoints.ts';
import { Recorder } from '../harness.ts';
import { requestFields } from '../wire.ts';

const authority = createDevCertificateAuthority();
const certificate = authority.issueServer();
const serverTls = { cert: certificate.cert, key: certificate.key };
const clientTls = { rootCertificates: authority.certificate.cert };

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
