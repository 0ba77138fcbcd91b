import {
  createFlightError,
  type FlightError,
  FlightWriteSizeExceededError,
  toFlightError,
} from '../errors.ts';

/**
 * Makes an error say in which call it happened. An error that says so already passes as it is.
 *
 * @param error - anything that was thrown
 * @param where - such as `DoGet at grpc+tcp://localhost:8815`
 */
export function locateError(error: unknown, where: string): FlightError {
  const flightError = toFlightError(error);
  if (flightError.where !== undefined) return flightError;
  const options = { cause: flightError.cause, extraInfo: flightError.extraInfo, where };
  if (flightError instanceof FlightWriteSizeExceededError) {
    return new FlightWriteSizeExceededError(flightError.limit, flightError.actual, options);
  }
  return createFlightError(flightError.code, flightError.rawMessage, options);
}
