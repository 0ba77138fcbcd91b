/**
 * Messages of Flight SQL in `google.protobuf.Any`, as commands, tickets, and bodies and results of actions are:
 *
 *     Any { 1: type_url "type.googleapis.com/arrow.flight.protocol.sql." + message name, 2: value }
 *
 * The name is what follows the last slash; what is before it is not looked at, as in protobuf itself.
 */

import { create, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { FlightInvalidArgumentError } from '../errors.ts';
import { decodeMessage, encodeMessage } from '../proto/codec.ts';

const packageName = 'arrow.flight.protocol.sql.';
const urlStart = 'type.googleapis.com/';

/** Tags of the two fields of Any: whatever begins with another byte is none. */
const anyTags: ReadonlySet<number | undefined> = new Set([0x0a, 0x12]);

/** A message of Flight SQL that is packed in an Any. */
export interface PackedMessage {
  /** Name of the message, without its package. */
  readonly name: string;
  /** The message's own bytes. */
  readonly value: Uint8Array;
}

/** The bytes of the Any that a message is packed in. */
export function packMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Uint8Array {
  return encodeMessage(
    AnySchema,
    create(AnySchema, {
      typeUrl: `${urlStart}${schema.typeName}`,
      value: encodeMessage(schema, message),
    }),
  );
}

/** What is packed in these bytes; undefined when they are no Any with a message of Flight SQL. */
export function unpackMessage(bytes: Uint8Array): PackedMessage | undefined {
  if (!anyTags.has(bytes[0])) return undefined;
  const any = tryDecodeAny(bytes);
  if (any === undefined) return undefined;
  const fullName = any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1);
  if (!fullName.startsWith(packageName)) return undefined;
  return { name: fullName.slice(packageName.length), value: any.value };
}

/** Bytes that are no Any may be anything that client and server agree on, so that is no error. */
function tryDecodeAny(bytes: Uint8Array): Any | undefined {
  try {
    return decodeMessage(AnySchema, bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads the message of an Any as one of a known type.
 *
 * @param what - what the bytes are, for the error
 * @throws FlightInvalidArgumentError when they are something else
 */
export function unpackAs<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  what: string,
): MessageShape<Desc> {
  const packed = unpackMessage(bytes);
  if (packed === undefined) {
    throw new FlightInvalidArgumentError(
      `${what} is not a Flight SQL message: ${bytes.byteLength} bytes where a google.protobuf.Any with ${schema.typeName} is needed`,
    );
  }
  if (packed.name !== schema.name) {
    throw new FlightInvalidArgumentError(`${what} is a ${packed.name}, but it should be a ${schema.name}`);
  }
  return decodePacked(schema, packed);
}

/**
 * Reads the value of a packed message.
 *
 * @throws FlightInvalidArgumentError when it is malformed
 */
export function decodePacked<Desc extends DescMessage>(
  schema: Desc,
  { value }: PackedMessage,
): MessageShape<Desc> {
  try {
    return decodeMessage(schema, value);
  } catch (cause) {
    throw new FlightInvalidArgumentError(`the ${schema.name} is malformed`, { cause });
  }
}
