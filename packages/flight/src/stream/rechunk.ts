import type { RecordBatch } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../errors.ts';
import { BatchJoiner } from '../ipc/join-batches.ts';

/**
 * Makes batches of `rows` rows each out of batches of any size (the last one may be smaller). Batches are cut without
 * copying; rows that come from several batches are copied together, and then belong to none of them. Where a
 * dictionary is replaced by one that does not begin with it, a batch ends early.
 *
 * @param batches - of one schema
 * @param rows - rows a batch; 64K to 256K suit most engines
 * @throws FlightInvalidArgumentError when `rows` is no integer above 0
 */
export function* rechunk(batches: Iterable<RecordBatch>, rows: number): Generator<RecordBatch, void, void> {
  const chunker = new Rechunker(rows);
  for (const batch of batches) yield* chunker.add(batch);
  yield* chunker.end();
}

/** The same as {@link rechunk} for batches that arrive over time. */
export async function* rechunkAsync(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  rows: number,
): AsyncGenerator<RecordBatch, void, void> {
  const chunker = new Rechunker(rows);
  for await (const batch of batches) yield* chunker.add(batch);
  yield* chunker.end();
}

class Rechunker {
  readonly #rows: number;
  #joiner: BatchJoiner | undefined;

  constructor(rows: number) {
    if (!Number.isInteger(rows) || rows < 1) {
      throw new FlightInvalidArgumentError(`batches of ${rows} rows cannot be made; give an integer above 0`);
    }
    this.#rows = rows;
  }

  *add(batch: RecordBatch): Generator<RecordBatch, void, void> {
    for (let from = 0; from < batch.numRows; ) {
      const to = Math.min(batch.numRows, from + this.#rows - (this.#joiner?.rows ?? 0));
      const part = from === 0 && to === batch.numRows ? batch : batch.slice(from, to);
      const joiner = (this.#joiner ??= new BatchJoiner(batch.schema));
      if (!joiner.add(part)) {
        if (joiner.rows === 0) {
          throw new FlightInvalidArgumentError(
            'two columns of a batch share a dictionary id, but their dictionaries differ; give their types different ids',
          );
        }
        yield* this.end();
        continue;
      }
      from = to;
      if (joiner.rows === this.#rows) yield* this.end();
    }
  }

  *end(): Generator<RecordBatch, void, void> {
    const joined = this.#joiner?.join();
    this.#joiner = undefined;
    if (joined !== undefined) yield joined;
  }
}
