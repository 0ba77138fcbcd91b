/** One endpoint of a FlightInfo: opening it at the first of its places that works. */

import type { Schema } from 'apache-arrow';
import {
  createFlightError,
  FlightCancelledError,
  FlightError,
  FlightInvalidArgumentError,
  FlightTimedOutError,
  isRetryable,
} from '../errors.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import { defaultParallelEndpoints } from '../limits/client.ts';
import type { FlightEndpoint } from '../model/flight-endpoint.ts';
import { describeArgument } from '../model/bytes.ts';
import type { FlightInfo } from '../model/flight-info.ts';
import type { Location } from '../model/location.ts';
import type { FlightStreamChunk } from '../stream/types.ts';
import { type Caller, clientClosed } from './caller.ts';
import { doGet } from './do-get.ts';
import { type EndpointPlace, endpointPlaces } from './endpoint-places.ts';
import { readHttpEndpoint } from './http-endpoint.ts';
import type { FlightCallOptions, FlightTlsOptions, ReadEndpointsOptions } from './options.ts';
import { createDeadline, type Deadline, waitBeforeRetry } from './retry.ts';

/** The data of one endpoint, from one place. */
export interface EndpointStream {
  readonly schema: Schema;
  /** The next chunk; undefined at the end. */
  next(): Promise<FlightStreamChunk | undefined>;
  /** Gives up, or lets go of the connection after the end. Must be called. */
  close(): void;
}

/** What reading endpoints needs of the client. */
export interface EndpointContext {
  /** Location of the service that the FlightInfo came from, and its caller. */
  readonly own: Location;
  readonly caller: Caller;
  /** The caller of another location, until it is released. */
  lease(location: Location): { readonly caller: Caller; release(): void };
  readonly tls: FlightTlsOptions | undefined;
}

/** What is the same for all endpoints that are read together. */
export interface EndpointRun {
  readonly context: EndpointContext;
  readonly options: FlightCallOptions;
  readonly maxParallel: number;
  readonly deadline: Deadline;
  /** Aborted when the whole run is given up, by its user or by {@link EndpointRun.stop}. */
  readonly signal: AbortSignal;
  /** Gives the whole run up. */
  stop(reason: string): void;
}

/**
 * Checks the arguments of reading endpoints.
 *
 * @throws FlightInvalidArgumentError for what is no FlightInfo, a `maxParallel` that is no whole number of 1 or more, or a time that is none
 */
export function beginEndpointRun(
  context: EndpointContext,
  info: FlightInfo,
  options: ReadEndpointsOptions,
): EndpointRun {
  if (!Array.isArray(info?.endpoints)) {
    throw new FlightInvalidArgumentError(
      `a FlightInfo is wanted, whose endpoints to read, and not ${describeArgument(info)}`,
    );
  }
  const { maxParallel = defaultParallelEndpoints, ...callOptions } = options;
  if (!Number.isInteger(maxParallel) || maxParallel < 1) {
    throw new FlightInvalidArgumentError(
      `maxParallel must be a whole number of 1 or more, got ${maxParallel}`,
    );
  }
  const deadline = createDeadline(options.timeoutMs ?? context.caller.context.timeoutMs);
  if (Number.isNaN(deadline.remainingMs())) {
    throw new FlightInvalidArgumentError('timeoutMs must be a number of milliseconds, got NaN');
  }
  const controller = new AbortController();
  return {
    context,
    options: callOptions,
    maxParallel,
    deadline,
    signal:
      options.signal === undefined ? controller.signal : AbortSignal.any([options.signal, controller.signal]),
    stop: (reason: string) => controller.abort(new FlightCancelledError(reason)),
  };
}

/**
 * Tries the places of an endpoint until one does all that is wanted of it. When none does and the endpoint has an
 * expiration time, which means that it may be read again, they are tried again as the retry options say.
 *
 * @param attempt - reads from one place
 * @throws the error of the only place, or one that lists those of all places
 */
export async function withFailover<T>(
  run: EndpointRun,
  endpoint: FlightEndpoint,
  attempt: (place: EndpointPlace) => Promise<T>,
): Promise<T> {
  const places = endpointPlaces(endpoint, run.context.own);
  const { retry, running } = run.context.caller.context;
  for (let round = 1; ; round += 1) {
    const failures: FlightError[] = [];
    for (const place of places) {
      try {
        return await attempt(place);
      } catch (error) {
        // given up by the user, something that no place can mend, or that the server wants no other to try
        if (
          run.signal.aborted ||
          !(error instanceof FlightError) ||
          error.retryAfterMs === 'never' ||
          run.deadline.remainingMs() === 0
        )
          throw error;
        failures.push(error);
      }
    }
    const error = allFailed(failures);
    const renewable = endpoint.expirationTime !== undefined && endpoint.expirationTime.getTime() > Date.now();
    if (!renewable) throw error;
    const wait = { cancel: (reason = 'the endpoint is not wanted'): void => run.stop(reason) };
    running.add(wait);
    try {
      if (!(await waitBeforeRetry(error, round, retry, run.deadline, run.signal))) throw error;
    } finally {
      running.delete(wait);
    }
  }
}

function allFailed(failures: readonly FlightError[]): FlightError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first;
  // a code that makes another try worth it wins: one place may be back soon
  const telling = failures.find(isRetryable) ?? first;
  return createFlightError(
    telling?.code ?? 'INTERNAL',
    `all ${failures.length} locations of the endpoint failed: ${failures.map((failure) => failure.message).join('; ')}`,
    { cause: new AggregateError(failures), where: telling?.where, retryAfterMs: telling?.retryAfterMs },
  );
}

/** Opens an endpoint at one place; resolves when its schema is there. */
export async function openPlace(
  run: EndpointRun,
  endpoint: FlightEndpoint,
  place: EndpointPlace,
): Promise<EndpointStream> {
  switch (place.kind) {
    case 'same':
      return openFlight(run, endpoint, run.context.caller, () => undefined);
    case 'grpc': {
      const lease = run.context.lease(place.location);
      return openFlight(run, endpoint, lease.caller, () => lease.release());
    }
    case 'http':
      return openHttp(run, place.url);
  }
}

async function openFlight(
  run: EndpointRun,
  endpoint: FlightEndpoint,
  caller: Caller,
  release: () => void,
): Promise<EndpointStream> {
  const { credentials } = caller.context;
  const reader = doGet(caller, endpoint.ticket, {
    ...run.options,
    // where nothing of the client may go, neither may headers of the call: often they hold its token
    headers: credentials === undefined ? undefined : run.options.headers,
    timeoutMs: run.deadline.remainingMs(),
    signal: run.signal,
  });
  try {
    return {
      schema: await reader.schema,
      next: () => reader.readNext(),
      close(): void {
        reader.cancel('the endpoint is not needed any more');
        release();
      },
    };
  } catch (error) {
    reader.cancel();
    release();
    throw error;
  }
}

async function openHttp(run: EndpointRun, url: URL): Promise<EndpointStream> {
  const { ipc, running } = run.context.caller.context;
  if (running.closed) throw clientClosed();
  const given = new AbortController();
  const download = {
    cancel: (reason = 'not needed any more'): void =>
      given.abort(new FlightCancelledError(`the download was cancelled: ${reason}`)),
  };
  const timer = abortAfter(run.deadline.remainingMs(), given);
  const close = (): void => {
    clearTimeout(timer);
    running.delete(download);
    download.cancel();
  };
  running.add(download);
  try {
    const stream = await readHttpEndpoint(url, {
      tls: run.context.tls,
      signal: AbortSignal.any([run.signal, given.signal]),
      ipc: { ...ipc, ...run.options.ipc },
    });
    return {
      schema: stream.schema,
      async next(): Promise<FlightStreamChunk | undefined> {
        const data = await stream.next();
        if (data === undefined) return undefined;
        const release = (): void => undefined;
        return { data, appMetadata: undefined, release, [Symbol.dispose]: release };
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** AbortSignal.timeout takes no time without end, and fires at once for what a timer cannot hold. */
function abortAfter(
  remainingMs: number | undefined,
  controller: AbortController,
): NodeJS.Timeout | undefined {
  if (remainingMs === undefined || remainingMs > maxTimerMs) return undefined;
  const onTime = (): void =>
    controller.abort(new FlightTimedOutError('the download took longer than the timeout of the call'));
  return setTimeout(onTime, remainingMs).unref();
}
