import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BinaryView,
  type Data,
  type DataType,
  DenseUnion,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float64,
  Int8,
  Int32,
  Int64,
  LargeList,
  LargeUtf8,
  List,
  Null,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  Uint8,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { FlightDataError, FlightError } from '../../src/errors.ts';
import { createRecordBatch } from '../../src/ipc/create-batch.ts';
import { decodeDictionaryBatch } from '../../src/ipc/decode/dictionary-batch.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import type { DictionaryBatchMessageHeader, RecordBatchMessageHeader } from '../../src/ipc/message.ts';
import type { IpcReadOptions } from '../../src/ipc/options.ts';
import { readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { fixture, plain } from './plain.ts';

/** A body of these buffers, each at a multiple of 8, and where they lie. */
function bodyOf(parts: readonly ArrayBufferView[]): { body: Uint8Array; buffers: number[] } {
  const buffers: number[] = [];
  let end = 0;
  for (const part of parts) {
    buffers.push(end, part.byteLength);
    end = (end + part.byteLength + 7) & ~7;
  }
  const body = new Uint8Array(end);
  parts.forEach((part, index) => {
    body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), buffers[2 * index]);
  });
  return { body, buffers };
}

function header(parts: Partial<RecordBatchMessageHeader>): RecordBatchMessageHeader {
  return {
    kind: 'batch',
    version: 'V5',
    bodyLength: 0,
    customMetadata: new Map(),
    length: 0,
    nodes: [],
    buffers: [],
    variadicBufferCounts: [],
    compression: undefined,
    ...parts,
  };
}

/** Decodes one column of `length` rows from these nodes and buffers. */
function column(
  type: DataType,
  length: number,
  nodes: readonly number[],
  parts: readonly ArrayBufferView[],
  options: IpcReadOptions = {},
  more: Partial<RecordBatchMessageHeader> = {},
  memo: DictionaryMemo = new DictionaryMemo(),
): Data {
  const { body, buffers } = bodyOf(parts);
  const schema = new Schema([new Field('c', type, true)]);
  const batch = decodeRecordBatch(schema, header({ length, nodes, buffers, ...more }), body, memo, options);
  const data = batch.data.children[0];
  assert.ok(data);
  return data;
}

const none = new Uint8Array(0);
const full: IpcReadOptions = { validate: 'full' };
const i32 = (...values: number[]): Int32Array => Int32Array.from(values);
const i64 = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('a decoded batch', () => {
  it('lies in the body', () => {
    const values = Float64Array.of(1, 2, 3);
    const { body, buffers } = bodyOf([none, values]);
    const schema = new Schema([new Field('c', new Float64())]);
    const batch = decodeRecordBatch(
      schema,
      header({ length: 3, nodes: [3, 0], buffers }),
      body,
      new DictionaryMemo(),
    );
    const data = batch.data.children[0];
    assert.equal(data?.values.buffer, body.buffer);
    assert.ok(data?.values instanceof Float64Array);
    body.set(new Uint8Array(Float64Array.of(9).buffer), 0);
    assert.equal(batch.getChildAt(0)?.get(0), 9);
  });

  it('copies only what lies misaligned', () => {
    const { body, buffers } = bodyOf([none, Float64Array.of(1, 2, 3), none, i32(0, 1, 3), text('abc')]);
    const schema = new Schema([new Field('f', new Float64()), new Field('t', new Utf8())]);
    const head = header({ length: 3, nodes: [3, 0, 2, 0], buffers });
    for (let shift = 0; shift < 9; shift++) {
      const memory = new Uint8Array(body.byteLength + 16);
      memory.set(body, shift);
      const moved = memory.subarray(shift, shift + body.byteLength);
      const two = { ...head, length: 2, nodes: [2, 0, 2, 0] };
      const batch = decodeRecordBatch(schema, two, moved, new DictionaryMemo());
      const [floats, texts] = batch.data.children;
      assert.deepEqual(
        [floats, texts].map((data) => data && plain(data)),
        [
          [1, 2],
          ['a', 'bc'],
        ],
      );
      assert.equal(floats?.values.buffer === memory.buffer, shift % 8 === 0);
      assert.equal(texts?.valueOffsets.buffer === memory.buffer, shift % 4 === 0);
      assert.equal(texts?.values.buffer, memory.buffer);
    }
  });

  it('has the very schema it was decoded with, and columns of one name keep their types', () => {
    const { schema } = readIpcStreamSync(fixture('duplicate_names.arrows'));
    for (const batch of readIpcStreamSync(fixture('duplicate_names.arrows'))) {
      assert.deepEqual(batch.schema.fields.map(String), schema.fields.map(String));
      assert.deepEqual(schema.fields.map(String), ['a: Int32', 'a: Utf8', ': Bool']);
      assert.deepEqual(
        [0, 1, 2].map((i) => batch.getChildAt(i)?.get(0)),
        [1, 'x', true],
      );
    }
  });

  it('is what the constructor of apache-arrow makes', () => {
    const schema = new Schema([new Field('c', new Int32(), true)]);
    const data = column(new Int32(), 2, [2, 0], [none, i32(1, 2)]);
    const struct = new Struct(schema.fields);
    const ours = createRecordBatch(schema, struct, 2, [data], new Map([['k', 'v']]));
    const theirs = new RecordBatch(schema, ours.data, new Map([['k', 'v']]));
    assert.deepEqual(Object.keys(ours), Object.keys(theirs));
    assert.ok(ours instanceof RecordBatch);
    assert.deepEqual(ours.toArray().map(String), theirs.toArray().map(String));
    assert.deepEqual(ours.metadata, theirs.metadata);
    assert.equal(ours.slice(1, 2).numRows, 1);
    assert.equal(ours.slice(1, 2).get(0)?.['c'], 2);
  });

  it('keeps its number of rows without columns', () => {
    const batch = decodeRecordBatch(new Schema([]), header({ length: 7 }), none, new DictionaryMemo());
    assert.equal(batch.numRows, 7);
  });

  it('may be in shared memory', () => {
    const { body, buffers } = bodyOf([Uint8Array.of(0b01), i32(0, 2, 2), text('hi')]);
    const shared = new Uint8Array(new SharedArrayBuffer(body.byteLength));
    shared.set(body);
    const schema = new Schema([new Field('c', new Utf8(), true)]);
    const batch = decodeRecordBatch(
      schema,
      header({ length: 2, nodes: [2, 1], buffers }),
      shared,
      new DictionaryMemo(),
      {
        validate: 'full',
        validateUtf8: true,
      },
    );
    assert.deepEqual([...(batch.getChildAt(0) ?? [])], ['hi', null]);
  });

  it('may have a body of 2 GiB', () => {
    const rows = 2 ** 31 - 1;
    const body = new Uint8Array(2 ** 31 + 8);
    body[2 ** 31 - 2] = 77;
    body[2 ** 31 + 1] = 1;
    const schema = new Schema([new Field('c', new Int8()), new Field('n', new Null())]);
    const batch = decodeRecordBatch(
      schema,
      header({ length: rows, nodes: [rows, 0, rows, rows], buffers: [0, 0, 0, rows], bodyLength: 2 ** 31 }),
      body,
      new DictionaryMemo(),
    );
    assert.equal(batch.getChildAt(0)?.get(rows - 1), 77);
    const late = decodeRecordBatch(
      new Schema([new Field('c', new Int32())]),
      header({ length: 1, nodes: [1, 0], buffers: [2 ** 31, 0, 2 ** 31, 4] }),
      body,
      new DictionaryMemo(),
    );
    assert.equal(late.getChildAt(0)?.get(0), 256);
  });

  it('may leave out buffers of columns without rows', () => {
    assert.equal(column(new Utf8(), 0, [0, 0], [none, none, none], full).length, 0);
    assert.equal(column(new LargeUtf8(), 0, [0, 0], [none, none, none], full).length, 0);
    const list = new List(new Field('item', new Int32()));
    assert.equal(column(list, 0, [0, 0, 0, 0], [none, none, none, none], full).length, 0);
  });
});

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

describe('full validation', () => {
  const int = new Int32();
  const four = i32(1, 2, 3, 4);
  const bad = (
    name: string,
    run: (options: IpcReadOptions) => unknown,
    message: RegExp,
    options: IpcReadOptions = full,
  ): void => {
    it(`finds ${name}`, () => {
      run({});
      assert.throws(
        () => run(options),
        (error: unknown) => {
          assert.ok(error instanceof FlightDataError);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  };
  const list = new List(new Field('item', int, true));
  const large = new LargeList(new Field('item', int, true));
  const dictionary = new Dictionary(new Utf8(), new Int8(), 1);
  const children = [new Field('a', int), new Field('b', int)];
  const memo = new DictionaryMemo();
  memo.replace(1, column(new Utf8(), 2, [2, 0], [none, i32(0, 1, 2), text('xy')]));

  bad(
    'a wrong null count',
    (o) => column(int, 4, [4, 1], [Uint8Array.of(0b0011), four], o),
    /states 1 nulls, but its validity bitmap has 2/,
  );
  bad(
    'offsets that go back',
    (o) => column(list, 3, [3, 0, 4, 0], [none, i32(0, 3, 2, 4), none, four], o),
    /"c", row 1: offsets go back from 3 to 2/,
  );
  bad(
    'offsets that go far and come back',
    (o) => column(new Utf8(), 2, [2, 0], [none, i32(0, 1_000_000, 3), text('abc')], o),
    /row 1: offsets go back/,
  );
  bad(
    'large offsets that go back',
    (o) => column(large, 2, [2, 0, 4, 0], [none, i64(0, 2 ** 40, 4), none, four], o),
    /row 1: offsets go back from 1099511627776 to 4/,
  );
  bad(
    'indices after the dictionary',
    (o) => column(dictionary, 3, [3, 0], [none, Int8Array.of(0, 1, 2)], o, {}, memo),
    /row 2: index 2 lies outside dictionary 1 of 2 values/,
  );
  bad(
    'negative indices',
    (o) => column(dictionary, 2, [2, 0], [none, Int8Array.of(-1, 1)], o, {}, memo),
    /row 0: index -1/,
  );
  bad(
    'type ids of no child',
    (o) =>
      column(
        new SparseUnion([3, 5], children),
        2,
        [2, 0, 2, 0, 2, 0],
        [Int8Array.of(3, 4), none, i32(1, 2), none, i32(1, 2)],
        o,
      ),
    /row 1: type id 4 is none of the union's \(3, 5\)/,
  );
  bad(
    'negative type ids',
    (o) =>
      column(
        new SparseUnion([3, 5], children),
        2,
        [2, 0, 2, 0, 2, 0],
        [Int8Array.of(-3, 5), none, i32(1, 2), none, i32(1, 2)],
        o,
      ),
    /type id -3/,
  );
  bad(
    'union offsets after the child',
    (o) =>
      column(
        new DenseUnion([3, 5], children),
        2,
        [2, 0, 1, 0, 1, 0],
        [Int8Array.of(3, 5), i32(0, 1), none, i32(1), none, i32(1)],
        o,
      ),
    /row 1: offset 1 lies outside the 1 rows of the child of type id 5/,
  );
  bad(
    'negative union offsets',
    (o) =>
      column(
        new DenseUnion([3, 5], children),
        1,
        [1, 0, 1, 0, 1, 0],
        [Int8Array.of(3), i32(-1), none, i32(1), none, i32(1)],
        o,
      ),
    /offset -1/,
  );
  const view = (length: number, buffer: number, offset: number): Int32Array => i32(length, 0, buffer, offset);
  const views = (v: Int32Array, o: IpcReadOptions): Data =>
    column(new BinaryView(), 1, [1, 0], [none, v, text('a text of some length')], o, {
      variadicBufferCounts: [1],
    });
  bad('views of negative length', (o) => views(view(-1, 0, 0), o), /row 0: a view has length -1/);
  bad('views into no buffer', (o) => views(view(13, 1, 0), o), /refers to data buffer 1, but there are 1/);
  bad('views that begin before a buffer', (o) => views(view(13, 0, -1), o), /at byte -1 lies outside/);
  bad(
    'views that end after a buffer',
    (o) => views(view(13, 0, 9), o),
    /a view of 13 bytes at byte 9 lies outside data buffer 0 of 21 bytes/,
  );
  const utf8: IpcReadOptions = { validate: 'full', validateUtf8: true };
  bad(
    'text that is not UTF-8',
    (o) => column(new Utf8(), 1, [1, 0], [none, i32(0, 1), Uint8Array.of(0xff)], o),
    /row 0: the text is not valid UTF-8/,
    utf8,
  );
  bad(
    'characters cut by offsets',
    (o) => column(new Utf8(), 2, [2, 0], [none, i32(0, 1, 2), text('é')], o),
    /row 0: the text is not valid/,
    utf8,
  );
  bad(
    'large text that is not UTF-8',
    (o) => column(new LargeUtf8(), 1, [1, 0], [none, i64(0, 1), Uint8Array.of(0xc0)], o),
    /not valid UTF-8/,
    utf8,
  );
  bad(
    'short views that are not UTF-8',
    (o) => column(new Utf8View(), 1, [1, 0], [none, i32(1, 0xff, 0, 0)], o, { variadicBufferCounts: [0] }),
    /not valid UTF-8/,
    utf8,
  );

  it('leaves values of null slots alone', () => {
    const oneNull = Uint8Array.of(0b01);
    assert.equal(column(dictionary, 2, [2, 1], [oneNull, Int8Array.of(0, 99)], full, {}, memo).nullCount, 1);
    const nullView = i32(1, 120, 0, 0, -7, 0, 9, -9);
    const data = column(new Utf8View(), 2, [2, 1], [oneNull, nullView], utf8, { variadicBufferCounts: [0] });
    assert.deepEqual(plain(data), ['x', null]);
    const broken = column(new Utf8(), 2, [2, 1], [oneNull, i32(0, 1, 2), Uint8Array.of(0x61, 0xff)], utf8);
    assert.deepEqual(plain(broken), ['a', null]);
  });
});

describe('dictionaries', () => {
  // Columns that share a dictionary share the type object of its values.
  const words = new Utf8();
  const schema = new Schema([
    new Field('small', new Dictionary(words, new Uint8(), 4), true),
    new Field('big', new Dictionary(words, new Int64() as unknown as Int32, 4), true),
  ]);
  const dictionaryHeader = (parts: Partial<DictionaryBatchMessageHeader>): DictionaryBatchMessageHeader => {
    const { length, nodes, buffers } = { length: 0, nodes: [], buffers: [], ...parts };
    return { ...header({ length, nodes, buffers }), kind: 'dictionary', id: 4, isDelta: false, ...parts };
  };
  const send = (memo: DictionaryMemo, values: string, isDelta: boolean, id = 4): void => {
    const offsets = i32(...Array.from({ length: values.length + 1 }, (_, i) => i));
    const { body, buffers } = bodyOf([none, offsets, text(values)]);
    const { length } = values;
    decodeDictionaryBatch(
      schema,
      dictionaryHeader({ id, isDelta, length, nodes: [length, 0], buffers }),
      body,
      memo,
      full,
    );
  };
  const rows = (memo: DictionaryMemo, ...indices: number[]): RecordBatch => {
    const { body, buffers } = bodyOf([none, Uint8Array.from(indices), none, i64(...indices)]);
    const { length } = indices;
    return decodeRecordBatch(
      schema,
      header({ length, nodes: [length, 0, length, 0], buffers }),
      body,
      memo,
      full,
    );
  };
  const values = (batch: RecordBatch): unknown[][] => [0, 1].map((i) => [...(batch.getChildAt(i) ?? [])]);

  it('grow by deltas and are replaced, and batches keep what they had', () => {
    const memo = new DictionaryMemo();
    send(memo, 'ab', false);
    const first = rows(memo, 1, 0);
    send(memo, 'cd', true);
    const second = rows(memo, 3, 2, 0);
    const third = rows(memo, 3);
    send(memo, 'z', false);
    const fourth = rows(memo, 0);
    assert.deepEqual(values(first), [
      ['b', 'a'],
      ['b', 'a'],
    ]);
    assert.deepEqual(values(second), [
      ['d', 'c', 'a'],
      ['d', 'c', 'a'],
    ]);
    assert.deepEqual(values(fourth), [['z'], ['z']]);
    assert.equal(second.data.children[0]?.dictionary, third.data.children[0]?.dictionary);
    assert.equal(second.dictionaries.size, 1);
    assert.throws(() => rows(memo, 1), /index 1 lies outside dictionary 4 of 1 values/);
  });

  it('may begin with a delta', () => {
    const memo = new DictionaryMemo();
    send(memo, 'q', true);
    assert.deepEqual(values(rows(memo, 0)), [['q'], ['q']]);
  });

  it('take 64-bit indices, which are checked without rounding', () => {
    const memo = new DictionaryMemo();
    send(memo, 'ab', false);
    const { body, buffers } = bodyOf([none, Uint8Array.of(0), none, BigInt64Array.of(1n << 32n)]);
    assert.throws(
      () => decodeRecordBatch(schema, header({ length: 1, nodes: [1, 0, 1, 0], buffers }), body, memo, full),
      /"big", row 0: index 4294967296 lies outside/,
    );
  });

  it('that no field has are refused', () => {
    assert.throws(
      () => send(new DictionaryMemo(), 'a', false, 9),
      /fills dictionary 9, but the schema has only 4/,
    );
  });
});

describe('columns without bytes', () => {
  it('are read', () => {
    assert.deepEqual(plain(column(new FixedSizeBinary(0), 2, [2, 0], [none, none], full)), ['', '']);
    assert.deepEqual(plain(column(new Struct([]), 2, [2, 1], [Uint8Array.of(0b10)], full)), [null, []]);
    const lists = column(
      new FixedSizeList(0, new Field('i', new Int32())),
      2,
      [2, 0, 0, 0],
      [none, none, none],
      full,
    );
    assert.deepEqual(plain(lists), [[], []]);
  });
});
