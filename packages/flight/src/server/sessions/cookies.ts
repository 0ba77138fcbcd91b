/**
 * The cookie that carries a session (RFC 6265 inside gRPC metadata):
 *
 *     request    cookie:     name "=" value *( ";" [space] name "=" value )      value may be in double quotes
 *     response   set-cookie: arrow_flight_session_id=<id>                        new session
 *                set-cookie: arrow_flight_session_id=<id>; Max-Age=0             session over
 */

import { sessionCookieName } from '../../proto/names.ts';

/**
 * Finds the session cookie.
 *
 * @param cookieHeaders - every value of the `cookie` header
 * @returns its value, '' for an empty one, undefined when it is not there
 */
export function findSessionCookie(cookieHeaders: readonly string[]): string | undefined {
  for (const header of cookieHeaders) {
    for (const pair of header.split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== sessionCookieName) continue;
      const value = pair.slice(equals + 1).trim();
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return undefined;
}

/** The `set-cookie` value that hands a session to the client. */
export function sessionCookie(id: string): string {
  return `${sessionCookieName}=${id}`;
}

/** The `set-cookie` value that makes the client forget its session. */
export function expiredSessionCookie(id: string): string {
  return `${sessionCookieName}=${id}; Max-Age=0`;
}
