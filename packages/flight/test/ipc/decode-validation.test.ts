import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BinaryView,
  type Data,
  DenseUnion,
  Dictionary,
  Field,
  Int8,
  Int32,
  LargeList,
  LargeUtf8,
  List,
  SparseUnion,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { FlightDataError } from '../../src/errors.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import type { IpcReadOptions } from '../../src/ipc/options.ts';
import { plain } from './plain.ts';
import { column, none, full, i32, i64, text } from './craft.ts';

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
