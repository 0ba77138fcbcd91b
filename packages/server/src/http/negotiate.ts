import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { parseAccept } from './accept.ts';
import {
  type HttpFormat,
  findClickHouseFormat,
  findFormat,
  findMediaType,
  formatNames,
  httpFormat,
} from './formats.ts';
import { withStatus } from './problem.ts';

/** Where a request may say how it wants the result. The first that does decides, in this order. */
export interface FormatWishes {
  /** The FORMAT clause of the SQL. */
  readonly clause: string | undefined;
  /** `?format=`, or `"format"` of a JSON body. */
  readonly parameter: string | undefined;
  /** The header `X-ClickHouse-Format`. */
  readonly header: string | undefined;
  /** The header `Accept`. */
  readonly accept: string | undefined;
  /** `?default_format=`: when nothing else was said. */
  readonly fallback: string | undefined;
}

/**
 * Decides the format of a result.
 *
 * @throws FlightInvalidArgumentError (status 400, or 406 for `Accept`) for formats that are not known
 */
export function negotiateFormat(wishes: FormatWishes): HttpFormat {
  if (wishes.clause !== undefined) {
    return findClickHouseFormat(wishes.clause) ?? unknownFormat(`FORMAT ${wishes.clause}`);
  }
  if (wishes.parameter !== undefined) {
    return findFormat(wishes.parameter) ?? unknownFormat(`format ${wishes.parameter}`);
  }
  if (wishes.header !== undefined) {
    return findClickHouseFormat(wishes.header) ?? unknownFormat(`X-ClickHouse-Format ${wishes.header}`);
  }
  const fallback =
    wishes.fallback === undefined
      ? httpFormat('json')
      : (findClickHouseFormat(wishes.fallback) ?? unknownFormat(`default_format ${wishes.fallback}`));
  const accepted = parseAccept(wishes.accept ?? '*/*').filter(({ weight }) => weight > 0);
  for (const { value, parameters } of accepted) {
    if (value === '*/*' || value === '*') return fallback;
    const exact = findMediaType(value, parameters);
    if (exact !== undefined) return exact;
    if (value === 'application/*') return httpFormat('json');
    if (value === 'text/*' || value === 'text/plain')
      return wishes.fallback === undefined ? httpFormat('tsv') : fallback;
  }
  if (accepted.length === 0) return fallback;
  throw withStatus(
    new FlightInvalidArgumentError(
      `nothing of Accept: ${wishes.accept ?? ''} can be sent; there are ${formatNames()}, see /openapi.json`,
    ),
    406,
  );
}

function unknownFormat(asked: string): never {
  throw new FlightInvalidArgumentError(`${asked} is not known; there are ${formatNames()}`);
}
