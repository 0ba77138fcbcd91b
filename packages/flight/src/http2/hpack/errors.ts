import { Http2Error } from '../errors.ts';

/** Bytes that are not HPACK, or break its rules. The connection cannot go on: the tables are no longer the same. */
export function compressionError(message: string): Http2Error {
  return new Http2Error('COMPRESSION_ERROR', message);
}

/**
 * A header list above the limit. The block was read to its end, so the tables are right and the connection can go on;
 * only the stream is to be refused (a server may answer with status 431).
 */
export class HeaderListTooLargeError extends Http2Error {
  override readonly name: string = 'HeaderListTooLargeError';
  /** The limit, counted as SETTINGS_MAX_HEADER_LIST_SIZE counts (RFC 9113, section 6.5.2). */
  readonly limit: number;
  /** The size of the list, counted the same way. */
  readonly actual: number;

  constructor(limit: number, actual: number) {
    super(
      'ENHANCE_YOUR_CALM',
      `a header list of ${actual} bytes is above the limit of ${limit} bytes: send fewer or shorter headers (maxHeaderListBytes)`,
    );
    this.limit = limit;
    this.actual = actual;
  }
}
