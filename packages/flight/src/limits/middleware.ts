/** Limits and defaults of middleware, each with its reason. */

/** Characters of one `set-cookie` value. RFC 6265 asks for at least 4096. */
export const maxCookieBytes: number = 8 * 1024;

/** Cookies kept for a location. RFC 6265 asks for at least 50; what servers of Flight use is one. */
export const maxCookiesPerLocation: number = 64;

/** Locations whose cookies are kept; servers choose the locations of endpoints, so there must be an end. */
export const maxCookieLocations: number = 256;
