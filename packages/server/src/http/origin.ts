import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FlightUnauthorizedError } from '@peregrine/flight/errors';
import { withStatus } from './problem.ts';

/**
 * Keeps web pages of other sites out. A browser sends their POSTs without asking, and a server on loopback has no
 * login: without this, any page could change the data of whoever looks at it. Programs send no `Origin`.
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
  const { origin, host } = request.headers;
  const ours = host === undefined || isOwnName(host);
  if (isLoopback && !ours) {
    throw withStatus(
      new FlightUnauthorizedError(`this server is not ${host}: call it by localhost or its address`),
      421,
    );
  }
  if (origin === undefined) return;
  if (allowed.includes('*') || allowed.includes(origin)) {
    void reply.headers({
      'access-control-allow-origin': allowed.includes('*') ? '*' : origin,
      'access-control-expose-headers': '*',
    });
    return;
  }
  if (ours && hostOf(origin) === host?.toLowerCase()) return;
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
  };
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    // `null`, which sandboxed pages send.
    return undefined;
  }
}
