import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Data,
  type DataType,
  DenseUnion,
  Dictionary,
  Field,
  Int8,
  Int16,
  Int32,
  LargeList,
  List,
  SparseUnion,
  Uint8,
  Uint16,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import type { IpcReadOptions } from '../../src/ipc/options.ts';
import { column, full, i32, i64, none, text } from './craft.ts';
import { plain } from './plain.ts';

const utf8: IpcReadOptions = { validate: 'full', validateUtf8: true };
const levels: readonly IpcReadOptions[] = [{}, full, utf8];

const refused = (run: (options: IpcReadOptions) => unknown, message: RegExp, of = levels): void => {
  for (const options of of) assert.throws(() => run(options), { code: 'INVALID_DATA', message });
};
const taken = (run: (options: IpcReadOptions) => Data): Data[] => levels.map((options) => run(options));

describe('validation takes what lies at a bound, and nothing beyond it', () => {
  const views = (
    buffers: readonly Uint8Array[],
    rows: readonly Int32Array[],
    options: IpcReadOptions,
  ): Data =>
    column(
      new Utf8View(),
      rows.length,
      [rows.length, 0],
      [none, Int32Array.from(rows.flatMap((row) => [...row])), ...buffers],
      options,
      { variadicBufferCounts: [buffers.length] },
    );
  const view = (length: number, buffer: number, at: number): Int32Array => i32(length, 0, buffer, at);
  const some = text('a text of some length'); // 21 bytes

  it('of views into buffers', () => {
    for (const data of taken((o) => views([some, some], [view(21, 0, 0), view(13, 1, 8)], o))) {
      assert.deepEqual(plain(data), ['a text of some length', 'f some length']);
    }
    refused((o) => views([some], [view(13, 0, 8), view(13, 0, 9)], o), /row 1: a view of 13 bytes at byte 9/);
    refused((o) => views([some], [view(13, -1, 0)], o), /row 0: a view refers to data buffer -1/);
    refused((o) => views([some], [view(13, 1, 0)], o), /row 0: a view refers to data buffer 1/);
    refused((o) => views([some], [view(-1, 0, 0)], o), /row 0: a view has length -1/);
    refused((o) => views([some], [view(0x7fff_ffff, 0, 0x7fff_ffff)], o), /lies outside data buffer 0/);
  });

  it('of views that hold their bytes themselves, which may be twelve', () => {
    const twelve = new Int32Array(text('\u0000\u0000\u0000\u0000abcdefghijkl').buffer.slice(0, 16));
    twelve[0] = 12;
    for (const data of taken((o) => views([], [twelve], o))) assert.deepEqual(plain(data), ['abcdefghijkl']);
  });

  it('of text in views, which is told from other bytes where that is asked for', () => {
    const broken = Uint8Array.from(some);
    broken[20] = 0xff;
    const rows = [view(20, 0, 0), view(21, 0, 0)];
    for (const options of [{}, full]) assert.equal(views([broken], rows, options).length, 2);
    refused((o) => views([broken], rows, o), /row 1: the text is not valid UTF-8/, [utf8]);
    const plainText = (o: IpcReadOptions): Data =>
      column(new Utf8(), 1, [1, 0], [none, i32(0, 1), Uint8Array.of(0xff)], o);
    for (const options of [{}, full]) assert.equal(plainText(options).length, 1);
    refused(plainText, /row 0: the text is not valid UTF-8/, [utf8]);
  });

  it('of offsets', () => {
    const four = i32(1, 2, 3, 4);
    const list = new List(new Field('item', new Int32(), true));
    const large = new LargeList(new Field('item', new Int32(), true));
    for (const data of taken((o) => column(list, 3, [3, 0, 4, 0], [none, i32(1, 1, 4, 4), none, four], o))) {
      assert.deepEqual(plain(data), [[], [2, 3, 4], []]);
    }
    for (const data of taken((o) => column(large, 3, [3, 0, 4, 0], [none, i64(1, 1, 4, 4), none, four], o))) {
      assert.equal(data.length, 3);
    }
    // each goes back by one
    refused(
      (o) => column(list, 3, [3, 0, 4, 0], [none, i32(0, 3, 2, 4), none, four], o),
      /row 1: .* from 3 to 2/,
    );
    refused(
      (o) => column(large, 3, [3, 0, 4, 0], [none, i64(0, 3, 2, 4), none, four], o),
      /row 1: .* from 3 to 2/,
    );
    refused(
      (o) => column(large, 2, [2, 0, 4, 0], [none, i64(0, -1, 4), none, four], o),
      /row 0: .* from 0 to -1/,
    );
    refused(
      (o) => column(large, 2, [2, 0, 4, 0], [none, i64(0, 2 ** 31, 4), none, four], o),
      /row 1: .* from 2147483648 to 4/,
    );
  });

  it('of indices whose type could number one value more', () => {
    for (const [type, size, index, says] of [
      [new Uint8(), 255, Uint8Array.of(254, 255), '255'],
      [new Uint8(), 256, Uint8Array.of(254, 255), undefined],
      [new Int8(), 127, Int8Array.of(126, 127), '127'],
      [new Int8(), 128, Int8Array.of(0, 127), undefined],
      [new Int8(), 256, Int8Array.of(0, -1), '-1'],
      [new Int8(), 256, Int8Array.of(0, -128), '-128'],
      [new Uint16(), 65_535, Uint16Array.of(0, 65_535), '65535'],
      [new Uint16(), 65_536, Uint16Array.of(0, 65_535), undefined],
      [new Int16(), 32_767, Int16Array.of(0, 32_767), '32767'],
      [new Int16(), 65_536, Int16Array.of(0, -1), '-1'],
      [new Int16(), 65_536, Int16Array.of(0, -32_768), '-32768'],
      [new Int16(), 32_768, Int16Array.of(0, 32_767), undefined],
    ] as const) {
      const memo = new DictionaryMemo();
      memo.replace(1, column(new Int8(), size, [size, 0], [none, new Int8Array(size)]));
      const coded = new Dictionary<DataType, typeof type>(new Int8(), type, 1);
      const run = (o: IpcReadOptions): Data => column(coded, 2, [2, 0], [none, index], o, {}, memo);
      if (says === undefined) taken(run);
      else refused(run, new RegExp(`row 1: index ${says} lies outside dictionary 1 of ${size} values`));
    }
  });

  it('of the rows of a union’s children, of which one may have none', () => {
    const children = [new Field('a', new Int32()), new Field('b', new Int32())];
    const nodes = [1, 0, 1, 0, 0, 0];
    const dense = (type: number, offset: number, o: IpcReadOptions): Data =>
      column(
        new DenseUnion([3, 5], children),
        1,
        nodes,
        [Int8Array.of(type), i32(offset), none, i32(7), none, none],
        o,
      );
    taken((o) => dense(3, 0, o));
    refused((o) => dense(3, 1, o), /offset 1 lies outside the 1 rows of the child of type id 3/);
    refused((o) => dense(5, 0, o), /offset 0 lies outside the 0 rows of the child of type id 5/);
    refused((o) => dense(4, 0, o), /type id 4 is none of the union's/);
    taken((o) =>
      column(
        new SparseUnion([0, 127], children),
        1,
        [1, 0, 1, 0, 1, 0],
        [Int8Array.of(127), none, i32(1), none, i32(2)],
        o,
      ),
    );
  });
});
