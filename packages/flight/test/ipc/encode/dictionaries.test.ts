import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Data,
  type DataType,
  Dictionary,
  Field,
  Int32,
  Int8,
  List,
  makeData,
  RecordBatch,
  RecordBatchReader,
  Schema,
  Struct,
  tableFromIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { decodeMessageHeader } from '../../../src/ipc/decode/message.ts';
import { IpcEncoder } from '../../../src/ipc/encode/encoder.ts';
import type { EncodedMessage } from '../../../src/ipc/encode/message.ts';
import { writeIpcFile } from '../../../src/ipc/file-writer.ts';
import type { IpcWriteOptions } from '../../../src/ipc/options.ts';
import { IpcStreamWriter, writeIpcStream } from '../../../src/ipc/stream-writer.ts';
import { joined, valuesOf } from '../values.ts';

const colors = new Dictionary(new Utf8(), new Int8(), 3);

function batchOf(columns: readonly [string, Data][]): RecordBatch {
  const fields = columns.map(([name, data]) => new Field(name, data.type, true));
  const length = columns[0]?.[1].length ?? 0;
  const children = columns.map(([, data]) => data);
  return new RecordBatch(
    new Schema(fields),
    makeData({ type: new Struct(fields), length, nullCount: 0, children }),
  );
}

function encoded(indices: readonly number[], dictionary: Vector, type: Dictionary = colors): Data {
  return makeData({ type, data: Int8Array.from(indices), dictionary });
}

function words(...values: (string | null)[]): Vector {
  return vectorFromArray(values, new Utf8());
}

/** What each message is: B for a batch, D3 for dictionary 3, d3 for a delta of it, with its rows. */
function kinds(messages: readonly EncodedMessage[]): string[] {
  return messages.map(({ header }) => {
    const message = decodeMessageHeader(header);
    if (message.kind === 'schema') return 'S';
    const kind = message.kind === 'batch' ? 'B' : `${message.isDelta ? 'd' : 'D'}${message.id}`;
    return `${kind}:${message.length}`;
  });
}

function sent(batches: readonly RecordBatch[], options: IpcWriteOptions = {}): string[][] {
  const [first] = batches;
  assert.ok(first !== undefined);
  const encoder = new IpcEncoder(first.schema, options);
  return batches.map((batch) => kinds(encoder.batch(batch)));
}

/** Values of the first column as apache-arrow reads them batch by batch, since a later dictionary may replace one. */
function readColumn(pieces: readonly Uint8Array[]): string[][] {
  return [...RecordBatchReader.from(joined(pieces))].map((batch) => valuesOf(batch.getChildAt(0)));
}

describe('dictionaries of a stream', () => {
  it('are cut down to what each part uses where they are too large, as apache-arrow reads them', () => {
    const texts = Array.from({ length: 60 }, (_, i) => `value ${i}`);
    const batch = batchOf([['c', encoded([5, 6, 5, 59, 40, 3, 2, 1, 0, 17, 18, 19], words(...texts))]]);
    const encoder = new IpcEncoder(batch.schema, { splitDictionariesAbove: 60 });
    const messages = encoder.batch(batch);
    assert.deepEqual(kinds(messages), ['D3:5', 'B:6', 'D3:5', 'B:5', 'D3:1', 'B:1']);
    const writer = new IpcStreamWriter(batch.schema);
    const pieces = [...writer.start(), ...messages.flatMap((message) => writer.message(message))];
    assert.deepEqual(readColumn([...pieces, ...writer.end()]).flat(), valuesOf(batch.getChildAt(0)));
  });

  it('are sent before the first batch that needs them, and not again while they stay the same', () => {
    const dictionary = words('red', 'green');
    const batches = [
      [0, 1],
      [1, 1, 0],
    ].map((indices) => batchOf([['c', encoded(indices, dictionary)]]));
    assert.deepEqual(sent(batches), [['D3:2', 'B:2'], ['B:3']]);
    assert.deepEqual(readColumn(writeIpcStream(batches)), [
      ['"red"', '"green"'],
      ['"green"', '"green"', '"red"'],
    ]);
  });

  it('are the same when other memory has the same values', () => {
    const batches = [words('red', null, 'blue'), words('red', null, 'blue')].map((dictionary) =>
      batchOf([['c', encoded([0, 1, 2], dictionary)]]),
    );
    assert.deepEqual(sent(batches), [['D3:3', 'B:3'], ['B:3']]);
  });

  it('are sent anew when they differ', () => {
    const batches = [words('red', 'green'), words('green', 'red'), words('green')].map((dictionary) =>
      batchOf([['c', encoded([0], dictionary)]]),
    );
    assert.deepEqual(sent(batches), [
      ['D3:2', 'B:1'],
      ['D3:2', 'B:1'],
      ['D3:1', 'B:1'],
    ]);
    assert.deepEqual(readColumn(writeIpcStream(batches)), [['"red"'], ['"green"'], ['"green"']]);
  });

  it('that grew go whole, or as a delta by option', () => {
    const batches = [words('red'), words('red', 'green', 'blue')].map((dictionary, index) =>
      batchOf([['c', encoded([index], dictionary)]]),
    );
    assert.deepEqual(sent(batches), [
      ['D3:1', 'B:1'],
      ['D3:3', 'B:1'],
    ]);
    const deltas = { emitDictionaryDeltas: true };
    assert.deepEqual(sent(batches, deltas), [
      ['D3:1', 'B:1'],
      ['d3:2', 'B:1'],
    ]);
    assert.deepEqual(readColumn(writeIpcStream(batches, deltas)), [['"red"'], ['"green"']]);
  });

  it('of several chunks go as one batch, and grow by the chunks that were added', () => {
    const [a, b, c] = [words('red'), words('green', 'blue'), words('white')].map((vector) => vector.data[0]);
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const batches = [new Vector([a, b]), new Vector([a, b, c])].map((dictionary) =>
      batchOf([['c', encoded([0, dictionary.length - 1], dictionary)]]),
    );
    assert.deepEqual(sent(batches, { emitDictionaryDeltas: true }), [
      ['D3:3', 'B:2'],
      ['d3:1', 'B:2'],
    ]);
    assert.deepEqual(readColumn(writeIpcStream(batches)), [
      ['"red"', '"blue"'],
      ['"red"', '"white"'],
    ]);
  });

  it('shared by several columns are sent once, the longest that the batch has', () => {
    const fields = { a: encoded([0], words('red')), b: encoded([1], words('red', 'green')) };
    assert.deepEqual(sent([batchOf(Object.entries(fields))]), [['D3:2', 'B:1']]);
    const clash = { a: encoded([0], words('red')), b: encoded([0], words('green')) };
    assert.throws(
      () => sent([batchOf(Object.entries(clash))]),
      /column "b" and another column of the batch share a dictionary id/,
    );
  });

  it('that were never set are empty', () => {
    const data = makeData({
      type: colors,
      data: Int8Array.from([0, 0]),
      nullCount: 2,
      nullBitmap: new Uint8Array(8),
    });
    assert.deepEqual(sent([batchOf([['c', data]])]), [['D3:0', 'B:2']]);
  });

  it('below nested columns are found', () => {
    const child = encoded([0, 1, 1], words('red', 'green'));
    const item: Field = new Field('item', colors, true);
    const list = makeData({ type: new List(item), valueOffsets: Int32Array.of(0, 2, 3), child });
    assert.deepEqual(sent([batchOf([['l', list]])]), [['D3:2', 'B:2']]);
    assert.deepEqual(readColumn(writeIpcStream([batchOf([['l', list]])])), [
      ['["red","green"]', '["green"]'],
    ]);
  });

  it('inside of dictionaries come first, and both come again when the inner one is replaced', () => {
    const inner = (dictionary: Vector): Data => {
      const item: Field = new Field('item', colors, true);
      const list = new List(item);
      const values = makeData({
        type: list,
        valueOffsets: Int32Array.of(0, 1, 2),
        child: encoded([0, 1], dictionary),
      });
      const valueType: DataType = list;
      const type = new Dictionary(valueType, new Int8(), 9);
      return makeData({ type, data: Int8Array.of(1, 0), dictionary: new Vector([values]) });
    };
    const batches = [words('red', 'green'), words('black', 'white')].map((dictionary) =>
      batchOf([['n', inner(dictionary)]]),
    );
    assert.deepEqual(sent(batches), [
      ['D3:2', 'D9:2', 'B:2'],
      ['D3:2', 'D9:2', 'B:2'],
    ]);
  });

  it('are forgotten when a prepared batch is given up', () => {
    const batch = batchOf([['c', encoded([0], words('red'))]]);
    const encoder = new IpcEncoder(batch.schema);
    assert.equal(encoder.prepare(batch).dictionaries.length, 1);
    const again = encoder.prepare(batch);
    assert.equal(again.dictionaries.length, 1);
    again.commit();
    assert.equal(encoder.prepare(batch).dictionaries.length, 0);
  });
});

describe('dictionaries of a file', () => {
  const other = new Dictionary(new Utf8(), new Int32(), 4);
  const batches = [words('red', 'green'), words('blue', null, 'green')].map((dictionary) =>
    batchOf([
      ['c', encoded([1, 0, 1], dictionary)],
      ['n', makeData({ type: other, data: Int32Array.of(1, 1, 1), dictionary })],
    ]),
  );

  it('are unified', () => {
    const table = tableFromIPC(joined(writeIpcFile(batches)));
    assert.deepEqual(valuesOf(table.getChild('c')), [
      '"green"',
      '"red"',
      '"green"',
      'null',
      '"blue"',
      'null',
    ]);
    assert.equal(
      table.batches[0]?.data.children[0]?.dictionary,
      table.batches[1]?.data.children[0]?.dictionary,
    );
  });

  it('are refused when they differ and may not be unified', () => {
    assert.throws(
      () => writeIpcFile(batches, { unifyDictionaries: false }),
      /column "c<dictionary 3>" has another/,
    );
  });

  it('may grow by deltas', () => {
    const growing = [words('red'), words('red', 'blue')].map((dictionary, index) =>
      batchOf([['c', encoded([index], dictionary)]]),
    );
    const options = { unifyDictionaries: false, emitDictionaryDeltas: true };
    assert.deepEqual(valuesOf(tableFromIPC(joined(writeIpcFile(growing, options))).getChild('c')), [
      '"red"',
      '"blue"',
    ]);
  });

  it('are refused when their index type cannot count the values of all', () => {
    const many = [0, 1].map((part) =>
      batchOf([['c', encoded([0], words(...Array.from({ length: 100 }, (_, i) => `${part} ${i}`)))]]),
    );
    assert.throws(() => writeIpcFile(many), /column "c" has 200 different values in all batches/);
  });
});
