import type { Data } from 'apache-arrow';
import { bytesOf, zeroOffset } from './buffers.ts';

/** Offsets of a column, 32 or 64 bits each. */
export type Offsets = Int32Array | BigInt64Array;

/** Offsets that begin at 0, and the range of the child or of the bytes that they refer to. */
export interface OffsetRange {
  readonly bytes: Uint8Array;
  readonly first: number;
  readonly last: number;
}

const noOffsets = new Int32Array(0);

/**
 * The offsets of a column, as far as rows [start, start + length) need them. Where apache-arrow filled a column up with
 * nulls, the builder's spare room follows the offsets: zeros, which are raised to the last offset here.
 */
export function offsetsOf(data: Data, start: number, length: number): Offsets {
  const offsets: Offsets = data.valueOffsets ?? noOffsets;
  const end = Math.min(start + length, offsets.length - 1);
  const last = offsets[end];
  const first = offsets[start];
  if (last === undefined || first === undefined) return offsets;
  if (last >= first && last > 0) return offsets;
  // All empty, or filled up: an offset that falls tells.
  for (let i = start; i < end; i++) {
    if ((offsets[i + 1] ?? 0) < (offsets[i] ?? 0)) return raised(offsets, start);
  }
  return offsets;
}

function raised(offsets: Offsets, start: number): Offsets {
  const copy = offsets.slice();
  for (let i = start + 1; i < copy.length; i++) {
    const before = copy[i - 1] ?? 0;
    if ((copy[i] ?? 0) < before) copy[i] = before;
  }
  return copy;
}

/** The offset at an index, as a number. One that is not there repeats the last: rows that were added are empty. */
export function offsetAt(offsets: Offsets, index: number): number {
  if (offsets.length === 0) return 0;
  return Number(offsets[Math.min(index, offsets.length - 1)]);
}

/**
 * Offsets of the rows [start, start + length), as they are when the first is 0, otherwise copied with the first
 * taken off.
 */
export function sliceOffsets(offsets: Offsets, width: 4 | 8, start: number, length: number): OffsetRange {
  if (length === 0) return { bytes: zeroOffset[width], first: 0, last: 0 };
  const first = offsetAt(offsets, start);
  const last = offsetAt(offsets, start + length);
  if (first === 0 && offsets.length > start + length) {
    return { bytes: bytesOf(offsets, start * width, (length + 1) * width), first, last };
  }
  // One more element when their number is odd, so that no padding has to follow.
  const target = width === 8 ? new BigInt64Array(length + 1) : new Int32Array((length + 2) & ~1);
  rebaseOffsets(target, 0, offsets, start, length + 1, -first);
  return { bytes: bytesOf(target, 0, (length + 1) * width), first, last };
}

/** Copies `count` offsets with `change` added to each; those that are not there repeat the last. */
export function rebaseOffsets(
  target: Offsets,
  at: number,
  offsets: Offsets,
  start: number,
  count: number,
  change: number,
): void {
  const present = Math.max(0, Math.min(count, offsets.length - start));
  if (target instanceof Int32Array) {
    for (let i = 0; i < present; i++) target[at + i] = Number(offsets[start + i]) + change;
    target.fill(offsetAt(offsets, start + count) + change, at + present, at + count);
    return;
  }
  // 64 bits as two words: bigints would be made and thrown away for every row.
  const words = new Int32Array(target.buffer, target.byteOffset + 8 * at, 2 * count);
  const source = new Uint32Array(offsets.buffer, offsets.byteOffset + 8 * start, 2 * present);
  for (let i = 0; i < 2 * present; i += 2) {
    const value = (source[i + 1] ?? 0) * 0x1_0000_0000 + (source[i] ?? 0) + change;
    words[i] = value;
    words[i + 1] = value / 0x1_0000_0000;
  }
  const rest = offsetAt(offsets, start + count) + change;
  for (let i = 2 * present; i < 2 * count; i += 2) {
    words[i] = rest;
    words[i + 1] = rest / 0x1_0000_0000;
  }
}
