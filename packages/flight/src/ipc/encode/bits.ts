/*
 * Bitmaps of Arrow: bit i is bit i % 8, counted from the lowest, of byte i >> 3.
 */

/**
 * Bits [start, start + count) as bytes that begin at bit 0: a view where `start` is a multiple of 8, otherwise a
 * shifted copy. Bits after the last one may be anything in the view, and are 0 in the copy.
 */
export function sliceBits(bytes: Uint8Array, start: number, count: number): Uint8Array {
  const from = start >>> 3;
  const shift = start & 7;
  if (shift === 0) return bytes.subarray(from, from + ((count + 7) >>> 3));
  // Room up to the next multiple of 8, so that no padding has to follow.
  const length = (count + 7) >>> 3;
  const target = new Uint8Array((length + 7) & ~7);
  copyBits(target, 0, bytes, start, count);
  return target.subarray(0, length);
}

/** Copies `count` bits; those of the target must be 0 before. */
export function copyBits(
  target: Uint8Array,
  targetBit: number,
  source: Uint8Array,
  sourceBit: number,
  count: number,
): void {
  if (count === 0) return;
  const out = targetBit & 7;
  let at = targetBit >>> 3;
  let bit = sourceBit;
  let left = count;
  if (out !== 0) {
    const head = Math.min(8 - out, left);
    target[at] = (target[at] ?? 0) | (bitsAt(source, bit, head) << out);
    at += 1;
    bit += head;
    left -= head;
  }
  const shift = bit & 7;
  let from = bit >>> 3;
  if (shift === 0) {
    target.set(source.subarray(from, from + (left >>> 3)), at);
    at += left >>> 3;
    from += left >>> 3;
  } else {
    const end = at + (left >>> 3);
    let low = source[from] ?? 0;
    while (at < end) {
      from += 1;
      const high = source[from] ?? 0;
      target[at] = (low >>> shift) | (high << (8 - shift));
      low = high;
      at += 1;
    }
  }
  const tail = left & 7;
  if (tail > 0) target[at] = bitsAt(source, 8 * from + shift, tail);
}

/** Sets bits [start, start + count). */
export function setBits(target: Uint8Array, start: number, count: number): void {
  const end = start + count;
  let bit = start;
  while (bit < end && (bit & 7) !== 0) setBit(target, bit++);
  const bytes = (end - bit) >>> 3;
  if (bytes > 0) {
    target.fill(0xff, bit >>> 3, (bit >>> 3) + bytes);
    bit += 8 * bytes;
  }
  while (bit < end) setBit(target, bit++);
}

/** How many of the bits [start, start + count) are 1. */
export function countBits(bytes: Uint8Array, start: number, count: number): number {
  if (count <= 0) return 0;
  let total = 0;
  let bit = start;
  let left = count;
  const head = -bit & 7;
  if (head !== 0) {
    const bits = Math.min(head, left);
    total += ones32(bitsAt(bytes, bit, bits));
    bit += bits;
    left -= bits;
  }
  let at = bit >>> 3;
  const words = left >>> 5;
  if (words > 0) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const end = at + 4 * words; at < end; at += 4) total += ones32(view.getUint32(at, true));
    left -= 32 * words;
  }
  for (; left >= 8; left -= 8) total += ones32(bytes[at++] ?? 0);
  return left === 0 ? total : total + ones32(bitsAt(bytes, 8 * at, left));
}

/** Whether a bit is 1. */
export function bitAt(bytes: Uint8Array, bit: number): boolean {
  return ((bytes[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

/** Up to 8 bits as a number. */
function bitsAt(bytes: Uint8Array, bit: number, count: number): number {
  const at = bit >>> 3;
  const shift = bit & 7;
  const pair = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  return (pair >>> shift) & ((1 << count) - 1);
}

function setBit(target: Uint8Array, bit: number): void {
  target[bit >>> 3] = (target[bit >>> 3] ?? 0) | (1 << (bit & 7));
}

function ones32(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
