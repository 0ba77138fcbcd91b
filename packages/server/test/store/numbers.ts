import { IpcEncoder } from '@peregrine/flight/ipc';
import { RecordBatch, tableFromArrays } from 'apache-arrow';
import assert from 'node:assert/strict';
import type { EngineInput } from '../../src/engine/types.ts';

/** Arrow messages with the numbers from..to in two batches. */
export function numbers(from: number, to: number): { schema: Uint8Array; batches: EngineInput[] } {
  const half = Math.floor((from + to) / 2);
  const tables = [
    [from, half],
    [half, to],
  ].map(([start = 0, end = 0]) =>
    tableFromArrays({ n: Int32Array.from({ length: end - start }, (_, i) => start + i) }),
  );
  const batchesOf = tables.flatMap((table) => table.batches);
  const schemaOf = tables[0]?.schema;
  assert.ok(schemaOf);
  const encoder = new IpcEncoder(schemaOf);
  const schema = encoder.schema().header.slice();
  const batches = batchesOf.flatMap((batch) =>
    encoder.batch(new RecordBatch(schemaOf, batch.data)).map(({ header, bodyPieces, bodyLength }) => {
      const body = new Uint8Array(bodyLength);
      let at = 0;
      for (const piece of bodyPieces) {
        body.set(piece, at);
        at += piece.length;
      }
      return { header, body };
    }),
  );
  return { schema, batches };
}

/** One after the other, as a stream. */
export async function* each<T>(values: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* values;
}
