import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { FlightDataError } from '../../../src/errors.ts';
import { compressZstd, decompressZstd } from '../../../src/ipc/compression/zstd.ts';
import { loadWasmZstd } from '../../../src/ipc/compression/zstd-wasm.ts';

const text = 'hello, hello, hello, hello';

describe('Zstandard', () => {
  it('gives back what went in', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(50), (piece, times) => {
        const bytes = new Uint8Array(Buffer.concat(Array.from({ length: times }, () => piece)));
        const read = decompressZstd(compressZstd(bytes), bytes.byteLength);
        assert.ok(Buffer.from(bytes).equals(read));
      }),
      { numRuns: 50 },
    );
  });

  it('of WebAssembly, for Node 20, and of Node understand each other', () => {
    const wasm = loadWasmZstd();
    for (const byteLength of [0, 1, 100, 5000, 300_000]) {
      const bytes = Uint8Array.from({ length: byteLength }, (_, i) => (i >> 4) * 31);
      const frame = wasm.compress(bytes, 1);
      assert.ok(Buffer.from(bytes).equals(decompressZstd(frame, byteLength)));
      assert.ok(Buffer.from(bytes).equals(wasm.decompress(compressZstd(bytes), byteLength)));
      if (typeof zlib.zstdDecompressSync === 'function') {
        assert.ok(Buffer.from(bytes).equals(zlib.zstdDecompressSync(frame)));
      }
    }
    assert.throws(() => wasm.decompress(Buffer.from('not zstd at all'), 100), FlightDataError);
    assert.throws(() => wasm.decompress(wasm.compress(new Uint8Array(100), 1), 99), FlightDataError);
  });

  it('is refused when the content is not as long as stated', () => {
    const frame = compressZstd(Buffer.from(text));
    for (const byteLength of [0, 25, 27, 2 ** 40]) {
      assert.throws(() => decompressZstd(frame, byteLength), /gives 26 bytes, but \d+ are stated/);
    }
  });

  it('that is damaged gives a data error or other bytes, never anything else', () => {
    const frame = compressZstd(Buffer.from(text.repeat(100)));
    fc.assert(
      fc.property(fc.nat(frame.byteLength - 1), fc.nat(255), fc.nat(frame.byteLength), (at, byte, cut) => {
        const damaged = new Uint8Array(frame);
        damaged[at] = byte;
        for (const input of [damaged, damaged.subarray(0, cut)]) {
          try {
            assert.equal(decompressZstd(input, 2600).byteLength, 2600);
          } catch (error) {
            if (!(error instanceof FlightDataError)) throw error;
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
