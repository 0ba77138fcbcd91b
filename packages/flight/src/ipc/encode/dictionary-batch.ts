import type { Data, Vector } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import type { IpcCompression } from '../message.ts';
import { BodyWriter } from './buffers.ts';
import { type Chunk, writeChunks } from './chunks.ts';
import { measureColumn } from './measure.ts';
import { type EncodedMessage, encodeDictionaryBatchHeader, type IpcVersion } from './message.ts';
import { nullColumn } from './null-column.ts';
import type { ColumnPlan } from './plan.ts';
import { sameColumn, sameRows } from './same.ts';
import { type MeasuredRows, splitRows } from './split.ts';

/** How dictionary batches are written. */
export interface DictionaryOptions {
  readonly compression: IpcCompression | undefined;
  readonly alignment: number;
  readonly version: IpcVersion;
  /** Send only what is new when a dictionary grew. */
  readonly emitDeltas: boolean;
  /** False in files, where a dictionary can only grow. */
  readonly allowReplacement: boolean;
  /**
   * Bytes of a body above which a dictionary does not go whole: with deltas as a first part and deltas, otherwise it is
   * called too large.
   */
  readonly splitAbove: number;
}

/** A dictionary as a batch needs it, or as the peer has it; `values` says how it lies in its batches. */
export interface DictionaryState {
  readonly values: ColumnPlan;
  readonly chunks: readonly Data[];
  readonly length: number;
}

/** What has to be sent before a batch. */
export interface DictionaryUpdate {
  /** Dictionary batches, inner dictionaries before those that refer to them. */
  readonly messages: readonly EncodedMessage[];
  /** Dictionaries that should not be sent whole and cannot be sent in parts; they are not among the messages. */
  readonly tooLarge: ReadonlySet<number>;
  /** Remembers that they were sent. Until then the same update is made again. */
  commit(): void;
}

const none: ReadonlySet<number> = new Set();
const nothing: DictionaryUpdate = { messages: [], tooLarge: none, commit: () => undefined };

/**
 * Knows the dictionaries that the reader of one stream has, and what a batch needs beside them: a dictionary is sent
 * when it is first needed, not again while it stays the same, as a delta where it grew and deltas are wanted, and
 * otherwise anew. The same means the same memory, or else the same values.
 */
export class DictionaryTracker {
  readonly #options: DictionaryOptions;
  #sent = new Map<number, DictionaryState>();
  /** Whether dictionaries were made as small as they can be. */
  #small = false;

  constructor(options: DictionaryOptions) {
    this.#options = options;
  }

  /** A tracker that knows the same, learns on its own, and calls no dictionary too large. */
  fork(): DictionaryTracker {
    const fork = new DictionaryTracker(this.#options);
    fork.#sent = new Map(this.#sent);
    fork.#small = true;
    return fork;
  }

  /** Goes on with what a fork knows, now and later. */
  adopt(fork: DictionaryTracker): void {
    this.#sent = fork.#sent;
  }

  /** The dictionaries that the columns of a batch refer to, inner ones first. */
  needed(
    plans: readonly ColumnPlan[],
    columns: readonly Data[],
  ): ReadonlyMap<number, DictionaryState> | undefined {
    if (!plans.some((plan) => plan.hasDictionaries)) return undefined;
    const needed = new Map<number, DictionaryState>();
    const clash = collectDictionaries(plans, columns, needed);
    if (clash !== undefined) {
      throw new FlightInvalidArgumentError(
        `column "${clash}" and another column of the batch share a dictionary id, but their dictionaries differ; give their types different ids`,
      );
    }
    return needed;
  }

  /** Finds what has to be sent before a batch that needs these. */
  update(needed: ReadonlyMap<number, DictionaryState> | undefined): DictionaryUpdate {
    if (needed === undefined) return nothing;
    const messages: EncodedMessage[] = [];
    const replaced = new Set<number>();
    const tooLarge = new Set<number>();
    for (const [id, state] of needed) {
      if (this.#encode(id, state, replaced, messages)) tooLarge.add(id);
    }
    return {
      messages,
      tooLarge,
      commit: () => {
        for (const [id, state] of needed) this.#sent.set(id, state);
      },
    };
  }

  /** Adds the messages that one dictionary needs, if any; true: none, as it is too large. */
  #encode(id: number, state: DictionaryState, replaced: Set<number>, messages: EncodedMessage[]): boolean {
    const { values, chunks, length } = state;
    const sent = this.#sent.get(id);
    const all = chunks.map((data) => ({ data, start: 0, length: data.length }));
    if (sent === undefined) {
      return this.#push(messages, id, values, all, false);
    }
    // Whoever refers to a dictionary that is replaced has to be sent again, as readers may have looked values up.
    const kept = !refersTo(values, replaced) && startsWith(state, sent);
    if (kept && length === sent.length) return false;
    if (kept && this.#options.emitDeltas && !(this.#small && values.hasDictionaries)) {
      return this.#push(messages, id, values, rowsOf(all, sent.length, length), true);
    }
    if (!this.#options.allowReplacement) {
      throw new FlightInvalidArgumentError(
        `column "${values.path}" has another dictionary than the batches before, which a file cannot hold; ${kept ? 'write it with emitDictionaryDeltas' : 'write it with unifyDictionaries, or as a stream'}`,
      );
    }
    replaced.add(id);
    return this.#push(messages, id, values, all, false);
  }

  /**
   * Adds the messages of some values; true: none, as they are too large together. Those with dictionaries of their own
   * go in no deltas, which C++ does not take. A single value goes as it is.
   */
  #push(
    messages: EncodedMessage[],
    id: number,
    values: ColumnPlan,
    chunks: readonly Chunk[],
    isDelta: boolean,
  ): boolean {
    const { alignment, allowReplacement, emitDeltas, splitAbove } = this.#options;
    if (splitAbove === Number.POSITIVE_INFINITY) {
      messages.push(this.#message(id, values, chunks, isDelta));
      return false;
    }
    const measured: MeasuredRows = {
      rows: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      measure: (from, to) =>
        rowsOf(chunks, from, to).reduce(
          (sum, { data, start, length }) => sum + measureColumn(values, data, start, length, alignment),
          0,
        ),
    };
    if (!emitDeltas || values.hasDictionaries) {
      const cuttable = allowReplacement && !this.#small && measured.rows > 1;
      if (cuttable && measured.measure(0, measured.rows) > splitAbove) return true;
      messages.push(this.#message(id, values, chunks, isDelta));
      return false;
    }
    for (const { from, to } of splitRows(measured, splitAbove)) {
      messages.push(this.#message(id, values, rowsOf(chunks, from, to), isDelta || from > 0));
    }
    return false;
  }

  #message(id: number, values: ColumnPlan, chunks: readonly Chunk[], isDelta: boolean): EncodedMessage {
    const { alignment, compression, version } = this.#options;
    const body = new BodyWriter(alignment, compression, version === 'V4');
    writeChunks(body, values, chunks);
    const rows = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const header = encodeDictionaryBatchHeader(id, isDelta, body.layout(rows), body.length, { version });
    return { header, bodyPieces: body.pieces, bodyLength: body.length };
  }
}

/**
 * Takes the dictionaries of columns and of those below them, inner ones first. Of two with the same id that agree as
 * far as both go, the longer one is kept.
 *
 * @param needed - what is there already; added to
 * @returns the column whose dictionary differs from one that is there
 */
export function collectDictionaries(
  plans: readonly ColumnPlan[],
  columns: readonly Data[],
  needed: Map<number, DictionaryState>,
): string | undefined {
  for (let index = 0; index < plans.length; index++) {
    const [plan, data] = [plans[index], columns[index]];
    if (plan === undefined || data === undefined || !plan.hasDictionaries) continue;
    const clash = collect(plan, data, needed);
    if (clash !== undefined) return clash;
  }
  return undefined;
}

function collect(plan: ColumnPlan, data: Data, needed: Map<number, DictionaryState>): string | undefined {
  if (plan.dictionary === undefined) return collectDictionaries(plan.children, data.children, needed);
  const { id, values } = plan.dictionary;
  const vector: Vector | undefined = data.dictionary;
  const chunks = vector === undefined || vector.data.length === 0 ? [nullColumn(values, 0)] : vector.data;
  for (const chunk of chunks) {
    const clash = values.hasDictionaries ? collect(values, chunk, needed) : undefined;
    if (clash !== undefined) return clash;
  }
  const state = { values, chunks, length: chunks.reduce((sum, chunk) => sum + chunk.length, 0) };
  const other = needed.get(id);
  if (other === undefined || startsWith(state, other)) needed.set(id, state);
  else if (!startsWith(other, state)) return plan.path;
  return undefined;
}

/** Whether a dictionary begins with all of another. */
function startsWith(state: DictionaryState, start: DictionaryState): boolean {
  if (state.length < start.length) return false;
  const { chunks } = start;
  if (chunks.every((chunk, index) => sameColumn(chunk, state.chunks[index]))) return true;
  return sameRows(state.values, chunks, state.chunks, start.length);
}

/** Whether the values of a dictionary refer to one of these. */
export function refersTo(values: ColumnPlan, ids: ReadonlySet<number>): boolean {
  if (ids.size === 0 || !values.hasDictionaries) return false;
  if (values.dictionary !== undefined) {
    return ids.has(values.dictionary.id) || refersTo(values.dictionary.values, ids);
  }
  return values.children.some((child) => refersTo(child, ids));
}

/** Rows [from, to) of several chunks; chunks without rows when there are none. */
function rowsOf(chunks: readonly Chunk[], from: number, to: number): readonly Chunk[] {
  const rows: Chunk[] = [];
  let at = 0;
  for (const { data, start, length } of chunks) {
    const [first, last] = [Math.max(from, at), Math.min(to, at + length)];
    if (first < last) rows.push({ data, start: start + first - at, length: last - first });
    at += length;
  }
  return rows.length > 0 ? rows : chunks;
}
