import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Field, Int32, makeData, RecordBatch, Schema, Struct } from 'apache-arrow';
import { connect } from '../../src/client/index.ts';
import { minPooledBodyBytes } from '../../src/limits/bytes.ts';
import { manyBodyPieces } from '../../src/limits/proto.ts';
import { FlightDescriptor, Ticket } from '../../src/model/index.ts';
import { FlightServer } from '../../src/server/index.ts';
import { FlightBatchEncoder, GeneratorStream } from '../../src/stream/index.ts';

const columns = 2 * manyBodyPieces;
const rows = 300;
const count = 40;
const type = new Int32();
const schema = new Schema(Array.from({ length: columns }, (_, i) => new Field(`c${i}`, type)));

/** A batch in which every number tells which batch it is of, and which column. */
function wide(index: number): RecordBatch {
  const children = schema.fields.map((_, column) =>
    makeData({ type, data: new Int32Array(rows).fill(1000 * index + column) }),
  );
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, children }));
}

function checkWide(batch: RecordBatch, index: number): void {
  assert.equal(batch.numRows, rows);
  for (const [column, data] of batch.data.children.entries()) {
    const values: unknown = data.values;
    assert.ok(values instanceof Int32Array);
    assert.ok(values.every((value) => value === 1000 * index + column));
  }
}

describe('batches of many columns, whose memory is used again', () => {
  it('arrive as they were sent, to several readers at once', async () => {
    const [message] = new FlightBatchEncoder(schema).batch(wide(0), { recycle: true });
    assert.ok((message?.memory?.bytes.byteLength ?? 0) > minPooledBodyBytes);
    let put = 0;
    const server = new FlightServer({
      doGet: () =>
        new GeneratorStream(schema, function* () {
          for (let i = 0; i < count; i++) yield wide(i);
        }),
      async doPut(_descriptor, reader) {
        for await (const { data } of reader.scoped()) if (data !== undefined) checkWide(data, put++);
      },
    });
    await server.listen('grpc+tcp://127.0.0.1:0');
    const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
    try {
      const read = async (): Promise<void> => {
        let index = 0;
        for await (const { data } of client.doGet(new Ticket('wide'))) {
          if (data !== undefined) checkWide(data, index++);
        }
        assert.equal(index, count);
      };
      const write = async (): Promise<void> => {
        const { writer } = client.doPut(FlightDescriptor.forPath('wide'));
        for (let i = 0; i < count; i++) await writer.writeBatch(wide(i));
        await writer.close();
      };
      await Promise.all([read(), read(), read(), write()]);
      assert.equal(put, count);
    } finally {
      await client.close();
      await server.shutdown();
    }
  });
});
