import type { ClientMiddlewareFactory } from './client-middleware.ts';
import { timingMiddleware } from './timing-middleware.ts';

/**
 * Client middleware that writes a line for every call: method, location, time, and how it ended. Headers are not
 * written, as they may hold secrets.
 *
 * @param log - takes one line. Default: standard error
 */
export function loggingMiddleware(
  log: (line: string) => void = (line) => void process.stderr.write(`${line}\n`),
): ClientMiddlewareFactory {
  return timingMiddleware(({ method, location, totalMs, error }) => {
    // the server writes the message, and must not write lines
    const outcome = error === undefined ? 'ok' : `failed: ${error.message.replace(/\p{Cc}+/gu, ' ')}`;
    log(`${method} ${location} ${totalMs.toFixed(1)} ms ${outcome}`);
  });
}
