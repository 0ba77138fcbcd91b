import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { varintByteLength, writeVarint } from '../../src/bytes/varint.ts';

/** As the encoding is defined, with big integers: independent of the code under test. */
function reference(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

describe('a varint', () => {
  it('is written as the format says, around every border of its lengths and of 32 bits', () => {
    const borders = [0, 1, 300, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];
    for (let bits = 7; bits <= 49; bits += 7) borders.push(2 ** bits);
    for (const value of borders.flatMap((border) => [border - 1, border, border + 1])) {
      if (value < 0 || value > Number.MAX_SAFE_INTEGER) continue;
      const target = new Uint8Array(12);
      const end = writeVarint(target, 2, value);
      assert.deepEqual([...target.subarray(2, end)], reference(value), `${value}`);
      assert.equal(varintByteLength(value), end - 2, `${value}`);
      assert.ok(target.subarray(end).every((byte) => byte === 0));
    }
  });
});
