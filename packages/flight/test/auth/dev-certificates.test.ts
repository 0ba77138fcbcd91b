import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as tls from 'node:tls';
import {
  certificateExpiry,
  createDevCertificateAuthority,
  createDevCertificates,
  writeDevCertificates,
} from '../../src/auth/dev-certificates.ts';
import { FlightInvalidArgumentError } from '../../src/errors.ts';

describe('development certificates', () => {
  it('name the server by DNS, IPv4, IPv6 and URI', () => {
    const authority = createDevCertificateAuthority();
    const { cert } = authority.issueServer({
      names: ['flight.example', '10.1.2.3', '::1', 'fe80::a:b', '::ffff:1.2.3.4', 'spiffe://example/server'],
    });
    const parsed = new X509Certificate(cert);
    assert.equal(
      parsed.subjectAltName,
      'DNS:flight.example, IP Address:10.1.2.3, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:A:B, IP Address:0:0:0:0:0:FFFF:102:304, URI:spiffe://example/server',
    );
    assert.equal(parsed.checkHost('flight.example'), 'flight.example');
    assert.equal(parsed.checkIP('10.1.2.3'), '10.1.2.3');
    assert.equal(parsed.subject, 'CN=flight.example');
  });

  it('are signed by the authority, which alone may sign', () => {
    const { ca, server, client } = createDevCertificates({ clientName: 'alice' });
    const authority = new X509Certificate(ca.cert);
    assert.equal(authority.ca, true);
    for (const leaf of [server, client]) {
      const parsed = new X509Certificate(leaf.cert);
      assert.equal(parsed.ca, false);
      assert.ok(parsed.checkIssued(authority));
      assert.ok(parsed.verify(authority.publicKey));
      assert.ok(parsed.checkPrivateKey(createPrivateKey(leaf.key)));
    }
    assert.equal(new X509Certificate(client.cert).subject, 'CN=alice');
    assert.deepEqual(new X509Certificate(client.cert).keyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.deepEqual(new X509Certificate(server.cert).keyUsage, ['1.3.6.1.5.5.7.3.1']);
  });

  it('have a serial number each', () => {
    const authority = createDevCertificateAuthority();
    const serials = new Set(
      Array.from({ length: 20 }, () => new X509Certificate(authority.issueClient().cert).serialNumber),
    );
    assert.equal(serials.size, 20);
  });

  it('last as long as asked, and never longer than the authority', () => {
    const authority = createDevCertificateAuthority({ validDays: 10 });
    const day = authority.issueServer({ validDays: 1 });
    const long = authority.issueServer({ validDays: 1000 });
    assert.equal(certificateExpiry(day.cert).getTime(), day.expiresAt.getTime());
    assert.equal(long.expiresAt.getTime(), authority.certificate.expiresAt.getTime());
    const days = (day.expiresAt.getTime() - Date.now()) / 86_400_000;
    assert.ok(days > 0.99 && days <= 1);
  });

  it('may end after 2049, where the time is written in another form', () => {
    const authority = createDevCertificateAuthority({ validDays: 36_500 });
    assert.equal(
      certificateExpiry(authority.certificate.cert).getTime(),
      authority.certificate.expiresAt.getTime(),
    );
    assert.ok(authority.certificate.expiresAt.getUTCFullYear() > 2100);
  });

  it('refuse what a certificate cannot hold', () => {
    const authority = createDevCertificateAuthority();
    assert.throws(() => authority.issueServer({ names: ['bad name'] }), FlightInvalidArgumentError);
    assert.throws(() => authority.issueServer({ names: ['bücher.example'] }), FlightInvalidArgumentError);
    assert.throws(() => authority.issueServer({ names: [''] }), FlightInvalidArgumentError);
    assert.throws(() => authority.issueClient({ commonName: 'x'.repeat(65) }), FlightInvalidArgumentError);
    assert.ok(authority.issueClient({ commonName: 'x'.repeat(64) }));
    assert.throws(() => createDevCertificateAuthority({ validDays: 0 }), FlightInvalidArgumentError);
    assert.throws(() => createDevCertificateAuthority({ validDays: Number.NaN }), FlightInvalidArgumentError);
    for (const validDays of [4e6, 1e12]) {
      assert.throws(() => createDevCertificateAuthority({ validDays }), FlightInvalidArgumentError);
    }
    assert.throws(() => certificateExpiry('nonsense'), FlightInvalidArgumentError);
  });

  it('carry a mutual TLS handshake', async () => {
    const { ca, server, client } = createDevCertificates({ clientName: 'alice' });
    const listener = tls.createServer(
      { cert: server.cert, key: server.key, ca: ca.cert, requestCert: true, rejectUnauthorized: true },
      (socket) => {
        socket.end(socket.getPeerX509Certificate()?.subject ?? 'nobody');
      },
    );
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    try {
      const { port } = listener.address() as AddressInfo;
      const socket = tls.connect({
        host: '127.0.0.1',
        port,
        servername: 'localhost',
        ca: ca.cert,
        cert: client.cert,
        key: client.key,
      });
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      assert.equal(text, 'CN=alice');
    } finally {
      listener.close();
    }
  });

  it('are written as files that only the owner can read, also over files that others could', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-certificates-'));
    try {
      const inner = join(folder, 'tls');
      const certificates = createDevCertificates();
      await writeFile(join(folder, 'ca.key'), 'old', { mode: 0o644 });
      const replaced = await writeDevCertificates(folder, certificates);
      const files = await writeDevCertificates(inner, certificates);
      assert.equal(await readFile(replaced.caKey, 'utf8'), certificates.ca.key);
      assert.equal(await readFile(files.clientCert, 'utf8'), certificates.client.cert);
      if (process.platform !== 'win32') {
        for (const path of [...Object.values(files), ...Object.values(replaced)]) {
          assert.equal((await stat(path)).mode & 0o777, 0o600, path);
        }
        assert.equal((await stat(inner)).mode & 0o777, 0o700);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
