import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import * as tls from 'node:tls';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { certificateIdentity } from '../../src/auth/peer-identity.ts';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { nodeTlsOptions, type ServerTlsOptions } from '../../src/server/tls.ts';

const authority = createDevCertificateAuthority();
const stranger = createDevCertificateAuthority({ commonName: 'somebody else' });
const ca = authority.certificate.cert;

interface Seen {
  server: string | undefined;
  client: string | undefined;
  answer: string;
}

/** Connects once; tells what each side saw of the other, and what the server said. */
async function handshake(options: ServerTlsOptions, client: tls.ConnectionOptions): Promise<Seen> {
  const seen: Seen = { server: undefined, client: undefined, answer: '' };
  const listener = tls.createServer(nodeTlsOptions(options), (socket) => {
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    seen.client = certificate && certificateIdentity(certificate);
    socket.on('error', () => undefined);
    socket.end('bye');
  });
  listener.on('tlsClientError', () => undefined);
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const { port } = listener.address() as AddressInfo;
    const socket = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ...client });
    socket.on('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      seen.server = certificate && certificateIdentity(certificate);
    });
    socket.on('data', (chunk) => {
      seen.answer += String(chunk);
    });
    // with TLS 1.3 a refused client learns of it after its own handshake: as an alert, or as the end
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    return seen;
  } finally {
    listener.close();
  }
}

describe('TLS of a server', () => {
  const certificates = ['localhost', 'a.example', '*.b.example'].map((name) =>
    authority.issueServer({ names: [name] }),
  );

  it('shows the certificate that fits the name asked for, and the first otherwise', async () => {
    const shown = async (servername: string): Promise<string | undefined> =>
      (await handshake({ certificates }, { servername, checkServerIdentity: () => undefined })).server;
    assert.equal(await shown('localhost'), 'localhost');
    assert.equal(await shown('a.example'), 'a.example');
    assert.equal(await shown('x.b.example'), '*.b.example');
    assert.equal(await shown('unknown.example'), 'localhost');
  });

  it('asks for no client certificate unless told', async () => {
    const { cert, key } = authority.issueClient();
    const seen = await handshake({ certificates, rootCertificates: ca }, { cert, key });
    assert.equal(seen.server, 'localhost');
    assert.equal(seen.client, undefined);
  });

  it('takes client certificates where they are optional, and none of strangers', async () => {
    const options: ServerTlsOptions = { certificates, rootCertificates: [ca], verifyClient: 'optional' };
    const alice = authority.issueClient({ commonName: 'alice' });
    const mallory = stranger.issueClient({ commonName: 'mallory' });
    assert.equal((await handshake(options, { cert: alice.cert, key: alice.key })).client, 'alice');
    assert.equal((await handshake(options, {})).client, undefined);
    assert.equal((await handshake(options, { cert: mallory.cert, key: mallory.key })).client, undefined);
  });

  it('refuses connections without a valid client certificate where it is required', async () => {
    const options: ServerTlsOptions = { certificates, rootCertificates: ca, verifyClient: 'required' };
    const alice = authority.issueClient({ commonName: 'alice' });
    const mallory = stranger.issueClient({ commonName: 'mallory' });
    assert.equal((await handshake(options, { cert: alice.cert, key: alice.key })).client, 'alice');
    assert.equal((await handshake(options, { cert: alice.cert, key: alice.key })).answer, 'bye');
    assert.equal((await handshake(options, {})).answer, '');
    assert.equal((await handshake(options, { cert: mallory.cert, key: mallory.key })).answer, '');
  });

  it('says at once when a certificate is missing, or does not go with its key', () => {
    assert.throws(() => nodeTlsOptions({ certificates: [] }), FlightInvalidArgumentError);
    const [first, second] = certificates;
    assert.ok(first && second);
    assert.throws(
      () => nodeTlsOptions({ certificates: { cert: first.cert, key: second.key } }),
      FlightInvalidArgumentError,
    );
    assert.throws(
      () => nodeTlsOptions({ certificates: { cert: 'x', key: 'y' } }),
      FlightInvalidArgumentError,
    );
  });

  it("says what it takes to a program without types that gives node:tls's options", () => {
    const options: unknown = { cert: 'a', key: 'b' };
    assert.throws(
      () => nodeTlsOptions(options as ServerTlsOptions),
      /\[INVALID_ARGUMENT\] tls\.certificates/,
    );
  });

  it('takes PEM as bytes as well', () => {
    const [first] = certificates;
    assert.ok(first);
    const options = nodeTlsOptions({
      certificates: { cert: Buffer.from(first.cert), key: new TextEncoder().encode(first.key) },
      rootCertificates: Buffer.from(ca),
    });
    assert.ok(options.cert);
  });
});

describe('the identity of a client certificate', () => {
  const identity = (options: { commonName?: string; names?: string[] }): string =>
    certificateIdentity(new X509Certificate(authority.issueClient(options).cert));

  it('is its first alternative name, otherwise its common name', () => {
    assert.equal(identity({ commonName: 'alice' }), 'alice');
    assert.equal(identity({ commonName: 'alice', names: ['alice.example', '10.0.0.1'] }), 'alice.example');
    assert.equal(identity({ names: ['10.0.0.1'] }), '10.0.0.1');
    assert.equal(identity({ names: ['spiffe://example/alice'] }), 'spiffe://example/alice');
  });

  it('survives characters that a list of names could be misread by', () => {
    assert.equal(identity({ commonName: 'a, DNS:b' }), 'a, DNS:b');
    assert.equal(identity({ commonName: 'a\\b+c' }), 'a\\b+c');
    assert.equal(identity({ names: ['uri://x,DNS:admin'] }), 'uri://x,DNS:admin');
  });
});
