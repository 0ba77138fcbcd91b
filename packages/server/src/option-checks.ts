import { FlightInvalidArgumentError } from '@peregrine/flight/errors';

/** The longest time of a timer, which counts milliseconds in 31 bits: one that is longer would be over at once. */
export const longestMs: number = 0x7fff_ffff;

/**
 * Refuses numbers of options that are not whole, or too small.
 *
 * @param options - by name; those that are undefined are left to their defaults
 * @throws FlightInvalidArgumentError
 */
export function checkWhole(options: Readonly<Record<string, number | undefined>>, least: number): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue;
    throw new FlightInvalidArgumentError(`${name} must be a whole number of ${least} or more, got ${value}`);
  }
}

/**
 * Refuses times of options that no timer can wait for.
 *
 * @param options - milliseconds by name; those that are undefined are left to their defaults
 * @param endless - whether Infinity is a time
 * @throws FlightInvalidArgumentError
 */
export function checkTimes(
  options: Readonly<Record<string, number | undefined>>,
  least: number,
  endless: 'endless' | 'ends' = 'ends',
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || (value >= least && value <= longestMs)) continue;
    if (value === Infinity && endless === 'endless') continue;
    const also = endless === 'endless' ? ', or Infinity' : '';
    throw new FlightInvalidArgumentError(
      `${name} must be a time of ${least} to ${longestMs} milliseconds${also}, got ${value}`,
    );
  }
}
