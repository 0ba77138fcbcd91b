/**
 * Cookies of the servers that a client talks to (RFC 6265, sections 4.1 and 5):
 *
 *     set-cookie:  name "=" value *( ";" attribute [ "=" value ] )
 *     cookie:      name "=" value *( "; " name "=" value )
 *
 * `Max-Age` (which wins) and `Expires` end a cookie, `Secure` keeps it off plaintext connections to other machines.
 * `Path` and `Domain` are not looked at: a cookie goes back to the location that it came from and nowhere else, which is
 * less than a domain could allow and needs no list of public suffixes; the path of a call is its method, so that a path
 * would keep a session from half of its calls. A value in double quotes is sent back with them, as the standard wants.
 */

import { maxCookieBytes, maxCookieLocations, maxCookiesPerLocation } from '../limits/middleware.ts';
import { parseCookieDate } from './cookie-date.ts';

/** Remembers the cookies of each location. */
export interface CookieJar {
  /** Takes in one `set-cookie` value; what cannot be read is ignored, as the standard wants. */
  store(location: string, setCookie: string): void;
  /** The `cookie` value for a location; `undefined` when there is nothing to send. */
  header(location: string): string | undefined;
  /** Forgets the cookies of a location, or all. */
  clear(location?: string): void;
}

interface Cookie {
  readonly value: string;
  /** Milliseconds since 1970; Infinity for a cookie that lives as long as the jar. */
  readonly expiresAt: number;
  readonly secure: boolean;
}

/**
 * Makes an empty jar.
 *
 * @param now - the clock, for tests, in milliseconds; default: `Date.now`
 */
export function createCookieJar(now: () => number = Date.now): CookieJar {
  // in the order of last use, and the cookies of each in that of creation: oldest first
  const locations = new Map<string, Map<string, Cookie>>();
  return {
    store(location: string, setCookie: string): void {
      const parsed = parseSetCookie(setCookie, now());
      if (parsed === undefined) return;
      const cookies = locations.get(location) ?? new Map<string, Cookie>();
      if (parsed.cookie.expiresAt <= now()) {
        cookies.delete(parsed.name);
        if (cookies.size === 0) locations.delete(location);
        return;
      }
      // a cookie that is set again keeps its place
      cookies.set(parsed.name, parsed.cookie);
      dropOldest(cookies, maxCookiesPerLocation);
      locations.delete(location);
      locations.set(location, cookies);
      dropOldest(locations, maxCookieLocations);
    },
    header(location: string): string | undefined {
      const cookies = locations.get(location);
      if (cookies === undefined) return undefined;
      // a client's own session must outlast any number of endpoints elsewhere
      locations.delete(location);
      locations.set(location, cookies);
      const time = now();
      const pairs: string[] = [];
      for (const [name, cookie] of cookies) {
        if (cookie.expiresAt <= time) cookies.delete(name);
        else if (!cookie.secure || isPrivate(location)) pairs.push(`${name}=${cookie.value}`);
      }
      return pairs.length === 0 ? undefined : pairs.join('; ');
    },
    clear(location?: string): void {
      if (location === undefined) locations.clear();
      else locations.delete(location);
    },
  };
}

function parseSetCookie(text: string, now: number): { name: string; cookie: Cookie } | undefined {
  if (text.length > maxCookieBytes) return undefined;
  const [pair = '', ...attributes] = text.split(';');
  const equals = pair.indexOf('=');
  if (equals < 0) return undefined;
  const name = pair.slice(0, equals).trim();
  const value = pair.slice(equals + 1).trim();
  // control characters would break out of the header that carries the cookie back
  if (name === '' || /[^\x20-\x7e]/.test(name + value)) return undefined;
  let maxAge: number | undefined;
  let expires: number | undefined;
  let secure = false;
  for (const attribute of attributes) {
    const [, key = '', , content = ''] = /^\s*([^=]*?)\s*(=\s*(.*?))?\s*$/s.exec(attribute) ?? [];
    switch (key.toLowerCase()) {
      case 'max-age':
        // the last one counts; a value that is no number is as if it were not there
        if (/^-?\d+$/.test(content)) maxAge = Number(content);
        break;
      case 'expires':
        expires = parseCookieDate(content) ?? expires;
        break;
      case 'secure':
        secure = true;
        break;
      default:
        break;
    }
  }
  const expiresAt =
    maxAge === undefined ? (expires ?? Infinity) : maxAge <= 0 ? -Infinity : now + maxAge * 1000;
  return { name, cookie: { value, expiresAt, secure } };
}

/** Whether nobody else can listen: TLS, a Unix socket, or this machine. */
function isPrivate(location: string): boolean {
  return (
    /^(grpc\+tls|grpc\+unix):/.test(location) ||
    /^[a-z+]+:\/\/(localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/.test(location)
  );
}

function dropOldest(map: Map<string, unknown>, limit: number): void {
  for (const key of map.keys()) {
    if (map.size <= limit) return;
    map.delete(key);
  }
}
