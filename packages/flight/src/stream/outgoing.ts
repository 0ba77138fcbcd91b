import { varintByteLength, writeVarint } from '../bytes/varint.ts';
import type { OutgoingMessage } from './types.ts';

/*
 * FlightData := { 0x0A, varint length, FlightDescriptor }  { 0x12, varint length, IPC message header }
 *               { 0x1A, varint length, app_metadata }      { 0xC2 0x3E, varint length, IPC body }
 */

const utf8 = new TextEncoder();

/** The parts of a FlightData to be sent; what is absent or empty takes no bytes. */
export interface FlightDataParts {
  readonly descriptor?: Uint8Array | undefined;
  readonly header?: Uint8Array | undefined;
  readonly appMetadata?: Uint8Array | undefined;
  readonly bodyPieces?: readonly Uint8Array[] | undefined;
  /** Bytes of all body pieces. */
  readonly bodyLength?: number | undefined;
  /** Called when the memory of the pieces may be used again. */
  readonly onFlushed?: (() => void) | undefined;
}

/** Makes a message of its parts: one small piece with everything before the body, then the body's pieces. */
export function outgoingFlightData(parts: FlightDataParts): OutgoingMessage {
  const bodyLength = parts.bodyLength ?? 0;
  const fields = [parts.descriptor, parts.header, parts.appMetadata];
  let headLength = bodyLength === 0 ? 0 : 2 + varintByteLength(bodyLength);
  for (const field of fields) {
    const length = field?.byteLength ?? 0;
    if (length > 0) headLength += 1 + varintByteLength(length) + length;
  }
  const head = new Uint8Array(headLength);
  let at = 0;
  fields.forEach((field, index) => {
    if (field === undefined || field.byteLength === 0) return;
    head[at] = ((index + 1) << 3) | 2;
    at = writeVarint(head, at + 1, field.byteLength);
    head.set(field, at);
    at += field.byteLength;
  });
  if (bodyLength > 0) {
    head[at] = 0xc2;
    head[at + 1] = 0x3e;
    writeVarint(head, at + 2, bodyLength);
  }
  const pieces = bodyLength === 0 ? [head] : [head, ...(parts.bodyPieces ?? [])];
  return { pieces, byteLength: headLength + bodyLength, onFlushed: parts.onFlushed };
}

/** Application metadata as bytes; a text is sent as UTF-8. */
export function metadataBytes(appMetadata: Uint8Array | string): Uint8Array {
  return typeof appMetadata === 'string' ? utf8.encode(appMetadata) : appMetadata;
}
