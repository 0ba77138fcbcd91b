import { type IncomingHttpHeaders, STATUS_CODES, maxHeaderSize } from 'node:http';
import type { Duplex } from 'node:stream';
import { FlightInvalidArgumentError, FlightTimedOutError } from '@peregrine/flight/errors';
import { problemHeaders, problemOf, withStatus } from './problem.ts';

/** Why Node could not make a request of what came. */
export interface UnreadableRequest extends Error {
  /** Node's own (`ERR_…`), or the parser's (`HPE_…`). */
  readonly code?: string | undefined;
  /** What the parser says. */
  readonly reason?: string | undefined;
}

/**
 * Answers what is no request, with a problem as everything else, and closes the connection.
 *
 * @param allowed - origins whose pages may call. Which page asked is not known, so that the answer can be read by one
 *   where one or all may call
 */
export function answerUnreadable(error: UnreadableRequest, socket: Duplex, allowed: readonly string[]): void {
  // Nobody is there to read an answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error);
    return;
  }
  const problem = problemOf(explain(error));
  const body = `${JSON.stringify(problem)}\n`;
  const readers = allowed.includes('*') ? '*' : allowed.length === 1 ? allowed[0] : undefined;
  const headers: IncomingHttpHeaders = {
    ...problemHeaders(problem),
    ...(readers === undefined ? {} : { 'access-control-allow-origin': readers }),
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const status = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n`;
  socket.write(`${status}${lines.join('')}\r\n${body}`);
  socket.destroy(error);
}

/**
 * Refuses a URL with what is not ASCII, which Node's parser does from 20.20 on: before, it takes UTF-8 for Latin-1.
 *
 * @throws FlightInvalidArgumentError
 */
export function checkUrl(url: string): void {
  if (!/[^ -~]/.test(url)) return;
  throw new FlightInvalidArgumentError(badLine('Invalid characters in url'));
}

function badLine(reason: string): string {
  return `the request's first line is none of HTTP/1.1 (${reason}): in a URL a space is %20 or +, and what is not ASCII is escaped as well`;
}

function explain({
  code,
  reason,
  message,
}: UnreadableRequest): FlightInvalidArgumentError | FlightTimedOutError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return withStatus(
        new FlightInvalidArgumentError(
          `URL and headers have more than ${maxHeaderSize} bytes: send long SQL as the body of a POST`,
        ),
        431,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return withStatus(new FlightTimedOutError("the request's headers come too slowly"), 408);
    case 'HPE_INVALID_URL':
    case 'HPE_INVALID_CONSTANT':
    case 'HPE_INVALID_VERSION':
      return new FlightInvalidArgumentError(badLine(reason ?? message));
    default:
      return new FlightInvalidArgumentError(`the request is none of HTTP/1.1: ${reason ?? message}`);
  }
}
