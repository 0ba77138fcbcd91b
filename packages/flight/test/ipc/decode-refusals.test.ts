import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Dictionary,
  Field,
  FixedSizeList,
  Int32,
  LargeList,
  List,
  Null,
  Schema,
  SparseUnion,
  Struct,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { FlightError } from '../../src/errors.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import { header, column, none, i32, i64, text } from './craft.ts';

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
    'short offsets',
    () => column(new Utf8(), 2, [2, 0], [none, i32(0, 1), text('a')]),
    /\(offsets\) has 8 bytes, but the rows take 12/,
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
