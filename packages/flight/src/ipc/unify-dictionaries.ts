import { Data, type RecordBatch, type Schema, Struct, Vector } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../errors.ts';
import { createRecordBatch } from './create-batch.ts';
import { makeDictionary } from './decode/dictionary-memo.ts';
import { bitAt } from './encode/bits.ts';
import { BodyWriter, join } from './encode/buffers.ts';
import { writeColumn } from './encode/columns.ts';
import { type ColumnPlan, planOf } from './encode/plan.ts';
import { sameColumn } from './encode/same.ts';
import { type DictionaryIndices, moveIndices } from './indices.ts';

/**
 * Gives the dictionary-encoded columns of several batches one dictionary each, with the values of all: indices are
 * written anew where they change. So do those below nested columns, and dictionaries inside of dictionaries. Batches that
 * agree already are returned as they are.
 *
 * @param schema - of all batches
 * @throws FlightInvalidArgumentError when the index type cannot count all values
 */
export function unifyDictionaries(schema: Schema, batches: readonly RecordBatch[]): readonly RecordBatch[] {
  const plans = planOf(schema);
  const unifier = new Unifier();
  // Inner dictionaries first: values of outer ones are compared by their indices into them.
  for (const id of dictionaryIds(plans)) {
    for (const batch of batches) unifier.gather(id, plans, batch.data.children);
  }
  if (!unifier.changed) return batches;
  const struct = new Struct(schema.fields);
  return batches.map((batch) => {
    const columns = plans.map((plan, index) =>
      unifier.rewrite(plan, batch.data.children[index] ?? new Data(plan.type, 0, 0)),
    );
    return createRecordBatch(schema, struct, batch.numRows, columns, batch.metadata);
  });
}

/** The dictionaries of columns, each once, inner ones before those that refer to them. */
function dictionaryIds(plans: readonly ColumnPlan[]): ReadonlySet<number> {
  const ids = new Set<number>();
  const visit = ({ dictionary, children }: ColumnPlan): void => {
    for (const child of children) visit(child);
    if (dictionary === undefined) return;
    visit(dictionary.values);
    ids.add(dictionary.id);
  };
  for (const plan of plans) visit(plan);
  return ids;
}

/** All dictionaries of some batches. Each has to be gathered before the columns that refer to it are written anew. */
class Unifier {
  readonly #unified = new Map<number, Unified>();
  readonly #rewritten = new Map<Vector, Vector>();

  /** Whether any batch has to be written anew. */
  get changed(): boolean {
    return [...this.#unified.values()].some(({ changed }) => changed);
  }

  /** Takes the values of one dictionary wherever columns refer to it. */
  gather(id: number, plans: readonly ColumnPlan[], columns: readonly Data[]): void {
    plans.forEach((plan, index) => {
      const data = columns[index];
      if (data === undefined || !plan.hasDictionaries) return;
      if (plan.dictionary === undefined) {
        this.gather(id, plan.children, data.children);
        return;
      }
      const { values } = plan.dictionary;
      const vector: Vector | undefined = data.dictionary;
      if (plan.dictionary.id !== id) {
        if (values.hasDictionaries)
          for (const chunk of vector?.data ?? []) this.gather(id, [values], [chunk]);
        return;
      }
      let all = this.#unified.get(id);
      if (all === undefined) {
        all = new Unified(values);
        this.#unified.set(id, all);
      }
      const rewritten = this.#rewriteValues(values, vector);
      if (rewritten !== vector) all.changed = true;
      all.add(rewritten, plan.byteWidth === 8);
    });
  }

  /** A column with indices into the unified dictionaries, itself and what is below it. */
  rewrite(plan: ColumnPlan, data: Data): Data {
    if (!plan.hasDictionaries) return data;
    if (plan.dictionary !== undefined) {
      const { id, values } = plan.dictionary;
      const all = this.#unified.get(id);
      if (all?.changed !== true) return data;
      return all.translate(plan, data, this.#rewriteValues(values, data.dictionary));
    }
    const children = plan.children.map((child, index) =>
      this.rewrite(child, data.children[index] ?? new Data(child.type, 0, 0)),
    );
    if (children.every((child, index) => child === data.children[index])) return data;
    const { type, offset, length, nullCount, valueOffsets, values, nullBitmap, typeIds } = data;
    return new Data(type, offset, length, nullCount, [valueOffsets, values, nullBitmap, typeIds], children);
  }

  /** The values of a dictionary with unified dictionaries inside; the same object where nothing changes. */
  #rewriteValues(values: ColumnPlan, vector: Vector | undefined): Vector | undefined {
    if (vector === undefined || !values.hasDictionaries) return vector;
    let rewritten = this.#rewritten.get(vector);
    if (rewritten === undefined) {
      const chunks = vector.data.map((chunk) => this.rewrite(values, chunk));
      rewritten = chunks.every((chunk, index) => chunk === vector.data[index]) ? vector : new Vector(chunks);
      this.#rewritten.set(vector, rewritten);
    }
    return rewritten;
  }
}

/** The values of several dictionaries, each once. */
class Unified {
  readonly #values: ColumnPlan;
  readonly #places = new Map<string, number>();
  readonly #translations = new Map<Vector | undefined, Uint32Array>();
  readonly #runs: { data: Data; start: number; end: number }[] = [];
  #first: Vector | undefined;
  #vector: Vector | undefined;

  #bigint = false;

  /** Whether columns that refer to it have to be written anew. */
  changed = false;

  /** @param values - how its values lie */
  constructor(values: ColumnPlan) {
    this.#values = values;
  }

  /** Takes the values of a dictionary; `bigint` tells whether the column has 64-bit indices. */
  add(vector: Vector | undefined, bigint: boolean): void {
    if (bigint) this.#bigint = true;
    if (this.#translations.has(vector)) return;
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
    if (!same) this.changed = true;
  }

  /** The column with indices into the unified dictionary; `vector` is its own one, as it was added. */
  translate(plan: ColumnPlan, data: Data, vector: Vector | undefined): Data {
    const places = this.#translations.get(vector) ?? new Uint32Array(0);
    const indices: DictionaryIndices = data.values;
    const translated = indices.slice(0, data.length);
    const largest = 2 ** (8 * plan.byteWidth - (isSigned(indices) ? 1 : 0)) - 1;
    if (this.#places.size - 1 > largest) {
      throw new FlightInvalidArgumentError(
        `column "${plan.path}" has ${this.#places.size} different values in all batches, but its indices only count to ${largest}; use a wider index type`,
      );
    }
    const bitmap: Uint8Array | undefined = data.nullCount > 0 ? data.nullBitmap : undefined;
    moveIndices(translated, places, (row) => bitmap === undefined || bitAt(bitmap, data.offset + row));
    const { type, offset, length, nullCount, nullBitmap } = data;
    const dictionary = this.#dictionary();
    return new Data(type, offset, length, nullCount, [undefined, translated, nullBitmap], [], dictionary);
  }

  #dictionary(): Vector {
    this.#vector ??=
      this.#runs.length === 0 && this.#first !== undefined
        ? this.#first
        : makeDictionary(
            this.#runs.map(({ data, start, end }) => data.slice(start, end - start)),
            this.#bigint,
          );
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
    const body = new BodyWriter();
    writeColumn(body, this.#values, data, row, 1);
    const bytes = join(body.pieces, body.length);
    return `${body.nodes.join()};${body.buffers.join()};${Buffer.from(bytes.buffer).toString('latin1')}`;
  }
}

function isSigned(indices: DictionaryIndices): boolean {
  return (
    indices instanceof Int8Array ||
    indices instanceof Int16Array ||
    indices instanceof Int32Array ||
    indices instanceof BigInt64Array
  );
}
