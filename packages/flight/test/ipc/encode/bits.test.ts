import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bitAt, copyBits, countBits, setBits, sliceBits } from '../../../src/ipc/encode/bits.ts';

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
/** Bytes and a range of their bits. */
const range = bytes.chain((source) =>
  fc.integer({ min: 0, max: 8 * source.length }).chain((start) =>
    fc.record({
      source: fc.constant(source),
      start: fc.constant(start),
      count: fc.integer({ min: 0, max: 8 * source.length - start }),
    }),
  ),
);

function bits(source: Uint8Array, start: number, count: number): boolean[] {
  return Array.from({ length: count }, (_, index) => bitAt(source, start + index));
}

describe('bitmaps', () => {
  it('are cut at any bit', () => {
    fc.assert(
      fc.property(range, ({ source, start, count }) => {
        const slice = sliceBits(source, start, count);
        assert.equal(slice.byteLength, Math.ceil(count / 8));
        assert.deepEqual(bits(slice, 0, count), bits(source, start, count));
      }),
    );
  });

  it('are copied from any bit to any bit, and nothing else changes', () => {
    fc.assert(
      fc.property(range, fc.integer({ min: 0, max: 30 }), ({ source, start, count }, at) => {
        const target = new Uint8Array(50);
        copyBits(target, at, source, start, count);
        assert.deepEqual(bits(target, at, count), bits(source, start, count));
        assert.equal(countBits(target, 0, 400), countBits(source, start, count));
      }),
    );
  });

  it('are counted and set', () => {
    fc.assert(
      fc.property(range, ({ source, start, count }) => {
        assert.equal(countBits(source, start, count), bits(source, start, count).filter(Boolean).length);
        const target = new Uint8Array(source.length);
        setBits(target, start, count);
        assert.ok(bits(target, start, count).every(Boolean));
        assert.equal(countBits(target, 0, 8 * target.length), count);
      }),
    );
  });
});
