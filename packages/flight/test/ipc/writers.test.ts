import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Field,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchFileReader,
  RecordBatchReader,
  Schema,
  Struct,
  Table,
  tableFromIPC,
} from 'apache-arrow';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { IpcEncoder } from '../../src/ipc/encode/encoder.ts';
import { readIpcFile } from '../../src/ipc/file-reader.ts';
import { IpcFileWriter, writeIpcFile } from '../../src/ipc/file-writer.ts';
import { readIpcStreamSync } from '../../src/ipc/stream-reader.ts';
import { IpcStreamWriter, writeIpcStream } from '../../src/ipc/stream-writer.ts';
import { FlightBatchEncoder } from '../../src/stream/batch-encoder.ts';
import { everyType } from './every-type.ts';
import { batchValues, joined } from './values.ts';

const batches = [everyType(20), everyType(9)];

describe('IPC streams', () => {
  it('are read by apache-arrow and by us', () => {
    const bytes = joined(writeIpcStream(batches));
    assert.deepEqual([...RecordBatchReader.from(bytes)].map(batchValues), batches.map(batchValues));
    assert.deepEqual([...readIpcStreamSync(bytes)].map(batchValues), batches.map(batchValues));
  });

  it('are written from tables and from batches, compressed or not', () => {
    const table = new Table(batches);
    const plain = joined(writeIpcStream(table));
    for (const compression of ['lz4', 'zstd'] as const) {
      const bytes = joined(writeIpcStream(batches, { compression }));
      assert.deepEqual([...readIpcStreamSync(bytes)].map(batchValues), batches.map(batchValues));
    }
    assert.deepEqual([...readIpcStreamSync(plain)].map(batchValues), batches.map(batchValues));
    assert.throws(() => writeIpcStream([]), FlightInvalidArgumentError);
    assert.equal(tableFromIPC(joined(writeIpcStream(new Table(table.schema)))).numCols, table.numCols);
  });

  it('can be framed as before Arrow 0.15', () => {
    const bytes = joined(writeIpcStream(batches, { legacyFraming: true }));
    assert.notEqual(new DataView(bytes.buffer).getUint32(0, true), 0xffff_ffff);
    assert.deepEqual([...RecordBatchReader.from(bytes)].map(batchValues), batches.map(batchValues));
  });

  it('have compressed buffers only where that is smaller', () => {
    const batch = zeros(1000, 1);
    const noise = zeros(1000, 1);
    const values: BigInt64Array = noise.data.children[0]?.values;
    for (let i = 0; i < values.length; i++) values[i] = BigInt.asIntN(64, BigInt(i) * 0x9e37_79b9_7f4a_7c15n);
    const length = (source: RecordBatch): number =>
      joined(writeIpcStream([source], { compression: 'lz4' })).byteLength;
    assert.ok(length(batch) < 1000);
    assert.ok(length(noise) > 8000 && length(noise) < 8600);
    const [back] = [...readIpcStreamSync(joined(writeIpcStream([noise], { compression: 'lz4' })))];
    assert.ok(back !== undefined);
    assert.deepEqual(batchValues(back), batchValues(noise));
  });
});

describe('IPC files', () => {
  it('are read by apache-arrow and by us, batch by batch', () => {
    const bytes = joined(writeIpcFile(batches));
    assert.equal(new TextDecoder().decode(bytes.subarray(0, 6)), 'ARROW1');
    assert.deepEqual(tableFromIPC(bytes).batches.map(batchValues), batches.map(batchValues));
    const reader = RecordBatchReader.from(bytes);
    assert.ok(reader.open().isFile());
    assert.deepEqual([...readIpcFile(bytes)].map(batchValues), batches.map(batchValues));
  });

  it('tell where each message is', async () => {
    const bytes = joined(writeIpcFile(batches, { alignment: 64 }));
    const reader = RecordBatchFileReader.from(bytes);
    reader.open();
    const second = await reader.readRecordBatch(1);
    assert.ok(second !== null);
    assert.deepEqual(batchValues(second), batchValues(batches[1] ?? second));
  });

  it('are written from messages that were encoded before, but not from a second schema', () => {
    const [first] = batches;
    assert.ok(first !== undefined);
    const encoder = new IpcEncoder(first.schema);
    const writer = new IpcFileWriter(first.schema);
    const pieces = writer.start();
    for (const message of encoder.batch(first)) pieces.push(...writer.message(message));
    const bytes = joined([...pieces, ...writer.end()]);
    assert.deepEqual(tableFromIPC(bytes).batches.map(batchValues), [batchValues(first)]);
    assert.throws(() => writer.message(encoder.schema()), FlightInvalidArgumentError);
  });

  it('without batches have their schema', () => {
    const { schema } = everyType(8);
    const bytes = joined(writeIpcFile(new Table(schema)));
    assert.equal(readIpcFile(bytes).schema.toString(), schema.toString());
    assert.equal(tableFromIPC(bytes).schema.toString(), schema.toString());
  });
});

/** Columns of one memory, so that a batch can be far larger than the memory it takes. */
function zeros(rows: number, columns: number): RecordBatch {
  const data = makeData({ type: new Int64(), data: new BigInt64Array(rows) });
  const fields = Array.from({ length: columns }, (_, index) => new Field(`c${index}`, new Int64(), false));
  const children = fields.map(() => data);
  const type = new Struct(fields);
  return new RecordBatch(new Schema(fields), makeData({ type, length: rows, nullCount: 0, children }));
}

describe('large batches', () => {
  const rows = 2 * 1024 * 1024;

  it('are written up to almost 2 GiB', () => {
    const batch = zeros(rows, 127);
    const [message] = new IpcEncoder(batch.schema).batch(batch);
    assert.equal(message?.bodyLength, 127 * 16 * 1024 * 1024);
    const pieces = new IpcStreamWriter(batch.schema).batch(batch);
    assert.equal(pieces.length, 128);
  });

  it('above are refused with a clear error, and go in parts over Flight', () => {
    const batch = zeros(rows, 128);
    assert.throws(
      () => new IpcEncoder(batch.schema).batch(batch),
      (error) => error instanceof FlightResourceExhaustedError && /maxWrittenBodyBytes/.test(error.message),
    );
    const encoder = new FlightBatchEncoder(batch.schema, { targetMessageBytes: 256 * 1024 * 1024 });
    assert.equal([...encoder.batch(batch)].length, 9);
  });
});
