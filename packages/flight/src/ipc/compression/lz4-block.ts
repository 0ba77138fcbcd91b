import { FlightDataError } from '../../errors.ts';

/*
 * block    := sequence*, literals of the last sequence without a match
 * sequence := token (u8: literal count << 4 | match length - 4), [count bytes], literals, u16 offset, [length bytes]
 *             a half of the token that is 15 goes on in bytes that are added, up to and with the first below 255
 *
 * The last 5 bytes are literals, and no match begins in the last 12. Matches look back at most 65,535 bytes.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */

const minMatch = 4;
const lastLiterals = 5;
const matchLimit = 12;
const maxOffset = 65_535;
const hashBits = 14;

/**
 * Decompresses one block.
 *
 * @param source - the block lies at [start, end)
 * @param target - what was decompressed before, then room
 * @param at - where to write
 * @param windowStart - how far back matches may reach in `target`
 * @param limit - end of the room
 * @returns where the next block goes
 * @throws FlightDataError when the block is not valid, or gives more than there is room for
 */
export function decompressBlock(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
  windowStart: number,
  limit: number,
): number {
  let from = start;
  let to = at;
  // Every read of `source` is below `end` by the checks; those within counts are caught by the check that follows.
  while (from < end) {
    const token = source[from++]!;

    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        more = from < end ? source[from++]! : 0;
        literals += more;
      } while (more === 255);
    }
    if (literals > end - from || literals > limit - to)
      throw invalid('literals', literals, end - from, limit - to);
    if (literals <= 32) {
      for (const stop = to + literals; to < stop; ) target[to++] = source[from++]!;
    } else {
      target.set(source.subarray(from, from + literals), to);
      from += literals;
      to += literals;
    }
    if (from >= end) return to;

    if (end - from < 2) throw new FlightDataError('an LZ4 block ends within the offset of a match');
    const offset = source[from]! | (source[from + 1]! << 8);
    from += 2;
    const match = to - offset;
    if (offset === 0 || match < windowStart) {
      throw new FlightDataError(
        `an LZ4 block refers ${offset} bytes back, but ${to - windowStart} bytes are there to refer to`,
      );
    }
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        more = from < end ? source[from++]! : 0;
        length += more;
      } while (more === 255);
    }
    length += minMatch;
    if (length > limit - to) throw invalid('a match', length, length, limit - to);
    const stop = to + length;
    if (length <= 32) {
      for (let back = match; to < stop; ) target[to++] = target[back++]!;
    } else if (offset === 1) {
      target.fill(target[match]!, to, stop);
      to = stop;
    } else {
      // What overlaps itself repeats with period `offset`: each copy doubles what there is to copy from.
      for (let period = offset; to < stop; period *= 2) {
        const count = Math.min(period, stop - to);
        target.copyWithin(to, match, match + count);
        to += count;
      }
    }
  }
  return to;
}

function invalid(what: string, length: number, there: number, room: number): FlightDataError {
  return new FlightDataError(
    `an LZ4 block has ${what} of ${length} bytes where ${there} bytes follow and there is room for ${room}`,
  );
}

/** The most bytes that a block of `byteLength` takes when nothing of it can be compressed. */
export function maxBlockBytes(byteLength: number): number {
  return byteLength + Math.ceil(byteLength / 255) + 16;
}

/** What {@link compressBlock} remembers of positions; one for all blocks of a frame. */
export function createHashTable(): Int32Array {
  return new Int32Array(1 << hashBits).fill(-1 - maxOffset);
}

/**
 * Compresses [start, end) of `source` as one block, greedily: the first match found is taken, and where none are found
 * the search takes ever longer steps, so that noise passes quickly.
 *
 * @param table - positions by hash; matches in blocks compressed before with it are found as well
 * @param target - at least `maxBlockBytes(end - start)` bytes of room from `at` on
 * @returns where the block ends in `target`
 */
export function compressBlock(
  source: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  table: Int32Array,
  target: Uint8Array,
  at: number,
): number {
  let to = at;
  let anchor = start;
  let from = start;
  const lastMatch = end - matchLimit;
  const matchEnd = end - lastLiterals;

  while (from <= lastMatch) {
    // Find a match.
    let word = 0;
    let match = 0;
    let attempts = 1 << 6;
    for (;;) {
      word = view.getInt32(from, true);
      const hash = Math.imul(word, -1640531535) >>> (32 - hashBits);
      match = table[hash]!;
      table[hash] = from;
      if (from - match <= maxOffset && match >= 0 && view.getInt32(match, true) === word) break;
      from += attempts++ >> 6;
      if (from > lastMatch) return writeLast(source, anchor, end, target, to);
    }

    // Lengthen it to both sides.
    while (from > anchor && match > 0 && source[from - 1] === source[match - 1]) {
      from--;
      match--;
    }
    let length = minMatch;
    while (
      from + length + 4 <= matchEnd &&
      view.getInt32(from + length, true) === view.getInt32(match + length, true)
    ) {
      length += 4;
    }
    while (from + length < matchEnd && source[from + length] === source[match + length]) length++;

    // Write literals and match.
    const literals = from - anchor;
    const token = to++;
    let high = literals;
    if (literals >= 15) {
      high = 15;
      to = writeLength(target, to, literals - 15);
    }
    if (literals <= 32) {
      for (let i = anchor; i < from; ) target[to++] = source[i++]!;
    } else {
      target.set(source.subarray(anchor, from), to);
      to += literals;
    }
    const offset = from - match;
    target[to++] = offset & 0xff;
    target[to++] = offset >> 8;
    let low = length - minMatch;
    if (low >= 15) {
      to = writeLength(target, to, low - 15);
      low = 15;
    }
    target[token] = (high << 4) | low;
    from += length;
    anchor = from;
    if (from <= lastMatch)
      table[Math.imul(view.getInt32(from - 2, true), -1640531535) >>> (32 - hashBits)] = from - 2;
  }
  return writeLast(source, anchor, end, target, to);
}

function writeLast(source: Uint8Array, anchor: number, end: number, target: Uint8Array, at: number): number {
  const literals = end - anchor;
  let to = at;
  if (literals < 15) {
    target[to++] = literals << 4;
  } else {
    target[to++] = 15 << 4;
    to = writeLength(target, to, literals - 15);
  }
  target.set(source.subarray(anchor, end), to);
  return to + literals;
}

function writeLength(target: Uint8Array, at: number, rest: number): number {
  let to = at;
  let left = rest;
  for (; left >= 255; left -= 255) target[to++] = 255;
  target[to++] = left;
  return to;
}
