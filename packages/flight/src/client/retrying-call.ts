import { locateError } from '../errors.ts';
import type { FlightCall } from './call.ts';
import type { RunningCalls } from './caller.ts';
import { abortError, type Deadline, type RetryPolicy, waitBeforeRetry } from './retry.ts';

/** The receiving side of a call that is begun again until its first message was handed out. */
export interface RetryingCall<T> {
  /** A message that is already there. */
  tryRead(): T | undefined;
  /** The next message; undefined at the clean end. Rejects with the error of the last try. */
  read(): Promise<T | undefined>;
  /** Gives the call up, or the wait for its next try. */
  cancel(reason?: string): void;
}

/** How a call is tried again. */
export interface RetryContext {
  readonly policy: RetryPolicy;
  readonly deadline: Deadline;
  readonly signal: AbortSignal | undefined;
  /** Where the wait for the next try can be ended from, as a call can that runs. */
  readonly running: Pick<RunningCalls, 'add' | 'delete'>;
  /** Gives a connection that was lost the chance to be there again before the next try. Never rejects. */
  readonly reconnect: () => Promise<void>;
}

/**
 * Begins a call, and begins it again when it fails with a retryable error before its first message. Errors of
 * `begin` itself are final: nothing was sent.
 *
 * @param begin - begins one try and sends the request
 */
export function retryingCall<T>(begin: () => FlightCall<T>, context: RetryContext): RetryingCall<T> {
  let call = begin();
  if (context.policy.maxAttempts <= 1) return call;
  let attempt = 1;
  // once a message was handed out, or the call was given up, there is no next try
  let final = false;
  let waiting: { cancel(reason?: string): void } | undefined;

  const again = async (error: unknown): Promise<void> => {
    const givenUp = new AbortController();
    const wait = { cancel: (reason?: string): void => givenUp.abort(reason) };
    waiting = wait;
    context.running.add(wait);
    const signal =
      context.signal === undefined ? givenUp.signal : AbortSignal.any([context.signal, givenUp.signal]);
    try {
      if (!(await waitBeforeRetry(error, attempt, context.policy, context.deadline, signal))) throw error;
      await context.reconnect();
      // a call that begins now would have nobody who ends it
      if (signal.aborted) throw abortError(signal.reason, error);
    } catch (given) {
      throw locateError(given, call.where);
    } finally {
      waiting = undefined;
      context.running.delete(wait);
    }
    call = begin();
    attempt += 1;
  };

  return {
    tryRead(): T | undefined {
      const message = call.tryRead();
      if (message !== undefined) final = true;
      return message;
    },
    async read(): Promise<T | undefined> {
      for (;;) {
        try {
          const message = await call.read();
          final = true;
          return message;
        } catch (error) {
          if (final) throw error;
          await again(error);
        }
      }
    },
    cancel(reason?: string): void {
      final = true;
      waiting?.cancel(reason);
      call.cancel(reason);
    },
  };
}
