// Arrow messages to put into a store.
import { IpcEncoder } from '@peregrine/flight/ipc';
import { type Int32, RecordBatch, type Schema, type Table, tableFromArrays } from 'apache-arrow';

/** A message as the engine and the store take it. */
export interface Message {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** The numbers from..to as batches of a column `n`; a column `put` says in each row which put it came with. */
export function numbers(
  from: number,
  to: number,
  put: number,
  batchRows = 10_000,
): { readonly schema: Uint8Array; readonly batches: AsyncIterable<Message> } {
  const { schema } = numbersTable(0, 0, put);
  const encoder = new IpcEncoder(schema);
  const header = encoder.schema().header.slice();
  return { schema: header, batches: messages(encoder, schema, from, to, put, batchRows) };
}

async function* messages(
  encoder: IpcEncoder,
  schema: Schema,
  from: number,
  to: number,
  put: number,
  batchRows: number,
): AsyncGenerator<Message, void, undefined> {
  for (let start = from; start < to; start += batchRows) {
    for (const batch of numbersTable(start, Math.min(to, start + batchRows), put).batches) {
      for (const { header, bodyPieces } of encoder.batch(new RecordBatch(schema, batch.data))) {
        yield { header, body: new Uint8Array(Buffer.concat(bodyPieces)) };
      }
    }
  }
}

/** The same as one table. */
export function numbersTable(from: number, to: number, put: number): Table<{ n: Int32; put: Int32 }> {
  const n = Int32Array.from({ length: to - from }, (_, i) => from + i);
  return tableFromArrays({ n, put: new Int32Array(n.length).fill(put) });
}

/** Arrow messages of numbers that do not compress: 8 bytes a row. */
export function noise(rows: number): {
  readonly schema: Uint8Array;
  readonly batches: AsyncIterable<Message>;
} {
  const table = tableFromArrays({ n: Float64Array.from({ length: rows }, () => Math.random()) });
  const encoder = new IpcEncoder(table.schema);
  const schema = encoder.schema().header.slice();
  async function* batches(): AsyncGenerator<Message, void, undefined> {
    for (const batch of table.batches) {
      for (const { header, bodyPieces } of encoder.batch(batch))
        yield { header, body: Buffer.concat(bodyPieces) };
    }
  }
  return { schema, batches: batches() };
}
