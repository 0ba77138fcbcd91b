/**
 * Trying calls again: exponential back-off with full jitter. The wait before try n+1 is a random time between 0 and
 * `min(maxDelayMs, initialDelayMs × multiplier^(n-1))`, so that many clients which failed together do not come back
 * together.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  FlightCancelledError,
  FlightError,
  FlightInvalidArgumentError,
  FlightTimedOutError,
  isRetryable,
  messageOf,
} from '../errors.ts';
import { maxTimerMs } from '../limits/bytes.ts';
import {
  defaultRetryAttempts,
  defaultRetryInitialDelayMs,
  defaultRetryMaxDelayMs,
  defaultRetryMultiplier,
} from '../limits/client.ts';

/**
 * How calls are tried again. Only calls that are safe to repeat are: listFlights, getFlightInfo and pollFlightInfo
 * (unless marked not idempotent), getSchema, listActions and doGet until their first result was handed out, doAction
 * when it is marked idempotent.
 * Only errors of `retryableCodes` are worth it: UNAVAILABLE, and TIMED_OUT while there is time left; and
 * RESOURCE_EXHAUSTED where the server names a time. What the server says (`FlightError.retryAfterMs`) goes before the
 * delays here: it may forbid the next try, or name the wait before it.
 */
export interface RetryOptions {
  /** Tries at most, the first one counted. 1: never again. Default: 3. */
  readonly maxAttempts?: number | undefined;
  /** Upper bound of the wait before the second try, in milliseconds. Default: 100. */
  readonly initialDelayMs?: number | undefined;
  /**
   * Upper bound of every wait, in milliseconds. Where the server asks for a longer one, the call fails at once, and its
   * error says how long (`retryAfterMs`). Default: 5,000.
   */
  readonly maxDelayMs?: number | undefined;
  /** Growth of the bound from try to try. Default: 2. */
  readonly multiplier?: number | undefined;
  /** A number from 0 to below 1, for tests. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Decides about one more try. */
export interface RetryPolicy {
  /** Tries at most. */
  readonly maxAttempts: number;
  /**
   * How long to wait before the next try, in milliseconds; `undefined` when there must be none.
   *
   * @param error - what the last try failed with
   * @param attempt - number of the last try, from 1
   */
  delayAfter(error: unknown, attempt: number): number | undefined;
}

/** Checks the options and makes the policy. `false`: never try again. */
export function createRetryPolicy(options: RetryOptions | false = {}): RetryPolicy {
  if (options === false) return { maxAttempts: 1, delayAfter: () => undefined };
  const maxAttempts = options.maxAttempts ?? defaultRetryAttempts;
  const initialDelayMs = options.initialDelayMs ?? defaultRetryInitialDelayMs;
  const maxDelayMs = options.maxDelayMs ?? defaultRetryMaxDelayMs;
  const multiplier = options.multiplier ?? defaultRetryMultiplier;
  const random = options.random ?? Math.random;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
    throw new FlightInvalidArgumentError(
      `retry.maxAttempts must be a whole number of 1 or more, got ${maxAttempts}`,
    );
  }
  const isGrowing = Number.isFinite(multiplier) && multiplier >= 1;
  if (
    !Number.isFinite(initialDelayMs) ||
    initialDelayMs < 0 ||
    !(maxDelayMs >= initialDelayMs) ||
    !isGrowing
  ) {
    throw new FlightInvalidArgumentError(
      `retry needs 0 <= initialDelayMs <= maxDelayMs and multiplier >= 1, the first and the last finite, got ${initialDelayMs}, ${maxDelayMs} and ${multiplier}`,
    );
  }
  return {
    maxAttempts,
    delayAfter(error: unknown, attempt: number): number | undefined {
      if (attempt >= maxAttempts || !(error instanceof FlightError) || !isRetryable(error)) return undefined;
      const { retryAfterMs } = error;
      // sooner is not what the server wants, and later not what the caller does
      if (typeof retryAfterMs === 'number') return retryAfterMs <= maxDelayMs ? retryAfterMs : undefined;
      return random() * Math.min(maxDelayMs, initialDelayMs * multiplier ** (attempt - 1));
    },
  };
}

/** Time that a call has left over all its tries. */
export interface Deadline {
  /** Milliseconds left, at least 0; `undefined` when there is no end. */
  remainingMs(): number | undefined;
}

/** A deadline that begins now. */
export function createDeadline(
  timeoutMs: number | undefined,
  now: () => number = performance.now.bind(performance),
): Deadline {
  if (timeoutMs === undefined) return { remainingMs: () => undefined };
  // the channel refuses what is no number, as NaN
  const end = now() + (typeof timeoutMs === 'number' ? timeoutMs : Number.NaN);
  // whole milliseconds, as errors name them and gRPC sends them
  return { remainingMs: () => Math.max(0, Math.ceil(end - now())) };
}

/**
 * Waits as the policy says. `false`: there must be no next try.
 *
 * @throws FlightCancelledError when the signal aborts meanwhile, FlightTimedOutError when it was a timeout's
 */
export async function waitBeforeRetry(
  error: unknown,
  attempt: number,
  policy: RetryPolicy,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const delayMs = policy.delayAfter(error, attempt);
  // a wait beyond the deadline would only hide the error behind a timeout
  if (delayMs === undefined || delayMs >= (deadline.remainingMs() ?? Infinity)) return false;
  try {
    // beyond what a timer holds it would not wait at all
    await sleep(Math.min(delayMs, maxTimerMs), undefined, { signal });
    return true;
  } catch {
    throw abortError(signal?.reason, error);
  }
}

/** The call was given up before its next try. */
export function abortError(reason: unknown, lastError: unknown): FlightError {
  const why = typeof reason === 'string' ? ` (${reason})` : '';
  const message = `given up${why} while waiting to try again after: ${messageOf(lastError)}`;
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? new FlightTimedOutError(message, { cause: reason })
    : new FlightCancelledError(message, { cause: reason });
}
