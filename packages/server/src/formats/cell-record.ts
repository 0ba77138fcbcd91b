/**
 * A value of a column as text formats show it: exact, and independent of Arrow's memory. 64-bit integers stay
 * bigint, decimals, dates, times and intervals are text without loss, bytes are bytes.
 */
export type Cell = null | boolean | number | bigint | string | Uint8Array | readonly Cell[] | CellRecord;

/**
 * A struct, or a map by the text of its keys: not as an object of JavaScript, which would put names like `10` first, and
 * knows each name once.
 */
export class CellRecord {
  /** Names and values, in their order. A name may repeat. */
  readonly entries: readonly (readonly [string, Cell])[];

  /** @param entries - names and values */
  constructor(entries: readonly (readonly [string, Cell])[]) {
    this.entries = entries;
  }

  /** The value of the last of that name; null when there is none. */
  get(name: string): Cell {
    return this.entries.findLast(([key]) => key === name)?.[1] ?? null;
  }
}
