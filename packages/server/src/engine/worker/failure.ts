import { FlightError, messageOf } from '@peregrine/flight/errors';
import { DriverError } from '../adbc/driver.ts';
import type { EngineFailure } from '../adbc/errors.ts';

/** What the main thread is told of an error. */
export function failureOf(error: unknown): EngineFailure {
  if (error instanceof DriverError) {
    const { message, row, status } = error;
    return { status, code: undefined, message, row };
  }
  if (error instanceof FlightError) return { status: undefined, code: error.code, message: error.rawMessage };
  if (error instanceof RangeError) {
    return {
      status: undefined,
      code: 'RESOURCE_EXHAUSTED',
      message: `no memory for this batch: ${error.message}`,
    };
  }
  return {
    status: undefined,
    code: 'INTERNAL',
    message: messageOf(error),
  };
}
