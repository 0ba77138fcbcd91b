import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { createChannel, createServer, type GrpcListenTarget } from '../../src/grpc/index.ts';
import { message, methods, temporaryFolder, textOf } from './support.ts';

describe('transports', () => {
  it('work over Unix sockets', async (t) => {
    const path = join(await temporaryFolder(t), 's.sock');
    const server = createServer({ lookup: methods({ Peer: (call) => void call.write(message(call.peer)) }) });
    assert.equal((await server.listen({ kind: 'unix', path })).port, 0);
    const channel = createChannel({ kind: 'unix', path });
    const { response } = await channel.unary('/t.T/Peer', message(''));
    assert.equal(textOf(response), 'unix:');
    await channel.close();
    await server.drain();
  });

  it('work over TLS with certificates on both sides', async (t) => {
    const authority = createDevCertificateAuthority();
    const ca = authority.certificate.cert;
    const serverPair = authority.issueServer();
    const clientPair = authority.issueClient();
    const server = createServer({
      lookup: methods({
        Who: (call) => void call.write(message(`${call.peer} ${call.peerCertificate?.subject}`)),
      }),
    });
    const tls: Extract<GrpcListenTarget, { kind: 'tls' }>['tls'] = {
      cert: serverPair.cert,
      key: serverPair.key,
      ca,
      requestCert: true,
      rejectUnauthorized: false,
    };
    const { port } = await server.listen({ kind: 'tls', host: '127.0.0.1', port: 0, tls });
    const open = (options: { certificate?: string; key?: string }): ReturnType<typeof createChannel> => {
      const channel = createChannel(
        { kind: 'tls', host: 'localhost', port },
        { tls: { rootCertificates: ca, ...options }, lookup: () => Promise.resolve(['127.0.0.1']) },
      );
      t.after(() => channel.close(0));
      return channel;
    };
    t.after(() => server.close());
    const known = await open({ certificate: clientPair.cert, key: clientPair.key }).unary(
      '/t.T/Who',
      message(''),
    );
    assert.match(textOf(known.response) ?? '', /^ipv4:127\.0\.0\.1:\d+ .*CN=/s);
    const unknown = await open({}).unary('/t.T/Who', message(''));
    assert.match(textOf(unknown.response) ?? '', / undefined$/);
    const distrusting = createChannel({ kind: 'tls', host: '127.0.0.1', port });
    t.after(() => distrusting.close(0));
    await assert.rejects(distrusting.unary('/t.T/Who', message('')), { code: 'UNAVAILABLE' });
  });
});
