// LZ4 frames put together here by hand, each with one thing that is not right, beside the same without.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDataError } from '../../../src/errors.ts';
import { decompressLz4Frame } from '../../../src/ipc/compression/lz4-frame.ts';
import { xxhash32 } from '../../../src/ipc/compression/xxhash32.ts';

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const magic = word(0x184d2204);
const version1 = 0b0100_0000;
const independent = 0b10_0000;
const blockChecksums = 0b1_0000;
const contentChecksum = 0b100;
const upTo64K = 4 << 4;

/** A frame of blocks that are given with their sizes. */
function frame(flags: number, blocks: readonly Uint8Array[], descriptor: number = upTo64K): Buffer {
  const head = Buffer.of(flags, descriptor);
  const check = Buffer.of((xxhash32(head) >> 8) & 0xff);
  return Buffer.concat([magic, head, check, ...blocks, word(0)]);
}

const compressed = (block: Uint8Array): Buffer => Buffer.concat([word(block.byteLength), block]);
const stored = (bytes: Uint8Array): Buffer => Buffer.concat([word(0x8000_0000 + bytes.byteLength), bytes]);

/** Literals alone. */
const letters = compressed(Buffer.concat([Buffer.of(0x80), Buffer.from('abcdefgh')]));
/** Four bytes from 8 back, then five literals. */
const fromBefore = compressed(Buffer.concat([Buffer.of(0, 8, 0, 0x50), Buffer.from('vwxyz')]));

/** One literal, repeated until there are so many bytes, in one block. */
function repeated(byteLength: number): Buffer {
  const length = byteLength - 1 - 5 - 4 - 15;
  const more = Buffer.concat([Buffer.alloc(Math.floor(length / 255), 255), Buffer.of(length % 255)]);
  return Buffer.concat([Buffer.of(0x1f, 0x61, 1, 0), more, Buffer.of(0x50), Buffer.alloc(5, 0x61)]);
}

function reads(bytes: Uint8Array, expected: string): void {
  const read = decompressLz4Frame(new Uint8Array(bytes), expected.length);
  assert.equal(Buffer.from(read).toString('latin1'), expected);
}

function refuses(bytes: Uint8Array, byteLength: number, message: RegExp): void {
  assert.throws(
    () => decompressLz4Frame(new Uint8Array(bytes), byteLength),
    (error) => error instanceof FlightDataError && message.test(error.message),
    message.source,
  );
}

describe('an LZ4 frame', () => {
  it('is of version 1', () => {
    reads(frame(version1, [letters]), 'abcdefgh');
    for (const version of [0, 2, 3]) refuses(frame(version << 6, [letters]), 8, /has version [023]/);
  });

  it('wants no dictionary', () => {
    refuses(frame(version1 | 1, [letters]), 8, /wants a dictionary/);
  });

  it('has the checksum of its header', () => {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = frame(version1, [letters]);
      bytes[6] = (bytes[6] ?? 0) ^ (1 << bit);
      refuses(bytes, 8, /header of an LZ4 frame does not match its checksum/);
    }
  });

  it('is not cut off anywhere, and nothing else stands behind it', () => {
    for (const flags of [version1, version1 | blockChecksums | contentChecksum]) {
      const content = Buffer.from('abcdefgh');
      const block = Buffer.concat([Buffer.of(0x80), content]);
      const withSum = flags === version1 ? [letters] : [letters, word(xxhash32(block))];
      const sum = flags === version1 ? Buffer.alloc(0) : word(xxhash32(content));
      const whole = Buffer.concat([frame(flags, withSum), sum]);
      reads(whole, 'abcdefgh');
      for (let end = 1; end < whole.byteLength; end++) refuses(whole.subarray(0, end), 8, /cut short|stated/);
      refuses(Buffer.concat([whole, Buffer.of(0)]), 8, /cut short/);
      refuses(Buffer.concat([whole, word(7)]), 8, /starts with 0x7/);
    }
  });

  it('may have frames beside it that are passed over', () => {
    const passed = Buffer.concat([word(0x184d2a5f), word(3), Buffer.from('xyz')]);
    reads(Buffer.concat([passed, frame(version1, [letters]), passed]), 'abcdefgh');
    refuses(Buffer.concat([frame(version1, [letters]), passed.subarray(0, 10)]), 8, /cut short/);
    refuses(Buffer.concat([word(0x184d2a60), passed]), 8, /starts with 0x184d2a60/);
  });

  it('has checksums of blocks where it says so', () => {
    const block = Buffer.concat([Buffer.of(0x80), Buffer.from('abcdefgh')]);
    const wrong = word(xxhash32(block) ^ 1);
    refuses(frame(version1 | blockChecksums, [letters, wrong]), 8, /block of an LZ4 frame does not match/);
  });
});

describe('a block of an LZ4 frame', () => {
  it('refers to those before, unless blocks are independent', () => {
    reads(frame(version1, [letters, fromBefore]), 'abcdefghabcdvwxyz');
    refuses(frame(version1 | independent, [letters, fromBefore]), 17, /refers 8 bytes back, but 0 bytes/);
    reads(frame(version1 | independent, [letters, letters]), 'abcdefghabcdefgh');
  });

  it('does not refer to the frame before', () => {
    const two = Buffer.concat([frame(version1, [letters]), frame(version1, [fromBefore])]);
    refuses(two, 17, /refers 8 bytes back, but 0 bytes/);
  });

  it('does not refer to itself or before the beginning', () => {
    for (const offset of [0, 9]) {
      const block = Buffer.concat([Buffer.of(0x80), Buffer.from('abcdefgh'), Buffer.of(offset, 0)]);
      refuses(frame(version1, [compressed(block)]), 100, new RegExp(`refers ${offset} bytes back`));
    }
  });

  it('is no larger than the frame says, compressed or not', () => {
    const most = 65_536;
    reads(frame(version1, [compressed(repeated(most))]), 'a'.repeat(most));
    refuses(frame(version1, [compressed(repeated(most + 1))]), most + 1, /room for/);
    reads(frame(version1, [compressed(repeated(most + 1))], 5 << 4), 'a'.repeat(most + 1));
    const bytes = Buffer.alloc(most + 1, 'b');
    reads(frame(version1, [stored(bytes.subarray(1))]), 'b'.repeat(most));
    refuses(frame(version1, [stored(bytes)]), most + 1, /a block of 65537 bytes .* at most 65536/);
  });

  it('gives no more than was stated, compressed or not', () => {
    for (const block of [letters, stored(Buffer.from('abcdefgh'))]) {
      reads(frame(version1, [block]), 'abcdefgh');
      refuses(frame(version1, [block]), 7, /room for 7|8 and more bytes/);
      refuses(frame(version1, [block]), 9, /gives 8 bytes, but 9 are stated/);
    }
    refuses(frame(version1, [letters, fromBefore]), 11, /room for 3/);
  });

  it('ends where it says', () => {
    const cutLiterals = compressed(Buffer.concat([Buffer.of(0x90), Buffer.from('abcdefgh')]));
    refuses(frame(version1, [cutLiterals]), 9, /literals of 9 bytes where 8 bytes follow/);
    const cutOffset = compressed(Buffer.concat([Buffer.of(0x80), Buffer.from('abcdefgh'), Buffer.of(1)]));
    refuses(frame(version1, [cutOffset]), 20, /ends within the offset/);
  });
});
