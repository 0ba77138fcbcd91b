import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeaderBlockAssembler } from '../../src/http2/header-block.ts';

const endStream = 0x1;
const endHeaders = 0x4;
const padded = 0x8;
const priority = 0x20;

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

  it('takes padding and priority off, which may be all there is', () => {
    const block = (flags: number, hex: string): string =>
      Buffer.from(
        new HeaderBlockAssembler().headers(endHeaders | flags, 1, Buffer.from(hex, 'hex'))?.block ?? [],
      ).toString('hex');
    const refused = (flags: number, hex: string, code: string): void =>
      assert.throws(() => block(flags, hex), { code });
    assert.equal(block(padded, '00'), '');
    assert.equal(block(padded, '0011'), '11');
    assert.equal(block(padded, '02110000'), '11');
    assert.equal(block(padded, '020000'), '');
    refused(padded, '', 'FRAME_SIZE_ERROR');
    for (const hex of ['01', '0200', '030000', 'ff0000']) refused(padded, hex, 'PROTOCOL_ERROR');
    assert.equal(block(priority, '0000000307'), '');
    assert.equal(block(priority, '000000030711'), '11');
    refused(priority, '00000003', 'FRAME_SIZE_ERROR');
    assert.equal(block(padded | priority, '000000000307'), '');
    assert.equal(block(padded | priority, '0100000003071100'), '11');
    assert.equal(block(padded | priority, '0200000003071100'), '');
    refused(padded | priority, '0000000003', 'FRAME_SIZE_ERROR');
    refused(padded | priority, '0300000003071100', 'PROTOCOL_ERROR');
  });

  it('keeps what the HEADERS frame told until its block is complete', () => {
    const assembler = new HeaderBlockAssembler();
    assert.equal(assembler.pending, 0);
    assembler.headers(endStream | priority, 5, Buffer.from('800000030711', 'hex'));
    assert.equal(assembler.pending, 5);
    assembler.continuation(0, 5, Buffer.of(0x22));
    assert.equal(assembler.pending, 5);
    assert.deepEqual(assembler.continuation(endHeaders, 5, Buffer.of(0x33)), {
      streamId: 5,
      endStream: true,
      block: Buffer.of(0x11, 0x22, 0x33),
      dependency: 3,
    });
    assert.equal(assembler.pending, 0);
    assembler.headers(0, 7, Buffer.of(0x44));
    assert.deepEqual(assembler.continuation(endHeaders, 7, new Uint8Array(0)), {
      streamId: 7,
      endStream: false,
      block: Buffer.of(0x44),
      dependency: undefined,
    });
  });

  it('continues the block of its stream alone', () => {
    const assembler = new HeaderBlockAssembler();
    const refused = (stream: number): void =>
      assert.throws(() => assembler.continuation(endHeaders, stream, Buffer.of(1)), {
        code: 'PROTOCOL_ERROR',
        message: /continues nothing/,
      });
    refused(1);
    assembler.headers(0, 1, Buffer.of(1));
    refused(3);
    assert.ok(assembler.continuation(endHeaders, 1, Buffer.of(1)));
    refused(1);
  });

  it('takes as many bytes as the limit for each block, and no more', () => {
    const assembler = new HeaderBlockAssembler(10);
    const read = (first: number, then: number): number | undefined => {
      assembler.headers(0, 1, new Uint8Array(first));
      return assembler.continuation(endHeaders, 1, new Uint8Array(then))?.block.byteLength;
    };
    assert.equal(read(4, 6), 10);
    assert.equal(read(10, 0), 10);
    assert.throws(() => read(4, 7), { code: 'ENHANCE_YOUR_CALM' });
  });
});
