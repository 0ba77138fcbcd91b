import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Bool,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  Map_,
  RecordBatch,
  Schema,
  Struct,
  type Table,
  TimestampMicrosecond,
  Uint64,
  Utf8,
  type Vector,
  makeData,
  tableFromArrays,
  tableFromJSON,
  vectorFromArray,
} from 'apache-arrow';
import { batchToCsv, batchToMarkdown, batchToNdjson, batchToTsv, csvHeader } from '../../src/formats/rows.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const ndjson = (batch: RecordBatch): string => text(batchToNdjson(batch));

function batchOf(columns: Record<string, Vector>): RecordBatch {
  const schema = new Schema(
    Object.entries(columns).map(([name, vector]) => new Field(name, vector.type, true)),
  );
  const children = Object.values(columns).map(
    (vector) => vector.data[0] ?? assert.fail('one chunk expected'),
  );
  const data = makeData({
    type: new Struct(schema.fields),
    length: children[0]?.length ?? 0,
    nullCount: 0,
    children,
  });
  return new RecordBatch(schema, data);
}

describe('batchToNdjson()', () => {
  it('loses nothing of integers above 2^53, nulls and bytes', () => {
    const batch = batchOf({
      id: vectorFromArray([1n, 2n ** 63n - 1n, null], new Int64()),
      u: vectorFromArray([1n, 2n ** 64n - 1n, null], new Uint64()),
      name: vectorFromArray(['a', null, 'ü"\n'], new Utf8()),
      ok: vectorFromArray([true, false, null], new Bool()),
      x: vectorFromArray([1.5, Number.NaN, null], new Float64()),
    });
    assert.equal(
      ndjson(batch),
      '{"id":1,"u":1,"name":"a","ok":true,"x":1.5}\n' +
        '{"id":"9223372036854775807","u":"18446744073709551615","name":null,"ok":false,"x":null}\n' +
        '{"id":null,"u":null,"name":"ü\\"\\n","ok":null,"x":null}\n',
    );
  });

  it('shows dictionaries, lists, structs and maps as values', () => {
    const table: Table = tableFromJSON([
      { tag: 'x', list: [1, 2], s: { a: 1, b: 'q' } },
      { tag: 'y', list: [], s: { a: 2, b: 'r' } },
    ]);
    assert.equal(
      table.batches.map((batch) => ndjson(batch)).join(''),
      '{"tag":"x","list":[1,2],"s":{"a":1,"b":"q"}}\n{"tag":"y","list":[],"s":{"a":2,"b":"r"}}\n',
    );
    const map = vectorFromArray(
      [new Map([['k', 1]]), null],
      new Map_(
        new Field(
          'entries',
          new Struct<{ key: Utf8; value: Int32 }>([
            new Field('key', new Utf8()),
            new Field('value', new Int32(), true),
          ]),
        ),
      ),
    );
    const dictionary = vectorFromArray(['p', 'q'], new Dictionary(new Utf8(), new Int32()));
    assert.equal(
      ndjson(batchOf({ map, dictionary })),
      '{"map":{"k":1},"dictionary":"p"}\n{"map":null,"dictionary":"q"}\n',
    );
    const lists = vectorFromArray([[1n], null, [2n, null]], new List(new Field('item', new Int64(), true)));
    assert.equal(ndjson(batchOf({ lists }).slice(1)), '{"lists":null}\n{"lists":[2,null]}\n');
  });

  it('keeps the sign of zero in every format, and tells numbers that JSON lacks when it is asked to', () => {
    const x = vectorFromArray([-0, Number.NaN, -Infinity], new Float64());
    const lists = vectorFromArray([[-0], [Infinity], []], new List(new Field('item', new Float64(), true)));
    const batch = batchOf({ x, lists });
    assert.equal(
      ndjson(batch),
      '{"x":-0.0,"lists":[-0.0]}\n{"x":null,"lists":[null]}\n{"x":null,"lists":[]}\n',
    );
    assert.equal(
      text(batchToNdjson(batch, { nonFinite: 'text' })),
      '{"x":-0.0,"lists":[-0.0]}\n{"x":"NaN","lists":["Infinity"]}\n{"x":"-Infinity","lists":[]}\n',
    );
    assert.equal(text(batchToCsv(batchOf({ x }))), '-0.0\nNaN\n-Infinity\n');
    assert.equal(text(batchToTsv(batchOf({ x }))), '-0.0\nNaN\n-Infinity\n');
    assert.equal(text(batchToTsv(batchOf({ lists }))), '[-0.0]\n["Infinity"]\n[]\n');
  });

  it('keeps the order of names, those that JavaScript treats otherwise, and those that repeat', () => {
    const names = ['10', 'b', '9', '__proto__', 'b'];
    const children = names.map((_, i) => vectorFromArray([i], new Int32()));
    const type = new Struct(names.map((name) => new Field(name, new Int32(), true)));
    const data = makeData({
      type,
      length: 1,
      nullCount: 0,
      children: children.map((child) => child.data[0] ?? assert.fail('one chunk expected')),
    });
    const schema = new Schema([new Field('s', type, true)]);
    const row = makeData({ type: new Struct(schema.fields), length: 1, nullCount: 0, children: [data] });
    assert.equal(ndjson(new RecordBatch(schema, row)), '{"s":{"10":0,"b":1,"9":2,"__proto__":3,"b":4}}\n');
  });

  it('shows maps as objects, whatever their keys are, empty ones too', () => {
    const map = vectorFromArray(
      [new Map([[2, 'x']]), new Map()],
      new Map_(
        new Field(
          'entries',
          new Struct<{ key: Int32; value: Utf8 }>([
            new Field('key', new Int32()),
            new Field('value', new Utf8(), true),
          ]),
        ),
      ),
    );
    assert.equal(ndjson(batchOf({ map })), '{"map":{"2":"x"}}\n{"map":{}}\n');
  });

  it('keeps microseconds of timestamps', () => {
    const type = new TimestampMicrosecond('UTC');
    const data = makeData({
      type,
      length: 1,
      nullCount: 0,
      data: new BigInt64Array([1_700_000_000_123_456n]),
    });
    const schema = new Schema([new Field('t', type)]);
    const struct = makeData({ type: new Struct(schema.fields), length: 1, nullCount: 0, children: [data] });
    assert.equal(ndjson(new RecordBatch(schema, struct)), '{"t":"2023-11-14T22:13:20.123456Z"}\n');
  });
});

describe('batchToCsv()', () => {
  it('quotes what RFC 4180 asks to quote and tells null from the empty string', () => {
    const table = tableFromArrays({ 'a,b': Int32Array.of(1, 2, 3), t: ['x"y', '', 'two\nlines'] });
    assert.equal(csvHeader(table.schema), '"a,b",t\n');
    assert.equal(
      table.batches.map((batch) => text(batchToCsv(batch))).join(''),
      '1,"x""y"\n2,""\n3,"two\nlines"\n',
    );
  });
});

describe('batchToMarkdown()', () => {
  it('keeps each row in its line', () => {
    const t = vectorFromArray(['a\r\nb\rc\nd', 'x|y\\'], new Utf8());
    assert.equal(batchToMarkdown(batchOf({ t })), '| a<br>b<br>c<br>d |\n| x\\|y\\\\ |\n');
  });
});
