import { isIP } from 'node:net';
import { type ConnectionOptions, type PeerCertificate, checkServerIdentity } from 'node:tls';

/** TLS of a client; certificates are PEM. */
export interface ClientTlsOptions {
  /** Authorities to trust instead of the system's. Default: the system's. */
  readonly rootCertificates?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** The client's own certificate, for servers that ask for one (mTLS). Default: none. */
  readonly certificate?: string | Uint8Array | undefined;
  /** The key of {@link ClientTlsOptions.certificate}. */
  readonly key?: string | Uint8Array | undefined;
  /** The name to ask for and to expect in the server's certificate. Default: the host. */
  readonly serverName?: string | undefined;
  /** Trust any certificate. Default: false. */
  readonly disableVerification?: boolean | undefined;
  /** The oldest version to speak. Default: `TLSv1.2`, which HTTP/2 needs at least. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** The newest version to speak. Default: `TLSv1.3`. */
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/**
 * The options as Node names them.
 *
 * @param host - the name to ask for when the options have none
 */
export function connectOptionsOf(tls: ClientTlsOptions, host: string): ConnectionOptions {
  const name = tls.serverName ?? host;
  return {
    ALPNProtocols: ['h2'],
    minVersion: tls.minVersion ?? 'TLSv1.2',
    // An IP address is no name to ask for by SNI (RFC 6066), but one to look for in the certificate.
    ...(isIP(name) === 0
      ? { servername: name }
      : {
          checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
            checkServerIdentity(name, certificate),
        }),
    ...(tls.rootCertificates === undefined ? {} : { ca: pemList(tls.rootCertificates) }),
    ...(tls.certificate === undefined ? {} : { cert: pem(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: pem(tls.key) }),
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls.disableVerification === true ? { rejectUnauthorized: false } : {}),
  };
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}

function pemList(value: string | Uint8Array | readonly (string | Uint8Array)[]): (string | Buffer)[] {
  return typeof value === 'string' || value instanceof Uint8Array
    ? [pem(value)]
    : value.map((one) => pem(one));
}
