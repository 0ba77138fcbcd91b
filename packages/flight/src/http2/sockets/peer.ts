import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Http2Peer, Http2TlsPeer } from '../types.ts';

/** Whether the socket speaks TLS. */
export function isTls(socket: Socket): socket is TLSSocket {
  return 'getPeerCertificate' in socket;
}

/**
 * Who is at the other end of a connected socket.
 *
 * @param path - of the Unix socket, where it is known
 */
export function peerOf(socket: Socket, path: string): Http2Peer {
  const { remoteAddress, remotePort, remoteFamily } = socket;
  const tls = isTls(socket) ? tlsPeerOf(socket) : undefined;
  if (remoteAddress === undefined || remotePort === undefined) {
    return { family: 'unix', address: path, port: 0, tls };
  }
  return { family: remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4', address: remoteAddress, port: remotePort, tls };
}

function tlsPeerOf(socket: TLSSocket): Http2TlsPeer {
  const certificate = socket.getPeerCertificate();
  const shown = certificate !== null && typeof certificate === 'object' && certificate.raw !== undefined;
  return {
    protocol: socket.getProtocol() ?? '',
    authorized: socket.authorized,
    certificate: shown
      ? {
          commonName: firstOf(certificate.subject?.CN),
          subjectAlternativeNames: certificate.subjectaltname ?? '',
          raw: certificate.raw,
        }
      : undefined,
  };
}

function firstOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}
