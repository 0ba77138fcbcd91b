/*
 * varint := (1xxxxxxx)* 0xxxxxxx      7 bits a byte, the lowest first; at most 10 bytes
 * Protocol Buffers, encoding: base 128 varints. Everything here is unsigned and below 2^53: lengths and tags.
 */

/** Bytes that {@link writeVarint} takes for a value, from 1 to 8. */
export function varintByteLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/**
 * Writes an unsigned integer below 2^53.
 *
 * @returns the offset behind it
 */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  // bit operations are right below 2^31 only, and lengths may be above it
  while (rest > 0x7fff_ffff) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
