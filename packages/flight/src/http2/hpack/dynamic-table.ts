/**
 * The dynamic table of HPACK (RFC 7541, sections 2.3.2, 3.2 and 4): first in, first out, bounded by the size of its
 * entries. The encoder's and the decoder's tables go through the same changes in the same order.
 */
import type { HeaderField } from '../types.ts';

/** What an entry counts beside the bytes of its name and value (RFC 7541, section 4.1). */
export const entryOverhead = 32;

/** The size of both tables, in bytes, before any setting or update (RFC 9113, section 6.5.2). */
export const initialTableSize = 4096;

/** The size of an entry as RFC 7541, section 4.1 counts it. Names and values are latin1, a byte a code unit. */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + entryOverhead;
}

/** A ring of entries. The newest has position 0. */
export class DynamicTable {
  #ring: (HeaderField | undefined)[] = emptyRing(16);
  /** Where the next entry goes. */
  #next = 0;
  #length = 0;
  #size = 0;
  #maxSize: number;
  readonly #onEvict: ((field: HeaderField) => void) | undefined;

  /** @param onEvict - called with every entry that leaves the table, the oldest first */
  constructor(maxSize: number, onEvict?: (field: HeaderField) => void) {
    this.#maxSize = maxSize;
    this.#onEvict = onEvict;
  }

  /** The number of entries. */
  get length(): number {
    return this.#length;
  }

  /** The sum of the entries' sizes. */
  get size(): number {
    return this.#size;
  }

  /** The bound of {@link size}. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** Changes the bound and evicts what no longer fits. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evictTo(maxSize);
  }

  /** The entry at a position; undefined behind the end. */
  at(position: number): HeaderField | undefined {
    if (position >= this.#length) return undefined;
    return this.#ring[(this.#next - 1 - position) & (this.#ring.length - 1)];
  }

  /**
   * Puts an entry in front, after the eviction of old ones. One that is larger than the table empties it and is not
   * kept, which is no error (section 4.4).
   *
   * @returns whether the entry is in the table now
   */
  add(field: HeaderField): boolean {
    const size = entrySize(field[0], field[1]);
    if (size > this.#maxSize) {
      this.#evictTo(0);
      return false;
    }
    this.#evictTo(this.#maxSize - size);
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[this.#next] = field;
    this.#next = (this.#next + 1) & (this.#ring.length - 1);
    this.#length++;
    this.#size += size;
    return true;
  }

  #evictTo(size: number): void {
    while (this.#size > size) {
      const slot = (this.#next - this.#length) & (this.#ring.length - 1);
      const field = this.#ring[slot];
      if (field === undefined) return;
      this.#ring[slot] = undefined;
      this.#length--;
      this.#size -= entrySize(field[0], field[1]);
      this.#onEvict?.(field);
    }
  }

  #grow(): void {
    const ring = emptyRing(this.#ring.length * 2);
    for (let i = 0; i < this.#length; i++) ring[this.#length - 1 - i] = this.at(i);
    this.#ring = ring;
    this.#next = this.#length;
  }
}

function emptyRing(length: number): (HeaderField | undefined)[] {
  return Array.from({ length }, () => undefined);
}
