import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Field, makeData, RecordBatch, Schema, Struct, Utf8View } from 'apache-arrow';
import { FlightBatchEncoder } from '../../src/stream/batch-encoder.ts';

describe('splitting batches of many view columns', () => {
  it('keeps each part in proportion to its rows', () => {
    const rows = 1000;
    const bytes = new Uint8Array(20 * rows).fill(0x61);
    const views = new Uint8Array(16 * rows);
    const view = new DataView(views.buffer);
    for (let row = 0; row < rows; row++) {
      view.setInt32(16 * row, 20, true);
      views.fill(0x61, 16 * row + 4, 16 * row + 8);
      view.setInt32(16 * row + 12, 20 * row, true);
    }
    const data = makeData({ type: new Utf8View(), views, variadicBuffers: [bytes] });
    const fields = Array.from({ length: 100 }, (_, index) => new Field(`v${index}`, new Utf8View(), true));
    const type = new Struct(fields);
    const children = fields.map(() => data);
    const batch = new RecordBatch(
      new Schema(fields),
      makeData({ type, length: rows, nullCount: 0, children }),
    );
    const encoder = new FlightBatchEncoder(batch.schema, { targetMessageBytes: 1024 * 1024 });
    const sizes = [...encoder.batch(batch)].map(({ byteLength }) => byteLength);
    assert.ok(sizes.length >= 4 && sizes.length <= 12, `${sizes.length} messages`);
    assert.ok(sizes.every((size) => size <= 1024 * 1024));
  });
});
