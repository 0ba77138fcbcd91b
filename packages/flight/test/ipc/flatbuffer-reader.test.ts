import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDataError } from '../../src/errors.ts';
import { FlatbufferReader } from '../../src/ipc/flatbuffer/reader.ts';

/** Sixteen bytes of 0xEE around those of a test: a read outside gives a number that is none of its own. */
function within(bytes: readonly number[]): Uint8Array {
  const memory = new Uint8Array(bytes.length + 16).fill(0xee);
  memory.set(bytes, 8);
  return memory.subarray(8, 8 + bytes.length);
}

const outside = (error: unknown): boolean =>
  error instanceof FlightDataError &&
  /^\[INVALID_DATA\] a header of a test: .* lie outside the \d+ bytes/.test(error.message);

describe('a number of a flatbuffer', () => {
  const reader = new FlatbufferReader(
    within([0x01, 0x80, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88]),
    'a header of a test',
  );
  const cases: readonly (readonly [
    name: string,
    width: number,
    read: (at: number) => number,
    first: number,
    last: number,
  ])[] = [
    ['u8', 1, (at) => reader.u8(at), 0x01, 0x88],
    ['i16', 2, (at) => reader.i16(at), 0x8001 - 0x1_0000, 0x8807 - 0x1_0000],
    ['u16', 2, (at) => reader.u16(at), 0x8001, 0x8807],
    ['i32', 4, (at) => reader.i32(at), 0x0403_8001, 0x8807_0605 - 0x1_0000_0000],
    ['u32', 4, (at) => reader.u32(at), 0x0403_8001, 0x8807_0605],
    // rounded, as no number holds it; its sign and size are what counts
    ['i64', 8, (at) => reader.i64(at), Number(-0x77f8_f9fa_fbfc_7fffn), Number(-0x77f8_f9fa_fbfc_7fffn)],
  ];
  for (const [name, width, read, first, last] of cases) {
    it(`is read up to the last byte and not beyond: ${name}`, () => {
      assert.equal(read(0), first);
      assert.equal(read(8 - width), last);
      for (const at of [9 - width, 8, 9, 2 ** 31, 2 ** 40, -1, -8]) assert.throws(() => read(at), outside);
    });
  }

  it('is exact up to 2^53 in 64 bits, below zero as well', () => {
    for (const value of [0n, 1n, -1n, 2n ** 32n, -(2n ** 32n), 2n ** 53n - 1n, -(2n ** 53n) + 1n]) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(value);
      const one = new FlatbufferReader(bytes, 'a header of a test');
      assert.equal(one.i64(0), Number(value));
      assert.deepEqual(one.i64s(0, 1), [Number(value)]);
    }
  });
});

describe('a vector of a flatbuffer', () => {
  /** Four bytes of count, then `bytes` bytes. */
  const vector = (count: number, bytes: number): FlatbufferReader => {
    const memory = Buffer.alloc(8 + bytes);
    memory.writeUInt32LE(count, 4);
    return new FlatbufferReader(memory, 'a header of a test');
  };

  it('may end with the bytes, and not behind them', () => {
    for (const width of [1, 4, 8, 16, 24]) {
      assert.equal(vector(3, 3 * width).count(4, width), 3);
      assert.throws(() => vector(3, 3 * width - 1).count(4, width), {
        code: 'INVALID_DATA',
        message: new RegExp(
          `^\\[INVALID_DATA\\] a header of a test: a vector of 3 elements of ${width} bytes at byte 4 ends after`,
        ),
      });
    }
    assert.throws(() => vector(0xffff_ffff, 64).count(4, 24), FlightDataError);
  });

  it('that is absent has no elements, one that lies at the end without its count is refused', () => {
    assert.equal(vector(3, 0).count(0, 8), 0);
    assert.equal(vector(0, 0).count(4, 8), 0);
    assert.throws(() => vector(0, 0).count(5, 8), outside);
  });
});

describe('a field of a flatbuffer table', () => {
  /** A table at byte 8 whose vtable of `vtableBytes` bytes lies behind it, at byte 16; the field is at byte 12. */
  const table = (vtableBytes: number): FlatbufferReader => {
    const memory = Buffer.alloc(24);
    memory.writeInt32LE(8 - 16, 8);
    memory.writeInt32LE(77, 12);
    memory.writeUInt16LE(vtableBytes, 16);
    memory.writeUInt16LE(8, 18);
    memory.writeUInt16LE(4, 20);
    return new FlatbufferReader(memory, 'a header of a test');
  };

  it('is there when its entry lies within the vtable, in full', () => {
    assert.equal(table(6).i32Field(8, 0, -1), 77);
    for (const bytes of [0, 4, 5]) assert.equal(table(bytes).i32Field(8, 0, -1), -1);
    assert.equal(table(8).i32Field(8, 1, -1), -1, 'an entry of 0');
    assert.throws(() => table(10).i32Field(8, 2, -1), outside);
  });
});
