import { type Data, Vector } from 'apache-arrow';
import { FlightResourceExhaustedError } from '../../errors.ts';
import { maxDictionaryDeltas, maxWaitingDictionaries } from '../../limits/ipc.ts';

interface Entry {
  readonly chunks: Data[];
  vector: Vector | undefined;
}

/** A dictionary batch, and the dictionaries that its values refer to. */
interface Waiting {
  readonly id: number;
  readonly needs: readonly number[];
  readonly load: () => void;
}

/**
 * The dictionaries of one stream as they are at this point of it. A batch takes the vector that is there when it is
 * decoded; what comes later (a delta, a replacement) makes a new vector and leaves that one as it is.
 */
export class DictionaryMemo {
  readonly #entries = new Map<number, Entry>();
  #waiting: Waiting[] = [];

  /** Puts values in the place of those there, if any. */
  replace(id: number, values: Data): void {
    this.#entries.set(id, { chunks: [values], vector: undefined });
  }

  /** Adds values to those there, if any. */
  append(id: number, values: Data): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.replace(id, values);
      return;
    }
    if (entry.chunks.length > maxDictionaryDeltas) {
      throw new FlightResourceExhaustedError(
        `dictionary ${id} has got ${entry.chunks.length} deltas; the limit is maxDictionaryDeltas, let the sender replace the dictionary now and then`,
      );
    }
    entry.chunks.push(values);
    entry.vector = undefined;
  }

  /**
   * Loads a dictionary batch, at the next record batch where its values refer to other dictionaries: the format does
   * not say in which order inner and outer ones come, only that both come before the batch that refers to them.
   */
  load(waiting: Waiting): void {
    if (waiting.needs.length === 0) {
      waiting.load();
      return;
    }
    if (this.#waiting.length >= maxWaitingDictionaries) {
      throw new FlightResourceExhaustedError(
        `${this.#waiting.length} dictionary batches with dictionaries in their values came without a record batch; the limit is maxWaitingDictionaries`,
      );
    }
    this.#waiting.push(waiting);
  }

  /** Loads what waits, inner dictionaries first, now that a batch needs it. What is missing is an error. */
  settle(): void {
    while (this.#waiting.length > 0) {
      const all = this.#waiting;
      const ids = new Set(all.map(({ id }) => id));
      const ready = all.filter(({ needs }) => !needs.some((need) => ids.has(need)));
      // A schema cannot make a circle of two dictionaries; should it, the first one tells what is missing.
      const now = ready.length > 0 ? ready : all;
      this.#waiting = all.filter((waiting) => !now.includes(waiting));
      for (const { load } of now) load();
    }
  }

  /**
   * The dictionary as one vector, the same object until the dictionary changes; undefined when it was never sent.
   *
   * @param bigintIndices - whether some column has 64-bit indices into it
   */
  vector(id: number, bigintIndices: boolean): Vector | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    entry.vector ??= makeDictionary([...entry.chunks], bigintIndices);
    return entry.vector;
  }
}

/**
 * Makes the vector of a dictionary. apache-arrow hands a column's index as it is to the dictionary's `get`, so 64-bit
 * indices arrive as bigints and fail in the arithmetic; for those `get` turns them into numbers first.
 */
export function makeDictionary(chunks: Data[], bigintIndices: boolean): Vector {
  const vector = new Vector(chunks);
  if (!bigintIndices) return vector;
  const get = vector.get.bind(vector);
  return Object.defineProperty(vector, 'get', {
    value: (index: number | bigint): unknown => get(Number(index)),
  });
}
