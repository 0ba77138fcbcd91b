import { Data, Vector } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { maxDictionaryExpansion } from '../../limits/ipc.ts';
import { emptyBytes } from '../empty.ts';
import { bitAt, sliceBits } from './bits.ts';
import type { Chunk } from './chunks.ts';
import { nullsIn } from './columns.ts';
import { type DictionaryState, refersTo } from './dictionary-batch.ts';
import { measureColumn, offsetRange } from './measure.ts';
import type { ColumnPlan } from './plan.ts';
import { type RowRange, splitRows } from './split.ts';
import { takeRows, takeValues } from './take.ts';
import { denseUnionSlice } from './unions.ts';
import { type DictionaryIndices, moveIndices } from '../indices.ts';

/** Rows of a column, as one part of a batch needs them. */
export interface PartColumn {
  readonly data: Data;
  readonly start: number;
}

/** How a batch is cut where its dictionaries are too large. */
export interface CutOptions {
  /** Bytes of rows [from, to) of the batch itself. */
  readonly measure: (from: number, to: number) => number;
  /** Bytes of a batch's body. */
  readonly target: number;
  /** Rows of a part. */
  readonly maxRows: number | undefined;
}

/**
 * The dictionaries of one batch that are too large for a message, cut down to the values that a part of the batch
 * uses: each part gets a dictionary of its own, in the order of the whole one, and indices into that. Those that refer
 * to such a dictionary from within their values are cut down as well.
 *
 * Every part is gone through by marking what it uses, first to find how long it may be and then to write it.
 */
export class SmallDictionaries {
  readonly #plans: readonly ColumnPlan[];
  readonly #columns: readonly Data[];
  readonly #rows: number;
  readonly #limit: number;
  readonly #needed: ReadonlyMap<number, DictionaryState>;
  readonly #large = new Map<number, Marked>();
  readonly #largeIds = new Set<number>();

  /**
   * @param needed - all dictionaries of the batch, inner ones first
   * @param tooLarge - those to be cut down
   * @param rows - of the batch
   * @param limit - bytes that one of them may take in a part
   */
  constructor(
    plans: readonly ColumnPlan[],
    columns: readonly Data[],
    needed: ReadonlyMap<number, DictionaryState>,
    tooLarge: ReadonlySet<number>,
    rows: number,
    limit: number,
  ) {
    this.#rows = rows;
    this.#plans = plans;
    this.#columns = columns;
    this.#needed = needed;
    this.#limit = limit;
    for (const [id, state] of needed) {
      if (!tooLarge.has(id) && !refersTo(state.values, this.#largeIds)) continue;
      this.#largeIds.add(id);
      this.#large.set(id, new Marked(state));
    }
  }

  /**
   * The parts of the batch: neither the rows nor a dictionary of one takes more than it may, unless it is a single
   * row. Undefined when the dictionaries of all parts together would take far more than the whole ones.
   */
  parts({ measure, target, maxRows }: CutOptions): readonly RowRange[] | undefined {
    let whole = 0;
    for (const { state } of this.#large.values()) {
      for (const data of state.chunks) whole += measureColumn(state.values, data, 0, data.length, 8);
    }
    const measured = {
      rows: this.#rows,
      measure: (from: number, to: number) => {
        this.#mark(from, to);
        let most = measure(from, to) / target;
        for (const { bytes } of this.#large.values()) most = Math.max(most, bytes / this.#limit);
        return most;
      },
    };
    const ranges: RowRange[] = [];
    let left = maxDictionaryExpansion * whole;
    for (const range of splitRows(measured, 1, maxRows)) {
      ranges.push(range);
      this.#mark(range.from, range.to);
      for (const { bytes } of this.#large.values()) left -= bytes;
      if (left < 0) return undefined;
    }
    return ranges;
  }

  /** The columns of rows [from, to), with small dictionaries where theirs are too large. */
  columns(from: number, to: number): readonly PartColumn[] {
    this.#mark(from, to);
    for (const dictionary of this.#large.values()) dictionary.small = undefined;
    return this.#columns.map((data, index) => {
      const plan = this.#plans[index];
      if (plan === undefined || !refersTo(plan, this.#largeIds)) return { data, start: from };
      if (plan.dictionary !== undefined && to <= data.length) {
        return { data: this.#reindex(plan, data, from, to - from), start: 0 };
      }
      const taken = takeRows(plan, [{ data, start: from, length: to - from }], this.#needed);
      return { data: this.#rewrite(plan, taken), start: 0 };
    });
  }

  /** Marks the values that rows [from, to) use. */
  #mark(from: number, to: number): void {
    for (const dictionary of this.#large.values()) dictionary.clear();
    this.#plans.forEach((plan, index) => {
      const data = this.#columns[index];
      if (data !== undefined) this.#markColumn(plan, data, from, to - from);
    });
  }

  #markColumn(plan: ColumnPlan, data: Data, start: number, rows: number): void {
    // Rows that are not there are null.
    const length = Math.min(rows, data.length - start);
    if (length <= 0 || !refersTo(plan, this.#largeIds)) return;
    if (plan.dictionary !== undefined) {
      this.#markIndices(plan, plan.dictionary.id, data, start, length);
      return;
    }
    const child = (index: number, from: number, count: number): void => {
      const [childPlan, childData] = [plan.children[index], data.children[index]];
      if (childPlan !== undefined && childData !== undefined) {
        this.#markColumn(childPlan, childData, from, count);
      }
    };
    switch (plan.layout) {
      case 'list': {
        const [first, last] = offsetRange(data, start, length);
        child(0, first, last - first);
        return;
      }
      case 'fixed-size-list':
        child(0, start * plan.listSize, length * plan.listSize);
        return;
      case 'dense-union': {
        const { starts, ends } = denseUnionSlice(plan, data, start, length);
        starts.forEach((first, index) => child(index, first, (ends[index] ?? first) - first));
        return;
      }
      default:
        for (let index = 0; index < plan.children.length; index++) child(index, start, length);
    }
  }

  #markIndices(plan: ColumnPlan, id: number, data: Data, start: number, length: number): void {
    const dictionary = this.#large.get(id);
    if (dictionary === undefined) return;
    const indices: ArrayLike<number | bigint> = data.values ?? [];
    const bitmap: Uint8Array | undefined = data.nullCount > 0 ? data.nullBitmap : undefined;
    const inner = dictionary.state.values.hasDictionaries;
    for (let row = start; row < start + length; row++) {
      if (bitmap !== undefined && !bitAt(bitmap, data.offset + row)) continue;
      const index = Number(indices[row]);
      if (!(index >= 0 && index < dictionary.state.length)) {
        throw new FlightInvalidArgumentError(
          `column "${plan.path}": row ${row} has index ${index}, but its dictionary has ${dictionary.state.length} values`,
        );
      }
      if (!dictionary.add(index) || !inner) continue;
      const { data: values, start: place } = dictionary.chunkOf(index);
      this.#markColumn(dictionary.state.values, values, place, 1);
    }
  }

  /** A column that was copied, with its indices written anew. */
  #rewrite(plan: ColumnPlan, data: Data): Data {
    if (!refersTo(plan, this.#largeIds)) return data;
    if (plan.dictionary !== undefined) return this.#reindex(plan, data, 0, data.length);
    const children = data.children.map((child, index) => {
      const childPlan = plan.children[index];
      return childPlan === undefined ? child : this.#rewrite(childPlan, child);
    });
    const { length, nullBitmap, nullCount, offset, type, typeIds, valueOffsets, values } = data;
    return new Data(type, offset, length, nullCount, [valueOffsets, values, nullBitmap, typeIds], children);
  }

  /** Rows of a dictionary-encoded column with indices into the small dictionary. */
  #reindex(plan: ColumnPlan, data: Data, start: number, length: number): Data {
    const dictionary = this.#large.get(plan.dictionary?.id ?? -1);
    if (dictionary === undefined) return data;
    const small = this.#small(dictionary);
    const { places } = dictionary;
    const nulls = nullsIn(data, start, length);
    const bitmap = nulls > 0 ? sliceBits(data.nullBitmap, data.offset + start, length) : emptyBytes;
    const indices: DictionaryIndices = data.values;
    const target = indices.slice(start, start + length);
    moveIndices(target, places, (row) => nulls === 0 || bitAt(bitmap, row));
    return new Data(data.type, 0, length, nulls, [undefined, target, bitmap], [], small);
  }

  #small(dictionary: Marked): Vector {
    if (dictionary.small === undefined) {
      const { values } = dictionary.state;
      const chunks = dictionary.number();
      dictionary.small = new Vector([this.#rewrite(values, takeValues(values, chunks, this.#needed))]);
    }
    return dictionary.small;
  }
}

/** A dictionary and which of its values a part uses. */
class Marked {
  readonly state: DictionaryState;
  /** Where the values that are used come in the small dictionary, after {@link Marked.number}. */
  readonly places: Uint32Array;
  /** The small dictionary of the part, once it was made. */
  small: Vector | undefined;
  /** Bytes that the values in use take. */
  bytes = 0;
  /** The number of the round in which a value was marked last. */
  readonly #rounds: Uint32Array;
  #round = 0;
  #used: number[] = [];
  /** Number of the first value of each chunk. */
  readonly #starts: readonly number[];

  constructor(state: DictionaryState) {
    this.state = state;
    this.places = new Uint32Array(state.length);
    this.#rounds = new Uint32Array(state.length);
    let start = 0;
    this.#starts = state.chunks.map(({ length }) => {
      start += length;
      return start - length;
    });
  }

  clear(): void {
    this.#round += 1;
    this.#used = [];
    this.bytes = 0;
  }

  /** Marks a value; false when it was marked already. */
  add(index: number): boolean {
    if (this.#rounds[index] === this.#round) return false;
    this.#rounds[index] = this.#round;
    this.#used.push(index);
    const { data, start } = this.chunkOf(index);
    this.bytes += valueBytes(this.state.values, data, start);
    return true;
  }

  /** Where a value lies. */
  chunkOf(index: number): PartColumn {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    const data = this.state.chunks[low];
    // A value was looked for, so there is a chunk.
    if (data === undefined) throw new RangeError(`dictionary without value ${index}`);
    return { data, start: index - (this.#starts[low] ?? 0) };
  }

  /** Numbers the values in use in their order, and gives them as rows of the chunks; an empty chunk when there are none. */
  number(): readonly Chunk[] {
    const chunks: { data: Data; start: number; length: number }[] = [];
    const used = Uint32Array.from(this.#used).sort();
    used.forEach((index, place) => {
      this.places[index] = place;
      const { data, start } = this.chunkOf(index);
      const last = chunks.at(-1);
      if (last !== undefined && last.data === data && last.start + last.length === start) last.length += 1;
      else chunks.push({ data, start, length: 1 });
    });
    const [first] = this.state.chunks;
    return chunks.length > 0 || first === undefined ? chunks : [{ data: first, start: 0, length: 0 }];
  }
}

/** Bytes that a value takes among others, about; a bit of them for validity. */
function valueBytes(plan: ColumnPlan, data: Data, row: number): number {
  switch (plan.layout) {
    case 'fixed':
      return plan.byteWidth + 1 / 8;
    case 'binary': {
      const [first, last] = offsetRange(data, row, 1);
      return plan.offsetWidth + last - first + 1 / 8;
    }
    default:
      return measureColumn(plan, data, row, 1, 8);
  }
}
