/**
 * The seams of the gRPC layer: what clients and servers see of a call, a channel and a server. It knows messages as
 * bytes only; what is in them is told by a {@link MessageDecoder}.
 */

import type { X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import type { FlightError } from '../errors.ts';
import type { ClientTlsOptions } from '../http2/index.ts';
import type { MessageDecoder, OutgoingMessage } from './message.ts';
import type { Metadata } from './metadata.ts';

/** The status codes of gRPC by name. A closed list. */
export const grpcStatusCodes = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** One number of {@link grpcStatusCodes}. */
export type GrpcStatusCode = (typeof grpcStatusCodes)[keyof typeof grpcStatusCodes];

/** How messages are compressed. */
export type GrpcCompression = 'identity' | 'gzip';

/** What a call ended with. */
export interface GrpcStatus {
  /** 0 is success. A number that gRPC does not know arrives as 2 (UNKNOWN). */
  readonly code: GrpcStatusCode;
  /** What happened, for people; empty for success. */
  readonly message: string;
  /** The metadata that came with it: the trailers. */
  readonly metadata: Metadata;
  /** The error that stands for this status, as reads reject with it; undefined for success. */
  readonly error?: FlightError | undefined;
}

/** What one call of a client can be told. */
export interface GrpcCallOptions {
  /** Sent with the call. Default: none. */
  readonly metadata?: Metadata | undefined;
  /** The call fails with FlightTimedOutError after this time, in milliseconds; the server is told. Default: never. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the call when aborted. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Wait for a server that cannot be reached (until the deadline) instead of failing. Default: false. */
  readonly waitForReady?: boolean | undefined;
  /** How messages are sent. Default: the channel's. */
  readonly compression?: GrpcCompression | undefined;
  /** Largest message that is taken, in bytes, after decompression. Default: the channel's. */
  readonly maxReceiveBytes?: number | undefined;
  /** Complete messages that may wait to be read, in bytes, before the server is held back. Default: the channel's. */
  readonly readAheadBytes?: number | undefined;
}

/** The receiving side of a call, on both ends. */
export interface GrpcMessageSource<T> {
  /** A message that is already there; undefined when there is none, at the end too. Never throws. */
  tryRead(): T | undefined;
  /**
   * The next message; undefined at the clean end. Rejects with a FlightError when the call failed. Only one read may
   * wait at a time.
   */
  read(): Promise<T | undefined>;
}

/** The sending side of a call, on both ends. */
export interface GrpcMessageSink {
  /**
   * Queues a message.
   *
   * @returns false when the queue is above its high-water mark: await {@link GrpcMessageSink.drained} before more
   * @throws FlightError what the call ended with, once it is over
   */
  write(message: OutgoingMessage): boolean;
  /** Resolves when the queue has room; rejects with what {@link GrpcMessageSink.write} would throw. */
  drained(): Promise<void>;
}

/** One call as its client sees it. */
export interface GrpcClientCall<T> extends GrpcMessageSource<T>, GrpcMessageSink {
  /** No more messages from this side. Further calls do nothing. */
  end(): void;
  /**
   * The initial metadata. Of a call that fails at once (trailers-only) the metadata of the trailers; of one that gets
   * no answer, empty. Never rejects.
   */
  readonly headers: Promise<Metadata>;
  /** How the call ended. Never rejects. */
  readonly status: Promise<GrpcStatus>;
  /**
   * Gives up: the server sees it at once, reads that wait reject with FlightCancelledError. Does nothing to a call
   * that is over.
   */
  cancel(reason?: string): void;
}

/** What a unary call gives. */
export interface GrpcUnaryResult {
  /** The one message. */
  readonly response: Uint8Array;
  /** The initial metadata. */
  readonly headers: Metadata;
  /** The trailing metadata. */
  readonly trailers: Metadata;
}

/** Where a server is. */
export type GrpcTarget =
  | {
      readonly kind: 'tcp' | 'tls';
      /** A name or an address; IPv6 without brackets. */
      readonly host: string;
      /** 1 to 65535. */
      readonly port: number;
    }
  | {
      readonly kind: 'unix';
      /** Path of the socket. */
      readonly path: string;
    };

/**
 * Of a channel: `idle` (no connection, the next call opens one), `connecting`, `ready`, `failed` (waits before it
 * tries again; calls fail at once unless they wait for ready), `closed`.
 */
export type GrpcChannelState = 'idle' | 'connecting' | 'ready' | 'failed' | 'closed';

/** How many connections a channel opens to its server. */
export interface GrpcConnectionOptions {
  /** Connections at most; 1 lets calls wait instead. Default: `defaultMaxChannelConnections` of `limits/`. */
  readonly max?: number | undefined;
  /** Calls of one connection from which on another is opened. Default: what the server allows on a connection. */
  readonly callsPerConnection?: number | undefined;
  /** Bytes a second of one connection, both directions together, from which on another is opened. Default: no such. */
  readonly bytesPerSecond?: number | undefined;
}

/** Finds the addresses of a name, best first. */
export type GrpcLookup = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Options of a channel. */
export interface GrpcChannelOptions {
  /** How a `tls` target is secured. Default: the system's authorities, and the target's host as the server's name. */
  readonly tls?: ClientTlsOptions | undefined;
  /** The `:authority` of calls. Default: host and port; `localhost` for Unix sockets. */
  readonly authority?: string | undefined;
  /** Sent before our own name in `user-agent`. Default: none. */
  readonly userAgent?: string | undefined;
  /** Time to open a connection, TLS and settings included, in milliseconds. Default: `connectTimeoutMs` of `limits/`. */
  readonly connectTimeoutMs?: number | undefined;
  /** Wait for a server that cannot be reached; a call's own option wins. Default: false. */
  readonly waitForReady?: boolean | undefined;
  /** How messages are sent. Default: identity. */
  readonly compression?: GrpcCompression | undefined;
  /** Largest message that is taken, in bytes, after decompression. Default: `maxMessageBytes`, the ceiling. */
  readonly maxReceiveBytes?: number | undefined;
  /** See {@link GrpcCallOptions.readAheadBytes}. Default: `defaultReadAheadBytes`. */
  readonly readAheadBytes?: number | undefined;
  /** Waiting between tries to connect: the first, in milliseconds. Default: `defaultReconnectInitialDelayMs`. */
  readonly reconnectInitialDelayMs?: number | undefined;
  /** Waiting between tries to connect: the longest, in milliseconds. Default: `defaultReconnectMaxDelayMs`. */
  readonly reconnectMaxDelayMs?: number | undefined;
  /**
   * A ping is sent when a connection with calls was silent for this time, in milliseconds; Infinity: never.
   * Default: `defaultClientKeepaliveMs`. Many servers refuse connections that ping more often than every 5 minutes.
   */
  readonly keepaliveMs?: number | undefined;
  /** Time for the answer to such a ping, in milliseconds, before the connection is dropped. Default: `defaultKeepaliveTimeoutMs`. */
  readonly keepaliveTimeoutMs?: number | undefined;
  /** Send such pings also while there is no call. Default: false. */
  readonly keepaliveWithoutCalls?: boolean | undefined;
  /** A connection without calls is closed after this time, in milliseconds. Default: `defaultClientIdleMs`. */
  readonly idleMs?: number | undefined;
  /** When more connections than one are opened. Default: when the server takes no more calls on those there are. */
  readonly connections?: GrpcConnectionOptions | undefined;
  /** Stream window of what we receive, in bytes. Default: that of the HTTP/2 layer. */
  readonly windowBytes?: number | undefined;
  /** Size of the headers or trailers of an answer, in bytes as HTTP/2 counts them. Default: `defaultMaxHeaderListBytes`. */
  readonly maxHeaderListBytes?: number | undefined;
  /** How names become addresses. Default: as the system does it. */
  readonly lookup?: GrpcLookup | undefined;
}

/** A server as a client sees it: connections that come and go behind it. */
export interface GrpcChannel {
  /** See {@link GrpcChannelState}. */
  readonly state: GrpcChannelState;
  /**
   * Begins a call. Never throws for what the network does; the call itself fails then.
   *
   * @param path - such as `/package.Service/Method`
   * @param decoder - makes the decoder of the call's messages
   * @throws FlightInvalidArgumentError for options that make no sense
   */
  call<T>(path: string, decoder: () => MessageDecoder<T>, options?: GrpcCallOptions): GrpcClientCall<T>;
  /** Sends one message and gives the one that answers it. Rejects with a FlightError. */
  unary(path: string, message: OutgoingMessage, options?: GrpcCallOptions): Promise<GrpcUnaryResult>;
  /** Opens a connection if there is none and resolves when it can be used; rejects as a call would. */
  connect(options?: Pick<GrpcCallOptions, 'timeoutMs' | 'signal' | 'waitForReady'>): Promise<void>;
  /**
   * Refuses new calls, lets running ones finish, then closes the connections.
   *
   * @param graceMs - time for the running calls before they are cancelled. Default: no end
   */
  close(graceMs?: number): Promise<void>;
}

/** One call as its server sees it. */
export interface GrpcServerCall<T> extends GrpcMessageSource<T>, GrpcMessageSink {
  /** Such as `/package.Service/Method`. */
  readonly path: string;
  /** What the client sent with the call. */
  readonly metadata: Metadata;
  /** Who calls: `ipv4:127.0.0.1:1234`, `ipv6:[::1]:1234` or `unix:`. */
  readonly peer: string;
  /** The certificate that the client showed and that was found valid; undefined without. */
  readonly peerCertificate: X509Certificate | undefined;
  /** When the client stops waiting; undefined when it does not say. */
  readonly deadline: Date | undefined;
  /** Aborted, with a FlightError as the reason, when the call is over before it was finished. */
  readonly signal: AbortSignal;
  /** The client cancelled, went away, or its deadline passed. */
  readonly isCancelled: boolean;
  /** Sent with the first message, or with the status if there is none. Changes after that are lost. */
  readonly initialMetadata: Metadata;
  /** Whether {@link GrpcServerCall.initialMetadata} is on its way. */
  readonly headersSent: boolean;
  /** Sends the initial metadata now. Further calls do nothing. */
  sendHeaders(): void;
  /** Sent with the status. */
  readonly trailers: Metadata;
  /** How messages are sent; gzip is only used when the client takes it. Set it before the first message. */
  compression: GrpcCompression;
  /**
   * Ends the call. Further calls do nothing. Called for the handler when it returns (success) or throws (that error).
   *
   * @param outcome - the status, or what was thrown. Default: success
   */
  finish(outcome?: GrpcStatus | Error): void;
  /**
   * Called when the call was cancelled and its handler has still not come to an end after the server's
   * `abandonedHandlerMs`: the server counts the call as over, and what the handler does from now on goes nowhere.
   */
  onAbandoned: (() => void) | undefined;
}

/** How one method is served. */
export interface GrpcMethod<T> {
  /** Makes the decoder of a call's messages. */
  readonly decoder: () => MessageDecoder<T>;
  /** Serves a call. What it throws becomes the status: a FlightError its code, any other Error UNKNOWN. */
  handle(call: GrpcServerCall<T>): Promise<void> | void;
}

/** Where a server listens. */
export type GrpcListenTarget =
  | {
      readonly kind: 'tcp';
      /** A name or an address of this machine; IPv6 without brackets. */
      readonly host: string;
      /** 0 takes a free one. */
      readonly port: number;
    }
  | {
      readonly kind: 'tls';
      /** A name or an address of this machine; IPv6 without brackets. */
      readonly host: string;
      /** 0 takes a free one. */
      readonly port: number;
      /** Certificates and what is asked of clients, as Node's `tls.createServer` takes them. */
      readonly tls: TlsOptions;
    }
  | {
      readonly kind: 'unix';
      /** Path of the socket. */
      readonly path: string;
    };

/** Options of a server. */
export interface GrpcServerOptions {
  /** The method of a path; undefined answers UNIMPLEMENTED. */
  readonly lookup: (path: string) => GrpcMethod<unknown> | undefined;
  /** Largest message that is taken, in bytes, after decompression. Default: `defaultServerMaxReceiveBytes`. */
  readonly maxReceiveBytes?: number | undefined;
  /** Complete messages of a call that may wait to be read, in bytes. Default: `defaultReadAheadBytes`. */
  readonly readAheadBytes?: number | undefined;
  /** How messages are sent to clients that take it. Default: identity. */
  readonly compression?: GrpcCompression | undefined;
  /** Calls that may run at once, of all connections. Default: `defaultMaxConcurrentCalls`. */
  readonly maxConcurrentCalls?: number | undefined;
  /** Calls that a connection may have at once. Default: `defaultMaxCallsPerConnection`. */
  readonly maxCallsPerConnection?: number | undefined;
  /** Connections at once; more are closed as they come. Default: `defaultMaxConnections`. */
  readonly maxConnections?: number | undefined;
  /** A ping is sent when a connection was silent for this time, in milliseconds. Default: `defaultServerKeepaliveMs`. */
  readonly keepaliveMs?: number | undefined;
  /** Time for the answer to such a ping, in milliseconds, before the connection is dropped. Default: `defaultKeepaliveTimeoutMs`. */
  readonly keepaliveTimeoutMs?: number | undefined;
  /** Connections are drained after about this time, in milliseconds, so that clients spread anew. Default: never. */
  readonly maxConnectionAgeMs?: number | undefined;
  /** Time for the calls of such a connection, in milliseconds, before they are cancelled. Default: no end. */
  readonly maxConnectionAgeGraceMs?: number | undefined;
  /** A connection without calls is closed after this time, in milliseconds. Default: never. */
  readonly maxConnectionIdleMs?: number | undefined;
  /** Stream window of what we receive, in bytes. Default: that of the HTTP/2 layer. */
  readonly windowBytes?: number | undefined;
  /** Size of the headers of a request, in bytes as HTTP/2 counts them. Default: `defaultMaxHeaderListBytes`. */
  readonly maxHeaderListBytes?: number | undefined;
  /**
   * How long the handler of a cancelled call may go on, in milliseconds, before the call counts as over without it.
   * Default: `abandonedHandlerMs` of `limits/`.
   */
  readonly abandonedHandlerMs?: number | undefined;
}

/** One place where a server listens. */
export interface GrpcListener {
  /** The port, the one that was picked when 0 was asked for; 0 for Unix sockets. */
  readonly port: number;
  /** Accepts no more connections; those that are there go on. */
  close(): Promise<void>;
}

/** A server. */
export interface GrpcServer {
  /** Begins to accept connections. Rejects with FlightUnavailableError when the place is taken. */
  listen(target: GrpcListenTarget): Promise<GrpcListener>;
  /** Calls that are running. */
  readonly activeCalls: number;
  /** Connections that are open. */
  readonly connections: number;
  /**
   * Accepts no more connections and calls, lets running calls finish, then closes.
   *
   * @param graceMs - time for the running calls before they are cancelled. Default: no end
   */
  drain(graceMs?: number): Promise<void>;
  /** Cancels what runs and closes. */
  close(): Promise<void>;
}
