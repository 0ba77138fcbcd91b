import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encapsulatedHeader } from '../../src/ipc/decode/encapsulated.ts';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { flatbuffer, message, type Part } from './tiny-flatbuffer.ts';

const emptyBatch: Part = { table: [{ i64: 0 }, { longs: [], perElement: 2 }, { longs: [], perElement: 2 }] };

const refused = (header: Uint8Array, code: string, text: RegExp): void => {
  assert.throws(() => decodeMessageHeader(header), { code, message: text });
};

describe('a message header', () => {
  it('of a tensor, sparse or not, is told from one whose kind is none of the format', () => {
    for (const type of [4, 5]) refused(message(type, { table: [] }), 'UNIMPLEMENTED', /is a tensor/);
    for (const type of [0, 6, 255]) {
      refused(message(type, { table: [] }), 'INVALID_DATA', new RegExp(`header type ${type} is none`));
    }
  });

  it('that states no kind is none, whatever its table could be read as', () => {
    refused(
      flatbuffer({ table: [{ i16: 4 }, undefined, { table: [] }] }),
      'INVALID_DATA',
      /header type 0 is none/,
    );
  });

  it('of a version before V4 is told from one of a version that is none of the format', () => {
    for (const version of [0, 1, 2]) {
      refused(
        message(3, emptyBatch, { version }),
        'UNIMPLEMENTED',
        new RegExp(`V${version + 1} is from before`),
      );
    }
    for (const version of [-1, 5, 0x7fff]) {
      refused(message(3, emptyBatch, { version }), 'INVALID_DATA', new RegExp(`version ${version} is none`));
    }
    // the default of the field is V1
    refused(flatbuffer({ table: [undefined, { i8: 3 }, emptyBatch] }), 'UNIMPLEMENTED', /V1 is from before/);
    assert.equal(decodeMessageHeader(message(3, emptyBatch, { version: 3 })).version, 'V4');
    assert.equal(decodeMessageHeader(message(3, emptyBatch, { version: 4 })).version, 'V5');
  });

  it('states a body of up to 2^53 - 1 bytes', () => {
    const most = Number.MAX_SAFE_INTEGER;
    assert.equal(decodeMessageHeader(message(3, emptyBatch, { bodyLength: most })).bodyLength, most);
    refused(message(3, emptyBatch, { bodyLength: 2n ** 53n }), 'INVALID_DATA', /is not between 0 and 2\^53/);
  });

  it('of a dictionary batch without its data is refused', () => {
    refused(message(2, { table: [{ i64: 1 }] }), 'INVALID_DATA', /the dictionary batch has no data/);
    const header = decodeMessageHeader(message(2, { table: [undefined, emptyBatch] }));
    assert.equal(header.kind === 'dictionary' && header.id, 0);
    assert.equal(header.kind === 'dictionary' && header.isDelta, false);
  });
});

describe('the length of an encapsulated message', () => {
  const prefixed = (hex: string, bytes = 0): Uint8Array =>
    Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(bytes, 0x11)]);

  it('may take all the bytes that follow it, and no more', () => {
    for (const [hex, start] of [
      ['ffffffff08000000', 8],
      ['08000000', 4],
    ] as const) {
      for (const bytes of [8, 9, 80]) {
        const taken = encapsulatedHeader(prefixed(hex, bytes));
        assert.deepEqual(taken, prefixed(hex, bytes).subarray(start, start + 8));
      }
      assert.throws(() => encapsulatedHeader(prefixed(hex, 7)), {
        code: 'INVALID_DATA',
        message: /states a header of 8 bytes, but 7 follow/,
      });
    }
  });

  it('is above 0', () => {
    for (const [hex, text] of [
      ['ffffffff00000000', /of 0 bytes, but 0 follow/],
      ['ffffffff0000000011', /of 0 bytes, but 1 follow/],
      ['fffffffffeffffff1111', /of -2 bytes, but 2 follow/],
      ['00000000', /of 0 bytes, but 0 follow/],
      ['0000000011', /of 0 bytes, but 1 follow/],
      ['feffffff11', /of -2 bytes, but 1 follow/],
      ['ffffffff111111', /of -1 bytes, but 3 follow/],
    ] as const) {
      assert.throws(() => encapsulatedHeader(prefixed(hex)), { code: 'INVALID_DATA', message: text });
    }
    const one = encapsulatedHeader(prefixed('0100000011'));
    assert.deepEqual(one, Buffer.of(0x11));
  });

  it('has four bytes itself', () => {
    for (const hex of ['ff', 'ffff', '080000']) {
      assert.throws(() => encapsulatedHeader(prefixed(hex)), {
        code: 'INVALID_DATA',
        message: /takes at least 8 bytes, but there are [123]/,
      });
    }
  });
});
