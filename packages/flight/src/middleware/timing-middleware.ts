import type { FlightError } from '../errors.ts';
import type { ClientCallInfo, ClientMiddlewareFactory } from './client-middleware.ts';

/** How long a call took; see {@link timingMiddleware}. */
export interface CallTiming extends ClientCallInfo {
  /** From the start of the call to the response's headers, in milliseconds; undefined when none came. */
  readonly headersMs: number | undefined;
  /** From the start of the call to its end, in milliseconds. */
  readonly totalMs: number;
  /** How the call failed; undefined when it went well. */
  readonly error: FlightError | undefined;
}

/**
 * Client middleware that measures every call.
 *
 * @param onTiming - told at the end of each call
 * @param now - the clock, for tests, in milliseconds; default: `performance.now`
 */
export function timingMiddleware(
  onTiming: (timing: CallTiming) => void,
  now: () => number = performance.now.bind(performance),
): ClientMiddlewareFactory {
  return {
    startCall({ method, location }) {
      const begin = now();
      let headersMs: number | undefined;
      return {
        receivedHeaders() {
          headersMs = now() - begin;
        },
        callCompleted(error) {
          onTiming({ method, location, headersMs, totalMs: now() - begin, error });
        },
      };
    },
  };
}
