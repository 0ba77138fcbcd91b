import { Int32, RecordBatch, type Schema, Table, tableFromArrays, vectorFromArray } from 'apache-arrow';
import { RecordBatchStream } from '../../src/stream/record-batch-stream.ts';

/** A table with one column `n` and a batch for each list. */
export function numbers(...batches: readonly (readonly number[])[]): Table {
  const tables = batches.map((values) => new Table({ n: vectorFromArray(values, new Int32()) }));
  const { schema } = tables[0] ?? tableFromArrays({ n: new Int32Array(0) });
  return new Table(
    schema,
    tables.flatMap((table) => table.batches.map((batch) => new RecordBatch(schema, batch.data))),
  );
}

/** The numbers of the column `n`. */
export function valuesOf(table: Table): number[] {
  return Array.from(table.getChild('n') ?? [], Number);
}

/** The messages of DoGet that carry a table: the schema, then the batches. */
export async function flightDataMessages(table: Table): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  await new RecordBatchStream(table).sendTo({
    write(message) {
      messages.push(Buffer.concat(message.pieces));
      message.onFlushed?.();
      return true;
    },
    drained: () => Promise.resolve(),
    end: () => undefined,
  });
  return messages;
}

/** Names and types of a schema. */
export function fieldsOf(schema: Schema): string[] {
  return schema.fields.map((field) => `${field.name}: ${String(field.type)}`);
}
