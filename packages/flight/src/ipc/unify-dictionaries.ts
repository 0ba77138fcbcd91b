import { Data, type RecordBatch, type Schema, Struct, Vector } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../errors.ts';
import { createRecordBatch } from './create-batch.ts';
import { bitAt } from './encode/bits.ts';
import { BodyWriter, join } from './encode/buffers.ts';
import { writeColumn } from './encode/columns.ts';
import { type ColumnPlan, planOf } from './encode/plan.ts';
import { sameColumn } from './encode/same.ts';

/**
 * Gives the dictionary-encoded columns of several batches one dictionary each, with the values of all: indices are
 * written anew where they change. Batches that agree already are returned as they are. Dictionaries below nested
 * columns, and dictionaries with dictionaries inside, are left alone.
 *
 * @param schema - of all batches
 * @throws FlightInvalidArgumentError when the index type cannot count all values
 */
export function unifyDictionaries(schema: Schema, batches: readonly RecordBatch[]): readonly RecordBatch[] {
  const plans = planOf(schema);
  const unified = new Map<number, Unified>();
  let changed = false;
  for (const batch of batches) {
    plans.forEach((plan, index) => {
      const data: Data | undefined = batch.data.children[index];
      const id = plan.dictionary?.id;
      if (id === undefined || data === undefined || plan.dictionary?.values.hasDictionaries === true) return;
      let all = unified.get(id);
      if (all === undefined) {
        all = new Unified(plan);
        unified.set(id, all);
      }
      if (!all.add(data.dictionary)) changed = true;
    });
  }
  if (!changed) return batches;
  const struct = new Struct(schema.fields);
  return batches.map((batch) => {
    const columns = plans.map((plan, index) => {
      const data = batch.data.children[index] ?? new Data(plan.type, 0, 0);
      const all = unified.get(plan.dictionary?.id ?? -1);
      return all === undefined ? data : all.translate(plan, data);
    });
    return createRecordBatch(schema, struct, batch.numRows, columns, batch.metadata);
  });
}

/** The values of several dictionaries, each once. */
class Unified {
  readonly #plan: ColumnPlan;
  readonly #places = new Map<string, number>();
  readonly #translations = new Map<Vector | undefined, Uint32Array>();
  readonly #runs: { data: Data; start: number; end: number }[] = [];
  #first: Vector | undefined;
  #vector: Vector | undefined;

  constructor(plan: ColumnPlan) {
    this.#plan = plan;
  }

  /** Takes the values of a dictionary. True: it is the first one again. */
  add(vector: Vector | undefined): boolean {
    if (this.#translations.has(vector)) return vector === this.#first;
    const first = this.#translations.size === 0;
    if (first) this.#first = vector;
    const same =
      first ||
      (vector !== undefined &&
        vector.data.length === this.#first?.data.length &&
        vector.data.every((chunk, index) => sameColumn(chunk, this.#first?.data[index])));
    const places = new Uint32Array(vector?.length ?? 0);
    let at = 0;
    for (const data of vector?.data ?? []) {
      for (let row = 0; row < data.length; row++) places[at++] = this.#place(data, row);
    }
    this.#translations.set(vector, places);
    return same;
  }

  /** The column with indices into the unified dictionary. */
  translate(plan: ColumnPlan, data: Data): Data {
    const places = this.#translations.get(data.dictionary) ?? new Uint32Array(0);
    const indices: Indices = data.values;
    const translated = indices.slice(0, data.length);
    const largest = 2 ** (8 * plan.byteWidth - (isSigned(indices) ? 1 : 0)) - 1;
    if (this.#places.size - 1 > largest) {
      throw new FlightInvalidArgumentError(
        `column "${plan.path}" has ${this.#places.size} different values in all batches, but its indices only count to ${largest}; use a wider index type`,
      );
    }
    const bitmap: Uint8Array | undefined = data.nullCount > 0 ? data.nullBitmap : undefined;
    for (let row = 0; row < translated.length; row++) {
      const valid = bitmap === undefined || bitAt(bitmap, data.offset + row);
      const place = valid ? (places[Number(indices[row])] ?? 0) : 0;
      if (translated instanceof BigInt64Array || translated instanceof BigUint64Array) {
        translated[row] = BigInt(place);
      } else {
        translated[row] = place;
      }
    }
    const { type, offset, length, nullCount, nullBitmap } = data;
    const dictionary = this.#dictionary();
    return new Data(type, offset, length, nullCount, [undefined, translated, nullBitmap], [], dictionary);
  }

  #dictionary(): Vector {
    this.#vector ??=
      this.#runs.length === 0 && this.#first !== undefined
        ? this.#first
        : new Vector(this.#runs.map(({ data, start, end }) => data.slice(start, end - start)));
    return this.#vector;
  }

  #place(data: Data, row: number): number {
    const key = this.#key(data, row);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#places.size;
      this.#places.set(key, place);
      const last = this.#runs.at(-1);
      if (last !== undefined && last.data === data && last.end === row) last.end += 1;
      else this.#runs.push({ data, start: row, end: row + 1 });
    }
    return place;
  }

  /** A text that two values share when they are the same: their encoded bytes. */
  #key(data: Data, row: number): string {
    const values = this.#plan.dictionary?.values;
    if (values === undefined) return '';
    const body = new BodyWriter();
    writeColumn(body, values, data, row, 1);
    const bytes = join(body.pieces, body.length);
    return `${body.nodes.join()};${body.buffers.join()};${Buffer.from(bytes.buffer).toString('latin1')}`;
  }
}

type Indices =
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

function isSigned(indices: Indices): boolean {
  return (
    indices instanceof Int8Array ||
    indices instanceof Int16Array ||
    indices instanceof Int32Array ||
    indices instanceof BigInt64Array
  );
}
