/**
 * Opens a connection to a target: names are resolved anew each time, and of several addresses the next one is tried
 * beside the last when that takes long or fails ("happy eyeballs", RFC 8305).
 */

import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { FlightCancelledError, FlightUnavailableError, messageOf } from '../errors.ts';
import type { ConnectTarget, Http2Session } from '../http2/index.ts';
import { happyEyeballsDelayMs } from '../limits/grpc.ts';
import { explainConnectError } from './connect-errors.ts';
import type { GrpcLookup, GrpcTarget } from './types.ts';

/** Opens the connection to one place. Rejects when that fails or the signal aborts. */
export type SessionConnector = (address: ConnectTarget, signal: AbortSignal) => Promise<Http2Session>;

/**
 * Opens a connection to a target.
 *
 * @param signal - gives up; what was opened is closed
 * @throws FlightUnavailableError naming each address with what happened there
 */
export async function openSession(
  target: GrpcTarget,
  connect: SessionConnector,
  lookup: GrpcLookup,
  signal: AbortSignal,
): Promise<Http2Session> {
  const addresses = await resolve(target, lookup, signal);
  return race(addresses, target, connect, signal);
}

/** How errors name a target. */
export function describeTarget(target: GrpcTarget): string {
  if (target.kind === 'unix') return target.path;
  return isIP(target.host) === 6 ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}

async function resolve(
  target: GrpcTarget,
  lookup: GrpcLookup,
  signal: AbortSignal,
): Promise<readonly ConnectTarget[]> {
  if (target.kind === 'unix') return [{ kind: 'unix', path: target.path }];
  const { host, port } = target;
  if (isIP(host) !== 0) return [{ kind: 'tcp', host, port }];
  let found: readonly string[];
  try {
    found = await lookup(host, signal);
  } catch (cause) {
    throw new FlightUnavailableError(`the address of ${host} cannot be found: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (found.length === 0) throw new FlightUnavailableError(`${host} has no address`);
  return alternateFamilies(found).map((address) => ({ kind: 'tcp', host: address, port }));
}

/** The lookup of the operating system, in its order. */
export const defaultLookup: GrpcLookup = async (host: string): Promise<readonly string[]> => {
  const found = await systemLookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

/** Orders addresses so that the two families take turns, beginning with the first one's (RFC 8305, section 4). */
export function alternateFamilies(addresses: readonly string[]): string[] {
  const family = isIP(addresses[0] ?? '');
  const same = addresses.filter((address) => isIP(address) === family);
  const other = addresses.filter((address) => isIP(address) !== family);
  const ordered: string[] = [];
  for (let index = 0; index < Math.max(same.length, other.length); index += 1) {
    for (const address of [same[index], other[index]]) if (address !== undefined) ordered.push(address);
  }
  return ordered;
}

function race(
  addresses: readonly ConnectTarget[],
  target: GrpcTarget,
  connect: SessionConnector,
  signal: AbortSignal,
): Promise<Http2Session> {
  const where = describeTarget(target);
  return new Promise((fulfil, reject) => {
    const losers = new AbortController();
    const failures: unknown[] = [];
    let next = 0;
    let done = false;
    let timer: NodeJS.Timeout | undefined;

    const finish = (settle: () => void): void => {
      done = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
      losers.abort();
    };
    const onAbort = (): void => {
      finish(() =>
        reject(new FlightCancelledError(`connecting to ${where} was given up`, { cause: signal.reason })),
      );
    };
    const tryNext = (): void => {
      clearTimeout(timer);
      const address = addresses[next];
      if (done || address === undefined) return;
      next += 1;
      if (next < addresses.length) timer = setTimeout(tryNext, happyEyeballsDelayMs);
      connect(address, losers.signal).then(
        (session) => {
          // two may succeed at the same time
          if (done) session.destroy();
          else finish(() => fulfil(session));
        },
        (error: unknown) => {
          failures.push(error);
          if (done) return;
          if (failures.length === addresses.length) finish(() => reject(unreachable(target, failures)));
          else tryNext();
        },
      );
    };

    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    tryNext();
  });
}

function unreachable(target: GrpcTarget, failures: readonly unknown[]): FlightUnavailableError {
  const texts = new Set(failures.map((failure) => explainConnectError(failure, target.kind === 'tls')));
  return new FlightUnavailableError(`cannot connect to ${describeTarget(target)}: ${[...texts].join('; ')}`, {
    cause: failures.length === 1 ? failures[0] : new AggregateError(failures),
  });
}
