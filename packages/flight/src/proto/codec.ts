/** Messages of protobuf-es to bytes and back, with errors of our own family. */

import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { FlightDataError, messageOf } from '../errors.ts';

/** What is not in our .proto files is from a later version of Flight: it is left out, as its meaning is unknown. */
const readOptions = { readUnknownFields: false };
const writeOptions = { writeUnknownFields: false };

/** The bytes of a message. */
export function encodeMessage<Desc extends DescMessage>(
  schema: Desc,
  message: MessageShape<Desc>,
): Uint8Array {
  return toBinary(schema, message, writeOptions);
}

/**
 * Reads a message. Fields of type bytes are views of `bytes`.
 *
 * @throws FlightDataError when the bytes are no such message
 */
export function decodeMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes, readOptions);
  } catch (cause) {
    throw new FlightDataError(
      `these ${bytes.byteLength} bytes are not a ${schema.name} message: ${messageOf(cause)}`,
      { cause },
    );
  }
}
