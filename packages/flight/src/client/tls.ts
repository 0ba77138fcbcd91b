import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { FlightInvalidArgumentError, messageOf } from '../errors.ts';
import type { Location } from '../model/location.ts';
import type { FlightTlsOptions } from './options.ts';

/**
 * Checks TLS options before anything is connected, so that a mistake is told where it was made.
 *
 * @param option - name of the option, for the message
 * @param location - where they are for; undefined when only TLS locations use them
 * @throws FlightInvalidArgumentError for options that contradict each other or the location, or cannot be read
 */
export function checkTlsOptions(
  option: string,
  tls: FlightTlsOptions | undefined,
  location: Location | undefined,
): void {
  if (tls === undefined) return;
  if (location !== undefined && location.kind !== 'tls') {
    throw new FlightInvalidArgumentError(
      `${option} is given and ${location.uri} is not encrypted; connect to grpc+tls://host:port, or leave ${option} out (endpointTls is for endpoints at other locations)`,
    );
  }
  if (tls.rootCertificates !== undefined && tls.disableServerVerification === true) {
    throw new FlightInvalidArgumentError(
      `${option}.rootCertificates means nothing with ${option}.disableServerVerification; leave one of them out`,
    );
  }
  if (tls.rootCertificates?.length === 0) {
    throw new FlightInvalidArgumentError(
      `${option}.rootCertificates is empty, so that no server could be trusted; leave it out to trust those of Node`,
    );
  }
  if (tls.overrideHostname === '') {
    throw new FlightInvalidArgumentError(
      `${option}.overrideHostname is empty; leave it out to use the location's host`,
    );
  }
  const pair = tls.clientCertificate;
  if (pair !== undefined && pair.cert?.length > 0 !== pair.key?.length > 0) {
    throw new FlightInvalidArgumentError(
      `${option}.clientCertificate needs both cert and key, and one of them is missing`,
    );
  }
  try {
    checkCertificates(pem(tls.rootCertificates));
    createSecureContext({ ca: pem(tls.rootCertificates), cert: pem(pair?.cert), key: pem(pair?.key) });
  } catch (cause) {
    throw new FlightInvalidArgumentError(
      `the certificates or the key of ${option} cannot be used: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** node:tls passes over a text without certificates, and over certificates that are broken. */
function checkCertificates(text: string | undefined): void {
  if (text === undefined) return;
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]*CERTIFICATE)-----.*?-----END \1-----/gs) ?? [];
  if (blocks.length === 0)
    throw new Error('there is no -----BEGIN CERTIFICATE----- in the root certificates');
  for (const block of blocks) {
    if (new X509Certificate(block).subject === undefined)
      throw new Error('a root certificate has no subject');
  }
}

/** PEM as node:tls takes it. */
function pem(text: string | Uint8Array | undefined): string | undefined {
  return typeof text === 'object' ? Buffer.from(text).toString('latin1') : text;
}
