import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FlightInternalError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { decompressMessage } from '../../src/grpc/gzip.ts';

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
});
