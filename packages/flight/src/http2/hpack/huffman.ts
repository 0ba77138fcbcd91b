/**
 * Huffman coding of header strings (RFC 7541, section 5.2 and appendix B).
 *
 * `as number` stands where an index is within its array: below the loop's bound, or a byte in a table of 256 rows.
 */
import { huffmanCodeLengths, huffmanCodes, huffmanDecodeTables, leafFlag } from './huffman-table.ts';

/** Returned by {@link huffmanDecode} for bytes that are no Huffman string. */
export const invalidHuffman = -1;

/** The most bytes that `byteLength` Huffman bytes can stand for: the shortest code has five bits. */
export function maxHuffmanDecodedLength(byteLength: number): number {
  return Math.floor((byteLength * 8) / 5);
}

/**
 * Decodes the bytes [start, end) of `source` into `target`, which must have room for
 * {@link maxHuffmanDecodedLength} bytes.
 *
 * @returns the number of bytes written, or {@link invalidHuffman} where the bytes hold the end-of-string symbol,
 *   padding of eight bits or more, or padding that is not all ones (section 5.2)
 */
export function huffmanDecode(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let written = 0;
  // The low `count` bits of `bits` are waiting; bits above them are used already.
  let bits = 0;
  let count = 0;
  // Bits taken since the last whole symbol, to tell padding from a code that was cut off.
  let pending = 0;
  let table = 0;
  for (let i = start; i < end; i++) {
    bits = ((bits << 8) | (source[i] as number)) & 0xffff;
    count += 8;
    pending += 8;
    while (count >= 8) {
      const entry = huffmanDecodeTables[table | ((bits >>> (count - 8)) & 0xff)] as number;
      if (entry >= leafFlag) {
        target[written++] = entry & 0xff;
        count -= (entry >>> 8) & 0x7f;
        pending = count;
        table = 0;
      } else {
        if (entry === 0) return invalidHuffman;
        count -= 8;
        table = entry << 8;
      }
    }
  }
  // Fewer than eight bits are left: short symbols, then padding.
  while (count > 0) {
    const entry = huffmanDecodeTables[table | ((bits << (8 - count)) & 0xff)] as number;
    const length = (entry >>> 8) & 0x7f;
    if (entry < leafFlag || length > count) break;
    target[written++] = entry & 0xff;
    count -= length;
    pending = count;
    table = 0;
  }
  if (pending > 7) return invalidHuffman;
  const padding = (1 << count) - 1;
  return (bits & padding) === padding ? written : invalidHuffman;
}

/** The bytes that `text` (latin1) takes in Huffman code. */
export function huffmanLength(text: string): number {
  let bits = 7;
  for (let i = 0; i < text.length; i++) bits += huffmanCodeLengths[text.charCodeAt(i)] as number;
  return bits >>> 3;
}

/** Writes `text` (latin1) in Huffman code to `target` from `at`, and returns where it ends. */
export function huffmanEncode(text: string, target: Uint8Array, at: number): number {
  // At most 7 bits wait when a code comes; codes have up to 30 bits, so long ones go in two steps.
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    let code = huffmanCodes[symbol] as number;
    let length = huffmanCodeLengths[symbol] as number;
    if (length > 16) {
      length -= 16;
      bits = (bits << length) | (code >>> 16);
      count += length;
      while (count >= 8) {
        count -= 8;
        target[at++] = bits >>> count;
      }
      code &= 0xffff;
      length = 16;
    }
    bits = (bits << length) | code;
    count += length;
    while (count >= 8) {
      count -= 8;
      target[at++] = bits >>> count;
    }
  }
  // Padding is the start of the end-of-string symbol: ones.
  if (count > 0) target[at++] = (bits << (8 - count)) | (0xff >>> count);
  return at;
}
