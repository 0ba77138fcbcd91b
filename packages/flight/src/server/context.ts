import type { X509Certificate } from 'node:crypto';
import type { Metadata } from '../grpc/index.ts';
import type { FlightMethod } from '../proto/names.ts';
import type { ServerMiddleware } from '../middleware/server-middleware.ts';
import type { TraceContext } from '../middleware/trace-context.ts';
import type { ServerSession } from './sessions/session-store.ts';

/** What a handler knows of the call that it serves, and what it can add to the answer (pyarrow's `ServerCallContext`). */
export interface ServerCallContext {
  /** The method called. */
  readonly method: FlightMethod;
  /** Address of the client, such as `ipv4:127.0.0.1:40000`. */
  readonly peer: string;
  /** Who calls, as authentication found; empty when the server has none. */
  readonly peerIdentity: string;
  /** The client's certificate, where the connection has one that was verified. */
  readonly peerCertificate: X509Certificate | undefined;
  /** The request's headers. */
  readonly headers: Metadata;
  /** When the client stops waiting; undefined when it waits for ever. */
  readonly deadline: Date | undefined;
  /** Aborted when the client cancels or goes away, when the deadline passes, and when the server gives the call up. */
  readonly signal: AbortSignal;
  /** Whether {@link ServerCallContext.signal} is aborted. */
  readonly isCancelled: boolean;
  /** This call's span in the client's trace; undefined without a TracingServerMiddlewareFactory. */
  readonly traceContext: TraceContext | undefined;

  /**
   * Adds a header to the response; those that are added after the first message was sent go as trailers.
   *
   * @param name - in any case; ends in `-bin` for bytes
   */
  addHeader(name: string, value: string | Uint8Array): void;
  /** Adds a trailer, which is sent with the status at the end of the call. */
  addTrailer(name: string, value: string | Uint8Array): void;

  /** The middleware that the factory under a key made for this call; undefined when there is none. */
  getMiddleware(key: string): ServerMiddleware | undefined;
  /** The same, of a known class; undefined as well when it is of another class. */
  getMiddleware<M extends ServerMiddleware>(
    key: string,
    type: abstract new (...arguments_: never[]) => M,
  ): M | undefined;

  /**
   * The session of the client; a new one when it has none, whose cookie goes with the response.
   *
   * @throws FlightInvalidArgumentError when the client's cookie names no session (any more); it is told to forget it
   * @throws FlightUnimplementedError when the server has sessions switched off
   */
  getSession(): Promise<ServerSession>;
  /** The session of the client, or undefined when it has none. Throws as {@link ServerCallContext.getSession}. */
  findSession(): Promise<ServerSession | undefined>;
  /** Ends the session of the client and tells it to forget the cookie. Returns whether there was one. */
  closeSession(): Promise<boolean>;
}
