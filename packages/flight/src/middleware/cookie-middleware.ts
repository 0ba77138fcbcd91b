import type { Metadata } from '../grpc/metadata.ts';
import type { ClientMiddlewareFactory } from './client-middleware.ts';
import { createCookieJar, type CookieJar } from './cookie-jar.ts';

/** Options of {@link cookieMiddleware}. */
export interface CookieMiddlewareOptions {
  /** Where cookies are kept, for instance to share them between clients. Default: a new jar. */
  readonly jar?: CookieJar | undefined;
}

/**
 * Client middleware that keeps the cookies which servers set in headers or trailers and sends them back: what
 * sessions need. Each location has its own cookies.
 */
export function cookieMiddleware(options: CookieMiddlewareOptions = {}): ClientMiddlewareFactory {
  const jar = options.jar ?? createCookieJar();
  return {
    startCall({ location }) {
      const take = (metadata: Metadata): void => {
        for (const value of metadata.getAll('set-cookie')) jar.store(location, value);
      };
      return {
        sendingHeaders() {
          const cookie = jar.header(location);
          return cookie === undefined ? undefined : { cookie };
        },
        receivedHeaders: take,
        receivedTrailers: take,
      };
    },
  };
}
