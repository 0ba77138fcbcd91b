import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Bool,
  type Data,
  Field,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchReader,
  Schema,
  Struct,
  Table,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { decodeDictionaryBatch } from '../../../src/ipc/decode/dictionary-batch.ts';
import { DictionaryMemo } from '../../../src/ipc/decode/dictionary-memo.ts';
import { decodeMessageHeader } from '../../../src/ipc/decode/message.ts';
import { decodeRecordBatch } from '../../../src/ipc/decode/record-batch.ts';
import { BodyWriter } from '../../../src/ipc/encode/buffers.ts';
import { type Chunk, writeChunks } from '../../../src/ipc/encode/chunks.ts';
import { IpcEncoder } from '../../../src/ipc/encode/encoder.ts';
import { encapsulate, encodeRecordBatchHeader } from '../../../src/ipc/encode/message.ts';
import { planOf } from '../../../src/ipc/encode/plan.ts';
import { endOfStream, writeIpcStream } from '../../../src/ipc/stream-writer.ts';
import { everyType } from '../every-type.ts';
import { batchValues, joined, valuesOf } from '../values.ts';

/** Reads a stream with apache-arrow's own reader, so that our decoder cannot hide a mistake of the encoder. */
function readBack(pieces: readonly Uint8Array[]): RecordBatch {
  const [batch] = [...RecordBatchReader.from(joined(pieces))];
  assert.ok(batch !== undefined);
  return batch;
}

describe('encoding the columns of a batch', () => {
  const batch = everyType(50);

  it('writes every type so that apache-arrow reads the same values', () => {
    assert.deepEqual(batchValues(readBack(writeIpcStream([batch]))), batchValues(batch));
  });

  it('writes slices at every bit offset', () => {
    for (let start = 0; start < 18; start++) {
      const slice = batch.slice(start, start + 9 + start);
      assert.deepEqual(
        batchValues(readBack(writeIpcStream([slice]))),
        batchValues(slice),
        `from row ${start}`,
      );
    }
  });

  it('writes slices of slices', () => {
    const slice = batch.slice(3, 47).slice(7, 30).slice(2, 11);
    assert.deepEqual(batchValues(readBack(writeIpcStream([slice]))), batchValues(slice));
  });

  it('writes a batch without rows, and one without columns', () => {
    const empty = readBack(writeIpcStream([batch.slice(4, 4)]));
    assert.equal(empty.numRows, 0);
    assert.equal(empty.numCols, batch.numCols);
    const bare = new RecordBatch(new Schema([]), makeData({ type: new Struct([]), length: 7, nullCount: 0 }));
    assert.equal(new IpcEncoder(bare.schema).batch(bare)[0]?.bodyLength, 0);
    assert.equal(readBack(writeIpcStream([bare])).numCols, 0);
  });

  it('joins rows of several batches into one column, for every type', () => {
    const other = everyType(23);
    const plans = planOf(batch.schema);
    const body = new BodyWriter();
    plans.forEach((plan, index) => {
      const column = batch.data.children[index];
      const second = other.data.children[index];
      assert.ok(column !== undefined && second !== undefined);
      const chunks: Chunk[] = [
        { data: column, start: 3, length: 11 },
        { data: second, start: 0, length: 0 },
        { data: second, start: 5, length: 18 },
        { data: column, start: 49, length: 1 },
      ];
      writeChunks(body, plan, chunks);
    });
    const encoder = new IpcEncoder(batch.schema);
    const [dictionaries] = [encoder.prepare(batch).dictionaries];
    const header = encodeRecordBatchHeader(body.layout(30), body.length);
    const pieces = [encoder.schema(), ...dictionaries, { header, bodyPieces: body.pieces }].flatMap(
      (message) => [encapsulate(message.header), ...message.bodyPieces],
    );
    const expected = [batch.slice(3, 14), other.slice(5, 23), batch.slice(49, 50)].map(batchValues);
    const actual = batchValues(readBack([...pieces, endOfStream(false)]));
    for (const [name, values] of Object.entries(actual)) {
      assert.deepEqual(
        values,
        expected.flatMap((part) => part[name] ?? []),
        name,
      );
    }
  });

  it('does not copy what needs no change', () => {
    const numbers = Int32Array.from({ length: 4096 }, (_, row) => row);
    const { nullBitmap, nullCount } = { nullBitmap: new Uint8Array(512).fill(0x7f), nullCount: 512 };
    const column = makeData({ type: new Int32(), data: numbers, nullBitmap, nullCount });
    const text = vectorFromArray(
      Array.from(numbers, (row) => `text ${row}`),
      new Utf8(),
    ).data[0];
    assert.ok(text !== undefined);
    const table = new Table({ column: new Vector([column]), text: new Vector([text]) });
    const [source] = table.batches;
    assert.ok(source !== undefined);
    const memory = new Set([numbers.buffer, nullBitmap.buffer, text.values.buffer, text.valueOffsets.buffer]);
    const large = (pieces: readonly Uint8Array[]): Uint8Array[] =>
      pieces.filter((piece) => piece.byteLength > 64);
    const [whole] = new IpcEncoder(source.schema).batch(source);
    assert.equal(large(whole?.bodyPieces ?? []).length, 4);
    for (const piece of large(whole?.bodyPieces ?? [])) assert.ok(memory.has(piece.buffer));
    // Rows from a multiple of 8 on: only the offsets of the text begin at another place and are copied.
    const [part] = new IpcEncoder(source.schema).batch(source.slice(1024, 2048));
    assert.equal(large(part?.bodyPieces ?? []).filter((piece) => !memory.has(piece.buffer)).length, 1);
  });

  it('declares as many bytes as the pieces have, all of them aligned', () => {
    for (const alignment of [8, 64] as const) {
      const messages = new IpcEncoder(batch.schema, { alignment }).batch(batch.slice(3, 40));
      for (const { bodyLength, bodyPieces, header } of messages) {
        assert.equal(
          bodyPieces.reduce((sum, piece) => sum + piece.byteLength, 0),
          bodyLength,
        );
        assert.equal(bodyLength % alignment, 0);
        assert.equal(header.byteLength % 8, 0);
      }
      assert.deepEqual(
        batchValues(readBack(writeIpcStream([batch.slice(3, 40)], { alignment }))),
        batchValues(batch.slice(3, 40)),
      );
    }
  });

  it('measures what a range of rows takes', () => {
    const prepared = new IpcEncoder(batch.schema).prepare(batch);
    for (const [from, to] of [
      [0, 50],
      [0, 8],
      [8, 32],
      [3, 29],
      [50, 50],
    ] as const) {
      const actual = prepared.encode(from, to).bodyLength;
      const measured = prepared.measure(from, to);
      assert.ok(measured >= actual && measured <= actual + 8 * 60, `${from}-${to}: ${measured}, ${actual}`);
    }
  });

  it('fills up columns of a table that ended early', () => {
    const long = vectorFromArray(
      Array.from({ length: 600 }, () => 1),
      new Int32(),
    );
    const item = new Field('item', new Int32(), true);
    const nulls = (count: number): string[] => Array.from({ length: count }, () => 'null');
    const short: Record<string, Vector> = {
      text: vectorFromArray(['a', 'bc'], new Utf8()),
      bool: vectorFromArray([true, null, true], new Bool()),
      list: vectorFromArray([[1, 2], [3]], new List(item)),
      struct: vectorFromArray([{ item: 3 }, { item: null }], new Struct([item])),
    };
    const columns = { long, ...short };
    const data = Object.entries(columns).map(([name, vector]) => [name, vector.data[0]]);
    const source = new RecordBatch(Object.fromEntries(data));
    assert.equal(source.numRows, 600);
    const back = readBack(writeIpcStream([source]));
    assert.deepEqual(valuesOf(back.getChild('text')), ['"a"', '"bc"', ...nulls(598)]);
    assert.deepEqual(valuesOf(back.getChild('bool')), ['true', 'null', 'true', ...nulls(597)]);
    assert.deepEqual(valuesOf(back.getChild('list')), ['[1,2]', '[3]', ...nulls(598)]);
    assert.deepEqual(valuesOf(back.getChild('struct')).slice(0, 3), ['{"item":3}', '{"item":null}', 'null']);
  });

  it('gathers the bytes of a slice of a view column once most of them belong to other rows', () => {
    const rows = 1000;
    const text = (row: number): string => `${row} ${'x'.repeat(200)}`;
    const bytes = new TextEncoder().encode(Array.from({ length: rows }, (_, row) => text(row)).join(''));
    const views = new Uint8Array(16 * rows);
    const view = new DataView(views.buffer);
    let at = 0;
    for (let row = 0; row < rows; row++) {
      const { length } = text(row);
      view.setInt32(16 * row, length, true);
      views.set(bytes.subarray(at, at + 4), 16 * row + 4);
      view.setInt32(16 * row + 12, at, true);
      at += length;
    }
    const data = makeData({ type: new Utf8View(), views, variadicBuffers: [bytes] });
    const field = new Field('v', new Utf8View(), true);
    const struct = makeData({ type: new Struct([field]), length: rows, nullCount: 0, children: [data] });
    const source = new RecordBatch(new Schema([field]), struct);
    const encoder = new IpcEncoder(source.schema);
    const slice = source.slice(500, 510);
    assert.ok((encoder.batch(slice)[0]?.bodyLength ?? 0) < 4000);
    assert.deepEqual(batchValues(readBack(writeIpcStream([slice]))), batchValues(slice));
    const [whole] = encoder.batch(source);
    assert.ok(whole?.bodyPieces.some((piece) => piece.buffer === bytes.buffer));
  });

  it('refuses columns that do not fit their schema', () => {
    const schema = new Schema([new Field('a', new Int32(), true)]);
    const encoder = new IpcEncoder(schema);
    const text = vectorFromArray(['x'], new Utf8());
    assert.throws(
      () => encoder.batch(batchOf({ a: text })),
      /column "a" has type Utf8, but its schema says Int32/,
    );
    const b = vectorFromArray([1], new Int32());
    assert.throws(() => encoder.batch(batchOf({ b })), /column 0 of the batch is "b"/);
    assert.throws(
      () => encoder.batch(batchOf({ a: b, b })),
      /has 2 columns, but the stream was begun with 1/,
    );
    const short: Data = makeData({ type: new Int32(), length: 9, nullCount: 0, data: new Int32Array(4) });
    assert.throws(() => encoder.batch(batchOf({ a: new Vector([short]) })), /column "a" needs 36 bytes/);
  });

  it('takes columns whose types are equal but other objects', () => {
    const encoder = new IpcEncoder(batchOf({ a: vectorFromArray([1], new Int32()) }).schema);
    const other = batchOf({ a: vectorFromArray([2, null], new Int32()) });
    assert.equal(encoder.batch(other).length, 1);
  });

  it('keeps the metadata of a batch', () => {
    const source = batchOf({ a: vectorFromArray([1], new Int32()) });
    const marked = new RecordBatch(
      source.schema,
      source.data,
      new Map([
        ['k', 'v'],
        ['ü', ''],
      ]),
    );
    const back = readBack(writeIpcStream([marked]));
    assert.deepEqual(
      [...back.metadata],
      [
        ['k', 'v'],
        ['ü', ''],
      ],
    );
  });

  it('writes V4 with the validity buffer that unions had', () => {
    const encoder = new IpcEncoder(batch.schema, { metadataVersion: 'V4' });
    const memo = new DictionaryMemo();
    const decoded = encoder.batch(batch).map(({ header, bodyPieces }) => {
      const message = decodeMessageHeader(header);
      assert.equal(message.version, 'V4');
      const body = joined(bodyPieces);
      if (message.kind === 'batch') return decodeRecordBatch(batch.schema, message, body, memo);
      decodeDictionaryBatch(batch.schema, message, body, memo);
      return undefined;
    });
    const last = decoded.at(-1);
    assert.ok(last !== undefined);
    assert.deepEqual(batchValues(last), batchValues(batch));
  });
});

function batchOf(columns: Record<string, Vector>): RecordBatch {
  const [batch] = new Table(columns).batches;
  assert.ok(batch !== undefined);
  return batch;
}
