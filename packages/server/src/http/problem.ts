import { STATUS_CODES } from 'node:http';
import { type FlightError, type FlightErrorCode, toFlightError } from '@peregrine/flight/errors';

/** The HTTP status of each code. `docs/http.md` has the table; a test compares the two. */
export const httpStatusOfCode: Readonly<Record<FlightErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  INVALID_DATA: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  UNAUTHORIZED: 403,
  NOT_FOUND: 404,
  ABORTED: 409,
  ALREADY_EXISTS: 409,
  FAILED_PRECONDITION: 409,
  WRITE_SIZE_EXCEEDED: 413,
  RESOURCE_EXHAUSTED: 429,
  CANCELLED: 499,
  DATA_LOSS: 500,
  INTERNAL: 500,
  UNKNOWN: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  TIMED_OUT: 504,
};

/** What ClickHouse's clients know as exceptions: number and name. */
const clickHouseExceptions: Readonly<Partial<Record<FlightErrorCode, readonly [number, string]>>> = {
  INVALID_ARGUMENT: [62, 'SYNTAX_ERROR'],
  INVALID_DATA: [117, 'INCORRECT_DATA'],
  NOT_FOUND: [60, 'UNKNOWN_TABLE'],
  ALREADY_EXISTS: [57, 'TABLE_ALREADY_EXISTS'],
  UNAUTHENTICATED: [516, 'AUTHENTICATION_FAILED'],
  UNAUTHORIZED: [497, 'ACCESS_DENIED'],
  TIMED_OUT: [159, 'TIMEOUT_EXCEEDED'],
  CANCELLED: [394, 'QUERY_WAS_CANCELLED'],
  RESOURCE_EXHAUSTED: [202, 'TOO_MANY_SIMULTANEOUS_QUERIES'],
  UNIMPLEMENTED: [48, 'NOT_IMPLEMENTED'],
};

/** For codes that ClickHouse has nothing like. */
const unknownException: readonly [number, string] = [1002, 'UNKNOWN_EXCEPTION'];

/** The media type of error answers (RFC 9457). */
export const problemMediaType: string = 'application/problem+json; charset=utf-8';

/** An error answer as RFC 9457 describes it, with members of ours. */
export interface Problem {
  /** `urn:peregrine:error:` and the code. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened and what to do next, for people. */
  readonly detail: string;
  /** The code of the FlightError. */
  readonly code: FlightErrorCode;
  readonly query_id?: string | undefined;
  /** Where in the SQL the trouble is, where the engine says so: lines and columns count from 1. */
  readonly position?: { readonly line: number; readonly column?: number | undefined } | undefined;
  /** When the same request may succeed, in milliseconds, or `never`: as `FlightError.retryAfterMs` says. */
  readonly retry_after_ms?: number | 'never' | undefined;
}

const statuses = new WeakMap<FlightError, number>();

/** Gives an error a status of its own, where HTTP is more exact than the code. */
export function withStatus<T extends FlightError>(error: T, status: number): T {
  statuses.set(error, status);
  return error;
}

/** Makes the error answer of anything that was thrown. */
export function problemOf(thrown: unknown, queryId?: string): Problem {
  const error = toFlightError(thrown);
  const status = statuses.get(error) ?? httpStatusOfCode[error.code];
  return {
    type: `urn:peregrine:error:${error.code}`,
    title: STATUS_CODES[status] ?? (status === 499 ? 'Client Closed Request' : 'Error'),
    status,
    detail: error.rawMessage,
    code: error.code,
    query_id: queryId,
    position: positionOf(error.rawMessage),
    retry_after_ms:
      typeof error.retryAfterMs === 'number' ? Math.ceil(error.retryAfterMs) : error.retryAfterMs,
  };
}

/** Headers that go with an error answer. */
export function problemHeaders(problem: Problem): Record<string, string> {
  return {
    'content-type': problemMediaType,
    'cache-control': 'no-store',
    'x-clickhouse-exception-code': String(clickHouseCode(problem)),
    ...retryAfter(problem),
  };
}

/**
 * RFC 9110, section 10.2.3, in whole seconds. As over Flight, a limit is asked again only where the server names a time:
 * what is too large stays so.
 */
function retryAfter({ status, retry_after_ms: wanted }: Problem): Record<string, string> {
  if (wanted === 'never') return {};
  if (wanted === undefined) return status === 503 ? { 'retry-after': '1' } : {};
  return { 'retry-after': String(Math.max(1, Math.ceil(wanted / 1000))) };
}

/** The number that ClickHouse's clients know an error by. */
export function clickHouseCode({ code }: Problem): number {
  return (clickHouseExceptions[code] ?? unknownException)[0];
}

/** An error as ClickHouse's clients read it: `Code: 62. DB::Exception: … (SYNTAX_ERROR)`. */
export function clickHouseText(problem: Problem): string {
  const [number, name] = clickHouseExceptions[problem.code] ?? unknownException;
  return `Code: ${number}. DB::Exception: ${problem.detail} (${name})`;
}

/**
 * DuckDB shows the place with a caret below the line:
 *
 * ```
 * LINE 2: SELECT nothing
 *                ^
 * ```
 * A line cut at its left starts with dots; its column is not known then.
 */
function positionOf(message: string): Problem['position'] {
  const found = /^(LINE (\d+): )(.*)\n( *)\^/m.exec(message);
  if (found === null) return undefined;
  const [, prefix = '', line = '1', text = '', indent = ''] = found;
  const column = indent.length - prefix.length + 1;
  return text.startsWith('...') || column < 1 ? { line: Number(line) } : { line: Number(line), column };
}
