import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkDictionaryIndices,
  checkListViews,
  checkOffsets,
  checkUnion,
  checkViews,
} from '../../../src/engine/c-data/check.ts';
import { viewBufferLengths } from '../../../src/engine/c-data/pieces.ts';
import { int32s, int64s, layout, testMemory } from './arrays.ts';
import { bytes, type Given, int, none, parsed, reads, refuses, text, views } from './batches.ts';

describe('batches for a driver', () => {
  it('have as many values and nulls as can be', () => {
    const buffers = [none, int32s(1, 2)];
    reads(int, { nodes: [2, 0], buffers }, ['01000000', '02000000']);
    // The rows are the batch's, whose columns may be longer.
    reads(int, { nodes: [2, 0], buffers, rows: 1 }, ['01000000']);
    for (const nodes of [[1, 0], [2, -1], [2, 3], [-1, 0], [], [2], [2 ** 60, 0], [Number.NaN, 0]])
      refuses(int, { nodes, buffers, rows: 2 }, /values with/);
    for (const rows of [-1, Number.NaN]) refuses(int, { nodes: [2, 0], buffers, rows }, /rows/);
    reads(int, { nodes: [0, 0], buffers: [none, none] }, []);
  });

  it('have buffers within the body', () => {
    const buffers = [none, int32s(1, 2)];
    const nodes = [2, 0];
    const longer = [none, int32s(1, 2, 3, 4)];
    for (const length of [-1, -8]) {
      refuses(int, { nodes, buffers: longer, places: [0, 0, 0, length] }, /outside of the body/);
    }
    for (const places of [
      [0, 0, 1, 8],
      [0, 0, -1, 8],
      [0, 0, 0, -1],
      [0, 0],
      [-1, 0, 0, 8],
      [0, 0, 0, 9],
      [0, 9, 0, 8],
    ])
      refuses(int, { nodes, buffers, places }, /outside of the body|need/);
    refuses(int, { nodes, buffers, places: [0, 0, 0, 7] }, /buffer has 7 bytes, and its values need 8/);
  });

  it('may have buffers at odd places', () => {
    const memory = testMemory();
    const body = [none, Uint8Array.of(0xff, ...int32s(7, 8), 1, 2, 3, 4)];
    const places = [0, 0, 1, 8];
    reads(int, { nodes: [2, 0], buffers: body, places }, ['07000000', '08000000']);
    const texts = [none, none, none, Uint8Array.of(...int32s(9, 9), 9, ...int32s(0, 1, 3), 0x61, 0xc3, 0xa4)];
    reads(text, { nodes: [2, 0], buffers: texts, places: [0, 0, 9, 12, 21, 3] }, ['61', 'c3a4']);
    memory.free();
  });

  it('count their nulls themselves', () => {
    const valid = Uint8Array.of(0b101);
    reads(int, { nodes: [3, 3], buffers: [valid, int32s(1, 2, 3)] }, ['01000000', null, '03000000'], 1);
    // Without nulls nobody looks at the bits.
    reads(int, { nodes: [1, 0], buffers: [Uint8Array.of(0), int32s(1)] }, ['01000000']);
    refuses(int, { nodes: [9, 1], buffers: [valid, new Uint8Array(36)] }, /1 bytes, and its values need 2/);
    const bits = layout({ kind: 'bits' });
    reads(bits, { nodes: [3, 1], buffers: [valid, Uint8Array.of(0b110)] }, [false, null, true], 1);
    refuses(bits, { nodes: [9, 0], buffers: [none, valid] }, /1 bytes, and its values need 2/);
    reads(layout({ kind: 'null' }), { nodes: [2, 0] }, [null, null], 2);
  });

  it('may be compressed', () => {
    const plain = (...values: number[]): Uint8Array => Uint8Array.of(...int64s(-1), ...int32s(...values));
    const nodes = [1, 0];
    const given = (buffer: Uint8Array): Given => ({ nodes, buffers: [none, buffer], compression: 'lz4' });
    reads(int, given(plain(5)), ['05000000']);
    refuses(int, given(plain()), /a buffer has 0 bytes/);
    refuses(int, given(int64s(0)), /a buffer has 0 bytes/);
    refuses(int, given(int64s(-1).subarray(0, 7)), /shorter than its length prefix/);
    for (const length of [-2, 2 ** 31 + 1]) refuses(int, given(int64s(length)), /says to become/);
    reads(int, { ...given(int64s(0)), nodes: [0, 0] }, []);
    // An LZ4 frame of one block that is not compressed: 07 00 00 00.
    const frame = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, 4, 0, 0, 0x80, 7, 0, 0, 0, 0, 0, 0, 0];
    reads(int, given(Uint8Array.of(...int64s(4), ...frame)), ['07000000']);
  });

  it('have offsets that never fall and end within the data', () => {
    const given = (offsets: Uint8Array, data: Uint8Array, rows = 2): Given => ({
      nodes: [rows, 0],
      buffers: [none, offsets, data],
    });
    const abc = Uint8Array.of(0x61, 0x62, 0x63);
    reads(text, given(int32s(0, 1, 3), abc), ['61', '6263']);
    reads(text, given(int32s(1, 1, 3), abc), ['', '6263']);
    reads(text, given(none, none, 0), []);
    reads(text, given(int32s(0, 0, 0), none), ['', '']);
    for (const empty of [given(int32s(0, 0, 0), none), given(none, none, 0)]) {
      const memory = testMemory();
      const [array] = parsed([text], empty, memory);
      assert.ok(
        array?.buffers.slice(1).every((address) => address !== 0),
        'drivers read what is empty, too',
      );
      memory.free();
    }
    reads(layout({ kind: 'bytes', wide: true, text: true }), given(int64s(0, 1, 3), abc), ['61', '6263']);
    refuses(text, given(int32s(0, 1), abc), /8 bytes, and its values need 12/);
    refuses(text, given(int32s(-1, 1, 3), abc), /first offset is -1/);
    refuses(text, given(int32s(0, 2, 1), abc), /offset 2 \(1\) is below the one before it \(2\)/);
    refuses(text, given(int32s(0, 1, 4), abc), /last offset is 4, and there are 3/);
    refuses(text, given(int32s(0, 1, 3), Uint8Array.of(0x61, 0xff, 0x62)), /not valid UTF-8/);
    refuses(text, given(int32s(0, 1, 2), Uint8Array.of(0xc3, 0xa4)), /text 1 is not valid UTF-8/);
    // What no row shows is nobody's text.
    reads(text, given(int32s(1, 2, 3), Uint8Array.of(0xa4, 0x62, 0x63, 0xa4)), ['62', '63']);
    reads(bytes, given(int32s(0, 1, 2), Uint8Array.of(0xc3, 0xa4)), ['c3', 'a4']);
  });

  it('have lists within their child', () => {
    const list = layout({ kind: 'list', wide: false }, int);
    const buffers = [none, int32s(0, 1, 2), none, int32s(8, 9)];
    reads(list, { nodes: [2, 0, 2, 0], buffers }, [['08000000'], ['09000000']]);
    refuses(list, { nodes: [2, 0, 1, 0], buffers }, /1 values with 0 nulls, where 2 values belong/);
    refuses(list, { nodes: [2, 0, 2, 0], buffers: [none, int32s(0, 1)] }, /8 bytes, and its values need 12/);
    refuses(list, { nodes: [2, 0, 2, 0], buffers: [none, int32s(0, 2, 1)] }, /below the one before/);
    reads(list, { nodes: [0, 0, 0, 0], buffers: [none, none, none, none] }, []);
    const large = layout({ kind: 'list', wide: true }, int);
    reads(large, { nodes: [1, 0, 2, 0], buffers: [none, int64s(1, 2), none, int32s(8, 9)] }, [['09000000']]);
    refuses(large, { nodes: [1, 0, 2, 0], buffers: [none, int64s(1)] }, /8 bytes, and its values need 16/);
    refuses(layout({ kind: 'list', wide: false }), { nodes: [0, 0], buffers: [none, none] }, /no child 0/);
    const fixed = layout({ kind: 'fixed-list', size: 2 }, int);
    reads(fixed, { nodes: [1, 0, 2, 0], buffers: [none, none, int32s(8, 9)] }, [['08000000', '09000000']]);
    refuses(fixed, { nodes: [1, 0, 1, 0], buffers: [none, none, int32s(8)] }, /where 2 values belong/);
    const struct = layout({ kind: 'struct' }, int, int);
    const two = [none, none, int32s(8), none, int32s(9)];
    reads(struct, { nodes: [1, 0, 1, 0, 1, 0], buffers: two }, [['08000000', '09000000']]);
    refuses(struct, { nodes: [1, 0, 1, 0, 0, 0], buffers: two }, /0 values with 0 nulls, where 1 values/);
  });

  it('have list views within their child', () => {
    for (const wide of [false, true]) {
      const numbers = wide ? int64s : int32s;
      const list = layout({ kind: 'list-view', wide }, int);
      const given = (starts: Uint8Array, sizes: Uint8Array): Given => ({
        nodes: [2, 0, 2, 0],
        buffers: [none, starts, sizes, none, int32s(8, 9)],
      });
      reads(list, given(numbers(1, 0), numbers(1, 2)), [['09000000'], ['08000000', '09000000']]);
      reads(list, given(numbers(2, 0), numbers(0, 0)), [[], []]);
      reads(list, { nodes: [1, 0, 0, 0], buffers: [none, numbers(0), numbers(0), none, none] }, [[]]);
      for (const [starts, sizes] of [
        [numbers(1, 0), numbers(2, 1)],
        [numbers(-1, 0), numbers(1, 1)],
        [numbers(1, 0), numbers(-1, 1)],
        [numbers(0, 3), numbers(1, 0)],
      ] as const)
        refuses(list, given(starts, sizes), /is outside of its 2 values/);
      refuses(list, given(numbers(0), numbers(0, 0)), /its values need/);
      refuses(list, given(numbers(0, 0), numbers(0)), /its values need/);
    }
  });

  it('have views that point into their data', () => {
    const long = new Uint8Array(13).fill(0x61);
    const view = (size: number, buffer: number, offset: number): Uint8Array =>
      int32s(size, 0x6161_6161, buffer, offset);
    const given = (one: Uint8Array, ...data: Uint8Array[]): Given => ({
      nodes: [1, 0],
      buffers: [none, one, ...data],
      variadic: [data.length],
    });
    reads(views, given(view(3, 99, 99)), ['616161']);
    reads(views, given(view(12, 0x6161_6161, 0x6161_6161)), ['61'.repeat(12)]);
    reads(views, given(view(13, 1, 0), none, long), ['61'.repeat(13)]);
    for (const one of [view(13, 0, 1), view(13, 1, 0), view(13, -1, 0), view(13, 0, -1), view(14, 0, 0)])
      refuses(views, given(one, long), /is outside of its data/);
    refuses(views, given(view(-1, 0, 0), long), /has -1 bytes/);
    refuses(views, given(view(13, 0, 0), new Uint8Array(13).fill(0xff)), /text 0 is not valid UTF-8/);
    refuses(views, given(int32s(1, 0xff, 0, 0)), /text 0 is not valid UTF-8/);
    reads(layout({ kind: 'views', text: false }), given(int32s(1, 0xff, 0, 0)), ['ff']);
    refuses(views, { ...given(view(3, 0, 0)), nodes: [2, 0] }, /16 bytes, and its values need 32/);
    refuses(views, { ...given(view(3, 0, 0)), variadic: [-1] }, /-1 data buffers/);
    refuses(views, { ...given(view(3, 0, 0)), variadic: [1e9] }, /1000000000 data buffers/);
    // What a null points to is nothing.
    const nulls: Given = { nodes: [1, 1], buffers: [Uint8Array.of(0), view(13, 5, 5)], variadic: [0] };
    reads(views, nulls, [null], 1);
    const memory = testMemory();
    const [array] = parsed([views], given(view(13, 1, 0), none, long), memory);
    assert.equal(array?.buffers.length, 5);
    assert.ok(array.buffers.slice(1).every((address) => address !== 0));
    assert.deepEqual(viewBufferLengths(array), [0, 13]);
    memory.free();
  });

  it('have unions of the types that the schema names', () => {
    const childOf = new Map([
      [5, 0],
      [-2, 1],
    ]);
    const types = Uint8Array.of(5, 0xfe);
    const sparse = layout({ kind: 'union', dense: false, childOf }, int, text);
    const children = [none, int32s(8, 9), none, int32s(0, 1, 2), Uint8Array.of(0x61, 0x62)];
    const nodes = [2, 0, 2, 0, 2, 0];
    const wanted = [
      [5, '08000000'],
      [-2, '62'],
    ];
    reads(sparse, { nodes, buffers: [types, ...children] }, wanted);
    reads(sparse, { nodes, buffers: [none, types, ...children], version: 'V4' }, wanted);
    refuses(sparse, { nodes, buffers: [Uint8Array.of(5, 0), ...children] }, /value 1 has type id 0/);
    refuses(sparse, { nodes, buffers: [Uint8Array.of(5), ...children] }, /1 bytes, and its values need 2/);
    refuses(sparse, { nodes: [2, 0, 1, 0], buffers: [types, ...children] }, /where 2 values belong/);
    const dense = layout({ kind: 'union', dense: true, childOf }, int, text);
    const given = (...places: number[]): Given => ({
      nodes,
      buffers: [types, int32s(...places), ...children],
    });
    reads(dense, given(1, 0), [
      [5, '09000000'],
      [-2, '61'],
    ]);
    refuses(dense, given(0, 2), /value 1 is at 2 of a child of 2 values/);
    refuses(dense, given(-1, 0), /value 0 is at -1/);
    refuses(dense, given(0), /4 bytes, and its values need 8/);
    const memory = testMemory();
    const [array] = parsed([dense], given(1, 0), memory);
    assert.equal(array?.buffers.length, 2);
    memory.free();
    // A child that no row needs may have no values.
    const few = {
      nodes: [1, 0, 1, 0, 0, 0],
      buffers: [Uint8Array.of(5), int32s(0), none, int32s(8), none, none, none],
    };
    reads(dense, few, [[5, '08000000']]);
  });
});

describe('checks of what is given to a driver', () => {
  it('give the last offset', () => {
    assert.equal(checkOffsets(bytes, int32s(2, 3, 7, 99), false, 2, 7, undefined), 7);
    assert.equal(checkOffsets(bytes, int64s(2 ** 40, 2 ** 41), true, 1, 2 ** 41, undefined), 2 ** 41);
    assert.throws(
      () => checkOffsets(bytes, int64s(0, 2 ** 41), true, 1, 2 ** 41 - 1, undefined),
      /last offset/,
    );
    assert.throws(() => checkOffsets(bytes, none, false, 0, 7, undefined), /first offset is -1/);
  });

  it('name the column and the value', () => {
    const named = { ...int, name: 'c' };
    assert.throws(
      () => checkUnion(named, new Map([[1, 0]]), Uint8Array.of(1, 2), undefined, 2, [0]),
      /column "c": value 1 has type id 2/,
    );
    assert.throws(
      () => checkUnion(named, new Map([[1, 0]]), Uint8Array.of(1), int32s(0), 1, [0]),
      /column "c": value 0 is at 0 of a child of 0/,
    );
    assert.throws(
      () => checkListViews(named, int32s(0, 4), int32s(0, 2), false, 2, 5),
      /column "c": list 1 \(2 values at 4\) is outside of its 5/,
    );
    assert.throws(
      () => checkViews(named, int32s(13, 0, 0, 0), 1, undefined, [], false),
      /column "c": value 0 \(13 bytes at 0 of buffer 0\)/,
    );
    assert.throws(
      () => checkDictionaryIndices(named, Uint8Array.of(0, 3), 1, 2, undefined, 3),
      /column "c": value 1 has index 3 in a dictionary of 3/,
    );
    assert.throws(
      () => checkDictionaryIndices(named, Uint8Array.of(3, 0), 1, 2, Uint8Array.of(1), 3),
      /value 0/,
    );
    checkDictionaryIndices(named, Uint8Array.of(0, 3), 1, 2, Uint8Array.of(1), 3);
    for (let bad = 0; bad < 20; bad++) {
      const indices = Uint8Array.from({ length: 20 }, (_, i) => (i === bad ? 3 : 2));
      const valid = Uint8Array.of(0, 0, 0);
      checkDictionaryIndices(named, indices, 1, 20, valid, 3);
      valid[bad >> 3] = 1 << (bad & 7);
      const message = new RegExp(`value ${bad} has index 3`);
      assert.throws(() => checkDictionaryIndices(named, indices, 1, 20, valid, 3), message);
    }
  });
});
