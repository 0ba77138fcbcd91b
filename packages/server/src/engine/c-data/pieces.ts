import { FlightDataError } from '@peregrine/flight/errors';
import type { ColumnLayout } from './layout.ts';
import { copy, addressOf, peek, peeked, peekedLong, windowBytes } from './native.ts';
import type { CArray } from './structs.ts';

/** Some rows of an array, with what has been found out about them. */
export interface Piece {
  readonly array: CArray;
  /** The first value, the array's own offset counted in. */
  readonly start: number;
  readonly count: number;
  readonly nullCount: number;
  /** Of columns with bytes or lists: the first byte or child value. */
  readonly dataStart: number;
  /** Of columns with bytes or views: how many bytes of data. */
  readonly dataBytes: number;
  readonly children: readonly Piece[];
  /** About what it takes in a body, with children. */
  readonly bytes: number;
}

/** Measures values of an array: where its data lies and how much that is. */
export function measure(column: ColumnLayout, array: CArray, first: number, count: number): Piece {
  const { shape } = column;
  const start = first + array.offset;
  const nullCount = shape.kind === 'null' ? count : countNulls(array, shape.kind, start, count);
  let bytes = nullCount > 0 ? count / 8 : 0;
  let dataStart = 0;
  let dataBytes = 0;
  let children = noPieces;
  switch (shape.kind) {
    case 'null':
      break;
    case 'bits':
      bytes += count / 8;
      break;
    case 'fixed':
      bytes += shape.width * count;
      break;
    case 'bytes': {
      const wide = shape.wide ? 8 : 4;
      dataStart = readOffset(array.buffers[1] ?? 0, start, wide, count);
      dataBytes = readOffset(array.buffers[1] ?? 0, start + count, wide, count) - dataStart;
      bytes += wide * (count + 1) + dataBytes;
      break;
    }
    case 'views':
      for (const length of viewBufferLengths(array)) dataBytes += length;
      bytes += 16 * count + dataBytes;
      break;
    case 'list': {
      const wide = shape.wide ? 8 : 4;
      dataStart = readOffset(array.buffers[1] ?? 0, start, wide, count);
      const end = readOffset(array.buffers[1] ?? 0, start + count, wide, count);
      children = [measure(childColumn(column, 0), childArray(column, array, 0), dataStart, end - dataStart)];
      bytes += wide * (count + 1);
      break;
    }
    case 'list-view':
      // The ranges of list views come in any order and overlap: their child is taken whole.
      children = column.children.map((child, i) => measureWhole(child, childArray(column, array, i)));
      bytes += (shape.wide ? 16 : 8) * count;
      break;
    case 'fixed-list':
      dataStart = start * shape.size;
      children = [
        measure(childColumn(column, 0), childArray(column, array, 0), dataStart, count * shape.size),
      ];
      break;
    case 'struct':
      children = column.children.map((child, i) =>
        measure(child, childArray(column, array, i), start, count),
      );
      break;
    case 'union':
      children = column.children.map((child, i) =>
        shape.dense
          ? measureWhole(child, childArray(column, array, i))
          : measure(child, childArray(column, array, i), start, count),
      );
      bytes += (shape.dense ? 5 : 1) * count;
      break;
  }
  for (const child of children) bytes += child.bytes;
  return { array, start, count, nullCount, dataStart, dataBytes, children, bytes };
}

const noPieces: readonly Piece[] = [];

function measureWhole(column: ColumnLayout, array: CArray): Piece {
  return measure(column, array, 0, array.length);
}

function childColumn(column: ColumnLayout, index: number): ColumnLayout {
  const child = column.children[index];
  if (child === undefined) throw new FlightDataError(`column "${column.name}" has no child ${index}`);
  return child;
}

function childArray(column: ColumnLayout, array: CArray, index: number): CArray {
  const child = array.children[index];
  if (child === undefined)
    throw new FlightDataError(`the array of column "${column.name}" has no child ${index}`);
  return child;
}

/** An offset; arrays without values may have no offsets at all. */
function readOffset(buffer: number, index: number, width: 4 | 8, count: number): number {
  if (buffer === 0 || count === 0) return 0;
  peek(buffer + width * index, width);
  return width === 8 ? peekedLong(0) : (peeked.i32[0] ?? 0);
}

/** Lengths of the data buffers of a view array: its last buffer holds them. */
export function viewBufferLengths(array: CArray): number[] {
  const count = array.buffers.length - 3;
  const lengths: number[] = [];
  const place = array.buffers[count + 2] ?? 0;
  if (place === 0) return lengths;
  for (let i = 0; i < count; i++) {
    peek(place + 8 * i, 8);
    lengths.push(peekedLong(0));
  }
  return lengths;
}

function countNulls(array: CArray, kind: string, start: number, count: number): number {
  const validity = array.buffers[0] ?? 0;
  if (kind === 'union' || validity === 0 || array.nullCount === 0) return 0;
  if (array.nullCount > 0 && count === array.length) return array.nullCount;
  let set = 0;
  for (let done = 0; done < count; ) {
    const from = start + done;
    const part = Math.min(count - done, (windowBytes - 1) * 8 - 7);
    const skip = from % 8;
    peek(validity + Math.floor(from / 8), Math.ceil((skip + part) / 8));
    set += countBits(peeked.u8, skip, part);
    done += part;
  }
  return count - set;
}

const bitsOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let set = 0;
  for (let rest = byte; rest > 0; rest >>= 1) set += rest & 1;
  return set;
});

/** Bits that are set among `count` from bit `start` on. */
export function countBits(bytes: Uint8Array, start: number, count: number): number {
  let set = 0;
  let at = start;
  const end = start + count;
  for (; at < end && at % 8 !== 0; at++) set += ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1;
  for (; at + 8 <= end; at += 8) set += bitsOf[bytes[at >> 3] ?? 0] ?? 0;
  for (; at < end; at++) set += ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1;
  return set;
}

/**
 * Copies bits from an address to a bit position of a block, whose bits there are 0.
 *
 * @param scratch - a memory of this thread for the source's bytes, of at least `count / 8 + 2` bytes
 */
export function copyBits(
  source: number,
  start: number,
  count: number,
  target: Uint8Array,
  targetStart: number,
  targetBit: number,
  scratch: Uint8Array,
): void {
  const skip = start % 8;
  const sourceBytes = Math.ceil((skip + count) / 8);
  copy(addressOf(scratch), source + Math.floor(start / 8), sourceBytes);
  const shift = targetBit % 8;
  let at = targetStart + Math.floor(targetBit / 8);
  // Whole bytes of the source from its bit `skip` on, put at bit `shift` of the target.
  for (let done = 0; done < count; done += 8) {
    const index = (skip + done) >> 3;
    const left = Math.min(8, count - done);
    const pair = (scratch[index] ?? 0) | ((index + 1 < sourceBytes ? (scratch[index + 1] ?? 0) : 0) << 8);
    const bits = ((pair >> (skip & 7)) & (0xff >> (8 - left))) << shift;
    target[at] = (target[at] ?? 0) | (bits & 0xff);
    if (bits > 0xff) target[at + 1] = (target[at + 1] ?? 0) | (bits >> 8);
    at++;
  }
}

/** Sets bits of a block. */
export function setBits(target: Uint8Array, targetStart: number, targetBit: number, count: number): void {
  let at = targetBit;
  const end = targetBit + count;
  for (; at < end && at % 8 !== 0; at++) set(at);
  if (end - at >= 8) {
    const bytes = Math.floor((end - at) / 8);
    target.fill(0xff, targetStart + at / 8, targetStart + at / 8 + bytes);
    at += 8 * bytes;
  }
  for (; at < end; at++) set(at);

  function set(bit: number): void {
    const index = targetStart + (bit >> 3);
    target[index] = (target[index] ?? 0) | (1 << (bit & 7));
  }
}
