import { readFileSync } from 'node:fs';
import { readIpcFile } from '@peregrine/flight/ipc';
import { Field, Float64, RecordBatch, Schema, Struct, makeData } from 'apache-arrow';

/** Rows of each batch and number of its float64 columns: 4 MiB a batch, as every program of the benchmark sends. */
export const benchRows = 65_536;
export const benchColumns = 8;
export const batchBytes: number = benchRows * benchColumns * 8;

/** The schema of what is sent. */
export const benchSchema: Schema = new Schema(
  Array.from({ length: benchColumns }, (_, i) => new Field(`c${i}`, new Float64(), true)),
);

/** So many different batches of random numbers. */
export function makeBatches(count: number): RecordBatch[] {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const makeColumn = (): Float64Array => Float64Array.from({ length: benchRows }, random);
  return Array.from({ length: count }, () => {
    const children = Array.from({ length: benchColumns }, () =>
      makeData({ type: new Float64(), length: benchRows, nullCount: 0, data: makeColumn() }),
    );
    const type = new Struct(benchSchema.fields);
    return new RecordBatch(benchSchema, makeData({ type, length: benchRows, nullCount: 0, children }));
  });
}

/** The batches of an IPC file. */
export function readBatches(file: string): {
  readonly schema: Schema;
  readonly batches: readonly RecordBatch[];
} {
  const read = readIpcFile(readFileSync(file));
  return { schema: read.schema, batches: [...read] };
}
