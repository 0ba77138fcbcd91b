import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import type { CertKeyPair } from '../auth/certificate-pair.ts';
import { FlightInvalidArgumentError } from '../errors.ts';

/** How a server speaks TLS. */
export interface ServerTlsOptions {
  /**
   * What the server shows. Of several the one that fits the name which the client asked for (SNI) is taken, and the
   * first when none does.
   */
  readonly certificates: CertKeyPair | readonly CertKeyPair[];
  /** Authorities whose client certificates are accepted, as PEM. Default: those that Node trusts. */
  readonly rootCertificates?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /**
   * Mutual TLS. `none`: clients are not asked for a certificate; `optional`: they may show one, and one that is not
   * valid counts as none; `required`: the connection is refused without a valid one. Default: `none`.
   */
  readonly verifyClient?: 'none' | 'optional' | 'required' | undefined;
  /** Oldest version spoken. Default: `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/**
 * The options of `node:tls` for these.
 *
 * @throws FlightInvalidArgumentError when there is no certificate, or one that does not go with its key
 */
export function nodeTlsOptions(options: ServerTlsOptions): TlsOptions {
  // Programs without types may give what node:tls takes.
  const given: unknown = options.certificates;
  if (typeof given !== 'object' || given === null) {
    throw new FlightInvalidArgumentError(
      'tls.certificates is what the server shows: { cert, key } as PEM, or a list of those; for development createDevCertificates() makes them',
    );
  }
  const pairs = 'cert' in options.certificates ? [options.certificates] : options.certificates;
  const verifyClient = options.verifyClient ?? 'none';
  const ca = rootCertificates(options.rootCertificates);
  const minVersion = options.minVersion ?? 'TLSv1.2';
  const contexts = pairs.map((pair) => certificateContext(pair, { ca, minVersion }));
  const [first] = contexts;
  const [firstPair] = pairs;
  if (first === undefined || firstPair === undefined) {
    throw new FlightInvalidArgumentError('TLS needs a certificate with its key, and none is given');
  }
  return {
    cert: nodeText(firstPair.cert),
    key: nodeText(firstPair.key),
    ...(ca === undefined ? {} : { ca }),
    minVersion,
    requestCert: verifyClient !== 'none',
    rejectUnauthorized: verifyClient === 'required',
    SNICallback: (name, callback) => {
      const fitting = contexts.find(({ certificate }) => certificate.checkHost(name) !== undefined) ?? first;
      callback(null, fitting.context);
    },
  };
}

interface CertificateContext {
  readonly certificate: X509Certificate;
  readonly context: SecureContext;
}

function certificateContext(
  pair: CertKeyPair,
  shared: { readonly ca: (string | Buffer)[] | undefined; readonly minVersion: 'TLSv1.2' | 'TLSv1.3' },
): CertificateContext {
  try {
    return {
      certificate: new X509Certificate(pair.cert),
      context: createSecureContext({
        cert: nodeText(pair.cert),
        key: nodeText(pair.key),
        ...(shared.ca === undefined ? {} : { ca: shared.ca }),
        minVersion: shared.minVersion,
      }),
    };
  } catch (cause) {
    throw new FlightInvalidArgumentError(
      'a certificate and its key cannot be used: both must be PEM, and belong together',
      { cause },
    );
  }
}

function rootCertificates(given: ServerTlsOptions['rootCertificates']): (string | Buffer)[] | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'string' || given instanceof Uint8Array) return [nodeText(given)];
  return given.map(nodeText);
}

function nodeText(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}
