/**
 * A server as its client sees it: connections that are opened when calls need them, and again when they are lost.
 *
 *     idle ──call──▶ connecting ──▶ ready ──connection lost──▶ idle
 *                     │    ▲
 *                     ▼    │ back-off is over and calls wait, or the next call
 *                    failed
 */

import { isIP } from 'node:net';
import {
  FlightCancelledError,
  type FlightError,
  FlightInvalidArgumentError,
  FlightResourceExhaustedError,
  FlightTimedOutError,
  FlightUnavailableError,
  toFlightError,
} from '../errors.ts';
import { connect, type Http2Session } from '../http2/index.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import {
  defaultClientIdleMs,
  defaultClientKeepaliveMs,
  defaultKeepaliveTimeoutMs,
  defaultMaxChannelConnections,
  defaultReadAheadBytes,
  defaultReconnectInitialDelayMs,
  defaultReconnectMaxDelayMs,
  maxMessageBytes,
  maxWaitingCalls,
  reconnectJitter,
  reconnectMultiplier,
} from '../limits/grpc.ts';
import { connectTimeoutMs } from '../limits/http2.ts';
import { ClientCall } from './client-call.ts';
import { ClientConnection, type ClientConnectionOptions } from './client-connection.ts';
import { BytesDecoder, type MessageDecoder, type OutgoingMessage } from './message.ts';
import { defaultLookup, describeTarget, openSession, type SessionConnector } from './open-session.ts';
import type {
  GrpcCallOptions,
  GrpcChannel,
  GrpcChannelOptions,
  GrpcChannelState,
  GrpcClientCall,
  GrpcTarget,
  GrpcUnaryResult,
} from './types.ts';
import { unaryCall } from './unary.ts';
import { checkUnixPath } from './unix-path.ts';

/**
 * Makes the channel to a server. It connects with the first call.
 *
 * @throws FlightInvalidArgumentError for options that make no sense
 */
export function createChannel(target: GrpcTarget, options: GrpcChannelOptions = {}): GrpcChannel {
  return new Channel(target, options);
}

/** Something that waits for a connection: a call, or `connect()`. */
interface ConnectionUser {
  readonly waitForReady: boolean;
  start(connection: ClientConnection): void;
  fail(error: FlightError): void;
}

const bytesDecoder = (): BytesDecoder => new BytesDecoder();
const userAgentName = 'grpc-peregrine-ts/0.1.0';

class Channel implements GrpcChannel {
  readonly #target: GrpcTarget;
  readonly #options: GrpcChannelOptions;
  readonly #connectionOptions: ClientConnectionOptions;
  readonly #maxConnections: number;
  readonly #connections = new Set<ClientConnection>();
  readonly #users = new Set<ConnectionUser>();
  readonly #giveUp = new AbortController();
  #keepaliveMs: number;
  #connecting = false;
  /** What the last try to connect failed with, until one succeeds or a call may try again. */
  #failure: FlightError | undefined;
  /** The same, until a try succeeds. */
  #lastFailure: FlightError | undefined;
  #delayMs: number;
  #backOff: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(target: GrpcTarget, options: GrpcChannelOptions) {
    checkOptions(target, options);
    this.#target = target;
    this.#options = options;
    this.#keepaliveMs = options.keepaliveMs ?? defaultClientKeepaliveMs;
    this.#maxConnections = options.connections?.max ?? defaultMaxChannelConnections;
    this.#delayMs = options.reconnectInitialDelayMs ?? defaultReconnectInitialDelayMs;
    const { userAgent } = options;
    this.#connectionOptions = {
      scheme: [':scheme', target.kind === 'tls' ? 'https' : 'http'],
      authority: [':authority', options.authority ?? authorityOf(target)],
      userAgent: ['user-agent', userAgent === undefined ? userAgentName : `${userAgent} ${userAgentName}`],
      keepalive: {
        intervalMs: this.#keepaliveMs,
        timeoutMs: options.keepaliveTimeoutMs ?? defaultKeepaliveTimeoutMs,
      },
      keepaliveWithoutCalls: options.keepaliveWithoutCalls ?? false,
      idleMs: options.idleMs ?? defaultClientIdleMs,
    };
  }

  get state(): GrpcChannelState {
    if (this.#closed) return 'closed';
    if (this.#best() !== undefined) return 'ready';
    if (this.#connecting) return 'connecting';
    return this.#failure === undefined ? 'idle' : 'failed';
  }

  get connectFailure(): FlightError | undefined {
    return this.#lastFailure;
  }

  call<T>(path: string, decoder: () => MessageDecoder<T>, options: GrpcCallOptions = {}): GrpcClientCall<T> {
    const defaults = this.#options;
    const { timeoutMs } = options;
    if (Number.isNaN(timeoutMs)) {
      throw new FlightInvalidArgumentError('timeoutMs must be a number of milliseconds, got NaN');
    }
    return new ClientCall<T>({
      path,
      decoder,
      limits: {
        maxReceiveBytes: Math.min(
          maxMessageBytes,
          options.maxReceiveBytes ?? defaults.maxReceiveBytes ?? maxMessageBytes,
        ),
        readAheadBytes: options.readAheadBytes ?? defaults.readAheadBytes ?? defaultReadAheadBytes,
      },
      compression: options.compression ?? defaults.compression ?? 'identity',
      metadata: options.metadata,
      timeoutMs: timeoutMs === Infinity ? undefined : timeoutMs,
      signal: options.signal,
      waitForReady: options.waitForReady ?? defaults.waitForReady ?? false,
      host: this,
    });
  }

  unary(path: string, message: OutgoingMessage, options: GrpcCallOptions = {}): Promise<GrpcUnaryResult> {
    return unaryCall(this.call(path, bytesDecoder, options), message);
  }

  connect(options: Pick<GrpcCallOptions, 'timeoutMs' | 'signal' | 'waitForReady'> = {}): Promise<void> {
    const { timeoutMs = Infinity, signal } = options;
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#forget(user);
        settle();
      };
      const user: ConnectionUser = {
        waitForReady: options.waitForReady ?? this.#options.waitForReady ?? false,
        start: () => finish(resolve),
        fail: (error) => finish(() => reject(error)),
      };
      const onAbort = (): void => {
        user.fail(
          new FlightCancelledError('connecting was cancelled by its signal', { cause: signal?.reason }),
        );
      };
      const timer =
        timeoutMs > maxTimerMs
          ? undefined
          : setTimeout(() => {
              const where = describeTarget(this.#target);
              user.fail(
                new FlightTimedOutError(`connecting to ${where} took longer than ${timeoutMs} ms`, {
                  cause: this.#lastFailure,
                }),
              );
            }, timeoutMs);
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.place(user);
    });
  }

  async close(graceMs: number = Infinity): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#giveUp.abort();
      clearTimeout(this.#backOff);
      this.#failUsers(this.#closedError(), () => true);
    }
    const ends = [...this.#connections].map(({ session }) => {
      session.setKeepsAlive(true);
      return session.close();
    });
    const timer =
      graceMs > maxTimerMs ? undefined : setTimeout(() => this.#destroyAll(), Math.max(0, graceMs));
    await Promise.all(ends);
    clearTimeout(timer);
  }

  /** Finds a connection for a call: calls `start` or `fail`, now or later. */
  place(user: ConnectionUser): void {
    if (this.#closed) {
      user.fail(this.#closedError());
      return;
    }
    const best = this.#best();
    if (best !== undefined) {
      const growing = this.#growIfBusy(best);
      // a call that would wait in a queue anyway waits for the new connection
      if (!isFull(best) || !growing) {
        user.start(best);
        return;
      }
    } else if (this.#failure !== undefined && !user.waitForReady) {
      user.fail(this.#failure);
      return;
    }
    if (this.#users.size >= maxWaitingCalls) {
      user.fail(
        new FlightResourceExhaustedError(
          `${this.#users.size} calls wait for a connection already, and at most ${maxWaitingCalls} may`,
        ),
      );
      return;
    }
    this.#users.add(user);
    if (this.#failure === undefined) this.#connect();
    else this.#backOff?.ref();
  }

  /** A call is over, whether it was placed or not. */
  onCallOver(call: ClientCall<unknown>): void {
    this.#forget(call);
    // its stream may be a moment longer in the way than the call
    if (this.#users.size > 0) setImmediate(() => this.#useRoom());
  }

  /** Who waited for a connection has one, or wants none any more. */
  #forget(user: ConnectionUser): void {
    this.#users.delete(user);
    // only calls that wait are a reason to stay
    if (this.#users.size === 0) this.#backOff?.unref();
  }

  /** Calls that wait for one more connection take the place of those that ended meanwhile. */
  #useRoom(): void {
    for (const user of this.#users) {
      const best = this.#best();
      if (best === undefined || isFull(best)) return;
      this.#users.delete(user);
      user.start(best);
    }
  }

  /** The connection with the fewest calls. */
  #best(): ClientConnection | undefined {
    let best: ClientConnection | undefined;
    for (const connection of this.#connections) {
      if (!connection.usable) continue;
      if (best === undefined || connection.session.openStreams < best.session.openStreams) best = connection;
    }
    return best;
  }

  /** Opens one more connection when even the best one is busy. @returns whether one is being opened */
  #growIfBusy(best: ClientConnection): boolean {
    if (this.#maxConnections === 1) return false;
    const { callsPerConnection = Infinity, bytesPerSecond = Infinity } = this.#options.connections ?? {};
    const calls = best.session.openStreams;
    const busy =
      calls >= Math.min(callsPerConnection, best.session.peerMaxConcurrentStreams) ||
      (bytesPerSecond !== Infinity && this.#allBusy(bytesPerSecond));
    if (busy && this.#connections.size < this.#maxConnections && this.#failure === undefined) this.#connect();
    return this.#connecting;
  }

  #allBusy(bytesPerSecond: number): boolean {
    return [...this.#connections].every((connection) => connection.bytesPerSecond >= bytesPerSecond);
  }

  #connect(): void {
    if (this.#connecting || this.#closed) return;
    this.#connecting = true;
    const { lookup = defaultLookup } = this.#options;
    openSession(this.#target, this.#connector, lookup, this.#giveUp.signal).then(
      (session) => this.#onConnected(session),
      (error: unknown) => this.#onConnectFailed(toFlightError(error)),
    );
  }

  readonly #connector: SessionConnector = (address, signal) => {
    const { maxHeaderListBytes, tls, windowBytes } = this.#options;
    const target = this.#target;
    const secure = target.kind === 'tls' ? { ...tls, serverName: tls?.serverName ?? target.host } : undefined;
    return connect(address, {
      tls: secure,
      connectTimeoutMs: this.#options.connectTimeoutMs ?? connectTimeoutMs,
      signal,
      // a server that finds our pings too many says so by this code
      onGoaway: (code) => {
        if (code === 'ENHANCE_YOUR_CALM') this.#keepaliveMs *= 2;
      },
      limits: { maxHeaderListBytes, streamWindowBytes: windowBytes },
    });
  };

  #onConnected(session: Http2Session): void {
    this.#connecting = false;
    this.#lastFailure = undefined;
    if (this.#closed) {
      session.destroy();
      return;
    }
    this.#delayMs = this.#options.reconnectInitialDelayMs ?? defaultReconnectInitialDelayMs;
    const { timeoutMs } = this.#connectionOptions.keepalive;
    const connection = new ClientConnection(session, {
      ...this.#connectionOptions,
      keepalive: { intervalMs: this.#keepaliveMs, timeoutMs },
    });
    this.#connections.add(connection);
    void session.ended.then(() => this.#connections.delete(connection));
    const users = [...this.#users];
    this.#users.clear();
    for (const user of users) this.place(user);
  }

  /** Nothing more is opened now: who waited for it takes turns on what there is. */
  #startUsers(best: ClientConnection): void {
    const users = [...this.#users];
    this.#users.clear();
    for (const user of users) user.start(this.#best() ?? best);
  }

  #onConnectFailed(error: FlightError): void {
    this.#connecting = false;
    if (this.#closed) return;
    const initialMs = this.#options.reconnectInitialDelayMs ?? defaultReconnectInitialDelayMs;
    const maxMs = this.#options.reconnectMaxDelayMs ?? defaultReconnectMaxDelayMs;
    const jitter = 1 + reconnectJitter * (2 * Math.random() - 1);
    const delayMs = Math.min(this.#delayMs, maxMs) * jitter;
    this.#delayMs = Math.min(maxMs, Math.max(initialMs, this.#delayMs) * reconnectMultiplier);
    this.#failure = error;
    this.#lastFailure = error;
    this.#backOff = setTimeout(() => this.#onBackOffOver(), delayMs);
    const best = this.#best();
    if (best === undefined) this.#failUsers(error, ({ waitForReady }) => !waitForReady);
    else this.#startUsers(best);
    if (this.#users.size === 0) this.#backOff.unref();
  }

  #onBackOffOver(): void {
    this.#failure = undefined;
    this.#backOff = undefined;
    if (this.#users.size > 0) this.#connect();
  }

  #failUsers(error: FlightError, which: (user: ConnectionUser) => boolean): void {
    for (const user of [...this.#users].filter(which)) {
      this.#users.delete(user);
      user.fail(error);
    }
  }

  #destroyAll(): void {
    const error = new FlightCancelledError('the call was cancelled because its channel is being closed');
    for (const { session } of this.#connections) session.destroy(error);
  }

  #closedError(): FlightError {
    return new FlightUnavailableError(
      `the channel to ${describeTarget(this.#target)} is closed; make a new one`,
    );
  }
}

function isFull({ session }: ClientConnection): boolean {
  return session.openStreams >= session.peerMaxConcurrentStreams;
}

function authorityOf(target: GrpcTarget): string {
  if (target.kind === 'unix') return 'localhost';
  const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host;
  return `${host}:${target.port}`;
}

function checkOptions(target: GrpcTarget, options: GrpcChannelOptions): void {
  if (target.kind === 'unix') checkUnixPath(target.path);
  if (target.kind !== 'tls' && options.tls !== undefined) {
    throw new FlightInvalidArgumentError(
      `options for TLS are given, but ${describeTarget(target)} is reached in plaintext; use a tls target`,
    );
  }
  const { connections = {}, ...rest } = options;
  for (const [name, value] of Object.entries({ ...rest, ...connections })) {
    if (typeof value === 'number' && !(value > 0)) {
      throw new FlightInvalidArgumentError(`${name} must be above 0, got ${value}`);
    }
  }
}
