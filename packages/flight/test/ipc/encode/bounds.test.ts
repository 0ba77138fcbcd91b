import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  BinaryView,
  Bool,
  Data,
  type DataType,
  DenseUnion,
  Field,
  Int32,
  List,
  makeData,
  Schema,
  SparseUnion,
  Utf8,
  Utf8View,
} from 'apache-arrow';
import { DictionaryMemo } from '../../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../../src/ipc/decode/record-batch.ts';
import { BatchHeaderWriter } from '../../../src/ipc/encode/batch-header.ts';
import { BodyWriter } from '../../../src/ipc/encode/buffers.ts';
import { type Chunk, writeChunks } from '../../../src/ipc/encode/chunks.ts';
import { encodeRecordBatchHeader } from '../../../src/ipc/encode/message.ts';
import { planOf } from '../../../src/ipc/encode/plan.ts';
import type { IpcCompression } from '../../../src/ipc/message.ts';
import { maxWrittenBodyBytes } from '../../../src/limits/ipc.ts';
import { column, header, i32, none, text } from '../craft.ts';
import { type Plain, plain } from '../plain.ts';

interface Written {
  readonly body: BodyWriter;
  readonly values: Plain[];
}

/** Writes rows of some columns as one, and reads it again. */
function write(
  type: DataType,
  chunks: readonly Chunk[],
  options: { compression?: IpcCompression; version?: 'V4' | 'V5' } = {},
): Written {
  const { compression, version = 'V5' } = options;
  const schema = new Schema([new Field('c', type, true)]);
  const body = new BodyWriter(8, compression, version === 'V4');
  const [plan] = planOf(schema);
  assert.ok(plan);
  writeChunks(body, plan, chunks);
  const rows = chunks.reduce((sum, { length }) => sum + length, 0);
  const head = header({ ...body.layout(rows), bodyLength: body.length, version });
  const memo = new DictionaryMemo();
  const batch = decodeRecordBatch(schema, head, Buffer.concat(body.pieces), memo, { validate: 'full' });
  const data = batch.data.children[0];
  assert.ok(data);
  return { body, values: plain(data) };
}

const whole = (data: Data): Chunk => ({ data, start: 0, length: data.length });
/** One column alone, and the same behind an empty row of itself: two ways through the encoder. */
const alone = (data: Data): Chunk[] => [whole(data)];
const behind = (data: Data, first: Data): Chunk[] => [whole(first), whole(data)];

describe('columns that are joined', () => {
  const int = (...values: number[]): Data =>
    column(new Int32(), values.length, [values.length, 0], [none, i32(...values)]);

  for (const compression of ['lz4', 'zstd'] as const) {
    it(`are compressed as one: ${compression}`, () => {
      const numbers = Array.from({ length: 1000 }, (_, row) => row >> 5);
      const { body, values } = write(new Int32(), [whole(int(...numbers)), whole(int(7, 8))], {
        compression,
      });
      assert.deepEqual(values, [...numbers, 7, 8]);
      assert.ok(body.length < 2000);
      assert.deepEqual(body.buffers.slice(0, 2), [0, 0], 'of no validity bitmap nothing is compressed');
      const empty = write(new Utf8(), [whole(column(new Utf8(), 1, [1, 0], [none, i32(0, 0), none]))], {
        compression,
      });
      assert.deepEqual([empty.values, empty.body.buffers.at(-1)], [[''], 0]);
    });
  }

  it('keep the bytes of views that hold them themselves', () => {
    const inline = new Int32Array(text('....twelve bytes').buffer.slice(0, 16));
    inline[0] = 12;
    const view = (type: DataType): Data =>
      column(
        type,
        2,
        [2, 0],
        [none, i32(21, 0, 0, 0, ...inline), text('a text of some length')],
        {},
        {
          variadicBufferCounts: [1],
        },
      );
    const { body, values } = write(new Utf8View(), [
      whole(view(new Utf8View())),
      whole(view(new Utf8View())),
    ]);
    const two = ['a text of some length', 'twelve bytes'];
    assert.deepEqual(values, [...two, ...two]);
    assert.deepEqual(body.variadicBufferCounts, [2]);
    assert.equal(write(new BinaryView(), alone(view(new BinaryView()))).values.length, 2);
  });

  it('have the validity buffer of unions in V4, and none in V5', () => {
    const fields = [new Field('a', new Int32(), true), new Field('b', new Int32(), true)];
    const typeIds = Int8Array.of(0, 1, 0);
    const sparse = column(
      new SparseUnion([0, 1], fields),
      3,
      [3, 0, 3, 0, 3, 0],
      [typeIds, none, i32(1, 2, 3), none, i32(4, 5, 6)],
    );
    const dense = column(
      new DenseUnion([0, 1], fields),
      3,
      [3, 0, 2, 0, 1, 0],
      [typeIds, i32(0, 0, 1), none, i32(1, 3), none, i32(5)],
    );
    const expected = [
      { t: 0, v: 1 },
      { t: 1, v: 5 },
      { t: 0, v: 3 },
    ];
    for (const data of [sparse, dense]) {
      for (const version of ['V4', 'V5'] as const) {
        assert.deepEqual(write(data.type, alone(data), { version }).values, expected);
        const { values } = write(data.type, behind(data, data), { version });
        assert.deepEqual(values, [...expected, ...expected]);
      }
    }
  });
});

describe('a column whose memory ends before its rows', () => {
  const refused = (run: () => unknown, message: RegExp): void =>
    assert.throws(run, { code: 'INVALID_ARGUMENT', message });
  const one = (type: DataType, values: ArrayBufferView): Data => column(type, 1, [1, 0], [none, values]);

  it('is refused where none of them is null', () => {
    const bools = new Data(new Bool(), 0, 17, 0, [undefined, new Uint8Array(2)]);
    refused(() => write(new Bool(), alone(bools)), /needs 3 bytes, but its buffer holds only 2/);
    refused(
      () => write(new Bool(), behind(bools, one(new Bool(), Uint8Array.of(1)))),
      /needs 3 bytes, .* only 2/,
    );
    assert.equal(write(new Bool(), [{ data: bools, start: 3, length: 13 }]).values.length, 13);
    refused(() => write(new Bool(), [{ data: bools, start: 3, length: 14 }]), /needs 2 bytes/);
    const numbers = new Data(new Int32(), 0, 5, 0, [undefined, new Int32Array(4)]);
    refused(() => write(new Int32(), alone(numbers)), /needs 20 bytes, but its buffer holds only 16/);
    refused(() => write(new Int32(), behind(numbers, one(new Int32(), i32(1)))), /needs 20 bytes/);
    const words = new Data(new Utf8(), 0, 3, 0, [i32(0, 1, 2), text('ab')]);
    refused(() => write(new Utf8(), alone(words)), /needs 4 offsets, but its buffer holds only 3/);
    const word = column(new Utf8(), 1, [1, 0], [none, i32(0, 1), text('x')]);
    refused(() => write(new Utf8(), [...alone(words), ...alone(word)]), /needs 4 offsets, .* only 3/);
    const short = new Data(new Utf8(), 0, 2, 0, [i32(0, 1, 3), text('ab')]);
    for (const chunks of [alone(short), [...alone(short), ...alone(word)]]) {
      refused(() => write(new Utf8(), chunks), /needs 3 bytes, but its buffer holds only 2/);
    }
    const bitmap = new Data(new Int32(), 0, 9, 1, [undefined, new Int32Array(9), Uint8Array.of(0xfe)]);
    for (const chunks of [alone(bitmap), behind(bitmap, one(new Int32(), i32(1)))]) {
      refused(() => write(new Int32(), chunks), /needs a validity bitmap of 9 bits, .* only 1/);
    }
    const union = new SparseUnion([0], [new Field('a', new Int32(), true)]);
    const children = [one(new Int32(), i32(1))];
    const ids = makeData({ type: union, length: 2, typeIds: Int8Array.of(0), children });
    for (const chunks of [alone(ids), [...alone(ids), ...alone(ids)]]) {
      refused(() => write(union, chunks), /needs 2 type ids, .* only 1/);
    }
  });

  it('is refused where it is a dense union with fewer offsets than rows', () => {
    const type = new DenseUnion([0], [new Field('a', new Int32(), true)]);
    const children = [column(new Int32(), 2, [2, 0], [none, i32(1, 2)])];
    const union = (valueOffsets: Int32Array): Data =>
      makeData({ type, length: 2, typeIds: Int8Array.of(0, 0), valueOffsets, children });
    assert.equal(write(type, alone(union(i32(0, 1)))).values.length, 2);
    for (const chunks of [alone(union(i32(0))), behind(union(i32(0)), union(i32(0, 1)))]) {
      assert.throws(() => write(type, chunks), { code: 'INVALID_ARGUMENT' });
    }
  });

  it('is filled up where some are, to the byte', () => {
    const bitmap = Uint8Array.of(0b11, 0, 0);
    const nulls = (count: number): null[] => Array.from({ length: count }, () => null);
    for (const values of [Uint8Array.of(0b01), Uint8Array.of(0b01, 0)]) {
      const bools = new Data(new Bool(), 0, 17, 15, [undefined, values, bitmap]);
      const { body, values: read } = write(new Bool(), alone(bools));
      assert.deepEqual(read, [true, false, ...nulls(15)]);
      assert.deepEqual(body.buffers.at(-1), 3);
    }
    const numbers = new Data(new Int32(), 0, 17, 15, [undefined, i32(4, 5), bitmap]);
    for (const compression of [undefined, 'lz4', 'zstd'] as const) {
      const options = compression === undefined ? {} : { compression };
      assert.deepEqual(write(new Int32(), alone(numbers), options).values, [4, 5, ...nulls(15)]);
    }
    // one offset too few, that is: one row, which is empty
    const words = new Data(new Utf8(), 0, 3, 1, [i32(0, 1, 2), text('ab'), Uint8Array.of(0b011)]);
    assert.deepEqual(write(new Utf8(), alone(words)).values, ['a', 'b', null]);
  });

  it('is filled up in the same way where it is joined', () => {
    const whole8 = new Data(new Bool(), 0, 8, 1, [undefined, Uint8Array.of(0x0f), Uint8Array.of(0x7f)]);
    const early = new Data(new Bool(), 0, 9, 7, [undefined, Uint8Array.of(0b01), Uint8Array.of(0b11, 0)]);
    const eight = [true, true, true, true, false, false, false, null];
    const nine = [true, false, null, null, null, null, null, null, null];
    const bools = write(new Bool(), behind(early, whole8));
    assert.deepEqual(bools.values, [...eight, ...nine]);
    // bitmaps of 17 bits have room up to the next multiple of eight bytes, and no more
    assert.deepEqual(bools.body.buffers, [0, 8, 8, 8]);
    const numbers = new Data(new Int32(), 0, 3, 1, [undefined, i32(4, 5), Uint8Array.of(0b011)]);
    assert.deepEqual(write(new Int32(), behind(numbers, numbers)).values, [4, 5, null, 4, 5, null]);
    const exact = new Data(new Bool(), 0, 8, 0, [undefined, Uint8Array.of(0x0f)]);
    assert.deepEqual(write(new Bool(), behind(exact, exact)).values.length, 16);
    const words = new Data(new Utf8(), 0, 3, 1, [i32(0, 1, 2), text('ab'), Uint8Array.of(0b011)]);
    const word = column(new Utf8(), 1, [1, 0], [none, i32(0, 1), text('x')]);
    const joined = write(new Utf8(), [whole(word), whole(words), whole(word)]);
    assert.deepEqual(joined.values, ['x', 'a', 'b', null, 'x']);
    refused(
      () => write(new Utf8(), [whole(word), { data: word, start: 0, length: 2 }]),
      /needs 2 rows, but its buffer holds only 1/,
    );
  });

  it('is written where lists are all empty and have no child', () => {
    const type = new List(new Field('item', new Int32(), true));
    const lists = new Data(type, 0, 2, 0, [new Int32Array(3)], []);
    assert.deepEqual(write(type, alone(lists)).values, [[], []]);
    refused(
      () => write(type, alone(new Data(type, 0, 2, 0, [i32(0, 1, 1)], []))),
      /has 0 children, but its schema says 1/,
    );
  });
});

describe('a view column most of whose bytes are of other rows', () => {
  const inline = new Int32Array(text('....twelve bytes').buffer.slice(0, 16));
  inline[0] = 12;
  const bytes = Buffer.concat([text('a text of some length'), Buffer.alloc(1000, 'x')]);
  /** Not read from the wire, where it would be refused. */
  const views = (...rows: readonly Int32Array[]): Data =>
    new Data(
      new Utf8View(),
      0,
      rows.length,
      0,
      [undefined, new Uint8Array(Int32Array.from(rows.flatMap((row) => [...row])).buffer)],
      [],
      undefined,
      [bytes],
    );

  it('is written with the bytes of its own, those of views that hold twelve themselves among them', () => {
    const { body, values } = write(new Utf8View(), alone(views(i32(21, 0, 0, 0), inline, i32(13, 0, 0, 8))));
    assert.deepEqual(values, ['a text of some length', 'twelve bytes', 'f some length']);
    assert.deepEqual(
      body.buffers.slice(2).filter((_, index) => index % 2 === 1),
      [48, 34],
    );
    // just as much, all of which is in use, goes along as it is
    assert.deepEqual(write(new Utf8View(), alone(views(i32(1021, 0, 0, 0)))).body.buffers.at(-1), 1021);
  });

  it('is refused where a view points outside of them', () => {
    for (const [size, buffer, place] of [
      [21, 1, 0],
      [21, -1, 0],
      [21, 0, -1],
      [21, 0, 1001],
      [0x7fff_ffff, 0, 1],
    ] as const) {
      assert.throws(() => write(new Utf8View(), alone(views(inline, i32(size, 0, buffer, place)))), {
        code: 'INVALID_ARGUMENT',
        message: /the view of row 1 points outside/,
      });
    }
    const last = write(new Utf8View(), alone(views(i32(21, 0, 0, 1000)))).values;
    assert.deepEqual(last, ['x'.repeat(21)]);
  });

  it('is filled up where it ended early and has nulls, and refused where it has none', () => {
    const early = (nulls: number): Data =>
      new Data(
        new Utf8View(),
        0,
        3,
        nulls,
        [undefined, new Uint8Array(inline.buffer), Uint8Array.of(0b001)],
        [],
        undefined,
        [],
      );
    assert.deepEqual(write(new Utf8View(), alone(early(2))).values, ['twelve bytes', null, null]);
    assert.throws(() => write(new Utf8View(), alone(early(0))), {
      code: 'INVALID_ARGUMENT',
      message: /has 3 rows from row 0, but views for 1 of them/,
    });
  });
});

describe('the body of a batch', () => {
  it('may reach its limit, and not pass it', () => {
    const body = new BodyWriter();
    const part = new Uint8Array(1024 * 1024); // the same memory again and again
    for (let bytes = 0; bytes < maxWrittenBodyBytes; bytes += part.byteLength) body.buffer(part);
    assert.equal(body.length, maxWrittenBodyBytes);
    assert.throws(() => body.buffer(Uint8Array.of(1)), {
      code: 'RESOURCE_EXHAUSTED',
      message: /maxWrittenBodyBytes/,
    });
  });
});

describe('headers that are made from a template', () => {
  it('are those that are built, for any numbers and any count of them', () => {
    const headers = new BatchHeaderWriter('V5', 'zstd');
    const numbers = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 7];
    for (let count = 0; count < 40; count++) {
      const longs = Array.from({ length: 2 * count }, (_, index) => numbers[index % numbers.length] ?? 0);
      const layout = {
        length: 2 ** 33 + count,
        nodes: longs,
        buffers: longs.toReversed(),
        variadicBufferCounts: longs.slice(0, count || 1),
        compression: 'zstd',
      } as const;
      const written = headers.write(layout, 2 ** 41 + 8, new Map());
      assert.deepEqual(written, encodeRecordBatchHeader(layout, 2 ** 41 + 8));
      const metadata = new Map([['k', `${count}`]]);
      assert.deepEqual(
        headers.write(layout, 2 ** 41 + 8, metadata),
        encodeRecordBatchHeader(layout, 2 ** 41 + 8, { customMetadata: metadata }),
      );
    }
  });
});
