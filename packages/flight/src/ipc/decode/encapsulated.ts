import type { Schema } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import { decodeSchema } from './schema.ts';

/*
 * encapsulated message := 0xFFFFFFFF, int32 header length, header (the length counts its padding), body
 *                       | int32 header length, header, body          (before Arrow 0.15)
 */

const continuation = 0xffff_ffff;

/**
 * Reads a schema in its encapsulated form, as `FlightInfo.schema` and `SchemaResult` carry it, with or without the
 * continuation token.
 *
 * @param bytes - the encapsulated message; may be empty
 * @returns the schema; undefined when there are no bytes, which is how a FlightInfo says that it has none
 * @throws FlightDataError and FlightUnimplementedError as `decodeSchema`
 */
export function decodeSchemaEncapsulated(bytes: Uint8Array): Schema | undefined {
  const header = encapsulatedHeader(bytes);
  return header === undefined ? undefined : decodeSchema(header);
}

/** The flatbuffer of an encapsulated message, as a view; undefined when there are no bytes. */
export function encapsulatedHeader(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength === 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = bytes.byteLength >= 8 && view.getUint32(0, true) === continuation ? 8 : 4;
  if (bytes.byteLength < start) {
    throw new FlightDataError(
      `an encapsulated Arrow message takes at least 8 bytes, but there are ${bytes.byteLength}`,
    );
  }
  const length = view.getInt32(start - 4, true);
  if (length <= 0 || length > bytes.byteLength - start) {
    throw new FlightDataError(
      `an encapsulated Arrow message states a header of ${length} bytes, but ${bytes.byteLength - start} follow; is this an Arrow schema?`,
    );
  }
  return bytes.subarray(start, start + length);
}
