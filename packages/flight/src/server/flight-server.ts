import { FlightError, FlightInvalidArgumentError } from '../errors.ts';
import { createServer, type GrpcListener, type GrpcMethod, type GrpcServer } from '../grpc/index.ts';
import { defaultShutdownGraceMs } from '../limits/server.ts';
import type { Location } from '../model/index.ts';
import { toLocation } from '../model/location.ts';
import { flightMethodPath } from '../proto/names.ts';
import type { ServerRuntime } from './call.ts';
import { doActionMethod } from './do-action.ts';
import { doExchangeMethod } from './do-exchange.ts';
import { doGetMethod } from './do-get.ts';
import { doPutMethod } from './do-put.ts';
import { getFlightInfoMethod } from './get-flight-info.ts';
import { getSchemaMethod } from './get-schema.ts';
import { handshakeMethod } from './handshake.ts';
import { listActionsMethod } from './list-actions.ts';
import { listFlightsMethod } from './list-flights.ts';
import { boundLocation, listenTarget } from './listen-target.ts';
import type { FlightServerOptions, ListenOptions } from './options.ts';
import { pollFlightInfoMethod } from './poll-flight-info.ts';
import { createMemorySessionStore, type SessionStore } from './sessions/session-store.ts';
import { defaultShutdownSignals, onShutdownSignals } from './signals.ts';
import type { FlightHandlers } from './types.ts';

/** Where a server listens when nothing is said: this machine alone, on a free port. */
export const defaultListenLocation = 'grpc+tcp://127.0.0.1:0';

/** How {@link FlightServer.shutdown} ends a server. */
export interface ShutdownOptions {
  /** How long running calls may go on, in milliseconds; 0 cancels them at once. Default: option `shutdownGraceMs`. */
  readonly graceMs?: number | undefined;
}

type ServerState = 'new' | 'listening' | 'draining' | 'closed';

/**
 * An Arrow Flight server: serves the RPCs for which the application has a function.
 *
 * @example
 * const server = new FlightServer({ doGet: () => table });
 * await server.listen('grpc+tcp://127.0.0.1:8815');
 * await server.wait();
 */
export class FlightServer {
  readonly #options: FlightServerOptions;
  readonly #runtime: ServerRuntime;
  readonly #ownSessions: SessionStore | undefined;
  readonly #grpc: GrpcServer;
  readonly #locations: Location[] = [];
  #state: ServerState = 'new';
  #shutdown: Promise<void> | undefined;
  #resolveClosed: () => void = () => undefined;
  readonly #closed: Promise<void>;
  #stopSignals: (() => void) | undefined;

  /**
   * @param handlers - the application: a function for each RPC that it serves
   * @param options - how
   */
  constructor(handlers: FlightHandlers, options: FlightServerOptions = {}) {
    this.#options = options;
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    // sessions of an application's own store outlive the server
    this.#ownSessions = options.sessions === undefined ? createMemorySessionStore() : undefined;
    const authenticators = options.authenticators ?? [];
    this.#runtime = {
      handlers,
      authentication: {
        authHandler: options.authHandler,
        authenticators: 'authenticate' in authenticators ? [authenticators] : authenticators,
      },
      middleware: Object.entries(options.middleware ?? {}),
      sessions: options.sessions === false ? undefined : (options.sessions ?? this.#ownSessions),
      ipc: { validate: 'full', ...options.ipc },
      onCallError: options.onCallError,
    };
    const methods = new Map([
      ...(options.services ?? []).flatMap((service) => [...service.methods]),
      // last, so that nothing takes the place of Flight's own
      ...flightMethods(this.#runtime),
    ]);
    this.#grpc = createServer({
      lookup: (path) => methods.get(path),
      compression: options.messageCompression,
      ...options.limits,
      ...options.connections,
    });
  }

  /** The port of the first TCP or TLS listener; 0 before {@link FlightServer.listen}, or when there is none. */
  get port(): number {
    return this.#locations.find((location) => location.scheme !== 'grpc+unix')?.port ?? 0;
  }

  /** Where the server listens, with the ports that were picked; what clients on this machine connect to. */
  get locations(): readonly Location[] {
    return this.#locations;
  }

  /** Calls that are running. */
  get runningCalls(): number {
    return this.#grpc.activeCalls;
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#grpc.connections;
  }

  /**
   * Listens at one or several places, all of them or none; may be called again for further ones.
   *
   * @param targets - locations, `grpc+tcp://host:port` (`grpc://` is the same), `grpc+tls://host:port` or
   *   `grpc+unix:///path`. Default: `grpc+tcp://127.0.0.1:0`
   * @throws FlightInvalidArgumentError for a location that cannot be listened at, or TLS without certificates
   * @throws FlightUnavailableError when the address is in use or not allowed
   */
  async listen(...targets: readonly (string | Location | ListenOptions)[]): Promise<void> {
    if (this.#state === 'draining' || this.#state === 'closed') {
      throw new FlightError('FAILED_PRECONDITION', 'the server was shut down; make a new one');
    }
    // everything is checked before the first socket is opened
    const parsed = (targets.length === 0 ? [defaultListenLocation] : targets).map((target) => {
      const { location, tls } = isListenOptions(target) ? target : { location: target };
      return listenTarget(toLocation(location), tls ?? this.#options.tls);
    });
    this.#state = 'listening';
    const opened: GrpcListener[] = [];
    try {
      for (const target of parsed) opened.push(await this.#grpc.listen(target));
    } catch (error) {
      // all of them or none
      await Promise.all(opened.map((listener) => listener.close()));
      throw error;
    }
    parsed.forEach((target, i) => this.#locations.push(boundLocation(target, opened[i]?.port ?? 0)));
    this.#listenToSignals();
  }

  /**
   * Stops accepting calls, lets those that run come to their end, and closes everything. Called again it is the
   * same shutdown; with a shorter grace it is hastened.
   */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    const graceMs = options.graceMs ?? this.#options.shutdownGraceMs ?? defaultShutdownGraceMs;
    if (!(graceMs >= 0)) throw new FlightInvalidArgumentError(`graceMs must be 0 or more, got ${graceMs}`);
    this.#state = this.#state === 'closed' ? 'closed' : 'draining';
    if (this.#shutdown === undefined) this.#shutdown = this.#drain(graceMs);
    else if (options.graceMs !== undefined && this.#state === 'draining') void this.#grpc.drain(graceMs);
    return this.#shutdown;
  }

  /** Resolves when the server was shut down and everything is closed. */
  wait(): Promise<void> {
    return this.#closed;
  }

  /** {@link FlightServer.shutdown}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #drain(graceMs: number): Promise<void> {
    for (const service of this.#options.services ?? []) service.drain?.();
    try {
      if (graceMs === 0) await this.#grpc.close();
      else await this.#grpc.drain(graceMs);
    } finally {
      this.#stopSignals?.();
      await this.#ownSessions?.closeAll();
      this.#state = 'closed';
      this.#resolveClosed();
    }
  }

  #listenToSignals(): void {
    const { signals = false } = this.#options;
    if (signals === false || this.#stopSignals !== undefined) return;
    this.#stopSignals = onShutdownSignals(
      signals === true ? defaultShutdownSignals : signals,
      () => void this.shutdown(),
      () => void this.shutdown({ graceMs: 0 }),
    );
  }
}

function flightMethods(runtime: ServerRuntime): ReadonlyMap<string, GrpcMethod<unknown>> {
  return new Map<string, GrpcMethod<unknown>>([
    [flightMethodPath('Handshake'), handshakeMethod(runtime)],
    [flightMethodPath('ListFlights'), listFlightsMethod(runtime)],
    [flightMethodPath('GetFlightInfo'), getFlightInfoMethod(runtime)],
    [flightMethodPath('PollFlightInfo'), pollFlightInfoMethod(runtime)],
    [flightMethodPath('GetSchema'), getSchemaMethod(runtime)],
    [flightMethodPath('DoGet'), doGetMethod(runtime)],
    [flightMethodPath('DoPut'), doPutMethod(runtime)],
    [flightMethodPath('DoExchange'), doExchangeMethod(runtime)],
    [flightMethodPath('DoAction'), doActionMethod(runtime)],
    [flightMethodPath('ListActions'), listActionsMethod(runtime)],
  ]);
}

function isListenOptions(target: string | Location | ListenOptions): target is ListenOptions {
  return typeof target === 'object' && 'location' in (target ?? {});
}
