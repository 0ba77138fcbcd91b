import { Metadata } from '../grpc/metadata.ts';
import { maxCircuitBreakers } from '../limits/client.ts';
import { type Location, toLocation } from '../model/location.ts';
import { type Caller, createCaller, type RunningCalls } from './caller.ts';
import type { ClientCredentials } from './call-headers.ts';
import { channelOptionsFor, translateChannelOptions } from './channel-options.ts';
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.ts';
import { createConnectionPool } from './connection-pool.ts';
import type { EndpointContext } from './endpoint-stream.ts';
import { createFlightClient } from './create-client.ts';
import type { FlightClient } from './flight-client.ts';
import { grpcTarget } from './grpc-target.ts';
import type { FlightClientOptions } from './options.ts';
import { createRetryPolicy } from './retry.ts';
import { checkTlsOptions } from './tls.ts';

/**
 * Makes a client of a Flight service. Nothing is connected yet: that happens with the first call.
 *
 * @param location - `grpc+tcp://host:port` or `grpc://host:port` without TLS, `grpc+tls://host:port` with it,
 *   `grpc+unix:///path` for a Unix socket
 * @throws FlightInvalidArgumentError for a location or options that cannot work
 */
export function connect(location: string | Location, options: FlightClientOptions = {}): FlightClient {
  const own = toLocation(location);
  // a location that is none of gRPC is told here
  grpcTarget(own);
  checkTlsOptions('tls', options.tls, own);
  checkTlsOptions('endpointTls', options.endpointTls, undefined);
  const endpointTls = options.endpointTls ?? options.tls;
  const retry = createRetryPolicy(options.retry);
  const breakerFor = circuitBreakers(options);
  breakerFor(own.uri);
  const channelOptions = {
    ...(options.connectTimeoutMs === undefined ? {} : { connectTimeoutMs: options.connectTimeoutMs }),
    ...(options.connections === undefined ? {} : { connections: options.connections }),
    ...translateChannelOptions(options.channelOptions ?? {}),
  };
  const credentials: ClientCredentials = {
    headers: Metadata.from(options.headers ?? {}),
    authorization: undefined,
    authHandler: options.authHandler,
  };
  const mayForward = options.forwardCredentials ?? ((to: Location) => !isDowngrade(own, to));
  const pool = options.pool ?? createConnectionPool();
  const running = runningCalls();
  const ipc = {
    ...(options.writeSizeLimitBytes === undefined
      ? {}
      : { writeSizeLimitBytes: options.writeSizeLimitBytes }),
    ...options.ipc,
  };

  const lease = (to: Location): { caller: Caller; release(): void } => {
    const isOwn = to === own;
    const leased = pool.lease(to, channelOptionsFor(to, isOwn ? options.tls : endpointTls, channelOptions));
    const caller = createCaller({
      location: to.uri,
      channel: leased.channel,
      breaker: breakerFor(to.uri),
      credentials: isOwn || mayForward(to) ? credentials : undefined,
      middleware: options.middleware ?? [],
      retry,
      timeoutMs: options.timeoutMs,
      ipc,
      running,
    });
    return { caller, release: () => leased.release() };
  };

  const main = lease(own);
  const endpoints: EndpointContext = { own, caller: main.caller, lease, tls: endpointTls };
  return createFlightClient({
    endpoints,
    credentials,
    async close(): Promise<void> {
      running.close();
      main.release();
      if (options.pool === undefined) await pool.close();
    },
  });
}

/** From TLS to a connection that others can listen to. */
function isDowngrade(from: Location, to: Location): boolean {
  return from.kind === 'tls' && to.kind === 'tcp' && !/^(localhost|127(\.\d+){3}|::1)$/.test(to.host);
}

/** The circuit of each location, or none when they are off. */
function circuitBreakers(options: FlightClientOptions): (location: string) => CircuitBreaker | undefined {
  const breakerOptions = options.circuitBreaker;
  if (breakerOptions === undefined || breakerOptions === false) return () => undefined;
  const breakers = new Map<string, CircuitBreaker>();
  return (location: string) => {
    let breaker = breakers.get(location);
    if (breaker === undefined) {
      breaker = createCircuitBreaker(location, breakerOptions === true ? {} : breakerOptions);
      const [oldest] = breakers.keys();
      if (breakers.size >= maxCircuitBreakers && oldest !== undefined) breakers.delete(oldest);
      breakers.set(location, breaker);
    }
    return breaker;
  };
}

function runningCalls(): RunningCalls & { close(): void } {
  const calls = new Set<{ cancel(reason?: string): void }>();
  let closed = false;
  return {
    get closed(): boolean {
      return closed;
    },
    add: (call) => void calls.add(call),
    delete: (call) => void calls.delete(call),
    close(): void {
      closed = true;
      for (const call of calls) call.cancel('the client was closed');
    },
  };
}
