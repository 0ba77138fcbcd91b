/** What went wrong when a connection was opened, told so that a person knows what to do. */

import { messageOf } from '../errors.ts';
import { Http2Error } from '../http2/errors.ts';

/** Codes of OpenSSL and of Node for certificates whose authority is not known here. */
const unknownAuthority: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

const explanations: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate of the server, or of its authority, has expired',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet; look at the clocks of both machines',
  // what OpenSSL makes of an answer that is not TLS, by its version
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not answer in TLS; is it one in plaintext?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not answer in TLS; is it one in plaintext?',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'the server does not speak HTTP/2 over TLS (ALPN)',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the server speaks no version of TLS that is spoken here',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the server speaks no version of TLS that is spoken here',
};

/**
 * Says why a connection could not be opened.
 *
 * @param error - what opening it failed with
 * @param tls - whether TLS was spoken
 */
export function explainConnectError(error: unknown, tls: boolean): string {
  const code = codeOf(error);
  if (isClosed(error)) {
    return tls
      ? 'the peer closed the connection in or after the TLS handshake, as servers do that want a client certificate, or another one'
      : 'the peer closed the connection before it sent its SETTINGS, as servers do that want TLS';
  }
  const explanation = explanations[code];
  if (explanation !== undefined) return explanation;
  if (unknownAuthority.has(code)) {
    return `the certificate of the server comes from no authority that is trusted here (${code}); give that one's certificate as rootCertificates`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    // Node's own words before it, and a list that may be empty behind it
    const reason = messageOf(error)
      .replace(/^.*altnames: /, '')
      .replace(/[.:\s]+$/, '');
    return `the certificate of the server is for another name: ${reason}; connect by a name that it has, or override the host name`;
  }
  const alert = /_ALERT_(\w+)$/.exec(code)?.[1];
  if (alert !== undefined) {
    const name = alert.toLowerCase().replaceAll('_', ' ');
    return `the server ended the TLS handshake (${name}); it may want a client certificate, or another one`;
  }
  return messageOf(error);
}

/** Whether the peer took the connection and then closed it, in order or not. */
function isClosed(error: unknown): boolean {
  if (error instanceof Http2Error && error.code === 'CONNECT_ERROR' && error.cause === undefined) return true;
  const origin = originOf(error);
  const connecting = origin instanceof Error && 'syscall' in origin && origin.syscall === 'connect';
  return ['ECONNRESET', 'EPIPE'].includes(codeOf(error)) && !connecting;
}

/** What Node said, which may be the cause of an error of HTTP/2. */
function originOf(error: unknown): unknown {
  return error instanceof Http2Error && error.cause !== undefined ? error.cause : error;
}

function codeOf(error: unknown): string {
  const origin = originOf(error);
  return origin instanceof Error && 'code' in origin && typeof origin.code === 'string' ? origin.code : '';
}
