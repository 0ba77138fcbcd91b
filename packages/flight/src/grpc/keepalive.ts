/**
 * Finds connections whose other end has gone without a word (half-open ones): when nothing came for a while, a PING is
 * sent, and without an answer in time the connection is given up.
 */

import { FlightUnavailableError } from '../errors.ts';
import type { Http2Session } from '../http2/types.ts';
import { maxTimerMs } from '../limits/bytes.ts';

/** What {@link watchSession} needs to know. */
export interface KeepaliveOptions {
  /** Silence after which a PING is sent, in ms; Infinity: never. */
  readonly intervalMs: number;
  /** Time for the answer, in ms. */
  readonly timeoutMs: number;
  /** Whether pings may be sent at all now. */
  readonly active: () => boolean;
}

/** Watches a session until it ends. It does not keep the process alive. */
export function watchSession(
  session: Pick<Http2Session, 'lastReceivedAt' | 'ping' | 'destroy' | 'ended'>,
  options: KeepaliveOptions,
): void {
  const { intervalMs, timeoutMs, active } = options;
  if (intervalMs > maxTimerMs) return;
  let timer: NodeJS.Timeout;
  let ended = false;

  const wait = (ms: number): void => {
    if (!ended) timer = setTimeout(look, ms).unref();
  };
  const look = (): void => {
    const leftMs = intervalMs - (performance.now() - session.lastReceivedAt);
    if (leftMs > 1) wait(Math.ceil(leftMs));
    else if (active()) ping();
    else wait(intervalMs);
  };
  const ping = (): void => {
    const sentAt = performance.now();
    const judge = (): void => {
      if (timer !== own || ended) return;
      // anything that came shows that the other end is there, even if it is too busy to answer
      if (session.lastReceivedAt > sentAt) wait(intervalMs);
      else session.destroy(silent(intervalMs, timeoutMs));
    };
    // Where this process was held up the answer may lie in the socket, which is read behind timers and before immediates.
    timer = setTimeout(() => setImmediate(judge), timeoutMs).unref();
    const own = timer;
    session.ping().then(
      () => {
        if (timer !== own) return;
        clearTimeout(own);
        wait(intervalMs);
      },
      // the session is over
      () => clearTimeout(own),
    );
  };

  wait(intervalMs);
  void session.ended.then(() => {
    ended = true;
    clearTimeout(timer);
  });
}

function silent(intervalMs: number, timeoutMs: number): FlightUnavailableError {
  return new FlightUnavailableError(
    `the connection was silent for ${intervalMs} ms and a ping was not answered within ${timeoutMs} ms`,
  );
}
