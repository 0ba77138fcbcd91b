import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BinaryView,
  type Data,
  DenseUnion,
  Dictionary,
  Field,
  Int8,
  Int16,
  Int32,
  Int64,
  LargeList,
  LargeUtf8,
  List,
  Schema,
  SparseUnion,
  Struct,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { FlightDataError } from '../../src/errors.ts';
import { decodeDictionaryBatch } from '../../src/ipc/decode/dictionary-batch.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import type { IpcReadOptions } from '../../src/ipc/options.ts';
import { bodyOf, column, full, header, i32, i64, none, text } from './craft.ts';
import { plain } from './plain.ts';

describe('validation of values', () => {
  const int = new Int32();
  const four = i32(1, 2, 3, 4);
  const isRefused = (run: () => unknown, message: RegExp): void => {
    assert.throws(run, (error: unknown) => {
      assert.ok(error instanceof FlightDataError);
      assert.match(error.message, message);
      return true;
    });
  };
  /** What would lead elsewhere: refused whatever the level. */
  const bad = (name: string, run: (options: IpcReadOptions) => unknown, message: RegExp): void => {
    it(`finds ${name} at every level`, () => {
      isRefused(() => run({}), message);
      isRefused(() => run({ validate: 'lengths' }), message);
      isRefused(() => run(full), message);
    });
  };
  /** What gives other values, but leads nowhere: refused by full validation alone. */
  const odd = (
    name: string,
    run: (options: IpcReadOptions) => unknown,
    message: RegExp,
    options: IpcReadOptions = full,
  ): void => {
    it(`finds ${name} when it is full`, () => {
      run({});
      isRefused(() => run(options), message);
    });
  };
  const list = new List(new Field('item', int, true));
  const large = new LargeList(new Field('item', int, true));
  const dictionary = new Dictionary(new Utf8(), new Int8(), 1);
  const children = [new Field('a', int), new Field('b', int)];
  const memo = new DictionaryMemo();
  memo.replace(1, column(new Utf8(), 2, [2, 0], [none, i32(0, 1, 2), text('xy')]));

  odd(
    'a wrong null count',
    (o) => column(int, 4, [4, 1], [Uint8Array.of(0b0011), four], o),
    /states 1 nulls, but its validity bitmap has 2/,
  );
  bad(
    'offsets that go back',
    (o) => column(list, 3, [3, 0, 4, 0], [none, i32(0, 3, 2, 4), none, four], o),
    /"c", row 1: offsets go back from 3 to 2/,
  );
  odd(
    'offsets of text that go far and come back',
    (o) => column(new Utf8(), 2, [2, 0], [none, i32(0, 1_000_000, 3), text('abc')], o),
    /row 1: offsets go back/,
  );
  bad(
    'large offsets that go back',
    (o) => column(large, 2, [2, 0, 4, 0], [none, i64(0, 2 ** 40, 4), none, four], o),
    /row 1: offsets go back from 1099511627776 to 4/,
  );
  bad(
    'offsets of a list in a struct that go far and come back',
    (o) =>
      column(
        new Struct([new Field('a', int), new Field('b', list)]),
        2,
        [2, 0, 2, 0, 2, 0, 4, 0],
        [none, none, i32(1, 2), none, i32(0, 1_000_000, 4), none, four],
        o,
      ),
    /"c\.b", row 1: offsets go back from 1000000 to 4/,
  );
  bad(
    'negative offsets',
    (o) => column(list, 2, [2, 0, 4, 0], [none, i32(0, -2_147_483_648, 4), none, four], o),
    /row 0: offsets go back from 0 to -2147483648/,
  );
  bad(
    'large offsets of text that apache-arrow could not count',
    (o) => column(new LargeUtf8(), 2, [2, 0], [none, i64(0, 2 ** 60, 3), text('abc')], o),
    /row 1: offsets go back/,
  );
  bad(
    'large offsets of text whose high half is negative',
    (o) => column(new LargeUtf8(), 2, [2, 0], [none, i64(0, -(2 ** 32), 3), text('abc')], o),
    /row 0: offsets go back from 0 to -4294967296/,
  );
  // apache-arrow's types leave 64-bit indices out.
  const indexTypes: readonly [Dictionary['indices'], (...values: number[]) => ArrayBufferView][] = [
    [new Int8(), (...v) => Int8Array.from(v)],
    [new Int16(), (...v) => Int16Array.from(v)],
    [new Int32(), i32],
    [new Int64() as unknown as Int32, i64],
    [new Uint8(), (...v) => Uint8Array.from(v)],
    [new Uint16(), (...v) => Uint16Array.from(v)],
    [new Uint32(), (...v) => Uint32Array.from(v)],
    [
      new Uint64() as unknown as Uint32,
      (...v) => BigUint64Array.from(v.map((value) => BigInt.asUintN(64, BigInt(value)))),
    ],
  ];
  for (const [type, indices] of indexTypes) {
    const coded = new Dictionary(new Utf8(), type, 1);
    for (const [index, says] of [
      [2, '2'],
      [-1, type.isSigned ? '-1' : '\\d+'],
    ] as const) {
      bad(
        `the index ${index} of ${type.toString()} into two values`,
        (o) => column(coded, 3, [3, 0], [none, indices(0, 1, index)], o, {}, memo),
        new RegExp(`row 2: index ${says} lies outside dictionary 1 of 2 values`),
      );
    }
  }
  bad(
    'indices in the values of a dictionary',
    (o) => {
      const inner = new Dictionary(new Utf8(), new Int8(), 1);
      const schema = new Schema([
        new Field('c', new Dictionary(new List(new Field('i', inner)), new Int8(), 2)),
      ]);
      const both = new DictionaryMemo();
      both.replace(1, column(new Utf8(), 2, [2, 0], [none, i32(0, 1, 2), text('xy')]));
      const { body, buffers } = bodyOf([none, i32(0, 2), none, Int8Array.of(1, 2)]);
      const values = header({ length: 1, nodes: [1, 0, 2, 0], buffers });
      decodeDictionaryBatch(schema, { ...values, kind: 'dictionary', id: 2, isDelta: false }, body, both, o);
      const indices = bodyOf([none, Int8Array.of(0)]);
      const batch = header({ length: 1, nodes: [1, 0], buffers: indices.buffers });
      decodeRecordBatch(schema, batch, indices.body, both, o);
    },
    /row 1: index 2 lies outside dictionary 1/,
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
  odd(
    'text that is not UTF-8',
    (o) => column(new Utf8(), 1, [1, 0], [none, i32(0, 1), Uint8Array.of(0xff)], o),
    /row 0: the text is not valid UTF-8/,
    utf8,
  );
  odd(
    'characters cut by offsets',
    (o) => column(new Utf8(), 2, [2, 0], [none, i32(0, 1, 2), text('é')], o),
    /row 0: the text is not valid/,
    utf8,
  );
  odd(
    'large text that is not UTF-8',
    (o) => column(new LargeUtf8(), 1, [1, 0], [none, i64(0, 1), Uint8Array.of(0xc0)], o),
    /not valid UTF-8/,
    utf8,
  );
  odd(
    'short views that are not UTF-8',
    (o) => column(new Utf8View(), 1, [1, 0], [none, i32(1, 0xff, 0, 0)], o, { variadicBufferCounts: [0] }),
    /not valid UTF-8/,
    utf8,
  );

  it('gives other bytes of the same column, and none beside it, for offsets of text that go astray', () => {
    // Five bytes of text, then padding and another column in the same body: "SECRET" must not be seen.
    const schema = new Schema([new Field('c', new Utf8()), new Field('d', new Utf8())]);
    const { body, buffers } = bodyOf([
      none,
      i32(0, 14, 3, -2, 1_000_000, -1_000_000, 5),
      text('abcde'),
      none,
      i32(0, 6, 6, 6, 6, 6, 6),
      text('SECRET'),
    ]);
    const wrong = header({ length: 6, nodes: [6, 0, 6, 0], buffers });
    const batch = decodeRecordBatch(schema, wrong, body, new DictionaryMemo());
    const values = [...(batch.getChildAt(0) ?? [])];
    assert.equal(values.length, 6);
    for (const value of values) assert.ok('abcde'.includes(String(value)), String(value));
  });

  it('leaves values of null slots alone', () => {
    const oneNull = Uint8Array.of(0b01);
    assert.equal(column(dictionary, 2, [2, 1], [oneNull, Int8Array.of(0, 99)], full, {}, memo).nullCount, 1);
    assert.equal(column(dictionary, 2, [2, 1], [oneNull, Int8Array.of(0, 99)], {}, {}, memo).nullCount, 1);
    const nullView = i32(1, 120, 0, 0, -7, 0, 9, -9);
    for (const options of [{}, utf8]) {
      const data = column(new Utf8View(), 2, [2, 1], [oneNull, nullView], options, {
        variadicBufferCounts: [0],
      });
      assert.deepEqual(plain(data), ['x', null]);
    }
    const broken = column(new Utf8(), 2, [2, 1], [oneNull, i32(0, 1, 2), Uint8Array.of(0x61, 0xff)], utf8);
    assert.deepEqual(plain(broken), ['a', null]);
  });
});
