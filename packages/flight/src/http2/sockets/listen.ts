import { type Server, type Socket, createServer } from 'node:net';
import { type TlsOptions, createServer as createTlsServer } from 'node:tls';
import { tlsHandshakeTimeoutMs } from '../../limits/http2.ts';
import type { Transport } from '../transport.ts';
import { handlesMove, moveHandle } from './moved-handle.ts';
import { peerOf } from './peer.ts';
import { SocketTransport } from './socket-transport.ts';
import { removeStaleSocket } from './stale-socket.ts';
import type { ListenTarget } from './target.ts';

/** What listens for connections. */
export interface SocketListener {
  /** The port, 0 for a Unix socket. */
  readonly port: number;
  /** Takes no more connections; those there go on, except for TLS handshakes that are not done. */
  close(): Promise<void>;
}

/** How sockets are accepted. */
export interface ListenSocketsOptions {
  /** Node's options; default: none, connections are in the clear. */
  readonly tls?: TlsOptions | undefined;
  /** Let sockets read into one reused buffer, where that works. Default: true. */
  readonly reuseReadBuffer?: boolean | undefined;
  /** Time for a TLS handshake, in ms, after which the connection is closed. Default: `tlsHandshakeTimeoutMs`. */
  readonly tlsHandshakeTimeoutMs?: number | undefined;
}

/** Listens and gives a transport for each connection. A Unix socket's file that nobody listens on any more is replaced. */
export async function listenSockets(
  target: ListenTarget,
  options: ListenSocketsOptions,
  onTransport: (transport: Transport) => void,
): Promise<SocketListener> {
  const { reuseReadBuffer = true } = options;
  const tls = options.tls === undefined ? undefined : serverTlsOptions(options.tls);
  const shaking = new Map<string, Socket>();
  const move = reuseReadBuffer && (await handlesMove(tls));
  const server: Server =
    tls === undefined
      ? plainServer(move, onTransport)
      : tlsServer(
          { handshakeTimeout: options.tlsHandshakeTimeoutMs ?? tlsHandshakeTimeoutMs, ...tls },
          shaking,
          move,
          onTransport,
        );
  await listenOn(server, target);
  // An accept that fails (too many open files) must not take the process down; the next may succeed.
  server.on('error', () => undefined);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of shaking.values()) socket.destroy();
      }),
  };
}

function plainServer(move: boolean, onTransport: (transport: Transport) => void): Server {
  return createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    onTransport(move ? moveHandle(socket) : new SocketTransport(socket, undefined, peerOf(socket, '')));
  });
}

/** @param shaking - gets the sockets whose handshake is not done, by their addresses */
function tlsServer(
  tls: TlsOptions,
  shaking: Map<string, Socket>,
  move: boolean,
  onTransport: (transport: Transport) => void,
): Server {
  const server = createTlsServer(tls, (socket) => {
    shaking.delete(addressOf(socket));
    // Who does not ask for HTTP/2 in the handshake may not speak it (RFC 9113, section 3.2).
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.disableRenegotiation();
    onTransport(move ? moveHandle(socket) : new SocketTransport(socket, undefined, peerOf(socket, '')));
  });
  server.on('connection', (socket: Socket) => {
    const address = addressOf(socket);
    if (address === '') return;
    shaking.set(address, socket);
    socket.once('close', () => {
      if (shaking.get(address) === socket) shaking.delete(address);
    });
  });
  // A handshake that fails is the client's trouble alone.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  return server;
}

function serverTlsOptions(tls: TlsOptions): TlsOptions {
  return { minVersion: 'TLSv1.2', ...tls, ALPNProtocols: ['h2'] };
}

/** The other end of a TCP connection; empty for Unix sockets. */
function addressOf(socket: Socket): string {
  return socket.remotePort === undefined ? '' : `${socket.remoteAddress ?? ''} ${socket.remotePort}`;
}

async function listenOn(server: Server, target: ListenTarget): Promise<void> {
  if (target.kind === 'unix') await removeStaleSocket(target.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(
      target.kind === 'tcp' ? { host: target.host, port: target.port } : { path: target.path },
      () => {
        server.removeListener('error', reject);
        resolve();
      },
    );
  });
}
