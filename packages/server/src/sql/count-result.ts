import { encodeRecordBatchHeader, encodeSchema, type ArrowSchema } from '@peregrine/flight/ipc';
import type { EngineBatch } from '../engine/types.ts';

/** What a statement that gives no rows answers on the query path: DuckDB's own habit. */
const countSchema: ArrowSchema = {
  fields: [
    {
      name: 'Count',
      type: { kind: 'int', bitWidth: 64, signed: true },
      nullable: true,
      dictionary: undefined,
      children: [],
      metadata: new Map(),
    },
  ],
  metadata: new Map(),
  endianness: 'little',
};

/** Header of the schema of {@link countBatches}. */
export const countSchemaHeader: Uint8Array = encodeSchema(countSchema);

/** One row with the rows changed; none where there is no such number, as of DDL. */
export function countBatches(count: bigint | undefined): EngineBatch[] {
  if (count === undefined || count < 0n) return [];
  const body = new Uint8Array(8);
  new DataView(body.buffer).setBigInt64(0, count, true);
  const header = encodeRecordBatchHeader(
    {
      length: 1,
      nodes: [1, 0],
      buffers: [0, 0, 0, 8],
      variadicBufferCounts: [],
      compression: undefined,
    },
    8,
  );
  return [{ kind: 'records', rows: 1, header, body, release: () => undefined }];
}
