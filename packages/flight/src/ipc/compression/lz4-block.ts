import { FlightDataError } from '../../errors.ts';

/*
 * block    := sequence*, literals of the last sequence without a match
 * sequence := token (u8: literal count << 4 | match length - 4), [count bytes], literals, u16 offset, [length bytes]
 *             a half of the token that is 15 goes on in bytes that are added, up to and with the first below 255
 *
 * The last 5 bytes are literals, and no match begins in the last 12. Matches look back at most 65,535 bytes.
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */

/** Bytes with a view for their words. */
export interface Bytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const minMatch = 4;
const lastLiterals = 5;
const matchLimit = 12;
const maxOffset = 65_535;

/** 16,384 positions: more find little more, and the table should stay in the processor's cache. */
const maxHashBits = 14;
const minHashBits = 6;
const hashFactor = -1640531535;

/** Room before an end that lets a copy write 16 bytes where fewer are due; what is too much is written over. */
const slack = 32;

/**
 * Decompresses one block. Short copies, nearly all there are, go by whole words and may write too far: that saves the
 * branches on their exact length, which the processor cannot foresee, and doubles the speed.
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
  source: Bytes,
  start: number,
  end: number,
  target: Bytes,
  at: number,
  windowStart: number,
  limit: number,
): number {
  const { bytes: input, view: inputView } = source;
  const { bytes: output, view: outputView } = target;
  const inputSafe = end - slack;
  const outputSafe = limit - slack;
  let from = start;
  let to = at;
  while (from < end) {
    // here and below, `!`: a bound was compared with before each byte is read
    const token = input[from++]!;

    let literals = token >> 4;
    if (literals < 15 && from <= inputSafe && to <= outputSafe) {
      outputView.setInt32(to, inputView.getInt32(from, true), true);
      if (literals > 4) {
        outputView.setInt32(to + 4, inputView.getInt32(from + 4, true), true);
        if (literals > 8) {
          outputView.setInt32(to + 8, inputView.getInt32(from + 8, true), true);
          outputView.setInt32(to + 12, inputView.getInt32(from + 12, true), true);
        }
      }
      from += literals;
      to += literals;
    } else {
      if (literals === 15) {
        let more: number;
        do {
          more = from < end ? input[from++]! : 0;
          literals += more;
        } while (more === 255);
      }
      if (literals > end - from || literals > limit - to)
        throw invalid('literals', literals, end - from, limit - to);
      output.set(input.subarray(from, from + literals), to);
      from += literals;
      to += literals;
      if (from >= end) return to;
      if (end - from < 2) throw new FlightDataError('an LZ4 block ends within the offset of a match');
    }

    const offset = input[from]! | (input[from + 1]! << 8);
    from += 2;
    let match = to - offset;
    if (offset === 0 || match < windowStart) {
      throw new FlightDataError(
        `an LZ4 block refers ${offset} bytes back, but ${to - windowStart} bytes are there to refer to`,
      );
    }
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        more = from < end ? input[from++]! : 0;
        length += more;
      } while (more === 255);
    }
    length += minMatch;
    const stop = to + length;
    if (length <= 128 && offset >= 4 && stop <= outputSafe) {
      do {
        outputView.setInt32(to, outputView.getInt32(match, true), true);
        outputView.setInt32(to + 4, outputView.getInt32(match + 4, true), true);
        to += 8;
        match += 8;
      } while (to < stop);
      to = stop;
    } else {
      if (length > limit - to) throw invalid('a match', length, length, limit - to);
      // What overlaps itself repeats with period `offset`: each copy doubles what there is to copy from.
      for (let period = offset; to < stop; period *= 2) {
        const count = Math.min(period, stop - to);
        output.copyWithin(to, match, match + count);
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

/** Tables by the bits of their index, used again: a new one for each buffer is a tenth of the time for one of 8 KB. */
const hashTables: (Int32Array | undefined)[] = [];

/**
 * What {@link compressBlock} remembers of positions, one table for all blocks of a frame; valid until the next call.
 *
 * @param byteLength - of all that is going to be compressed with it
 */
export function emptyHashTable(byteLength: number): Int32Array {
  const bits = Math.min(Math.max(32 - Math.clz32(byteLength), minHashBits), maxHashBits);
  const table = (hashTables[bits] ??= new Int32Array(1 << bits));
  return table.fill(-1 - maxOffset);
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
  { bytes: source, view }: Bytes,
  start: number,
  end: number,
  table: Int32Array,
  { bytes: target, view: targetView }: Bytes,
  at: number,
): number {
  let to = at;
  let anchor = start;
  let from = start;
  const lastMatch = end - matchLimit;
  // The upper bits of the product that make an index of the table.
  const shift = Math.clz32(table.length) + 1;
  const matchEnd = end - lastLiterals;

  while (from <= lastMatch) {
    // Find a match.
    let word = 0;
    let match = 0;
    let attempts = 1 << 6;
    for (;;) {
      word = view.getInt32(from, true);
      const hash = Math.imul(word, hashFactor) >>> shift;
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
    if (literals <= 16) {
      // At least 12 bytes follow in the source, and as many in the target, so that whole words may be copied.
      targetView.setInt32(to, view.getInt32(anchor, true), true);
      if (literals > 4) {
        targetView.setInt32(to + 4, view.getInt32(anchor + 4, true), true);
        if (literals > 8) {
          targetView.setInt32(to + 8, view.getInt32(anchor + 8, true), true);
          targetView.setInt32(to + 12, view.getInt32(anchor + 12, true), true);
        }
      }
    } else {
      target.set(source.subarray(anchor, from), to);
    }
    to += literals;
    targetView.setUint16(to, from - match, true);
    to += 2;
    let low = length - minMatch;
    if (low >= 15) {
      to = writeLength(target, to, low - 15);
      low = 15;
    }
    target[token] = (high << 4) | low;
    from += length;
    anchor = from;
    if (from <= lastMatch) table[Math.imul(view.getInt32(from - 2, true), hashFactor) >>> shift] = from - 2;
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
