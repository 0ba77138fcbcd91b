/**
 * Circuit breaker: while a location is known to be down, calls to it fail at once instead of waiting for it.
 *
 *     closed ──failureThreshold failures in a row──▶ open ──openMs──▶ half-open ──successThreshold successes──▶ closed
 *                                                     ▲                  │
 *                                                     └──────failure─────┘
 *
 * Half-open lets `halfOpenCalls` through at a time, and one more whenever none was let through for `openMs`: a long
 * stream, which only tells at its end how it went, must not keep all others waiting. Only UNAVAILABLE and TIMED_OUT count as failures: any other
 * answer shows that the server is there, and so does TIMED_OUT by a limit of the server's own, which says so.
 */

import { callListener, reportClientError } from '../diagnostics.ts';
import {
  FlightError,
  FlightInvalidArgumentError,
  FlightUnavailableError,
  retryableCodes,
} from '../errors.ts';
import {
  defaultBreakerFailureThreshold,
  defaultBreakerHalfOpenCalls,
  defaultBreakerOpenMs,
  defaultBreakerSuccessThreshold,
} from '../limits/client.ts';

/** Options of {@link createCircuitBreaker}. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. Default: 5. */
  readonly failureThreshold?: number | undefined;
  /** How long the circuit stays open, in milliseconds. Default: 10,000. */
  readonly openMs?: number | undefined;
  /** Calls let through at a time while half-open, and one more for each `openMs` without any. Default: 1. */
  readonly halfOpenCalls?: number | undefined;
  /** Successes while half-open that close the circuit. Default: 1. */
  readonly successThreshold?: number | undefined;
  /** Told of every change of state. What it throws goes to the diagnostics channel `peregrine:client:error`. */
  readonly onStateChange?: ((location: string, state: CircuitState) => void) | undefined;
  /** The clock, for tests, in milliseconds. Default: `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** State of a circuit. */
export type CircuitState = 'closed' | 'open' | 'half-open';

/** One location's circuit. */
export interface CircuitBreaker {
  /** Where it stands now. */
  readonly state: CircuitState;
  /**
   * Asks to make a call. Tell the ticket how it went, exactly once; further words are ignored.
   *
   * @throws FlightUnavailableError while the circuit is open, or half-open with enough calls on their way
   */
  enter(): CircuitTicket;
}

/** A call that went through a {@link CircuitBreaker}. */
export interface CircuitTicket {
  /** The call is over. Give its error; undefined when it went well. */
  leave(error: unknown): void;
  /** The call was not made after all, which says nothing about the server. */
  abandon(): void;
}

type Phase =
  | { readonly state: 'closed'; readonly failures: number }
  | { readonly state: 'open'; readonly until: number }
  | {
      readonly state: 'half-open';
      readonly running: number;
      readonly successes: number;
      /** When the last call was let through. */
      readonly trialAt: number;
    };

/**
 * Makes the circuit of one location.
 *
 * @param location - named in errors
 * @throws FlightInvalidArgumentError for options that are not positive
 */
export function createCircuitBreaker(location: string, options: CircuitBreakerOptions = {}): CircuitBreaker {
  const failureThreshold = positive(
    options.failureThreshold ?? defaultBreakerFailureThreshold,
    'failureThreshold',
  );
  const openMs = positive(options.openMs ?? defaultBreakerOpenMs, 'openMs');
  const halfOpenCalls = positive(options.halfOpenCalls ?? defaultBreakerHalfOpenCalls, 'halfOpenCalls');
  const successThreshold = positive(
    options.successThreshold ?? defaultBreakerSuccessThreshold,
    'successThreshold',
  );
  const now = options.now ?? performance.now.bind(performance);
  let phase: Phase = { state: 'closed', failures: 0 };
  // tickets of an earlier phase must not count in a later one
  let generation = 0;

  const enterPhase = (next: Phase): void => {
    const changed = next.state !== phase.state;
    phase = next;
    if (!changed) return;
    generation += 1;
    const where = `onStateChange of the circuit to ${location}`;
    callListener(reportClientError, where, () => options.onStateChange?.(location, next.state));
  };
  const current = (): Phase => {
    if (phase.state === 'open' && now() >= phase.until) {
      enterPhase({ state: 'half-open', running: 0, successes: 0, trialAt: now() });
    }
    return phase;
  };
  const leave = (failed: boolean, ignored: boolean): void => {
    if (phase.state === 'closed') {
      if (ignored) return;
      const failures = failed ? phase.failures + 1 : 0;
      enterPhase(
        failures >= failureThreshold
          ? { state: 'open', until: now() + openMs }
          : { state: 'closed', failures },
      );
    } else if (phase.state === 'half-open') {
      const successes = phase.successes + (failed || ignored ? 0 : 1);
      if (failed) enterPhase({ state: 'open', until: now() + openMs });
      else if (successes >= successThreshold) enterPhase({ state: 'closed', failures: 0 });
      else enterPhase({ ...phase, running: phase.running - 1, successes });
    }
  };

  return {
    get state(): CircuitState {
      return current().state;
    },
    enter(): CircuitTicket {
      const at = current();
      if (at.state === 'open') {
        const seconds = (Math.max(0, at.until - now()) / 1000).toFixed(1);
        throw new FlightUnavailableError(
          `the circuit to ${location} is open after ${failureThreshold} failures in a row; calls are let through again in ${seconds} s`,
        );
      }
      if (at.state === 'half-open') {
        if (at.running >= halfOpenCalls && now() < at.trialAt + openMs) {
          throw new FlightUnavailableError(
            `the circuit to ${location} is half-open and ${at.running} of ${halfOpenCalls} trial calls are on their way; try again when they are done`,
          );
        }
        phase = { ...at, running: at.running + 1, trialAt: now() };
      }
      const entered = generation;
      let left = false;
      const leaveOnce = (failed: boolean, ignored: boolean): void => {
        if (left) return;
        left = true;
        if (entered === generation) leave(failed, ignored);
      };
      return {
        leave(error: unknown): void {
          // a call that the user gave up says nothing about the server
          const ignored = error instanceof FlightError && error.code === 'CANCELLED';
          leaveOnce(error instanceof FlightError && isFailure(error), ignored);
        },
        abandon: () => leaveOnce(false, true),
      };
    },
  };
}

function isFailure({ code, retryAfterMs }: FlightError): boolean {
  return retryableCodes.has(code) && !(code === 'TIMED_OUT' && retryAfterMs !== undefined);
}

function positive(value: number, name: string): number {
  if (!(value > 0))
    throw new FlightInvalidArgumentError(`circuitBreaker.${name} must be above 0, got ${value}`);
  return value;
}
