import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderBlockAssembler } from '../../src/http2/header-block.ts';

describe('a header block in several frames', () => {
  it('keeps the bytes of a read buffer that is used again, also when that is a Buffer', () => {
    const blocks = new HeaderBlockAssembler();
    const buffer = Buffer.from([1, 2, 3, 4]);
    assert.equal(blocks.headers(0, 1, buffer.subarray(0, 4)), undefined);
    buffer.set([5, 6, 9, 9]);
    const block = blocks.continuation(4, 1, buffer.subarray(0, 2));
    assert.deepEqual([...(block?.block ?? [])], [1, 2, 3, 4, 5, 6]);
  });
});
