import { callListener, reportClientError } from '../diagnostics.ts';
import type { FlightError } from '../errors.ts';
import { Metadata } from '../grpc/metadata.ts';
import type { ClientCallInfo, ClientMiddleware, ClientMiddlewareFactory } from './client-middleware.ts';

/** All middleware of one call. */
export interface ClientMiddlewareChain {
  /** Adds the headers of all to those of the request. Throws what the first failing one threw. */
  sendingHeaders(headers: Metadata): void;
  /** Tells all of the response's headers. Throws what the first failing one threw, after all were told. */
  receivedHeaders(headers: Metadata): void;
  /** Tells all of the trailers. Throws like {@link ClientMiddlewareChain.receivedHeaders}. */
  receivedTrailers(trailers: Metadata): void;
  /** Tells all that the call is over; the last one first. Never throws. */
  callCompleted(error: FlightError | undefined): void;
}

/**
 * Starts the middleware of a call. When a factory throws, those that have started are told that the call is over.
 *
 * @param toError - makes the call's error of what was thrown
 * @returns undefined when no factory wants to accompany the call
 */
export function startClientMiddleware(
  factories: readonly ClientMiddlewareFactory[],
  info: ClientCallInfo,
  toError: (thrown: unknown) => FlightError,
): ClientMiddlewareChain | undefined {
  const started: ClientMiddleware[] = [];
  try {
    for (const factory of factories) {
      const middleware = factory.startCall(info);
      if (middleware !== undefined) started.push(middleware);
    }
  } catch (thrown) {
    const error = toError(thrown);
    complete(started, info, error);
    throw error;
  }
  if (started.length === 0) return undefined;
  return {
    sendingHeaders(headers: Metadata): void {
      for (const middleware of started) {
        const added = middleware.sendingHeaders?.();
        if (added === undefined) continue;
        for (const [name, value] of Metadata.from(added)) headers.append(name, value);
      }
    },
    receivedHeaders(headers: Metadata): void {
      tellAll(started, (middleware) => middleware.receivedHeaders?.(headers));
    },
    receivedTrailers(trailers: Metadata): void {
      tellAll(started, (middleware) => middleware.receivedTrailers?.(trailers));
    },
    callCompleted(error: FlightError | undefined): void {
      complete(started, info, error);
    },
  };
}

function complete(
  started: readonly ClientMiddleware[],
  info: ClientCallInfo,
  error: FlightError | undefined,
): void {
  for (const middleware of started.toReversed()) {
    const where = `callCompleted of middleware, ${info.method} at ${info.location}`;
    callListener(reportClientError, where, () => middleware.callCompleted?.(error));
  }
}

/** One that throws must not keep the news from the others. */
function tellAll(started: readonly ClientMiddleware[], tell: (middleware: ClientMiddleware) => void): void {
  let failure: { readonly thrown: unknown } | undefined;
  for (const middleware of started) {
    try {
      tell(middleware);
    } catch (thrown) {
      failure ??= { thrown };
    }
  }
  if (failure !== undefined) throw failure.thrown;
}
