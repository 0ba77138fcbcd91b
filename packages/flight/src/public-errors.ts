// The error family by itself: a program that only throws or catches these loads nothing else of Flight.
export {
  classifyError,
  createFlightError,
  FlightCancelledError,
  FlightDataError,
  FlightError,
  flightErrorCodes,
  FlightInternalError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightResourceExhaustedError,
  FlightServerError,
  FlightTimedOutError,
  FlightUnauthenticatedError,
  FlightUnauthorizedError,
  FlightUnavailableError,
  FlightUnimplementedError,
  FlightWriteSizeExceededError,
  messageOf,
  retryableCodes,
  toFlightError,
} from './errors.ts';
export type {
  FlightErrorClass,
  FlightErrorClassification,
  FlightErrorCode,
  FlightErrorOptions,
} from './errors.ts';
