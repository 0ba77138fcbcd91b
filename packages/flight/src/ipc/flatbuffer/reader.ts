import { FlightDataError } from '../../errors.ts';

/*
 * FlatBuffers, as much as reading Arrow metadata takes. All integers are little-endian; positions count from the
 * start of the buffer.
 *
 *   buffer  := uoffset32 to the root table, counted from 0
 *   table   := soffset32 (vtable = table - soffset) then the inline fields
 *   vtable  := u16 byte length of the vtable, u16 byte length of the table, then u16 per field: its offset in the
 *              table, 0 or beyond the vtable's end when the field is absent
 *   vector  := u32 count, then the elements (scalars and structs inline, tables and strings as uoffset32)
 *   string  := u32 byte count, UTF-8 bytes, NUL
 *   uoffset := u32 added to its own position
 *
 * https://flatbuffers.dev/internals/
 */

const decoder = new TextDecoder('utf-8');

/**
 * Reads tables, vectors and strings from one flatbuffer. Every access is checked against the end of the bytes, so a
 * hostile buffer gives a {@link FlightDataError} and nothing else. Offsets point only forward and tables are reached
 * only through the caller's own recursion, so there are no cycles to guard against; sharing of tables is the caller's
 * to bound.
 */
export class FlatbufferReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #length: number;
  readonly #what: string;

  /**
   * @param bytes - the flatbuffer
   * @param what - what it is, for messages
   */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#length = bytes.byteLength;
    this.#what = what;
  }

  /** Position of the root table. */
  root(): number {
    return this.follow(0);
  }

  /** Position that the uoffset at `position` points to. */
  follow(position: number): number {
    return position + this.u32(position);
  }

  /** Position of an inline field of a table; 0 when the field is absent (position 0 holds the root's offset). */
  field(table: number, index: number): number {
    const vtable = table - this.i32(table);
    const entry = 4 + 2 * index;
    if (entry + 2 > this.u16(vtable)) return 0;
    const offset = this.u16(vtable + entry);
    return offset === 0 ? 0 : table + offset;
  }

  /** Position of the table, vector or string that a field refers to; 0 when the field is absent. */
  reference(table: number, index: number): number {
    const position = this.field(table, index);
    return position === 0 ? 0 : this.follow(position);
  }

  /** Number of elements of the vector at `vector` (0 for an absent one), which are there in full. */
  count(vector: number, elementByteLength: number): number {
    if (vector === 0) return 0;
    const count = this.u32(vector);
    if (count * elementByteLength > this.#length - vector - 4) {
      throw new FlightDataError(
        `${this.#what}: a vector of ${count} elements of ${elementByteLength} bytes at byte ${vector} ends after the ${this.#length} bytes there are`,
      );
    }
    return count;
  }

  /** Byte length of the string at `string`, which is there in full. */
  textByteLength(string: number): number {
    return this.count(string, 1);
  }

  /** The string at `string`; empty for an absent one. Bytes that are not UTF-8 become U+FFFD. */
  text(string: number): string {
    const byteLength = this.count(string, 1);
    return byteLength === 0 ? '' : decoder.decode(this.#bytes.subarray(string + 4, string + 4 + byteLength));
  }

  /** A bool field, or its default. */
  boolField(table: number, index: number, absent: boolean): boolean {
    const position = this.field(table, index);
    return position === 0 ? absent : this.u8(position) !== 0;
  }

  /** A byte field (also the type of a union), or its default. */
  u8Field(table: number, index: number, absent: number): number {
    const position = this.field(table, index);
    return position === 0 ? absent : this.u8(position);
  }

  /** A short field (Arrow's enums), or its default. */
  i16Field(table: number, index: number, absent: number): number {
    const position = this.field(table, index);
    return position === 0 ? absent : this.i16(position);
  }

  /** An int field, or its default. */
  i32Field(table: number, index: number, absent: number): number {
    const position = this.field(table, index);
    return position === 0 ? absent : this.i32(position);
  }

  /** A long field, or its default; see {@link FlatbufferReader.i64}. */
  i64Field(table: number, index: number, absent: number): number {
    const position = this.field(table, index);
    return position === 0 ? absent : this.i64(position);
  }

  u8(position: number): number {
    this.#check(position, 1);
    return this.#view.getUint8(position);
  }

  i16(position: number): number {
    this.#check(position, 2);
    return this.#view.getInt16(position, true);
  }

  u16(position: number): number {
    this.#check(position, 2);
    return this.#view.getUint16(position, true);
  }

  i32(position: number): number {
    this.#check(position, 4);
    return this.#view.getInt32(position, true);
  }

  u32(position: number): number {
    this.#check(position, 4);
    return this.#view.getUint32(position, true);
  }

  /** A 64-bit integer as a number: exact up to 2^53, rounded beyond, so that a comparison with any real size holds. */
  i64(position: number): number {
    this.#check(position, 8);
    return this.#view.getInt32(position + 4, true) * 0x1_0000_0000 + this.#view.getUint32(position, true);
  }

  /** Appends `count` 64-bit integers from `position` on; they must have been counted by {@link FlatbufferReader.count}. */
  i64s(position: number, count: number): number[] {
    const numbers: number[] = [];
    const view = this.#view;
    for (let at = position, end = position + 8 * count; at < end; at += 8) {
      numbers.push(view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true));
    }
    return numbers;
  }

  #check(position: number, byteLength: number): void {
    if (position < 0 || position + byteLength > this.#length) {
      throw new FlightDataError(
        `${this.#what}: ${byteLength} bytes at byte ${position} lie outside the ${this.#length} bytes there are`,
      );
    }
  }
}
