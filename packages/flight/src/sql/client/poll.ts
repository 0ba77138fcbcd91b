import { setTimeout as sleep } from 'node:timers/promises';
import type { FlightCallOptions, FlightClient } from '../../client/index.ts';
import { FlightCancelledError, FlightDataError, FlightTimedOutError } from '../../errors.ts';
import { cancelTimeoutMs, defaultPollIntervalMs } from '../../limits/sql.ts';
import type { FlightDescriptor, FlightInfo } from '../../model/index.ts';
import type { PollOptions } from './options.ts';

/**
 * Polls until a query is done. When the signal aborts meanwhile, the server is told to cancel the query, as the end of
 * a poll is not the end of what it started.
 *
 * @throws FlightDataError when the server says that the query is done and gives no FlightInfo
 */
export async function pollUntilDone(
  flight: FlightClient,
  descriptor: FlightDescriptor,
  options: Omit<PollOptions, 'transaction'>,
): Promise<FlightInfo> {
  const { onProgress, minIntervalMs = defaultPollIntervalMs, ...callOptions } = options;
  let next = descriptor;
  let known: FlightInfo | undefined;
  try {
    for (;;) {
      const askedAt = performance.now();
      // the first one starts the query, the others only ask
      const idempotent = next !== descriptor || callOptions.idempotent === true;
      const poll = await flight.pollFlightInfo(next, { ...callOptions, idempotent });
      known = poll.info ?? known;
      onProgress?.(poll);
      if (poll.descriptor === undefined) break;
      next = poll.descriptor;
      const waitMs = minIntervalMs - (performance.now() - askedAt);
      if (waitMs > 0) await pause(waitMs, options.signal);
    }
  } catch (error) {
    if (options.signal?.aborted === true && known !== undefined)
      await cancelQuietly(flight, known, callOptions.headers);
    throw error;
  }
  if (known === undefined) throw new FlightDataError('the query is done, but the server gave no FlightInfo');
  return known;
}

/** Waits before the next question. Rejects as a call does whose signal aborts. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    const cause: unknown = signal?.reason;
    const message = 'the query was given up before it was done';
    throw cause instanceof Error && cause.name === 'TimeoutError'
      ? new FlightTimedOutError(message, { cause })
      : new FlightCancelledError(message, { cause });
  }
}

/** Servers that cannot cancel, or do not answer, are no reason for another error than the one that there is. */
async function cancelQuietly(
  flight: FlightClient,
  info: FlightInfo,
  headers: FlightCallOptions['headers'],
): Promise<void> {
  try {
    await flight.cancelFlightInfo(info, { headers, timeoutMs: cancelTimeoutMs });
  } catch {
    // the query ends by itself, or with the session
  }
}
