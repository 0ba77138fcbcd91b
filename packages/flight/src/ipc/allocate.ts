import { FlightResourceExhaustedError } from '../errors.ts';

/**
 * Takes memory of a length that a peer stated, after it was compared with its limit.
 *
 * @param what - what it is for, for messages
 * @throws FlightResourceExhaustedError when there is not as much
 */
export function allocate(byteLength: number, what: string): Uint8Array {
  try {
    return new Uint8Array(byteLength);
  } catch (cause) {
    throw new FlightResourceExhaustedError(
      `there is no memory for ${what} of ${byteLength} bytes; let the sender send smaller batches`,
      { cause },
    );
  }
}
