/**
 * The only file that touches sockets.
 *
 * Sockets read into one reused buffer, so that payload is copied once, to where it will live. Sockets that we open do
 * it by Node's `onread` option, with TLS as well. Accepted ones have no such option: their handle is moved into a new
 * socket that has. That is undocumented, so it is tried out before the first connection is accepted, and 'data'
 * events are the fallback. With TLS, where each record of 16 KiB would be a buffer and an event of its own, it takes
 * half of the processor's time.
 */
import { type Server, Socket, connect as connectTcp, createServer } from 'node:net';
import {
  type TLSSocket,
  type TlsOptions,
  connect as connectTls,
  createServer as createTlsServer,
} from 'node:tls';
import { maxTimerMs } from '../limits/bytes.ts';
import { handleTestTimeoutMs, socketReadBufferBytes, tlsHandshakeTimeoutMs } from '../limits/http2.ts';
import { type ClientTlsOptions, connectOptionsOf } from './client-tls.ts';
import { Http2Error } from './errors.ts';
import { removeStaleSocket } from './stale-socket.ts';
import type { Transport, TransportListener } from './transport.ts';
import type { Http2Peer, Http2TlsPeer } from './types.ts';

/** Where to connect to. */
export type ConnectTarget =
  | {
      readonly kind: 'tcp';
      /** A name or an address; IPv6 without brackets. */
      readonly host: string;
      /** 1 to 65535. */
      readonly port: number;
    }
  | {
      readonly kind: 'unix';
      /** Path of the socket; on Windows of a named pipe. */
      readonly path: string;
    };

/** How a socket is opened. */
export interface ConnectSocketOptions {
  /** Default: none, the connection is in the clear. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Time for the connection, TLS included, in ms. */
  readonly timeoutMs: number;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes that stay when their buffer is used again. Not slice(): of a Buffer it would be a view. */
function copyOf(buffer: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer.subarray(start, end));
}

/** Bytes that a socket has read, for its transport, which may come a moment later. */
class ReadBuffer {
  transport: SocketTransport | undefined;
  early: Uint8Array[] = [];
  /** What Node's sockets take as their `onread` option. */
  readonly onread = {
    buffer: readBuffer(),
    callback: (byteLength: number, buffer: Uint8Array): boolean => {
      if (this.transport === undefined) this.early.push(copyOf(buffer, 0, byteLength));
      else this.transport.receive(buffer, 0, byteLength);
      return true;
    },
  };
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

/** What listens for connections. */
export interface SocketListener {
  /** The port, 0 for a Unix socket. */
  readonly port: number;
  /** Takes no more connections; those there go on, except for TLS handshakes that are not done. */
  close(): Promise<void>;
}

/** Where to listen. Port 0 takes a free one. */
export type ListenTarget =
  | {
      readonly kind: 'tcp';
      /** A name or an address; IPv6 without brackets. */
      readonly host: string;
      /** 0 takes a free one. */
      readonly port: number;
    }
  | {
      readonly kind: 'unix';
      /** Path of the socket; on Windows of a named pipe. */
      readonly path: string;
    };

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
  const { tls, reuseReadBuffer = true } = options;
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
  const server = createTlsServer(serverTlsOptions(tls), (socket) => {
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

/** The undocumented part of a socket: the handle that libuv's stream is behind. */
function takeHandle(socket: Socket): object | undefined {
  if (!('_handle' in socket)) return undefined;
  const handle: unknown = socket._handle;
  if (typeof handle !== 'object' || handle === null) return undefined;
  socket._handle = null;
  return handle;
}

/** A socket on the handle of an accepted one, which reads into one buffer; undefined when there is no handle. */
function reopen(accepted: Socket, onread: ReadBuffer['onread']): Socket | undefined {
  const handle = takeHandle(accepted);
  if (handle === undefined) return undefined;
  const options = { handle, noDelay: true, onread };
  const socket = new Socket(options);
  socket.setNoDelay(true);
  if (isTls(accepted)) {
    // What TLS has to tell goes to these of the handle; Node's own ones expect a TLSSocket to belong to it.
    Object.assign(handle, {
      onerror: (error: Error) => socket.destroy(error),
      // After the first handshake, which is over, only a renegotiation of TLS 1.2 begins another one.
      onhandshakestart: () => socket.destroy(new Error('the peer began a TLS renegotiation')),
    });
  }
  // The server counts its connections by the sockets that it made.
  socket.once('close', () => accepted.destroy());
  return socket;
}

function moveHandle(accepted: Socket): Transport {
  const peer = peerOf(accepted, '');
  const read = new ReadBuffer();
  if (accepted.readableLength > 0) {
    // It came in one piece with the end of the handshake.
    const bytes: unknown = accepted.read();
    if (bytes instanceof Uint8Array) read.early.push(copyOf(bytes, 0, bytes.byteLength));
  }
  const socket = reopen(accepted, read.onread);
  return socket === undefined
    ? new SocketTransport(accepted, undefined, peer)
    : new SocketTransport(socket, read, peer);
}

/** Whether handles of accepted sockets can be moved here, in the clear and with TLS; `undefined` until it was tried. */
const movable: { plain: Promise<boolean> | undefined; tls: Promise<boolean> | undefined } = {
  plain: undefined,
  tls: undefined,
};

function handlesMove(tls: TlsOptions | undefined): Promise<boolean> {
  if (tls === undefined) return (movable.plain ??= tryMove(undefined));
  return (movable.tls ??= tryMove(tls));
}

/** Connects to itself and sees whether bytes go both ways through a moved handle, and whether the end comes. */
function tryMove(tls: TlsOptions | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const message = 'peregrine';
    let heard = '';
    let client: Socket | undefined;
    const accept = (accepted: Socket): void => {
      const moved = reopen(accepted, {
        buffer: new Uint8Array(64),
        callback: (byteLength, buffer) => {
          moved?.write(copyOf(buffer, 0, byteLength));
          return true;
        },
      });
      if (moved === undefined) return done(false);
      moved.on('error', () => done(false));
      moved.on('end', () => moved.end());
      moved.resume();
      moved.read(0);
    };
    const server =
      tls === undefined
        ? createServer({ pauseOnConnect: true }, accept)
        : createTlsServer({ ...serverTlsOptions(tls), requestCert: false }, accept);
    const timer = setTimeout(() => done(false), handleTestTimeoutMs);
    function done(works: boolean): void {
      clearTimeout(timer);
      client?.destroy();
      server.close();
      resolve(works);
    }
    server.once('error', () => done(false));
    server.on('tlsClientError', () => done(false));
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return done(false);
      const where = { host: '127.0.0.1', port: address.port };
      // Whoever the certificate is for: this is a connection to ourselves, with nothing to hide.
      client =
        tls === undefined
          ? connectTcp(where)
          : connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
      client.once(tls === undefined ? 'connect' : 'secureConnect', () => client?.write(message));
      client.setEncoding('latin1');
      client.on('data', (text: string) => {
        heard += text;
        if (heard === message) client?.end();
      });
      client.on('error', () => done(false));
      client.on('end', () => done(heard === message));
    });
  });
}

class SocketTransport implements Transport {
  readonly peer: Http2Peer;
  readonly sameMachine: boolean;
  readonly #socket: Socket;
  readonly #read: ReadBuffer | undefined;
  #listener: TransportListener | undefined;
  #closed = false;
  #error: Error | undefined;

  /** @param read - where the socket reads to; undefined when it has 'data' events */
  constructor(socket: Socket, read: ReadBuffer | undefined, peer: Http2Peer) {
    this.#socket = socket;
    this.#read = read;
    this.peer = peer;
    const { remoteAddress, localAddress } = socket;
    this.sameMachine = remoteAddress !== undefined && remoteAddress === localAddress;
    if (read !== undefined) read.transport = this;
    socket.on('error', (error: Error) => {
      this.#error = error;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#closed = true;
      this.#listener?.onClosed(this.#error);
    });
  }

  /** Takes what the socket has read. */
  receive(buffer: Uint8Array, start: number, end: number): void {
    if (this.#listener === undefined) this.#read?.early.push(copyOf(buffer, start, end));
    else this.#listener.onBytes(buffer, start, end);
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    const early = this.#read?.early.splice(0) ?? [];
    for (const bytes of early) listener.onBytes(bytes, 0, bytes.length);
    if (this.#closed) return listener.onClosed(this.#error);
    if (this.#read === undefined) {
      this.#socket.on('data', ({ buffer, byteOffset, length }: Buffer) => {
        listener.onBytes(new Uint8Array(buffer, byteOffset, length), 0, length);
      });
    }
    this.#socket.resume();
    this.#socket.read(0);
  }

  write(pieces: readonly Uint8Array[], done: () => void): void {
    const socket = this.#socket;
    const last = pieces.at(-1);
    if (last === undefined || this.#closed || socket.destroyed || socket.writableEnded) {
      queueMicrotask(done);
      return;
    }
    if (pieces.length > 1) {
      socket.cork();
      for (let i = 0; i < pieces.length - 1; i++) socket.write(pieces[i] ?? last);
      socket.write(last, done);
      socket.uncork();
    } else {
      socket.write(last, done);
    }
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  setKeepsAlive(keepsAlive: boolean): void {
    if (keepsAlive) this.#socket.ref();
    else this.#socket.unref();
  }
}

/** @param path - of the Unix socket, where it is known */
function peerOf(socket: Socket, path: string): Http2Peer {
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

function isTls(socket: Socket): socket is TLSSocket {
  return 'getPeerCertificate' in socket;
}

function firstOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Memory that is read into again and again. Not a Buffer, whose `slice` is a view where that of others is a copy. */
function readBuffer(): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(socketReadBufferBytes).buffer);
}
