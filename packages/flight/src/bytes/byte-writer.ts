import { varintByteLength, writeVarint } from './varint.ts';

const initialCapacity = 64;

/** A buffer that grows while it is written. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** @param capacity - bytes to take at the beginning. Default: 64 */
  constructor(capacity: number = initialCapacity) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Bytes written so far. */
  get byteLength(): number {
    return this.#length;
  }

  /** Writes one byte. */
  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Writes an unsigned integer below 2^53 as a varint. */
  varint(value: number): void {
    this.#reserve(varintByteLength(value));
    this.#length = writeVarint(this.#bytes, this.#length, value);
  }

  /** Writes bytes as they are. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  /** What was written, as a view: valid until something more is written. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength;
    if (needed <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2));
    grown.set(this.view());
    this.#bytes = grown;
  }
}
