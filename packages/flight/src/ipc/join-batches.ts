import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { DictionaryMemo } from './decode/dictionary-memo.ts';
import { decodeRecordBatch } from './decode/record-batch.ts';
import { BodyWriter, join } from './encode/buffers.ts';
import { writeChunks } from './encode/chunks.ts';
import { collectDictionaries, type DictionaryState } from './encode/dictionary-batch.ts';
import { planOf } from './encode/plan.ts';

/** Batches of one schema whose rows can be one batch, because their dictionaries agree as far as each goes. */
export class BatchJoiner {
  readonly #schema: Schema;
  readonly #dictionaries = new Map<number, DictionaryState>();
  readonly #batches: RecordBatch[] = [];
  #rows = 0;

  constructor(schema: Schema) {
    this.#schema = schema;
  }

  /** Rows of the batches taken. */
  get rows(): number {
    return this.#rows;
  }

  /** Takes a batch. False: its dictionaries differ from those of the batches before; then only joining is left. */
  add(batch: RecordBatch): boolean {
    const clash = collectDictionaries(planOf(this.#schema), batch.data.children, this.#dictionaries);
    if (clash !== undefined) return false;
    this.#batches.push(batch);
    this.#rows += batch.numRows;
    return true;
  }

  /** The rows of all batches in one; of a single batch that batch itself. Undefined when none was taken. */
  join(): RecordBatch | undefined {
    const [first] = this.#batches;
    if (this.#batches.length <= 1) return first;
    const body = new BodyWriter(64);
    planOf(this.#schema).forEach((plan, index) => {
      const chunks = this.#batches.flatMap((batch) => {
        const data: Data | undefined = batch.data.children[index];
        return data === undefined ? [] : [{ data, start: 0, length: batch.numRows }];
      });
      writeChunks(body, plan, chunks);
    });
    const memo = new DictionaryMemo();
    for (const [id, { chunks }] of this.#dictionaries) for (const chunk of chunks) memo.append(id, chunk);
    const customMetadata = first?.metadata ?? new Map<string, string>();
    return decodeRecordBatch(
      this.#schema,
      { kind: 'batch', version: 'V5', bodyLength: body.length, customMetadata, ...body.layout(this.#rows) },
      join(body.pieces, body.length),
      memo,
    );
  }
}
