import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderBlockAssembler } from '../../src/http2/header-block.ts';

const endHeaders = 0x4;

describe('HeaderBlockAssembler', () => {
  it('keeps the parts of a block when the memory that they came in is used again', () => {
    const assembler = new HeaderBlockAssembler();
    // A Buffer, as sockets may give it: its slice() is a view.
    const memory = Buffer.from('abc');
    assert.equal(assembler.headers(0, 1, memory), undefined);
    memory.write('xyz');
    const block = assembler.continuation(endHeaders, 1, memory);
    assert.equal(Buffer.from(block?.block ?? []).toString(), 'abcxyz');
  });
});
