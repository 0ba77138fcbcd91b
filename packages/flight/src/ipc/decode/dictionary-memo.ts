import { type Data, Vector } from 'apache-arrow';
import { FlightResourceExhaustedError } from '../../errors.ts';
import { maxDictionaryDeltas } from '../../limits.ts';

interface Entry {
  readonly chunks: Data[];
  vector: Vector | undefined;
}

/**
 * The dictionaries of one stream as they are at this point of it. A batch takes the vector that is there when it is
 * decoded; what comes later (a delta, a replacement) makes a new vector and leaves that one as it is.
 */
export class DictionaryMemo {
  readonly #entries = new Map<number, Entry>();

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
