import { FlightInvalidArgumentError } from '../errors.ts';
import { describeArgument } from '../model/bytes.ts';

/** What becomes the message of a call. */
interface Encodable {
  serialize(): Uint8Array;
}

/**
 * Encodes what a call is made with. Programs without types may have given anything.
 *
 * @param value - an object of the model
 * @param wanted - what it must be, and how it is made, for the error
 * @param where - the call, for the error
 * @throws FlightInvalidArgumentError when it is none
 */
export function encodeArgument(value: unknown, wanted: string, where: string): Uint8Array {
  if (isEncodable(value)) return value.serialize();
  throw new FlightInvalidArgumentError(`the call needs ${wanted}, and got ${describeArgument(value)}`, {
    where,
  });
}

/** What a call that names data needs. */
export const descriptorWanted =
  'a FlightDescriptor (FlightDescriptor.forPath("a", "b") or FlightDescriptor.forCommand("…"))';

function isEncodable(value: unknown): value is Encodable {
  return (
    typeof value === 'object' &&
    value !== null &&
    'serialize' in value &&
    typeof value.serialize === 'function'
  );
}
