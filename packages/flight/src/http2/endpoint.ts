import type { TlsOptions } from 'node:tls';
import { connectTimeoutMs } from '../limits/http2.ts';
import { type Http2SessionOptions, createSession } from './session.ts';
import type { ClientTlsOptions } from './sockets/client-tls.ts';
import { connectSocket } from './sockets/connect.ts';
import { listenSockets } from './sockets/listen.ts';
import type { ConnectTarget, ListenTarget } from './sockets/target.ts';
import type { Http2Session } from './types.ts';

/** How a client connects. */
export interface Http2ConnectOptions extends Omit<Http2SessionOptions, 'onRequest'> {
  /** TLS with ALPN `h2`; without it the connection is in the clear (h2c with prior knowledge). */
  readonly tls?: ClientTlsOptions | undefined;
  /** Time to connect, TLS and the peer's SETTINGS included, in ms. Default: 20 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a connection; resolves when the peer's SETTINGS are there, so its limits are known.
 *
 * @throws Node's error, a TimeoutError, the signal's reason, or Http2Error when the peer does not speak HTTP/2
 */
export async function connect(
  target: ConnectTarget,
  options: Http2ConnectOptions = {},
): Promise<Http2Session> {
  const timeoutMs = options.connectTimeoutMs ?? connectTimeoutMs;
  const { tls, signal } = options;
  const start = performance.now();
  const transport = await connectSocket(target, { tls, timeoutMs, signal });
  const left = Math.max(1, timeoutMs - (performance.now() - start));
  const session = createSession('client', transport, { prefaceTimeoutMs: left, ...options });
  const abort = (): void => session.destroy();
  if (signal?.aborted === true) abort();
  else signal?.addEventListener('abort', abort, { once: true });
  try {
    await session.ready;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return session;
}

/** How a server listens. */
export interface Http2ListenOptions {
  /** Node's TLS options; ALPN is `h2`. Without them connections are in the clear. */
  readonly tls?: TlsOptions | undefined;
  /**
   * Let connections in the clear read into one reused buffer. It doubles what a server takes in, and needs a part of
   * Node that is not documented; where that does not work, or for tools that look into sockets, they read as usual.
   * Default: true.
   */
  readonly reuseReadBuffer?: boolean | undefined;
  /** Time for a TLS handshake, in ms, after which the connection is closed. Default: `tlsHandshakeTimeoutMs`. */
  readonly tlsHandshakeTimeoutMs?: number | undefined;
  /** Gives the options of a new connection's session; asked once a connection. */
  readonly session: () => Http2SessionOptions;
  /** A connection is there. */
  readonly onSession?: ((session: Http2Session) => void) | undefined;
}

/** A place where a server listens, and its connections. */
export interface Http2Listener {
  /** The port, 0 for a Unix socket. */
  readonly port: number;
  /** The connections open now. */
  readonly sessions: ReadonlySet<Http2Session>;
  /** Takes no more connections and lets those there finish. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
}

/** Listens for HTTP/2 connections. Rejects when the address cannot be had. */
export async function listen(target: ListenTarget, options: Http2ListenOptions): Promise<Http2Listener> {
  const sessions = new Set<Http2Session>();
  const listener = await listenSockets(target, options, (transport) => {
    const session = createSession('server', transport, options.session());
    sessions.add(session);
    void session.ended.then(() => sessions.delete(session));
    options.onSession?.(session);
  });
  return {
    port: listener.port,
    sessions,
    async close() {
      await Promise.all([listener.close(), ...[...sessions].map((session) => session.close())]);
    },
    async destroy() {
      const closed = listener.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
