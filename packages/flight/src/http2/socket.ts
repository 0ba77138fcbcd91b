/**
 * The only file that touches sockets.
 *
 * Sockets read into one reused buffer, so that payload is copied once, to where it will live. Sockets that we open do
 * it by Node's `onread` option. Accepted ones have no such option: their handle is moved into a new socket that has.
 * That is undocumented, so it is tried once at start and 'data' events are the fallback, as for accepted TLS.
 */
import { type Server, Socket, connect as connectTcp, createServer } from 'node:net';
import {
  type ConnectionOptions,
  type TLSSocket,
  type TlsOptions,
  connect as connectTls,
  createServer as createTlsServer,
} from 'node:tls';
import { socketReadBufferBytes } from '../limits.ts';
import type { Transport, TransportListener } from './transport.ts';
import type { Http2Peer, Http2TlsPeer } from './types.ts';

/** Where to connect to. */
export type ConnectTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** TLS of a client; certificates are PEM. */
export interface ClientTlsOptions {
  /** Authorities to trust instead of the system's. */
  readonly rootCertificates?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  readonly certificate?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  /** The name to ask for and to expect in the server's certificate. Default: the host. */
  readonly serverName?: string | undefined;
  /** Trust any certificate. Default: false. */
  readonly disableVerification?: boolean | undefined;
  /** `TLSv1.2` or `TLSv1.3`. Default: both. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

/** How a socket is opened. */
export interface ConnectSocketOptions {
  readonly tls?: ClientTlsOptions | undefined;
  /** Time for the connection, TLS included, in ms. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Opens a socket; rejects with Node's error, or a TimeoutError or AbortError. */
export function connectSocket(target: ConnectTarget, options: ConnectSocketOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const deferred: { transport: SocketTransport | undefined } = { transport: undefined };
    const onread = {
      buffer: Buffer.allocUnsafeSlow(socketReadBufferBytes),
      callback: (byteLength: number, buffer: Uint8Array): boolean => {
        deferred.transport?.receive(buffer, 0, byteLength);
        return true;
      },
    };
    const where = target.kind === 'tcp' ? { host: target.host, port: target.port } : { path: target.path };
    const { tls } = options;
    const socket: Socket | TLSSocket =
      tls === undefined
        ? connectTcp({ ...where, noDelay: true, onread })
        : connectTls(tlsOptions(tls, target, { ...where, ALPNProtocols: ['h2'], noDelay: true, onread }));
    const timer = setTimeout(() => {
      fail(new DOMException(`no connection within ${options.timeoutMs} ms`, 'TimeoutError'));
    }, options.timeoutMs);
    const aborted = (): void => fail(options.signal?.reason);

    function settle(): void {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', aborted);
      socket.removeListener('error', fail);
    }
    function fail(error: unknown): void {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
    socket.once('error', fail);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      settle();
      const transport = new SocketTransport(socket, false);
      deferred.transport = transport;
      resolve(transport);
    });
    if (options.signal?.aborted === true) fail(options.signal.reason);
    else options.signal?.addEventListener('abort', aborted, { once: true });
  });
}

/** The options of TLS as Node names them. Node hands `onread` on to the socket, which its types do not say. */
function tlsOptions<T extends object>(
  tls: ClientTlsOptions,
  target: ConnectTarget,
  socket: T,
): T & ConnectionOptions {
  const name = tls.serverName ?? (target.kind === 'tcp' ? target.host : 'localhost');
  return {
    ...socket,
    // An IP address is no name to ask for by SNI (RFC 6066); Node checks the certificate by the host then.
    ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
    ...(tls.rootCertificates === undefined ? {} : { ca: pemList(tls.rootCertificates) }),
    ...(tls.certificate === undefined ? {} : { cert: pem(tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: pem(tls.key) }),
    ...(tls.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
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

/** What listens for connections. */
export interface SocketListener {
  /** The port, 0 for a Unix socket. */
  readonly port: number;
  /** Takes no more connections; those there go on. */
  close(): Promise<void>;
}

/** Where to listen. Port 0 takes a free one. */
export type ListenTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Listens and gives a transport for each connection. */
export async function listenSockets(
  target: ListenTarget,
  tls: TlsOptions | undefined,
  onTransport: (transport: Transport) => void,
): Promise<SocketListener> {
  const server: Server =
    tls === undefined
      ? createServer({ noDelay: true, pauseOnConnect: true }, (socket) => onTransport(acceptSocket(socket)))
      : createTlsServer({ ...tls, ALPNProtocols: ['h2'] }, (socket) => {
          socket.setNoDelay(true);
          onTransport(new SocketTransport(socket, true));
        });
  // A handshake that fails is the client's trouble alone.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(
      target.kind === 'tcp' ? { host: target.host, port: target.port } : { path: target.path },
      () => {
        server.removeListener('error', reject);
        // An accept that fails (too many open files) must not take the process down; the next may succeed.
        server.on('error', () => undefined);
        resolve();
      },
    );
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

/** The undocumented part of a socket: the handle that libuv's stream is behind. */
function takeHandle(socket: Socket): object | undefined {
  if (!('_handle' in socket)) return undefined;
  const handle: unknown = socket._handle;
  if (typeof handle !== 'object' || handle === null) return undefined;
  socket._handle = null;
  return handle;
}

/** Whether accepted handles can be moved; `undefined` until the first one was tried. */
let handlesMove: boolean | undefined;

function acceptSocket(accepted: Socket): Transport {
  if (handlesMove === false) return new SocketTransport(accepted, true);
  const addresses = peerOf(accepted);
  const handle = takeHandle(accepted);
  if (handle === undefined) {
    handlesMove = false;
    return new SocketTransport(accepted, true);
  }
  const deferred: { transport: SocketTransport | undefined } = { transport: undefined };
  const options = {
    handle,
    noDelay: true,
    onread: {
      buffer: Buffer.allocUnsafeSlow(socketReadBufferBytes),
      callback: (byteLength: number, buffer: Uint8Array): boolean => {
        deferred.transport?.receive(buffer, 0, byteLength);
        return true;
      },
    },
  };
  const socket = new Socket(options);
  socket.setNoDelay(true);
  // The server counts its connections by the sockets that it made.
  socket.once('close', () => accepted.destroy());
  handlesMove = true;
  const transport = new SocketTransport(socket, false, addresses);
  deferred.transport = transport;
  return transport;
}

class SocketTransport implements Transport {
  readonly peer: Http2Peer;
  readonly #socket: Socket;
  readonly #byEvents: boolean;
  #listener: TransportListener | undefined;
  /** Bytes that came before there was a listener. */
  #early: Uint8Array[] = [];
  #closed = false;
  #error: Error | undefined;

  constructor(socket: Socket, byEvents: boolean, peer: Http2Peer = peerOf(socket)) {
    this.#socket = socket;
    this.#byEvents = byEvents;
    this.peer = peer;
    socket.on('error', (error: Error) => {
      this.#error = error;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.#closed = true;
      this.#listener?.onClosed(this.#error);
    });
  }

  receive(buffer: Uint8Array, start: number, end: number): void {
    if (this.#listener === undefined) this.#early.push(Uint8Array.from(buffer.subarray(start, end)));
    else this.#listener.onBytes(buffer, start, end);
  }

  start(listener: TransportListener): void {
    this.#listener = listener;
    for (const bytes of this.#early) listener.onBytes(bytes, 0, bytes.length);
    this.#early = [];
    if (this.#closed) return listener.onClosed(this.#error);
    if (this.#byEvents) this.#socket.on('data', (bytes: Buffer) => listener.onBytes(bytes, 0, bytes.length));
    this.#socket.resume();
    this.#socket.read(0);
  }

  write(pieces: readonly Uint8Array[], done: () => void): void {
    const socket = this.#socket;
    if (this.#closed || socket.destroyed || socket.writableEnded) {
      queueMicrotask(done);
      return;
    }
    const last = pieces.length - 1;
    socket.cork();
    for (let i = 0; i < last; i++) socket.write(pieces[i] ?? empty);
    socket.write(pieces[last] ?? empty, done);
    socket.uncork();
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const empty = new Uint8Array(0);

function peerOf(socket: Socket): Http2Peer {
  const { remoteAddress, remotePort, remoteFamily } = socket;
  const tls = 'encrypted' in socket ? tlsPeerOf(socket) : undefined;
  if (remoteAddress === undefined || remotePort === undefined)
    return { family: 'unix', address: '', port: 0, tls };
  return { family: remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4', address: remoteAddress, port: remotePort, tls };
}

function tlsPeerOf(socket: Socket & { encrypted: unknown }): Http2TlsPeer | undefined {
  if (!isTls(socket)) return undefined;
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
