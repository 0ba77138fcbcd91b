/** Everything that a client and its calls can be told. */

import type { ClientAuthHandler } from '../auth/client-auth-handler.ts';
import type { CertKeyPair } from '../auth/certificate-pair.ts';
import type { MetadataInit } from '../grpc/metadata.ts';
import type { GrpcConnectionOptions } from '../grpc/types.ts';
import type { ClientMiddlewareFactory } from '../middleware/client-middleware.ts';
import type { Location } from '../model/location.ts';
import type { FlightReadOptions, FlightWriteOptions } from '../stream/types.ts';
import type { CircuitBreakerOptions } from './circuit-breaker.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { RetryOptions } from './retry.ts';

/** How Arrow data is read and written. */
export interface FlightIpcOptions extends FlightReadOptions, FlightWriteOptions {}

/** What every call of a {@link FlightClient} can be told; it wins over the client's options. */
export interface FlightCallOptions {
  /** Headers of this call, added to those of the client; a name that both have takes the values given here. */
  readonly headers?: MetadataInit | undefined;
  /**
   * Time for the whole call with all its tries, in milliseconds, sent to the server as its deadline. When it is over
   * the call fails with FlightTimedOutError. Default: the client's `timeoutMs`.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Cancels the call when aborted: the server sees it at once, and whatever waits rejects with FlightCancelledError,
   * or FlightTimedOutError when the signal is one of AbortSignal.timeout.
   */
  readonly signal?: AbortSignal | undefined;
  /** How Arrow data is read and written in this call. */
  readonly ipc?: FlightIpcOptions | undefined;
}

/** What {@link FlightClient.getFlightInfo} and {@link FlightClient.pollFlightInfo} can be told. */
export interface GetFlightInfoOptions extends FlightCallOptions {
  /**
   * Asking twice is the same as asking once, so that it may be tried again. `false` for descriptors that make the server
   * do something, such as a statement that changes data. Default: true.
   */
  readonly idempotent?: boolean | undefined;
}

/** What {@link FlightClient.doAction} can be told. */
export interface DoActionOptions extends FlightCallOptions {
  /** Doing the action twice is the same as doing it once, so that it may be tried again. Default: false. */
  readonly idempotent?: boolean | undefined;
}

/** What {@link FlightClient.authenticateBasicToken} can be told. */
export interface BasicTokenOptions extends FlightCallOptions {
  /** Send the token with all later calls of this client. Default: false, the caller puts it into `headers`. */
  readonly keepToken?: boolean | undefined;
}

/** What {@link FlightClient.readAll} and {@link FlightClient.readEndpoints} can be told. */
export interface ReadEndpointsOptions extends FlightCallOptions {
  /** Endpoints fetched at the same time. Default: `defaultParallelEndpoints` of `limits/`. */
  readonly maxParallel?: number | undefined;
}

/** How a connection is secured. */
export interface FlightTlsOptions {
  /** Certificates that are trusted, as PEM (pyarrow's `tls_root_certs`). Default: those of Node. */
  readonly rootCertificates?: string | Uint8Array | undefined;
  /** Certificate and key of this client, for servers that ask for them (pyarrow's `cert_chain` and `private_key`). */
  readonly clientCertificate?: CertKeyPair | undefined;
  /** Name to expect in the server's certificate instead of the location's host (pyarrow's `override_hostname`). */
  readonly overrideHostname?: string | undefined;
  /**
   * Accept any certificate. Whoever sits between can then read and change everything. Refused together with
   * `rootCertificates`, which would mean nothing. Default: false.
   */
  readonly disableServerVerification?: boolean | undefined;
}

/** Options of {@link connect}. */
export interface FlightClientOptions {
  /** TLS; only for `grpc+tls` locations, refused for others, because it would promise what is not there. */
  readonly tls?: FlightTlsOptions | undefined;
  /** TLS for endpoints at other locations. Default: the value of `tls`. */
  readonly endpointTls?: FlightTlsOptions | undefined;
  /** Middleware, outermost first: asked for headers in this order. Default: none. */
  readonly middleware?: readonly ClientMiddlewareFactory[] | undefined;
  /** Headers of every call. Default: none. */
  readonly headers?: MetadataInit | undefined;
  /** Gives the token of every call once {@link FlightClient.authenticate} was called, or right away if it has one. */
  readonly authHandler?: ClientAuthHandler | undefined;
  /** Time for a call, in milliseconds, where the call itself says nothing. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Time to open a connection, TLS included, in milliseconds. Default: `connectTimeoutMs` of `limits/`. */
  readonly connectTimeoutMs?: number | undefined;
  /**
   * Soft limit: a batch with a message above this many bytes is refused with FlightWriteSizeExceededError before
   * any of it is sent; it may be cut smaller and written again. Default: no limit.
   */
  readonly writeSizeLimitBytes?: number | undefined;
  /** How Arrow data is read and written. */
  readonly ipc?: FlightIpcOptions | undefined;
  /** Trying calls again that are safe to repeat; `false` for never. Default: see {@link RetryOptions}. */
  readonly retry?: RetryOptions | false | undefined;
  /** Failing at once while a location is known to be down; `true` for defaults. Default: off. */
  readonly circuitBreaker?: CircuitBreakerOptions | boolean | undefined;
  /**
   * When more connections than one are opened to a location. Default: up to 4, when the server takes no more calls on
   * those there are.
   */
  readonly connections?: GrpcConnectionOptions | undefined;
  /** Connections shared with other clients. Default: a pool of this client's own, closed with it. */
  readonly pool?: ConnectionPool | undefined;
  /**
   * Options of the channel under the names that gRPC's own libraries use, such as
   * `{ 'grpc.keepalive_time_ms': 30_000 }`. Names that are not known are refused; see docs/client.md for the list.
   */
  readonly channelOptions?: Readonly<Record<string, string | number | boolean>> | undefined;
  /**
   * Whether headers and tokens of this client, and the `headers` of the call, go to an endpoint's location, which the
   * server chose. Middleware is asked for headers everywhere, and told the location. Default: to all, except from a TLS
   * connection to a plaintext one on another machine.
   */
  readonly forwardCredentials?: ((location: Location) => boolean) | undefined;
}
