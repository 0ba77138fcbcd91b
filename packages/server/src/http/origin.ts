import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FlightUnauthorizedError } from '@peregrine/flight/errors';
import { withStatus } from './problem.ts';

/**
 * Keeps web pages of other sites out. A browser sends their POSTs without asking, and a server on loopback has no
 * login: without this, any page could change the data of whoever looks at it. Programs send no `Origin`.
 *
 * What a page loads as a picture, a script or into a frame comes without `Origin`. The page cannot read the answer, but
 * sees whether it was an error, and can so find out what is in a table with one question after the other. Browsers say
 * in `Sec-Fetch-Site` (Fetch Metadata) that another site asks; somebody who follows a link is let in.
 *
 * @param allowed - origins that may call, such as `https://app.example.com`; `*` allows all
 * @param isLoopback - whether only this machine reaches the server. Then its name must be one of this machine: a page
 *   may have a name of its own that leads here (DNS rebinding)
 * @throws FlightUnauthorizedError for a page of another site
 */
export function checkOrigin(
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: readonly string[],
  isLoopback: boolean,
): void {
  const { origin, host, referer } = request.headers;
  // Whose page may read it is said in the answer.
  void reply.headers({ vary: 'origin', 'x-content-type-options': 'nosniff' });
  const ours = host === undefined || isOwnName(host);
  if (isLoopback && !ours) {
    throw withStatus(
      new FlightUnauthorizedError(`this server is not ${host}: call it by localhost or its address`),
      421,
    );
  }
  if (origin === undefined) {
    if (allowed.includes('*') || !isOfOtherPage(request.headers)) return;
    if (referer !== undefined && allowed.includes(urlOf(referer)?.origin ?? '')) return;
    throw new FlightUnauthorizedError(
      'pages of other sites may not load this; start the server with --cors-origins and their origin to allow them',
    );
  }
  if (allowed.includes('*') || allowed.includes(origin)) {
    void reply.headers({
      'access-control-allow-origin': allowed.includes('*') ? '*' : origin,
      'access-control-expose-headers': '*',
    });
    return;
  }
  if (ours && urlOf(origin)?.host === host?.toLowerCase()) return;
  throw new FlightUnauthorizedError(
    `pages of ${origin} may not call this server; start it with --cors-origins ${origin} to allow them`,
  );
}

/** Names and addresses that no other site can have: localhost, and addresses in numbers. */
function isOwnName(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name === 'localhost' || name.endsWith('.localhost') || name.startsWith('[') || isIP(name) !== 0;
}

/** Headers that answer a browser's question before a call (a preflight). */
export function preflightHeaders(request: FastifyRequest): Record<string, string> {
  const asked = request.headers['access-control-request-headers'];
  return {
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-max-age': '600',
    ...(asked === undefined ? {} : { 'access-control-allow-headers': asked }),
    // Of a page on the internet to a server at home (Private Network Access).
    ...(request.headers['access-control-request-private-network'] === undefined
      ? {}
      : { 'access-control-allow-private-network': 'true' }),
  };
}

/** Whether a page of another site makes the browser ask, without anybody having followed a link to here. */
function isOfOtherPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return headers['sec-fetch-dest'] !== 'document' || headers['sec-fetch-user'] !== '?1';
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    // `null`, which sandboxed pages send as their origin.
    return undefined;
  }
}
