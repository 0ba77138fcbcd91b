import { FlightDataError } from '../../errors.ts';

/** Compressed data is of another length than what it came with says. */
export function wrongLength(actual: number | string, expected: number): FlightDataError {
  return new FlightDataError(`compressed data gives ${actual} bytes, but ${expected} are stated`);
}
