import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FlightDataError } from '../../../src/errors.ts';
import { compressLz4Frame, decompressLz4Frame } from '../../../src/ipc/compression/lz4-frame.ts';
import { xxhash32 } from '../../../src/ipc/compression/xxhash32.ts';

interface Fixture {
  readonly contents: Readonly<Record<string, string>>;
  readonly frames: readonly { readonly content: string; readonly frame: string }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/lz4-frames.json', import.meta.url), 'utf8'),
);
const contents: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  byte: Buffer.from('x'),
  text: Buffer.from(fixture.contents['text'] ?? ''),
  noise: Buffer.from(fixture.contents['noise'] ?? '', 'hex'),
  runs: Buffer.concat([Buffer.alloc(9000, 'a'), Buffer.alloc(8000, 'bc'), Buffer.alloc(300_000)]),
};

/** Bytes as columns have them: runs, repeats, ramps and noise. */
const columnBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(400)).map(([byte, count]) => new Uint8Array(count).fill(byte)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(60))
        .map(([piece, count]) =>
          Uint8Array.from({ length: count * piece.length }, (_, i) => piece[i % piece.length] ?? 0),
        ),
      fc
        .tuple(fc.nat(1000), fc.nat(200))
        .map(
          ([start, count]) => new Uint8Array(Int32Array.from({ length: count }, (_, i) => start + i).buffer),
        ),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => new Uint8Array(Buffer.concat(pieces)));

describe('LZ4 frames', () => {
  it('of the reference library are read, with every option', () => {
    assert.ok(fixture.frames.length > 70);
    for (const { content, frame } of fixture.frames) {
      const want = contents[content] ?? Buffer.alloc(0);
      const read = decompressLz4Frame(Buffer.from(frame, 'hex'), want.byteLength);
      assert.ok(want.equals(read), content);
    }
  });

  it('are read from any place in memory', () => {
    const frame = Buffer.from(fixture.frames.find(({ content }) => content === 'text')?.frame ?? '', 'hex');
    for (let shift = 0; shift < 8; shift++) {
      const moved = new Uint8Array(frame.byteLength + 16);
      moved.set(frame, shift);
      const read = decompressLz4Frame(
        moved.subarray(shift, shift + frame.byteLength),
        contents['text']!.byteLength,
      );
      assert.ok(contents['text']!.equals(read));
    }
  });

  it('that we write give back what went in', () => {
    fc.assert(
      fc.property(columnBytes, (bytes) => {
        assert.deepEqual(decompressLz4Frame(compressLz4Frame(bytes), bytes.byteLength), bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('that we write give back what went in around the borders of blocks', () => {
    const block = 256 * 1024;
    for (const byteLength of [
      0,
      1,
      4,
      11,
      12,
      13,
      16,
      17,
      64,
      65,
      block - 1,
      block,
      block + 1,
      block + 13,
      3 * block,
    ]) {
      for (const make of [
        (i: number): number => i >> 9,
        (i: number): number => Math.imul(i, 2654435761) >>> 24,
        (): number => 0,
      ]) {
        const bytes = Uint8Array.from({ length: byteLength }, (_, i) => make(i));
        const frame = compressLz4Frame(bytes);
        assert.ok(frame.byteLength <= byteLength + 19 + 4 * Math.ceil(byteLength / block), `${byteLength}`);
        assert.ok(Buffer.from(bytes).equals(decompressLz4Frame(frame, byteLength)), `${byteLength}`);
      }
    }
  });

  it('that are damaged give a data error or other bytes, never anything else', () => {
    const frames = fixture.frames
      .filter(({ frame }) => frame.length < 8000)
      .map(({ frame }) => Buffer.from(frame, 'hex'));
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(20_000),
        fc.nat(),
        (frame, flips, byteLength, cut) => {
          const damaged = new Uint8Array(frame);
          for (const [at, byte] of flips) damaged[at % damaged.byteLength] = byte;
          const input = cut % 3 === 0 ? damaged.subarray(0, cut % damaged.byteLength) : damaged;
          try {
            assert.equal(decompressLz4Frame(input, byteLength).byteLength, byteLength);
          } catch (error) {
            if (!(error instanceof FlightDataError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('whose content is not as long as stated are refused, before memory is taken where that shows', () => {
    const frame = compressLz4Frame(Buffer.alloc(1000, 'ab'));
    for (const byteLength of [0, 1, 999, 1001, 2 ** 40]) {
      assert.throws(() => decompressLz4Frame(frame, byteLength), FlightDataError);
    }
    assert.throws(
      () => decompressLz4Frame(frame, 2 ** 40),
      /at most \d+ bytes, but 1099511627776 are stated/,
    );
  });

  it('with a wrong checksum are refused', () => {
    for (const { content, frame } of fixture.frames) {
      const bytes = Buffer.from(frame, 'hex');
      // FLG bit 2: a checksum of the content follows the end mark.
      if ((bytes[4]! & 4) === 0 || bytes.subarray(0, 4).toString('hex') !== '04224d18') continue;
      bytes[bytes.byteLength - 1]! ^= 1;
      assert.throws(() => decompressLz4Frame(bytes, contents[content]!.byteLength), /checksum/);
    }
  });
});

describe('XXH32', () => {
  it('has the values of its specification', () => {
    const cases: readonly (readonly [string, number])[] = [
      ['', 0x02cc5d05],
      ['a', 0x550d7456],
      ['abc', 0x32d153ff],
      ['Nobody inspects the spammish repetition', 0xe2293b2f],
    ];
    for (const [text, hash] of cases) assert.equal(xxhash32(Buffer.from(text)), hash, text);
  });
});
