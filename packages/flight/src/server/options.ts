import type { CallAuthenticator } from '../auth/call-authenticator.ts';
import type { ServerAuthHandler } from '../auth/server-auth-handler.ts';
import type { FlightError } from '../errors.ts';
import type { GrpcCompression, GrpcMethod, GrpcServerOptions } from '../grpc/index.ts';
import type { Location } from '../model/index.ts';
import type { ServerMiddlewareFactory } from '../middleware/server-middleware.ts';
import type { FlightReadOptions, FlightWriteOptions } from '../stream/types.ts';
import type { ServerCallContext } from './context.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { ServerTlsOptions } from './tls.ts';

/** Bounds on what clients can make a server do. What they are when nothing is said, and why, is in `limits/`. */
export type FlightServerLimits = Pick<
  GrpcServerOptions,
  | 'maxReceiveBytes'
  | 'maxHeaderListBytes'
  | 'readAheadBytes'
  | 'maxConcurrentCalls'
  | 'maxCallsPerConnection'
  | 'maxConnections'
  | 'abandonedHandlerMs'
>;

/** How connections are kept, and let go. */
export type FlightServerConnectionOptions = Pick<
  GrpcServerOptions,
  | 'keepaliveMs'
  | 'keepaliveTimeoutMs'
  | 'maxConnectionAgeMs'
  | 'maxConnectionAgeGraceMs'
  | 'maxConnectionIdleMs'
  | 'windowBytes'
>;

/** How a server reads and writes Arrow data. */
export interface FlightServerIpcOptions extends FlightReadOptions, FlightWriteOptions {}

/** A gRPC service that a server has beside Flight. Authentication and middleware of Flight are not asked. */
export interface GrpcService {
  /** The methods by path, such as `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, GrpcMethod<unknown>>;
  /** Called once, when the server is shut down: calls without an end of their own are to end. Default: nothing. */
  drain?(): void;
}

/** Options of {@link FlightServer}. */
export interface FlightServerOptions {
  /** TLS for `grpc+tls` locations. Default: none, and such locations are refused. */
  readonly tls?: ServerTlsOptions | undefined;
  /** Authentication by handshake and token. Default: none. */
  readonly authHandler?: ServerAuthHandler | undefined;
  /** Authentication by headers or certificates: the first that knows the credentials of a call decides. Default: none. */
  readonly authenticators?: CallAuthenticator | readonly CallAuthenticator[] | undefined;
  /** Middleware factories by the key under which handlers find their middleware. They start in this order. Default: none. */
  readonly middleware?: Readonly<Record<string, ServerMiddlewareFactory>> | undefined;
  /** Where sessions live; `false` switches them off. Default: in memory. */
  readonly sessions?: SessionStore | false | undefined;
  /**
   * How gRPC messages are sent to clients that take it. Arrow data is better compressed by `ipc.compression`, which
   * readers can undo in parallel. Default: `identity`.
   */
  readonly messageCompression?: GrpcCompression | undefined;
  /**
   * How Arrow data is read and written. Received batches are validated in full unless `validate` says otherwise,
   * because clients are not trusted.
   */
  readonly ipc?: FlightServerIpcOptions | undefined;
  /** Further gRPC services, such as that of {@link createHealthService}. Default: none. */
  readonly services?: readonly GrpcService[] | undefined;
  /** Bounds on what clients can make the server do. */
  readonly limits?: FlightServerLimits | undefined;
  /** How connections are kept, and let go. */
  readonly connections?: FlightServerConnectionOptions | undefined;
  /** How long {@link FlightServer.shutdown} waits for running calls, in milliseconds. Default: 10 seconds. */
  readonly shutdownGraceMs?: number | undefined;
  /**
   * Shut down on these signals; `true` for SIGTERM and SIGINT. The first one drains, the second cancels what runs.
   * Default: `false`.
   */
  readonly signals?: boolean | readonly NodeJS.Signals[] | undefined;
  /** Told of each error that a call ends with, for a log. `error.cause` is what the handler threw. Default: nobody is told. */
  readonly onCallError?: ((error: FlightError, context: ServerCallContext) => void) | undefined;
}

/** One place to listen at, when it needs more than a location. */
export interface ListenOptions {
  /** `grpc+tcp://host:port`, `grpc+tls://host:port`, `grpc+unix:///path`; port 0 picks a free one. */
  readonly location: string | Location;
  /** TLS of this listener. Default: that of the server. */
  readonly tls?: ServerTlsOptions | undefined;
}
