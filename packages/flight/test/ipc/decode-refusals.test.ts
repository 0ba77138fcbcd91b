import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Bool,
  DenseUnion,
  Dictionary,
  Field,
  FixedSizeList,
  Int32,
  LargeList,
  LargeUtf8,
  List,
  Null,
  Schema,
  SparseUnion,
  Struct,
  Utf8,
  Utf8View,
  Vector,
} from 'apache-arrow';
import { FlightError } from '../../src/errors.ts';
import { compressBuffer } from '../../src/ipc/compression/registry.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import { maxColumnRows } from '../../src/limits/ipc.ts';
import { column, full, header, i32, i64, none, text } from './craft.ts';
import { withoutMemoryFor } from '../memory.ts';

describe('numbers of a header that fit neither body nor schema', () => {
  const refused = (name: string, run: () => unknown, message: RegExp, code = 'INVALID_DATA'): void => {
    it(`are refused: ${name}`, () => {
      assert.throws(run, (error: unknown) => {
        assert.ok(error instanceof FlightError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    });
  };
  const four = i32(1, 2, 3, 4);
  const int = new Int32();
  const list = new List(new Field('item', int, true));
  const struct = new Struct([new Field('a', int, true)]);
  const twoInts = (buffers: number[], length = 4, bodyBytes = 16): (() => unknown) => {
    return () =>
      decodeRecordBatch(
        new Schema([new Field('c', int)]),
        header({ length, nodes: [length, 0], buffers }),
        new Uint8Array(bodyBytes),
        new DictionaryMemo(),
      );
  };

  refused('a negative length', () => column(int, -1, [-1, 0], [none, four]), /batch states -1 rows/);
  refused('a negative node length', () => column(int, 4, [-4, 0], [none, four]), /"c" states -4 rows/);
  refused(
    'a length above the limit',
    () => column(new Null(), 2 ** 40, [2 ** 40, 0], []),
    /maxColumnRows/,
    'RESOURCE_EXHAUSTED',
  );
  refused(
    'a node of other length',
    () => column(int, 4, [3, 0], [none, four]),
    /"c" has 3 rows, but the batch has 4/,
  );
  refused(
    'a negative null count',
    () => column(int, 4, [4, -1], [none, four]),
    /null count -1 is not between 0 and the length 4/,
  );
  refused('more nulls than rows', () => column(int, 4, [4, 5], [none, four]), /null count 5/);
  refused(
    'nulls without a bitmap',
    () => column(int, 4, [4, 1], [none, four]),
    /\(validity\) has 0 bytes, but the rows take 1/,
  );
  refused(
    'a missing node',
    () => column(int, 4, [], [none, four]),
    /needs node 0, but the batch has 0 nodes/,
  );
  refused(
    'a missing buffer',
    () => column(int, 4, [4, 0], [none]),
    /needs buffer 1 for its values, but the batch has 1 buffers/,
  );
  refused(
    'a node too many',
    () => column(int, 4, [4, 0, 4, 0], [none, four]),
    /has 2 nodes, but its schema takes 1/,
  );
  refused(
    'a buffer too many',
    () => column(int, 4, [4, 0], [none, four, four]),
    /has 3 buffers, but its schema takes 2/,
  );
  refused(
    'a short buffer',
    () => column(int, 5, [5, 0], [none, four]),
    /\(values\) has 16 bytes, but the rows take 20/,
  );
  refused(
    'a buffer after the end',
    twoInts([0, 0, 8, 16]),
    /buffer 1 \(values\) of 16 bytes at byte 8 lies outside the body of 16 bytes/,
  );
  refused('a negative offset', twoInts([0, 0, -8, 16]), /at byte -8 lies outside/);
  refused('a negative size', twoInts([0, 0, 0, -16]), /of -16 bytes/);
  refused('an offset beyond 2^53', twoInts([0, 0, 2 ** 62, 16]), /lies outside the body/);
  refused('a size that wraps', twoInts([0, 0, 8, 2 ** 63]), /lies outside the body/);
  refused(
    'a body that is short',
    () => column(int, 4, [4, 0], [none, four], {}, { bodyLength: 24 }),
    /body has 16 bytes, but its header says 24/,
  );
  refused(
    'a short child of a struct',
    () => column(struct, 4, [4, 0, 3, 0], [none, none, four]),
    /field "c\.a" has 3 rows, but its parent takes 4/,
  );
  refused(
    'a short child of a fixed-size list',
    () => column(new FixedSizeList(3, new Field('i', int)), 2, [2, 0, 4, 0], [none, none, four]),
    /"c\.i" has 4 rows, but its parent takes 6/,
  );
  refused(
    'offsets before 0',
    () => column(list, 1, [1, 0, 4, 0], [none, i32(-1, 2), none, four]),
    /offsets run from -1 to 2/,
  );
  refused(
    'offsets after the child',
    () => column(list, 1, [1, 0, 4, 0], [none, i32(0, 5), none, four]),
    /offsets run from 0 to 5, but there are 4 rows of its child/,
  );
  refused(
    'large offsets after the child',
    () => column(new LargeList(new Field('item', int)), 1, [1, 0, 4, 0], [none, i64(0, 5), none, four]),
    /offsets run from 0 to 5/,
  );
  refused(
    'offsets after the text',
    () => column(new Utf8(), 1, [1, 0], [none, i32(0, 4), text('abc')]),
    /but there are 3 bytes of data/,
  );
  refused(
    'large offsets after the text',
    () => column(new LargeUtf8(), 1, [1, 0], [none, i64(0, 4), text('abc')]),
    /offsets run from 0 to 4, but there are 3 bytes of data/,
  );
  refused(
    'offsets whose last lies before the first',
    () => column(new Utf8(), 2, [2, 0], [none, i32(3, 3, 1), text('abc')]),
    /offsets run from 3 to 1/,
  );
  refused(
    'large offsets whose last lies before the first',
    () => column(new LargeUtf8(), 2, [2, 0], [none, i64(3, 3, 1), text('abc')]),
    /offsets run from 3 to 1/,
  );
  refused(
    'offsets of a list whose last lies before the first',
    () => column(list, 2, [2, 0, 4, 0], [none, i32(4, 4, 2), none, four]),
    /offsets run from 4 to 2/,
  );
  refused(
    'short offsets',
    () => column(new Utf8(), 2, [2, 0], [none, i32(0, 1), text('a')]),
    /\(offsets\) has 8 bytes, but the rows take 12/,
  );
  refused(
    'short large offsets',
    () =>
      column(new LargeList(new Field('item', int)), 1, [1, 0, 4, 0], [none, new Uint8Array(15), none, four]),
    /\(offsets\) has 15 bytes, but the rows take 16/,
  );
  const union = new DenseUnion([0], [new Field('a', int)]);
  refused(
    'short type ids of a union',
    () => column(union, 4, [4, 0, 4, 0], [new Uint8Array(3), i32(0, 1, 2, 3), none, four]),
    /\(type ids\) has 3 bytes, but the rows take 4/,
  );
  refused(
    'short offsets of a union',
    () => column(union, 4, [4, 0, 4, 0], [new Uint8Array(4), new Uint8Array(15), none, four]),
    /\(offsets\) has 15 bytes, but the rows take 16/,
  );
  refused(
    'short views',
    () => column(new Utf8View(), 2, [2, 0], [none, new Uint8Array(31)], {}, { variadicBufferCounts: [0] }),
    /\(views\) has 31 bytes, but the rows take 32/,
  );
  refused(
    'no variadic count',
    () => column(new Utf8View(), 0, [0, 0], [none, none]),
    /needs variadic buffer count 0/,
  );
  refused(
    'more variadic buffers than there are',
    () => column(new Utf8View(), 0, [0, 0], [none, none], {}, { variadicBufferCounts: [1] }),
    /1 data buffers for views are stated, but the batch has 0 buffers left/,
  );
  refused(
    'a negative variadic count',
    () => column(new Utf8View(), 0, [0, 0], [none, none], {}, { variadicBufferCounts: [-1] }),
    /-1 data buffers/,
  );
  refused(
    'an absent dictionary',
    () => column(new Dictionary(new Utf8(), int, 3), 1, [1, 0], [none, i32(0)]),
    /"c" refers to dictionary 3, which was not sent/,
  );
  refused(
    'an old union with nulls of its own',
    () =>
      column(
        new SparseUnion([0], [new Field('a', int)]),
        4,
        [4, 1, 4, 0],
        [Uint8Array.of(7), new Uint8Array(4), none, four],
        {},
        { version: 'V4' },
      ),
    /union of the old format/,
    'UNIMPLEMENTED',
  );
  refused(
    'compressed data without a length',
    () => column(int, 4, [4, 0], [none, Uint8Array.of(1, 2)], {}, { compression: 'lz4' }),
    /"c": buffer 1 \(values\) has 2 bytes, but a compressed buffer starts with 8/,
  );
  refused(
    'a compressed buffer of negative length',
    () => column(int, 4, [4, 0], [none, i64(-2, 0)], {}, { compression: 'zstd' }),
    /uncompressed length of -2/,
  );
  refused(
    'a compressed buffer above the limit',
    () => column(int, 4, [4, 0], [none, i64(2 ** 40, 0)], {}, { compression: 'zstd' }),
    /maxDecompressedBytes/,
    'RESOURCE_EXHAUSTED',
  );
  refused(
    'compressed bytes that are none',
    () => column(int, 4, [4, 0], [none, i64(16, 0)], {}, { compression: 'lz4' }),
    /"c": buffer 1 \(values\): an LZ4 frame starts with 0x0/,
  );
});

describe('numbers of a header at their bounds', () => {
  const int = new Int32();
  const four = i32(1, 2, 3, 4);

  it('are taken: rows without memory, up to the limit', () => {
    assert.equal(column(new Null(), maxColumnRows, [maxColumnRows, maxColumnRows], []).length, maxColumnRows);
  });

  it('are taken: as many nulls as rows, and bits that fill their bytes', () => {
    assert.equal(column(int, 4, [4, 4], [Uint8Array.of(0), four]).nullCount, 4);
    const eight = new Int32Array(8);
    assert.equal(column(int, 8, [8, 1], [Uint8Array.of(0xfe), eight]).nullCount, 1);
    assert.throws(
      () => column(int, 9, [9, 1], [Uint8Array.of(0xfe), new Int32Array(9)]),
      /\(validity\) has 1 bytes, but the rows take 2/,
    );
    assert.equal(column(new Bool(), 8, [8, 0], [none, Uint8Array.of(0xff)]).values.length, 1);
    assert.throws(
      () => column(new Bool(), 9, [9, 0], [none, Uint8Array.of(0xff)]),
      /\(values\) has 1 bytes, but the rows take 2/,
    );
  });

  it('are taken: an empty buffer at the end of the body, and none behind it', () => {
    const decode = (at: number): unknown =>
      decodeRecordBatch(
        new Schema([new Field('c', int)]),
        header({ nodes: [0, 0], buffers: [16, 0, at, 0] }),
        new Uint8Array(16),
        new DictionaryMemo(),
      );
    assert.ok(decode(16));
    assert.throws(() => decode(17), /of 0 bytes at byte 17 lies outside/);
  });

  it('are taken: no offsets, a part of one, or one where there are no rows', () => {
    for (const bytes of [0, 1, 3, 4]) {
      assert.deepEqual(
        [...column(new Utf8(), 0, [0, 0], [none, new Uint8Array(bytes), none]).valueOffsets],
        [0],
      );
    }
    const large = new LargeList(new Field('item', int));
    assert.throws(
      () => column(new LargeUtf8(), 0, [0, 0], [none, i64(-1), none]),
      /offsets run from -1 to -1/,
    );
    assert.throws(() => column(new Utf8(), 0, [0, 0], [none, i32(-1), none]), /offsets run from -1 to -1/);
    for (const bytes of [0, 7, 8]) {
      const parts = [none, new Uint8Array(bytes), none, none];
      assert.deepEqual([...column(large, 0, [0, 0, 0, 0], parts).valueOffsets], [0n]);
    }
    assert.throws(
      () => column(new Utf8(), 1, [1, 0], [none, new Uint8Array(3), none]),
      /\(offsets\) has 3 bytes, but the rows take 8/,
    );
  });

  it('are taken: children of a union that have no rows, and no nulls of its own', () => {
    const fields = [new Field('a', int, true), new Field('b', int, true)];
    const typeIds = new Uint8Array(4);
    const dense = column(
      new DenseUnion([0, 1], fields),
      4,
      [4, 0, 4, 0, 0, 0],
      [typeIds, i32(0, 1, 2, 3), none, four, none, none],
    );
    assert.deepEqual([dense.length, dense.nullCount, dense.children[1]?.length], [4, 0, 0]);
    const sparse = column(
      new SparseUnion([0, 1], fields),
      4,
      [4, 0, 4, 0, 4, 0],
      [typeIds, none, four, none, four],
    );
    assert.deepEqual([sparse.length, sparse.nullCount], [4, 0]);
  });

  it('are taken: indices of nothing but nulls, whose dictionary never came', () => {
    const data = column(
      new Dictionary(new List(new Field('item', new Utf8(), true)), int, 3),
      2,
      [2, 2],
      [Uint8Array.of(0), i32(0, 7)],
      full,
    );
    assert.deepEqual([...new Vector([data])], [null, null]);
    assert.equal(data.dictionary?.length, 0);
  });

  it('are taken: offsets that end with the data', () => {
    assert.equal(column(new Utf8(), 1, [1, 0], [none, i32(0, 3), text('abc')]).length, 1);
    assert.equal(column(new Utf8(), 1, [1, 0], [none, i32(3, 3), text('abc')]).length, 1);
  });
});

describe('the memory that compressed buffers may take', () => {
  const values = compressBuffer('zstd', new Uint8Array(1000));
  const packed = Buffer.concat([Buffer.from(i64(1000).buffer), values]);
  const decode = (parts: readonly Uint8Array[], maxDecompressedBytes: number): number =>
    column(
      new Struct(parts.map((_, index) => new Field(`f${index}`, new Int32(), true))),
      250,
      [250, 0, ...parts.flatMap(() => [250, 0])],
      [none, ...parts.flatMap((part) => [none, part])],
      { maxDecompressedBytes },
      { compression: 'zstd' },
    ).children.length;
  const tooMuch = (bytes: number, limit: number) => (error: unknown) =>
    error instanceof FlightError &&
    error.code === 'RESOURCE_EXHAUSTED' &&
    error.message.includes(`to ${bytes} bytes; the limit maxDecompressedBytes is ${limit}`);

  it('is their sum, which may reach the limit and not pass it', () => {
    assert.equal(decode([packed], 1000), 1);
    assert.throws(() => decode([packed], 999), tooMuch(1000, 999));
    assert.equal(decode([packed, packed, packed], 3000), 3);
    assert.throws(() => decode([packed, packed, packed], 2999), tooMuch(3000, 2999));
  });

  it('does not count buffers that were left as they are', () => {
    const plain = Buffer.concat([Buffer.from(i64(-1).buffer), new Uint8Array(1000)]);
    assert.equal(decode([plain, packed, plain], 1000), 3);
    const nothing = column(
      new Int32(),
      0,
      [0, 0],
      [none, i64(-1)],
      { maxDecompressedBytes: 1 },
      { compression: 'lz4' },
    );
    assert.equal(nothing.length, 0);
  });

  it('is refused where there is none, as what it is', () => {
    const bytes = 40_004;
    const values = new Int32Array(bytes / 4);
    const compressed = Buffer.concat(
      [i64(bytes), compressBuffer('lz4', new Uint8Array(values.buffer))].map(bytesOf),
    );
    const shifted = new Uint8Array(bytes + 1).subarray(1);
    const rows = values.length;
    for (const [name, decode] of [
      [
        'decompressed data',
        () => column(new Int32(), rows, [rows, 0], [none, compressed], {}, { compression: 'lz4' }),
      ],
      [
        'the copy of a misaligned buffer',
        () =>
          decodeRecordBatch(
            new Schema([new Field('c', new Int32())]),
            header({ length: rows, nodes: [rows, 0], buffers: [0, 0, 0, bytes] }),
            shifted,
            new DictionaryMemo(),
          ),
      ],
    ] as const) {
      decode();
      withoutMemoryFor(bytes, () => {
        assert.throws(decode, {
          code: 'RESOURCE_EXHAUSTED',
          message: new RegExp(`there is no memory for ${name} of ${bytes} bytes`),
        });
      });
    }
  });
});

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
