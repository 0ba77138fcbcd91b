/*
 * Flatbuffers are written from their end to their start, because a reference may only point forward: children first,
 * then the table that refers to them. Places are therefore told as distances from the end.
 *
 *   table   := int32 distance back to its vtable, fields, each aligned to its size
 *   vtable  := u16 size of vtable, u16 size of table, u16 place of each field in the table (0: absent)
 *   vector  := u32 count, elements          string := u32 bytes, UTF-8, 0
 *   buffer  := u32 place of the root table, everything else
 *
 * https://flatbuffers.dev/internals/
 */

const utf8 = new TextEncoder();

/** Writes one flatbuffer. Places are distances from the end of the buffer, as {@link FlatbufferBuilder.finish} wants. */
export class FlatbufferBuilder {
  #bytes: Uint8Array;
  #view: DataView;
  /** Where the written part starts; everything before is still free. */
  #head: number;
  #largestAlignment = 4;
  #table: number[] = [];
  #tableEnd = 0;
  readonly #vtables = new Map<string, number>();

  /**
   * @param capacity - bytes to begin with; it grows as needed
   */
  constructor(capacity: number = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#head = capacity;
  }

  /** Place of what was written last. */
  get place(): number {
    return this.#bytes.byteLength - this.#head;
  }

  /** Writes a string; returns its place. */
  text(value: string): number {
    const bytes = utf8.encode(value);
    this.#reserve(4, bytes.byteLength + 1);
    this.#head -= bytes.byteLength + 1;
    this.#bytes.set(bytes, this.#head);
    this.#bytes[this.#head + bytes.byteLength] = 0;
    this.#pushU32(bytes.byteLength);
    return this.place;
  }

  /** Writes a vector of references to places written before; returns its place. */
  references(places: readonly number[]): number {
    this.startVector(4, places.length, 4);
    for (let i = places.length - 1; i >= 0; i--) this.#pushReference(places[i] ?? 0);
    return this.endVector(places.length);
  }

  /**
   * Starts a vector. Push its elements last to first, then call {@link FlatbufferBuilder.endVector}.
   *
   * @param width - bytes an element
   * @param alignment - of an element
   */
  startVector(width: number, count: number, alignment: number): void {
    this.#reserve(4, width * count);
    this.#reserve(alignment, width * count);
  }

  /** Ends a vector; returns its place. */
  endVector(count: number): number {
    this.#pushU32(count);
    return this.place;
  }

  /** Pushes an int32 within a vector. */
  pushI32(value: number): void {
    this.#head -= 4;
    this.#view.setInt32(this.#head, value, true);
  }

  /** Pushes an int64 within a vector. */
  pushI64(value: number): void {
    this.#head -= 8;
    this.#view.setBigInt64(this.#head, BigInt(value), true);
  }

  /** Starts a table; tables do not nest: write children first. */
  startTable(): void {
    this.#table = [];
    this.#tableEnd = this.place;
  }

  /** Adds a field of one byte. */
  i8(slot: number, value: number): void {
    this.#reserve(1, 0);
    this.#head -= 1;
    this.#view.setInt8(this.#head, value);
    this.#table[slot] = this.place;
  }

  /** Adds a field of two bytes. */
  i16(slot: number, value: number): void {
    this.#reserve(2, 0);
    this.#head -= 2;
    this.#view.setInt16(this.#head, value, true);
    this.#table[slot] = this.place;
  }

  /** Adds a field of four bytes. */
  i32(slot: number, value: number): void {
    this.#reserve(4, 0);
    this.pushI32(value);
    this.#table[slot] = this.place;
  }

  /** Adds a field of eight bytes. */
  i64(slot: number, value: number): void {
    this.#reserve(8, 0);
    this.pushI64(value);
    this.#table[slot] = this.place;
  }

  /** Adds a reference to something written before. A place of 0 is left out, as absent. */
  reference(slot: number, place: number): void {
    if (place === 0) return;
    this.#reserve(4, 0);
    this.#pushReference(place);
    this.#table[slot] = this.place;
  }

  /** Ends the table; returns its place. Tables with the same fields share one vtable. */
  endTable(): number {
    this.#reserve(4, 0);
    this.pushI32(0);
    const place = this.place;
    const entries: number[] = [];
    for (let slot = 0; slot < this.#table.length; slot++) {
      const field = this.#table[slot];
      entries.push(field === undefined ? 0 : place - field);
    }
    const size = place - this.#tableEnd;
    const key = `${size}:${entries.join()}`;
    let vtable = this.#vtables.get(key);
    if (vtable === undefined) {
      this.#reserve(2, 2 * entries.length + 2);
      for (let i = entries.length - 1; i >= 0; i--) this.#pushU16(entries[i] ?? 0);
      this.#pushU16(size);
      this.#pushU16(4 + 2 * entries.length);
      vtable = this.place;
      this.#vtables.set(key, vtable);
    }
    this.#view.setInt32(this.#bytes.byteLength - place, vtable - place, true);
    return place;
  }

  /** Writes the reference to the root; returns the whole buffer, whose length is a multiple of 8. */
  finish(root: number): Uint8Array {
    this.#reserve(Math.max(8, this.#largestAlignment), 4);
    this.#pushReference(root);
    return this.#bytes.slice(this.#head);
  }

  /** Makes room and pads so that after `extra` further bytes the place is a multiple of `alignment`. */
  #reserve(alignment: number, extra: number): void {
    if (alignment > this.#largestAlignment) this.#largestAlignment = alignment;
    const padding = -(this.place + extra) & (alignment - 1);
    const needed = padding + extra + alignment;
    if (this.#head < needed) this.#grow(needed);
    // The free part is zero, so padding needs no writing.
    this.#head -= padding;
  }

  #grow(needed: number): void {
    const used = this.place;
    const bytes = new Uint8Array(Math.max(2 * this.#bytes.byteLength, used + needed));
    this.#head = bytes.byteLength - used;
    bytes.set(this.#bytes.subarray(this.#bytes.byteLength - used), this.#head);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #pushReference(place: number): void {
    // The distance from this reference, which will be 4 bytes further, to what it refers to.
    this.#pushU32(this.place + 4 - place);
  }

  #pushU32(value: number): void {
    this.#head -= 4;
    this.#view.setUint32(this.#head, value, true);
  }

  #pushU16(value: number): void {
    this.#head -= 2;
    this.#view.setUint16(this.#head, value, true);
  }
}
