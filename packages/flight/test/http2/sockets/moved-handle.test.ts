import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { createDevCertificateAuthority } from '../../../src/auth/dev-certificates.ts';
import { connect } from '../../../src/http2/index.ts';
import { handlesMove, moveHandle } from '../../../src/http2/sockets/moved-handle.ts';
import { anyPort, ask, echoServer, local } from '../endpoints.ts';

const authority = createDevCertificateAuthority();
const certificate = authority.issueServer();

describe('moving the handles of accepted sockets', () => {
  it('fails for certificates that are none, and works for the next ones', async () => {
    await assert.rejects(echoServer(anyPort, { tls: { cert: 'no certificate', key: 'no key' } }));
    const server = await echoServer(anyPort, { tls: { cert: certificate.cert, key: certificate.key } });
    const session = await connect(local(server), {
      tls: { rootCertificates: authority.certificate.cert },
    });
    assert.equal((await ask(session, Buffer.from('hi'))).body.toString(), 'hi');
    await session.close();
    await server.close();
  });

  it('works with this Node, in the clear and with TLS', async () => {
    // nothing promises it, and there is another way where it does not
    if (process.platform === 'win32') return;
    assert.equal(await handlesMove(undefined), true);
    const tls = { cert: certificate.cert, key: certificate.key, ALPNProtocols: ['h2'] };
    assert.equal(await handlesMove(tls), true);
  });

  it('takes the handle, and closes the socket that had it', async () => {
    if (!(await handlesMove(undefined))) return;
    const server = net.createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const accepting = new Promise<Socket>((resolve) => server.once('connection', resolve));
    const client = net.connect(address.port, '127.0.0.1', () => client.write('hello'));
    const accepted = await accepting;
    const transport = moveHandle(accepted);
    assert.equal(transport.peer.port, client.localPort);
    const closed = new Promise((resolve) => accepted.once('close', resolve));
    const heard = await new Promise((resolve) => {
      transport.start({
        onBytes: (buffer, start, end) => resolve(Buffer.from(buffer.subarray(start, end)).toString()),
        onClosed: () => undefined,
      });
    });
    assert.equal(heard, 'hello');
    client.resume();
    client.end();
    await closed;
    // it would wait for a connection that it still counts
    await new Promise((resolve) => server.close(resolve));
  });

  it('leaves a socket without a handle as it is', async () => {
    const transport = moveHandle(new net.Socket());
    assert.equal(transport.sameMachine, false);
    const over = new Promise((resolve) => {
      transport.start({ onBytes: () => undefined, onClosed: resolve });
    });
    transport.destroy();
    assert.equal(await over, undefined);
  });
});
