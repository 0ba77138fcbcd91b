import {
  type FlightError,
  FlightInvalidArgumentError,
  FlightUnavailableError,
  messageOf,
} from '../errors.ts';
import { type Http2Listener, type Http2Session, listen, silentHandler } from '../http2/index.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import {
  abandonedHandlerMs,
  defaultKeepaliveTimeoutMs,
  defaultMaxCallsPerConnection,
  defaultMaxConcurrentCalls,
  defaultMaxConnections,
  defaultReadAheadBytes,
  defaultServerKeepaliveMs,
  defaultServerMaxReceiveBytes,
  maxMessageBytes,
} from '../limits/grpc.ts';
import { ServerConnection, type ServerConnectionOptions, tooManyCalls } from './server-connection.ts';
import type { GrpcListener, GrpcListenTarget, GrpcServer, GrpcServerOptions } from './types.ts';
import { checkUnixPath } from './unix-path.ts';

/**
 * Makes a server. It accepts calls once it listens.
 *
 * @throws FlightInvalidArgumentError for options that make no sense
 */
export function createServer(options: GrpcServerOptions): GrpcServer {
  return new Server(options);
}

class Server implements GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #connectionOptions: ServerConnectionOptions;
  readonly #listeners = new Set<Http2Listener>();
  readonly #connections = new Set<ServerConnection>();
  #calls = 0;
  #closed = false;

  constructor(options: GrpcServerOptions) {
    checkOptions(options);
    this.#options = options;
    const maxCalls = options.maxConcurrentCalls ?? defaultMaxConcurrentCalls;
    this.#connectionOptions = {
      lookup: options.lookup,
      limits: {
        maxReceiveBytes: Math.min(maxMessageBytes, options.maxReceiveBytes ?? defaultServerMaxReceiveBytes),
        readAheadBytes: options.readAheadBytes ?? defaultReadAheadBytes,
      },
      compression: options.compression ?? 'identity',
      keepalive: {
        intervalMs: options.keepaliveMs ?? defaultServerKeepaliveMs,
        timeoutMs: options.keepaliveTimeoutMs ?? defaultKeepaliveTimeoutMs,
      },
      ageMs: options.maxConnectionAgeMs ?? Infinity,
      ageGraceMs: options.maxConnectionAgeGraceMs ?? Infinity,
      idleMs: options.maxConnectionIdleMs ?? Infinity,
      abandonedHandlerMs: options.abandonedHandlerMs ?? abandonedHandlerMs,
      admit: (): FlightError | undefined => {
        if (this.#calls >= maxCalls) return tooManyCalls(this.#calls, maxCalls);
        this.#calls += 1;
        return undefined;
      },
      onCallOver: () => {
        this.#calls -= 1;
      },
    };
  }

  get activeCalls(): number {
    return this.#calls;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async listen(target: GrpcListenTarget): Promise<GrpcListener> {
    if (this.#closed) throw new FlightUnavailableError('the server is closed; make a new one');
    if (target.kind === 'unix') checkUnixPath(target.path);
    const listener = await this.#listen(target);
    if (this.#closed) {
      await listener.destroy();
      throw new FlightUnavailableError('the server was closed before it could listen');
    }
    this.#listeners.add(listener);
    return {
      port: listener.port,
      close: async () => {
        this.#listeners.delete(listener);
        await listener.close();
      },
    };
  }

  async drain(graceMs: number = Infinity): Promise<void> {
    this.#closed = true;
    const timer =
      graceMs > maxTimerMs ? undefined : setTimeout(() => this.#interrupt(), Math.max(0, graceMs));
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await this.drain(0);
  }

  async #listen(target: GrpcListenTarget): Promise<Http2Listener> {
    const { maxHeaderListBytes, windowBytes } = this.#options;
    const { maxCallsPerConnection = defaultMaxCallsPerConnection } = this.#options;
    let accepted: { connection: ServerConnection | undefined } = { connection: undefined };
    try {
      return await listen(target.kind === 'tls' ? { ...target, kind: 'tcp' } : target, {
        tls: target.kind === 'tls' ? target.tls : undefined,
        session: () => {
          // the options of a session are asked for just before it is made
          const own: { connection: ServerConnection | undefined } = { connection: undefined };
          accepted = own;
          return {
            limits: {
              maxConcurrentStreams: maxCallsPerConnection,
              maxHeaderListBytes,
              streamWindowBytes: windowBytes,
            },
            onRequest: (headers, _endStream, stream) =>
              own.connection === undefined ? silentHandler : own.connection.onRequest(headers, stream),
          };
        },
        onSession: (session) => {
          accepted.connection = this.#accept(session);
        },
      });
    } catch (cause) {
      const name = target.kind === 'unix' ? target.path : `${target.host}:${target.port}`;
      const why = messageOf(cause);
      throw new FlightUnavailableError(`cannot listen on ${name}: ${why}`, { cause });
    }
  }

  #accept(session: Http2Session): ServerConnection | undefined {
    if (this.#connections.size >= (this.#options.maxConnections ?? defaultMaxConnections)) {
      session.destroy();
      return undefined;
    }
    const connection = new ServerConnection(session, this.#connectionOptions);
    this.#connections.add(connection);
    void session.ended.then(() => this.#connections.delete(connection));
    return connection;
  }

  #interrupt(): void {
    const error = new FlightUnavailableError('the server is shutting down');
    for (const connection of this.#connections) connection.interrupt(error);
  }
}

function checkOptions(options: GrpcServerOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number' && !(value > 0)) {
      throw new FlightInvalidArgumentError(`${name} must be above 0, got ${value}`);
    }
  }
}
