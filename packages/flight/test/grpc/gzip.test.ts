import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { FlightInternalError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { compressMessage, decompressMessage } from '../../src/grpc/gzip.ts';

describe('a compressed message', () => {
  const bomb = gzipSync(Buffer.alloc(1_000_000));

  it('takes no more memory than it may, whatever it holds', () => {
    assert.ok(bomb.byteLength < 2000);
    assert.throws(
      () => decompressMessage(bomb, 999_999),
      (error) =>
        error instanceof FlightResourceExhaustedError && /more than 999999 bytes/.test(error.message),
    );
    assert.equal(decompressMessage(bomb, 1_000_000).byteLength, 1_000_000);
  });

  it('that is none is an error of the sender', () => {
    assert.throws(() => decompressMessage(bomb.subarray(5), 1_000_000), FlightInternalError);
    assert.equal(decompressMessage(new Uint8Array(0), 10).byteLength, 0);
  });

  it('of one byte may take one byte, and no more', () => {
    assert.equal(decompressMessage(gzipSync(Buffer.of(7)), 1).byteLength, 1);
    assert.throws(() => decompressMessage(gzipSync(Buffer.of(7, 8)), 1), FlightResourceExhaustedError);
  });

  it('has all the pieces that it was made of', () => {
    const memory = Buffer.from('..abcdef..');
    for (const pieces of [
      [],
      [memory.subarray(2, 8)],
      [memory.subarray(2, 4), memory.subarray(4, 4), memory.subarray(4, 8)],
      [memory.subarray(2, 5), memory.subarray(5, 8)],
    ]) {
      const byteLength = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
      const compressed = compressMessage({ pieces, byteLength });
      assert.equal(gunzipSync(compressed).toString(), pieces.length === 0 ? '' : 'abcdef');
    }
  });
});
