import { FlightDataError, FlightUnimplementedError } from '@peregrine/flight/errors';
import { withStatus } from './problem.ts';

/** A media type without its parameters, and those. */
export interface ContentType {
  /** In lower case; empty where there is none. */
  readonly mediaType: string;
  /** Names and values in lower case, without quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads `Content-Type` (RFC 9110 section 8.3). */
export function parseContentType(header: string | undefined): ContentType {
  const [mediaType = '', ...parts] = (header ?? '').toLowerCase().split(';');
  const parameters = parts.map((part) => {
    const [name = '', value = ''] = part.split('=', 2).map((side) => side.trim());
    return [name, value.replace(/^"(.*)"$/, '$1')] as const;
  });
  return { mediaType: mediaType.trim(), parameters: new Map(parameters) };
}

/**
 * Refuses bodies that would be misread.
 *
 * @throws FlightUnimplementedError (status 415) for multipart bodies, and text in another encoding than UTF-8
 */
export function checkContentType(header: string | undefined): void {
  const { mediaType, parameters } = parseContentType(header);
  if (mediaType.startsWith('multipart/')) {
    throw refused(`${mediaType} is not taken: send the SQL, or the rows of an insert, as the body alone`);
  }
  const charset = parameters.get('charset') ?? 'utf-8';
  if (!['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset))
    throw refused(`text in ${charset} is not taken: send it as UTF-8`);
}

function refused(message: string): FlightUnimplementedError {
  return withStatus(new FlightUnimplementedError(message), 415);
}

/**
 * Bytes of a request as text; a byte order mark is left out.
 *
 * @throws FlightDataError where they are not UTF-8, instead of running what nobody wrote
 */
export function textOfBody(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FlightDataError(`${what} is not UTF-8`, { cause });
  }
}
