import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float64,
  Int8,
  Int32,
  LargeUtf8,
  List,
  Null,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
} from 'apache-arrow';
import { createRecordBatch } from '../../src/ipc/create-batch.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import { readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { fixture, plain } from './plain.ts';
import { bodyOf, header, column, none, full, i32, text } from './craft.ts';

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
