// Certificates as the files that programs of other languages read.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { createDevCertificateAuthority, type DevCertificateAuthority } from '@peregrine/flight/auth';

/** Paths of PEM files, and who signed them. */
export interface CertificateFiles {
  readonly authority: DevCertificateAuthority;
  readonly ca: string;
  readonly serverCert: string;
  readonly serverKey: string;
  /** Of the client "alice". */
  readonly clientCert: string;
  readonly clientKey: string;
}

/** Makes an authority, a server's pair and a client's. */
async function writeCertificateFiles(folder: string): Promise<CertificateFiles> {
  const authority = createDevCertificateAuthority();
  const server = authority.issueServer();
  const client = authority.issueClient({ commonName: 'alice' });
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  return {
    authority,
    ca: await file('ca.pem', authority.certificate.cert),
    serverCert: await file('server-cert.pem', server.cert),
    serverKey: await file('server-key.pem', server.key),
    clientCert: await file('client-cert.pem', client.cert),
    clientKey: await file('client-key.pem', client.key),
  };
}

/** Certificates in a folder that is there while the checks of a group run. */
export interface GroupCertificates {
  readonly folder: () => string;
  readonly files: () => CertificateFiles;
}

/** Makes the folder before the checks of the group that is described, and removes it behind them. */
export function useCertificates(): GroupCertificates {
  let folder = '';
  let files: CertificateFiles | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pf-'));
    files = await writeCertificateFiles(folder);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  return { folder: () => folder, files: () => files ?? assert.fail('there are no certificates') };
}
