/**
 * A message flatbuffer as FlightInfo and SchemaResult carry it: with continuation marker and length.
 *
 * ```
 * 0xFFFFFFFF int32(length, padded to 8) header padding
 * ```
 */
export function encapsulate(header: Uint8Array): Uint8Array {
  const padded = (header.length + 7) & ~7;
  const bytes = new Uint8Array(8 + padded);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xffffffff);
  view.setInt32(4, padded, true);
  bytes.set(header, 8);
  return bytes;
}
