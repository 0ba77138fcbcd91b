/**
 * A certificate authority for development: it makes TLS and mutual TLS work on a desk or in a test within
 * milliseconds. It is not for production: keys lie in plain files, and there is no revocation.
 */

import { X509Certificate } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { FlightInvalidArgumentError } from '../errors.ts';
import type { CertKeyPair } from './certificate-pair.ts';
import { type CertificateIssuer, createCertificate, generateCertificateKeys } from './x509.ts';

/** Names that a development server is reached by when none are given. */
export const defaultDevServerNames: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Days that certificates last unless told otherwise: short enough that a forgotten one dies, and below the 825 days above which Apple's platforms refuse server certificates. */
export const defaultDevValidDays: number = 365;

/** Clocks on a desk are not always in step: certificates start an hour ago. */
const clockSkewMs = 60 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;
const lastMoment = Date.UTC(9999, 11, 31, 23, 59, 59);

/** A certificate and its key as PEM text. */
export interface PemCertificate extends CertKeyPair {
  /** The certificate alone, without that of its authority. */
  readonly cert: string;
  /** Its private key, PKCS #8, not encrypted. */
  readonly key: string;
  /** When it ends. */
  readonly expiresAt: Date;
}

/** Options of {@link createDevCertificateAuthority}. */
export interface DevCertificateAuthorityOptions {
  /** Common name of the authority. Default: `Peregrine development CA`. */
  readonly commonName?: string | undefined;
  /** How long the authority's own certificate lasts, in days; certificates issued by it never last longer. Default: 365. */
  readonly validDays?: number | undefined;
}

/** Options of {@link DevCertificateAuthority.issueServer}. */
export interface DevServerCertificateOptions {
  /** DNS names, IP addresses or URIs for the subject alternative names. Default: `localhost`, `127.0.0.1`, `::1`. */
  readonly names?: readonly string[] | undefined;
  /** Common name. Default: the first of `names`. */
  readonly commonName?: string | undefined;
  /** How long it lasts, in days (fractions allowed). Default: as long as the authority. */
  readonly validDays?: number | undefined;
}

/** Options of {@link DevCertificateAuthority.issueClient}. */
export interface DevClientCertificateOptions {
  /** Common name: what a server sees as `peerIdentity` when there are no `names`. Default: `client`. */
  readonly commonName?: string | undefined;
  /** Subject alternative names. Default: none. */
  readonly names?: readonly string[] | undefined;
  /** How long it lasts, in days (fractions allowed). Default: as long as the authority. */
  readonly validDays?: number | undefined;
}

/** Issues development certificates. */
export interface DevCertificateAuthority {
  /** The authority's own certificate and key. Clients trust `certificate.cert`. */
  readonly certificate: PemCertificate;
  /** A certificate that a server shows. */
  issueServer(options?: DevServerCertificateOptions): PemCertificate;
  /** A certificate that a client shows (mutual TLS). */
  issueClient(options?: DevClientCertificateOptions): PemCertificate;
}

/**
 * Makes a new, self-signed authority.
 *
 * @throws FlightInvalidArgumentError for names that a certificate cannot hold or a validity that is not positive
 */
export function createDevCertificateAuthority(
  options: DevCertificateAuthorityOptions = {},
): DevCertificateAuthority {
  const keys = generateCertificateKeys();
  const issuer: CertificateIssuer = {
    commonName: options.commonName ?? 'Peregrine development CA',
    privateKey: keys.privateKey,
    publicKey: keys.publicKey,
  };
  const now = Date.now();
  const notBefore = new Date(now - clockSkewMs);
  const authorityEnd = endOfValidity(now, options.validDays ?? defaultDevValidDays);
  const certificate: PemCertificate = {
    cert: createCertificate(
      { purpose: 'authority', commonName: issuer.commonName, names: [], notBefore, notAfter: authorityEnd },
      keys.publicKey,
      issuer,
    ),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    expiresAt: authorityEnd,
  };
  const issue = (
    purpose: 'server' | 'client',
    commonName: string,
    names: readonly string[],
    validDays: number | undefined,
  ): PemCertificate => {
    const wanted = validDays === undefined ? authorityEnd : endOfValidity(Date.now(), validDays);
    const notAfter = wanted < authorityEnd ? wanted : authorityEnd;
    const own = generateCertificateKeys();
    return {
      cert: createCertificate({ purpose, commonName, names, notBefore, notAfter }, own.publicKey, issuer),
      key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      expiresAt: notAfter,
    };
  };
  return {
    certificate,
    issueServer: ({ names = defaultDevServerNames, commonName, validDays } = {}) =>
      issue('server', commonName ?? names[0]?.slice(0, 64) ?? 'localhost', names, validDays),
    issueClient: ({ names = [], commonName, validDays } = {}) =>
      issue('client', commonName ?? names[0]?.slice(0, 64) ?? 'client', names, validDays),
  };
}

/** An authority with one server and one client certificate. */
export interface DevCertificates {
  /** The authority: `ca.cert` is what both sides trust. */
  readonly ca: PemCertificate;
  /** What the server shows. */
  readonly server: PemCertificate;
  /** What the client shows (mutual TLS). */
  readonly client: PemCertificate;
}

/** Options of {@link createDevCertificates}. */
export interface DevCertificatesOptions {
  /** Names of the server: DNS names, IP addresses, URIs. Default: `localhost`, `127.0.0.1`, `::1`. */
  readonly serverNames?: readonly string[] | undefined;
  /** Common name of the client certificate. Default: `client`. */
  readonly clientName?: string | undefined;
  /** How long all three last, in days. Default: 365. */
  readonly validDays?: number | undefined;
}

/**
 * Makes an authority, a server certificate and a client certificate in one go.
 *
 * @example
 * const { ca, server, client } = createDevCertificates();
 * const flight = new FlightServer(handlers, { tls: { certificates: [server], verifyClient: 'required', rootCertificates: ca.cert } });
 */
export function createDevCertificates(options: DevCertificatesOptions = {}): DevCertificates {
  const authority = createDevCertificateAuthority({ validDays: options.validDays });
  return {
    ca: authority.certificate,
    server: authority.issueServer({ names: options.serverNames }),
    client: authority.issueClient({ commonName: options.clientName }),
  };
}

/** Where {@link writeDevCertificates} wrote. */
export interface DevCertificateFiles {
  /** The authority's certificate: `ca.crt`. */
  readonly caCert: string;
  /** The authority's key: `ca.key`. */
  readonly caKey: string;
  /** The server's certificate: `server.crt`. */
  readonly serverCert: string;
  /** The server's key: `server.key`. */
  readonly serverKey: string;
  /** The client's certificate: `client.crt`. */
  readonly clientCert: string;
  /** The client's key: `client.key`. */
  readonly clientKey: string;
}

/**
 * Writes certificates and keys as PEM files that only their owner can read (mode 0600 in a folder made with 0700;
 * Windows has no such modes and keeps its access lists). Files that exist are replaced.
 *
 * @param folder - made where it does not exist
 * @throws Error of node:fs when the folder cannot be written
 */
export async function writeDevCertificates(
  folder: string,
  certificates: DevCertificates,
): Promise<DevCertificateFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    const file = await open(path, 'w', 0o600);
    try {
      // the mode above counts only for a file that did not exist; the key must not be readable for a moment
      await file.chmod(0o600);
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    return path;
  };
  return {
    caCert: await write('ca.crt', certificates.ca.cert),
    caKey: await write('ca.key', certificates.ca.key),
    serverCert: await write('server.crt', certificates.server.cert),
    serverKey: await write('server.key', certificates.server.key),
    clientCert: await write('client.crt', certificates.client.cert),
    clientKey: await write('client.key', certificates.client.key),
  };
}

/** When a certificate ends; throws for what cannot be read. Lets a server warn before its certificate does. */
export function certificateExpiry(cert: string | Uint8Array): Date {
  try {
    return new Date(new X509Certificate(cert).validTo);
  } catch (cause) {
    throw new FlightInvalidArgumentError('not a certificate in PEM or DER form', { cause });
  }
}

function endOfValidity(from: number, days: number): Date {
  if (!Number.isFinite(days) || days <= 0) {
    throw new FlightInvalidArgumentError(`a certificate must last for some time, got validDays ${days}`);
  }
  // whole seconds, and years of four digits: what the certificate can hold
  const end = Math.floor((from + days * dayMs) / 1000) * 1000;
  if (end > lastMoment) {
    throw new FlightInvalidArgumentError(
      `a certificate must end before the year 10000, got validDays ${days}`,
    );
  }
  return new Date(end);
}
