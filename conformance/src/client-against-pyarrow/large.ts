// Batches as large as they come.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDescriptor, Ticket } from '@peregrine/flight';
import { Int64, makeData, RecordBatch, Schema, Field, Struct } from 'apache-arrow';

import { text, withServer } from './pyarrow-server.ts';

const rows = 2 ** 27;

export function checkLarge(): void {
  describe('a batch of 1 GiB', () => {
    const context = withServer(() => []);

    it('comes as one message, value for value', async () => {
      const seen: number[] = [];
      for await (const { data } of context.client.doGet(new Ticket(`counted:${rows}`)).scoped()) {
        if (data === undefined) continue;
        seen.push(data.numRows);
        const values: unknown = data.getChildAt(0)?.data[0]?.values;
        assert.ok(values instanceof BigInt64Array);
        for (let row = 0; row < rows; row += 1) {
          if (values[row] !== BigInt(row)) assert.fail(`row ${row} is ${String(values[row])}`);
        }
      }
      assert.deepEqual(seen, [rows]);
    });

    it('goes as one message, and pyarrow finds every value in it', async () => {
      const values = new BigInt64Array(rows);
      const halves = new Int32Array(values.buffer);
      for (let row = 0; row < rows; row += 1) halves[2 * row] = row;
      const schema = new Schema([new Field('n', new Int64())]);
      const column = makeData({ type: new Int64(), length: rows, nullCount: 0, data: values });
      const batch = new RecordBatch(
        schema,
        makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children: [column] }),
      );
      const { writer, reader } = context.client.doPut(FlightDescriptor.forPath('counted'), {
        ipc: { targetMessageBytes: Infinity },
      });
      await writer.writeBatch(batch);
      await writer.close();
      assert.equal(text(await reader.read()), String(rows));
      assert.equal(await reader.read(), undefined);
    });
  });
}
