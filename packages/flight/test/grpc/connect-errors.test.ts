// What a person is told when a connection cannot be opened, by servers as they are in the wild.
import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { FlightTimedOutError, FlightUnavailableError } from '../../src/errors.ts';
import { createChannel, type GrpcChannelOptions } from '../../src/grpc/index.ts';
import { freePort } from '../free-port.ts';
import { bytesDecoder, channelTo, echo, listening, message, pair, until } from './support.ts';

const authority = createDevCertificateAuthority();
const own = authority.issueServer();
const trusting = { rootCertificates: authority.certificate.cert };

/** Serves until the test is over; connections are destroyed then. */
async function serving(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listening(server);
}

/** A server that does the handshake of TLS and then closes. */
function tlsServer(t: TestContext, options: TlsOptions): Promise<number> {
  const server = createTlsServer({ ALPNProtocols: ['h2'], ...options }, (socket) => {
    socket.on('error', () => undefined);
    socket.destroy();
  });
  server.on('tlsClientError', () => undefined);
  return serving(t, server);
}

/** Connects, which must fail, and gives what is told. */
async function failure(
  t: TestContext,
  port: number,
  tls: GrpcChannelOptions['tls'] | 'plaintext',
): Promise<string> {
  const kind = tls === 'plaintext' ? 'tcp' : 'tls';
  const options = tls === 'plaintext' ? {} : { tls };
  const channel = createChannel({ kind, host: '127.0.0.1', port }, options);
  t.after(() => channel.close(0));
  let text = '';
  await assert.rejects(channel.connect(), (error) => {
    assert.ok(error instanceof FlightUnavailableError);
    assert.ok(error.cause instanceof Error, 'what the system said is kept');
    text = error.rawMessage;
    return true;
  });
  assert.match(text, new RegExp(`^cannot connect to 127.0.0.1:${port}: `));
  assert.doesNotMatch(text, /openssl|\n/, 'no text of OpenSSL');
  return text;
}

describe('an error of connecting says what to do', () => {
  it('about a certificate of an authority that is not trusted', async (t) => {
    const port = await tlsServer(t, own);
    assert.match(await failure(t, port, {}), /no authority that is trusted here.*rootCertificates/);
    const others = { rootCertificates: createDevCertificateAuthority().certificate.cert };
    assert.match(await failure(t, port, others), /no authority that is trusted here.*rootCertificates/);
  });

  it('about a certificate that has expired', async (t) => {
    const shortLived = authority.issueServer({ validDays: 0.2 / 86_400 });
    await until(() => Date.now() > shortLived.expiresAt.getTime() + 1000);
    assert.match(await failure(t, await tlsServer(t, shortLived), trusting), /has expired/);
  });

  it('about a certificate for another name', async (t) => {
    const port = await tlsServer(t, authority.issueServer({ names: ['flight.example'] }));
    assert.match(
      await failure(t, port, trusting),
      /for another name: .*127\.0\.0\.1.*override the host name/,
    );
    // by the name that it has, the handshake succeeds
    const named = await failure(t, port, { ...trusting, serverName: 'flight.example' });
    assert.match(named, /closed the connection in or after the TLS handshake/);
  });

  it('about a name that is an address', async (t) => {
    const port = await tlsServer(t, authority.issueServer({ names: ['192.0.2.7'] }));
    const named = await failure(t, port, { ...trusting, serverName: '192.0.2.7' });
    assert.match(named, /closed the connection in or after the TLS handshake/);
    assert.match(
      await failure(t, port, { ...trusting, serverName: '192.0.2.8' }),
      /for another name.*192\.0\.2\.8/,
    );
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`about a client certificate that is missing, or not trusted, over ${version}`, async (t) => {
      const port = await tlsServer(t, {
        ...own,
        ca: authority.certificate.cert,
        requestCert: true,
        rejectUnauthorized: true,
        maxVersion: version,
      });
      assert.match(await failure(t, port, trusting), /want a client certificate/);
      const stranger = createDevCertificateAuthority().issueClient();
      const shown = { ...trusting, certificate: stranger.cert, key: stranger.key };
      assert.match(await failure(t, port, shown), /want a client certificate, or another one/);
    });
  }

  it('about a server that speaks no HTTP/2 over TLS', async (t) => {
    assert.match(
      await failure(t, await tlsServer(t, { ...own, ALPNProtocols: ['http/1.1'] }), trusting),
      /ALPN/,
    );
  });

  it('about a server in plaintext that TLS was spoken with', async (t) => {
    const { port } = await pair(t, { Echo: echo });
    assert.match(await failure(t, port, trusting), /is it one in plaintext\?/);
  });

  it('about a server of TLS that plaintext was spoken with', async (t) => {
    assert.match(await failure(t, await tlsServer(t, own), 'plaintext'), /as servers do that want TLS/);
  });

  it('about a server of HTTP/1', async (t) => {
    const server = createHttpServer((_request, response) => response.end());
    assert.match(await failure(t, await serving(t, server), 'plaintext'), /HTTP\/1.*not speak HTTP\/2/);
  });

  it('about a server that says nothing', async (t) => {
    const port = await serving(t, createTcpServer());
    // on a busy machine the connection itself may take the first of these times
    for (let connectTimeoutMs = 20; ; connectTimeoutMs *= 2) {
      const connected = channelTo(t, port, { connectTimeoutMs }).connect();
      const error = await connected.then(() => assert.fail('connected'), String);
      if (/has sent no SETTINGS within \d+ ms/.test(error)) break;
      assert.match(error, /no connection within \d+ ms/);
    }
  });
});

describe('a call whose time is over before it was sent', () => {
  it('tells why there is no connection', async (t) => {
    const channel = channelTo(t, await freePort(), { reconnectInitialDelayMs: 5, reconnectMaxDelayMs: 5 });
    await assert.rejects(channel.connect(), FlightUnavailableError);
    const call = channel.unary('/t.T/Echo', message(''), { timeoutMs: 100, waitForReady: true });
    await assert.rejects(
      call,
      (error) =>
        error instanceof FlightTimedOutError &&
        /timeout of 100 ms, waiting for a connection: cannot connect to 127\.0\.0\.1:.*ECONNREFUSED/.test(
          error.rawMessage,
        ) &&
        error.cause instanceof FlightUnavailableError,
    );
  });

  it('tells that a server that says nothing was waited for', async (t) => {
    const port = await serving(t, createTcpServer());
    const call = channelTo(t, port).unary('/t.T/Echo', message(''), { timeoutMs: 20 });
    await assert.rejects(call, /timeout of 20 ms, waiting for a connection$/);
  });

  it('tells that the server takes no more at once', async (t) => {
    const { channel, server } = await pair(
      t,
      { Echo: echo },
      { server: { maxCallsPerConnection: 1 }, channel: { connections: { max: 1 } } },
    );
    const first = channel.call('/t.T/Echo', bytesDecoder);
    first.write(message('1'));
    await first.read();
    const second = channel.unary('/t.T/Echo', message(''), { timeoutMs: 20 });
    await assert.rejects(second, /timeout of 20 ms, waiting for others to end/);
    assert.equal(server.activeCalls, 1, 'the server never heard of the second');
    first.write(message('2'));
    assert.equal((await first.read())?.byteLength, 1);
    first.cancel();
  });
});
