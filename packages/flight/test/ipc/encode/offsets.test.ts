import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Data, Utf8 } from 'apache-arrow';
import { offsetAt, offsetsOf, rebaseOffsets, sliceOffsets } from '../../../src/ipc/encode/offsets.ts';

const big = (...values: readonly number[]): BigInt64Array => BigInt64Array.from(values, BigInt);

/** The offsets in bytes of the wire, as numbers. */
function numbersOf(bytes: Uint8Array, width: 4 | 8): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / width }, (_, index) =>
    width === 4 ? view.getInt32(4 * index, true) : Number(view.getBigInt64(8 * index, true)),
  );
}

describe('offsets of some rows', () => {
  it('are those of the column where they begin at 0', () => {
    for (const [offsets, width] of [
      [Int32Array.of(0, 2, 5, 5, 9), 4],
      [big(0, 2, 5, 5, 9), 8],
    ] as const) {
      const { bytes, first, last } = sliceOffsets(offsets, width, 0, 3);
      assert.equal(bytes.buffer, offsets.buffer);
      assert.deepEqual([numbersOf(bytes, width), first, last], [[0, 2, 5, 5], 0, 5]);
    }
  });

  it('begin at 0 also where the column does not', () => {
    for (const [offsets, width] of [
      [Int32Array.of(0, 2, 5, 5, 9, 12), 4],
      [big(0, 2, 5, 5, 9, 12), 8],
    ] as const) {
      for (const [start, length, want] of [
        [1, 3, [0, 3, 3, 7]],
        [1, 4, [0, 3, 3, 7, 10]],
        [4, 1, [0, 3]],
      ] as const) {
        const { bytes, first, last } = sliceOffsets(offsets, width, start, length);
        assert.deepEqual(numbersOf(bytes, width), want);
        assert.deepEqual([first, last], [Number(offsets[start]), Number(offsets[start + length])]);
      }
    }
  });

  it('are one 0 where there are no rows', () => {
    assert.deepEqual(numbersOf(sliceOffsets(Int32Array.of(0, 2), 4, 1, 0).bytes, 4), [0]);
    assert.deepEqual(numbersOf(sliceOffsets(big(0, 2), 8, 1, 0).bytes, 8), [0]);
    assert.equal(offsetAt(new Int32Array(0), 3), 0);
  });

  it('repeat the last where rows were added behind it', () => {
    assert.deepEqual(numbersOf(sliceOffsets(Int32Array.of(0, 2, 5), 4, 1, 4).bytes, 4), [0, 3, 3, 3, 3]);
    assert.deepEqual(numbersOf(sliceOffsets(big(0, 2, 5), 8, 1, 4).bytes, 8), [0, 3, 3, 3, 3]);
    assert.deepEqual(numbersOf(sliceOffsets(big(0, 2, 5), 8, 0, 4).bytes, 8), [0, 2, 5, 5, 5]);
    assert.equal(offsetAt(big(0, 2, 5), 9), 5);
  });

  it('of 64 bits keep all of them', () => {
    const values = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, 2 ** 45 + 1];
    const offsets = big(...values);
    for (let start = 0; start < values.length - 1; start++) {
      const { bytes } = sliceOffsets(offsets, 8, start, values.length - 1 - start);
      const base = values[start] ?? 0;
      assert.deepEqual(
        numbersOf(bytes, 8),
        values.slice(start).map((value) => value - base),
      );
    }
    const target = big(7, 7, 7, 7, 7, 7, 7, 7);
    rebaseOffsets(target, 1, offsets, 2, 6, 2 ** 40);
    assert.deepEqual(Array.from(target, Number), [
      7,
      ...[...values.slice(2), 2 ** 45 + 1, 2 ** 45 + 1].map((value) => value + 2 ** 40),
      7,
    ]);
  });

  it('of a builder that was filled up do not fall', () => {
    const column = (...offsets: readonly number[]): Data =>
      new Data(new Utf8(), 0, offsets.length - 1, 0, [Int32Array.from(offsets), new Uint8Array(9)]);
    const filled = offsetsOf(column(0, 2, 5, 0, 0, 0), 0, 5);
    assert.deepEqual([...filled], [0, 2, 5, 5, 5, 5]);
    assert.deepEqual([...offsetsOf(column(0, 0, 0), 0, 2)], [0, 0, 0]);
    const good = column(0, 2, 5, 5);
    assert.equal(offsetsOf(good, 1, 2), good.valueOffsets);
    // what stands behind the rows does not matter
    const behind = column(0, 2, 5, 0);
    assert.equal(offsetsOf(behind, 0, 2), behind.valueOffsets);
  });
});
