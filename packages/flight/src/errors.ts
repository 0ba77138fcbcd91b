/**
 * The one error family of Peregrine.
 *
 * Every failure that reaches a user is a {@link FlightError} with a code of the closed list below. The codes are
 * Flight's (Arrow's C++ `FlightStatusCode`), completed by the gRPC codes that Flight has no name for, and two that
 * never travel: `INVALID_DATA` (bytes that are not what the Arrow format says) and `WRITE_SIZE_EXCEEDED` (a batch
 * above the write size limit, refused before it was sent).
 */

/** What can go wrong, as Flight names it. `docs/errors.md` explains each; a test compares the two. */
export const flightErrorCodes = [
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'TIMED_OUT',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'UNAUTHORIZED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
  'INVALID_DATA',
  'WRITE_SIZE_EXCEEDED',
] as const;

/** One of {@link flightErrorCodes}. */
export type FlightErrorCode = (typeof flightErrorCodes)[number];

/** How a caller should look at an error: whose it is and whether the same call may be tried again. */
export type FlightErrorClass = 'server' | 'unavailable' | 'timed-out' | 'cancelled' | 'caller' | 'unexpected';

/** What an error may carry besides its code and message. */
export interface FlightErrorOptions {
  /** Bytes for programs, sent and received as `grpc-status-details-bin` (pyarrow's `extra_info`). Default: none. */
  readonly extraInfo?: Uint8Array | undefined;
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Which call failed and where, such as `DoGet at grpc+tcp://localhost:8815`; clients fill it in. Default: none. */
  readonly where?: string | undefined;
  /**
   * What the server says of another try: milliseconds until one makes sense, or that none does, because it would end as
   * this one did. Sent and received as `grpc-retry-pushback-ms`; clients that try calls again keep to it. Default: nothing.
   */
  readonly retryAfterMs?: number | 'never' | undefined;
}

// TypeScript takes no registered symbol for a unique one, whatever it is called
const brand: unique symbol = Symbol.for('peregrine.FlightError') as never;

/**
 * Base of the family. `message` starts with the code in brackets and ends, where the error came out of a client's
 * call, with the call in parentheses, because many tools show nothing but the message; {@link FlightError.rawMessage}
 * is without both. `instanceof` works across copies of this package.
 */
export class FlightError extends Error {
  override readonly name: string = 'FlightError';
  /** What went wrong, one of a closed list. */
  readonly code: FlightErrorCode;
  /** The message without the code and without the call. */
  readonly rawMessage: string;
  /** Which call failed and where, such as `DoGet at grpc+tcp://localhost:8815`; undefined outside of clients. */
  readonly where: string | undefined;
  /** Bytes for programs that came, or go, with the error; empty when there are none. */
  readonly extraInfo: Uint8Array;
  /** When the server wants the next try, in milliseconds, or that it wants none; undefined where it says nothing. */
  readonly retryAfterMs: number | 'never' | undefined;

  /**
   * @param code - one of {@link flightErrorCodes}
   * @param message - what happened, to what, and what to do; without the code, which is put before it
   */
  constructor(code: FlightErrorCode, message: string, options: FlightErrorOptions = {}) {
    super(
      options.where === undefined
        ? `[${code}] ${message}`
        : `[${code}] ${message.trimEnd()} (${options.where})`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.rawMessage = message;
    this.where = options.where;
    this.extraInfo = options.extraInfo ?? new Uint8Array(0);
    this.retryAfterMs = options.retryAfterMs;
    Object.defineProperty(this, brand, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    if (this === FlightError) return brand in value;
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

/** Something broke that should not have (code `INTERNAL`). */
export class FlightInternalError extends FlightError {
  override readonly name: string = 'FlightInternalError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('INTERNAL', message, options);
  }
}

/** The deadline passed before the call was done (code `TIMED_OUT`, gRPC DEADLINE_EXCEEDED). */
export class FlightTimedOutError extends FlightError {
  override readonly name: string = 'FlightTimedOutError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('TIMED_OUT', message, options);
  }
}

/** One of the two sides cancelled the call (code `CANCELLED`). */
export class FlightCancelledError extends FlightError {
  override readonly name: string = 'FlightCancelledError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('CANCELLED', message, options);
  }
}

/** The server does not know who is calling (code `UNAUTHENTICATED`): log in, or send a valid token. */
export class FlightUnauthenticatedError extends FlightError {
  override readonly name: string = 'FlightUnauthenticatedError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('UNAUTHENTICATED', message, options);
  }
}

/** The server knows who is calling and refuses (code `UNAUTHORIZED`, gRPC PERMISSION_DENIED). */
export class FlightUnauthorizedError extends FlightError {
  override readonly name: string = 'FlightUnauthorizedError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('UNAUTHORIZED', message, options);
  }
}

/** The server cannot be reached, or went away during the call (code `UNAVAILABLE`): worth trying again. */
export class FlightUnavailableError extends FlightError {
  override readonly name: string = 'FlightUnavailableError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('UNAVAILABLE', message, options);
  }
}

/** The server answered with an error of its own (code `UNKNOWN` unless given: what a handler's plain `Error` becomes). */
export class FlightServerError extends FlightError {
  override readonly name: string = 'FlightServerError';
  constructor(
    message: string,
    options?: FlightErrorOptions & { readonly code?: FlightErrorCode | undefined },
  ) {
    super(options?.code ?? 'UNKNOWN', message, options);
  }
}

/** A call, an argument or a feature that is not there (code `UNIMPLEMENTED`). */
export class FlightUnimplementedError extends FlightError {
  override readonly name: string = 'FlightUnimplementedError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('UNIMPLEMENTED', message, options);
  }
}

/** No such flight, ticket, action or dataset (code `NOT_FOUND`). */
export class FlightNotFoundError extends FlightError {
  override readonly name: string = 'FlightNotFoundError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('NOT_FOUND', message, options);
  }
}

/** An argument that the call cannot work with (code `INVALID_ARGUMENT`). */
export class FlightInvalidArgumentError extends FlightError {
  override readonly name: string = 'FlightInvalidArgumentError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('INVALID_ARGUMENT', message, options);
  }
}

/** A limit was reached; the message names the limit and what was asked (code `RESOURCE_EXHAUSTED`). */
export class FlightResourceExhaustedError extends FlightError {
  override readonly name: string = 'FlightResourceExhaustedError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('RESOURCE_EXHAUSTED', message, options);
  }
}

/** Bytes that are not valid Arrow data or not a valid message (code `INVALID_DATA`; travels as INVALID_ARGUMENT). */
export class FlightDataError extends FlightError {
  override readonly name: string = 'FlightDataError';
  constructor(message: string, options?: FlightErrorOptions) {
    super('INVALID_DATA', message, options);
  }
}

/** A batch is larger than the client's write size limit and was not sent: split it and write the parts. */
export class FlightWriteSizeExceededError extends FlightError {
  override readonly name: string = 'FlightWriteSizeExceededError';
  /** The limit, in bytes. */
  readonly limit: number;
  /** What the message would have taken, in bytes. */
  readonly actual: number;
  /** The message is made of both numbers. */
  constructor(limit: number, actual: number, options?: FlightErrorOptions) {
    super(
      'WRITE_SIZE_EXCEEDED',
      `a message of ${actual} bytes is above the write size limit of ${limit} bytes; write the batch in smaller parts`,
      options,
    );
    this.limit = limit;
    this.actual = actual;
  }
}

/**
 * The error of the family that stands for a code, as the wire gives it.
 *
 * @param code - one of {@link flightErrorCodes}
 * @param message - what happened, without the code
 */
export function createFlightError(
  code: FlightErrorCode,
  message: string,
  options?: FlightErrorOptions,
): FlightError {
  switch (code) {
    case 'INTERNAL':
      return new FlightInternalError(message, options);
    case 'TIMED_OUT':
      return new FlightTimedOutError(message, options);
    case 'CANCELLED':
      return new FlightCancelledError(message, options);
    case 'UNAUTHENTICATED':
      return new FlightUnauthenticatedError(message, options);
    case 'UNAUTHORIZED':
      return new FlightUnauthorizedError(message, options);
    case 'UNAVAILABLE':
      return new FlightUnavailableError(message, options);
    case 'UNIMPLEMENTED':
      return new FlightUnimplementedError(message, options);
    case 'NOT_FOUND':
      return new FlightNotFoundError(message, options);
    case 'INVALID_ARGUMENT':
      return new FlightInvalidArgumentError(message, options);
    case 'RESOURCE_EXHAUSTED':
      return new FlightResourceExhaustedError(message, options);
    case 'INVALID_DATA':
      return new FlightDataError(message, options);
    case 'UNKNOWN':
      return new FlightServerError(message, options);
    default:
      return new FlightError(code, message, options);
  }
}

/** Makes a FlightError of anything that was thrown; a FlightError passes as it is. */
export function toFlightError(thrown: unknown): FlightError {
  if (thrown instanceof FlightError) return thrown;
  if (thrown instanceof Error) {
    if (thrown.name === 'AbortError') return new FlightCancelledError(thrown.message, { cause: thrown });
    if (thrown.name === 'TimeoutError') return new FlightTimedOutError(thrown.message, { cause: thrown });
    return new FlightServerError(thrown.message, { cause: thrown });
  }
  return new FlightServerError(String(thrown), { cause: thrown });
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Makes an error of the family that says in which call it happened. One that says so already passes as it is.
 *
 * @param thrown - anything
 * @param where - see {@link FlightError.where}; undefined when there is nothing to say
 */
export function locateError(thrown: unknown, where: string | undefined): FlightError {
  const error = toFlightError(thrown);
  if (error.where !== undefined || where === undefined) return error;
  const { cause, extraInfo, retryAfterMs } = error;
  const options = { cause, extraInfo, retryAfterMs, where };
  if (error instanceof FlightWriteSizeExceededError) {
    return new FlightWriteSizeExceededError(error.limit, error.actual, options);
  }
  return createFlightError(error.code, error.rawMessage, options);
}

const classes: Readonly<Record<FlightErrorCode, FlightErrorClass>> = {
  CANCELLED: 'cancelled',
  UNKNOWN: 'server',
  INVALID_ARGUMENT: 'caller',
  TIMED_OUT: 'timed-out',
  NOT_FOUND: 'caller',
  ALREADY_EXISTS: 'caller',
  UNAUTHORIZED: 'caller',
  RESOURCE_EXHAUSTED: 'server',
  FAILED_PRECONDITION: 'caller',
  ABORTED: 'server',
  OUT_OF_RANGE: 'caller',
  UNIMPLEMENTED: 'caller',
  INTERNAL: 'server',
  UNAVAILABLE: 'unavailable',
  DATA_LOSS: 'server',
  UNAUTHENTICATED: 'caller',
  INVALID_DATA: 'unexpected',
  WRITE_SIZE_EXCEEDED: 'caller',
};

/** Codes after which the same call, if it is safe to repeat, may well succeed. A closed list. */
export const retryableCodes: ReadonlySet<FlightErrorCode> = new Set<FlightErrorCode>([
  'UNAVAILABLE',
  'TIMED_OUT',
]);

/**
 * Whether trying the same call again, if it is safe to repeat, makes sense: the code is one of {@link retryableCodes}, or
 * a limit was reached that the server names a time for. Never where the server says so.
 */
export function isRetryable({ code, retryAfterMs }: FlightError): boolean {
  if (retryAfterMs === 'never') return false;
  return retryableCodes.has(code) || (code === 'RESOURCE_EXHAUSTED' && retryAfterMs !== undefined);
}

/** What {@link classifyError} says of an error. */
export interface FlightErrorClassification {
  /** Whose error it is. */
  readonly kind: FlightErrorClass;
  /** Whether trying the same call again makes sense. */
  readonly retryable: boolean;
}

/** Tells whose fault an error is and whether trying again makes sense. Anything not of the family is `unexpected`. */
export function classifyError(error: unknown): FlightErrorClassification {
  if (!(error instanceof FlightError)) return { kind: 'unexpected', retryable: false };
  return { kind: classes[error.code], retryable: isRetryable(error) };
}
