import { type Socket, connect as connectTcp } from 'node:net';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import { maxTimerMs } from '../../limits/bytes.ts';
import { Http2Error } from '../errors.ts';
import type { Transport } from '../transport.ts';
import { type ClientTlsOptions, connectOptionsOf } from './client-tls.ts';
import { isTls, peerOf } from './peer.ts';
import { ReadBuffer } from './read-buffer.ts';
import { SocketTransport } from './socket-transport.ts';
import type { ConnectTarget } from './target.ts';

/** How a socket is opened. */
export interface ConnectSocketOptions {
  /** Default: none, the connection is in the clear. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Time for the connection, TLS included, in ms. */
  readonly timeoutMs: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a socket.
 *
 * @throws Node's error, a TimeoutError, the signal's reason, or Http2Error HTTP_1_1_REQUIRED for a TLS server that
 *   does not offer HTTP/2
 */
export function connectSocket(target: ConnectTarget, options: ConnectSocketOptions): Promise<Transport> {
  const { tls, timeoutMs, signal } = options;
  return new Promise((resolve, reject) => {
    const read = new ReadBuffer();
    const where = target.kind === 'tcp' ? { host: target.host, port: target.port } : { path: target.path };
    const plain = { ...where, noDelay: true, onread: read.onread };
    const socket: Socket | TLSSocket =
      tls === undefined
        ? connectTcp(plain)
        : connectTls({
            ...plain,
            ...connectOptionsOf(tls, target.kind === 'tcp' ? target.host : 'localhost'),
          });
    const timer =
      timeoutMs > maxTimerMs
        ? undefined
        : setTimeout(
            () => fail(new DOMException(`no connection within ${Math.round(timeoutMs)} ms`, 'TimeoutError')),
            timeoutMs,
          );
    const aborted = (): void => fail(signal?.reason);

    function settle(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      socket.removeListener('error', fail);
      socket.removeListener('close', closed);
    }
    function fail(error: unknown): void {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
    function closed(): void {
      fail(new Http2Error('CONNECT_ERROR', 'the peer closed the connection while it was being set up'));
    }
    socket.once('error', fail);
    socket.once('close', closed);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (isTls(socket)) {
        if (socket.alpnProtocol !== 'h2') {
          return fail(
            new Http2Error(
              'HTTP_1_1_REQUIRED',
              'the server did not choose HTTP/2 in the TLS handshake (ALPN)',
            ),
          );
        }
        socket.disableRenegotiation();
      }
      settle();
      resolve(new SocketTransport(socket, read, peerOf(socket, target.kind === 'unix' ? target.path : '')));
    });
    if (signal?.aborted === true) fail(signal.reason);
    else signal?.addEventListener('abort', aborted, { once: true });
  });
}
