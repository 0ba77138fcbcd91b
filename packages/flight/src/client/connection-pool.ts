/**
 * Connections by location. Clients lease the connection of a location and give it back; one that nobody leases is
 * kept for a while, because the next FlightInfo usually names the same places.
 */

import { FlightInvalidArgumentError, FlightUnavailableError } from '../errors.ts';
import { createChannel } from '../grpc/channel.ts';
import type { GrpcChannel, GrpcChannelOptions } from '../grpc/types.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { defaultPoolIdleMs, maxPooledConnections } from '../limits/client.ts';
import type { Location } from '../model/location.ts';
import { grpcTarget } from './grpc-target.ts';

/** Options of {@link createConnectionPool}. */
export interface ConnectionPoolOptions {
  /** How long a connection that nobody uses stays open, in milliseconds; Infinity: until the pool closes. Default: 60,000. */
  readonly idleMs?: number | undefined;
}

/** A leased connection. */
export interface ConnectionLease {
  /** The connection. */
  readonly channel: GrpcChannel;
  /** Gives it back. Further calls do nothing. */
  release(): void;
}

/** Connections that several clients can share; see {@link createConnectionPool}. */
export interface ConnectionPool extends AsyncDisposable {
  /** Connections that are leased or kept. */
  readonly size: number;
  /**
   * The connection to a location with these options: the one that is there, or a new one.
   *
   * @throws FlightInvalidArgumentError for a location that is not of gRPC
   * @throws FlightUnavailableError when the pool was closed
   */
  lease(location: Location, options: GrpcChannelOptions): ConnectionLease;
  /** Closes all connections. */
  close(): Promise<void>;
}

interface Entry {
  readonly channel: GrpcChannel;
  leases: number;
  idleTimer: NodeJS.Timeout | undefined;
}

/**
 * Makes an empty pool. Give it to several clients as their `pool` option, and close it yourself.
 *
 * @throws FlightInvalidArgumentError for an `idleMs` that is negative or no number
 */
export function createConnectionPool(options: ConnectionPoolOptions = {}): ConnectionPool {
  const idleMs = options.idleMs ?? defaultPoolIdleMs;
  if (!(idleMs >= 0)) throw new FlightInvalidArgumentError(`idleMs must be 0 or more, got ${idleMs}`);
  // idle ones are moved to the end when they become so: the first idle one was unused for longest
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();
  let closed = false;

  const drop = (key: string, entry: Entry): void => {
    clearTimeout(entry.idleTimer);
    entries.delete(key);
    const done = entry.channel.close().finally(() => closing.delete(done));
    closing.add(done);
  };
  const makeRoom = (): void => {
    for (const [key, entry] of entries) {
      if (entries.size < maxPooledConnections) return;
      if (entry.leases === 0) drop(key, entry);
    }
  };

  const pool: ConnectionPool = {
    get size(): number {
      return entries.size;
    },
    lease(location: Location, channelOptions: GrpcChannelOptions): ConnectionLease {
      if (closed)
        throw new FlightUnavailableError(`the connection pool is closed; ${location.uri} cannot be reached`);
      const key = connectionKey(location, channelOptions);
      let entry = entries.get(key);
      if (entry === undefined) {
        makeRoom();
        entry = {
          channel: createChannel(grpcTarget(location), channelOptions),
          leases: 0,
          idleTimer: undefined,
        };
        entries.set(key, entry);
      }
      clearTimeout(entry.idleTimer);
      entry.leases += 1;
      const leased = entry;
      let released = false;
      return {
        channel: leased.channel,
        release(): void {
          if (released) return;
          released = true;
          leased.leases -= 1;
          if (leased.leases > 0 || closed) return;
          entries.delete(key);
          entries.set(key, leased);
          if (idleMs <= maxTimerMs) leased.idleTimer = setTimeout(drop, idleMs, key, leased).unref();
        },
      };
    },
    async close(): Promise<void> {
      closed = true;
      for (const [key, entry] of entries) drop(key, entry);
      await Promise.all(closing);
    },
    [Symbol.asyncDispose]: () => pool.close(),
  };
  return pool;
}

/** Two leases share a connection when both the place and all options are the same. */
function connectionKey(location: Location, options: GrpcChannelOptions): string {
  const plain = JSON.stringify(options, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );
  return `${JSON.stringify(grpcTarget(location))} ${plain}`;
}
