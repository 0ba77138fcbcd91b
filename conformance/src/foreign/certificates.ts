// Certificates as the files that programs of other languages read.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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
export async function writeCertificateFiles(folder: string): Promise<CertificateFiles> {
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
