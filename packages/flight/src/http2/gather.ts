import { coalesceBelowBytes } from '../limits/http2.ts';

/** Size of the blocks that small pieces are copied into, in bytes. */
const slabBytes = 16_384;

/**
 * Output of a session in the order of the wire: large pieces as they are, small ones copied together, so that a write
 * takes few entries.
 */
export class GatherList {
  #pieces: Uint8Array[] = [];
  #slab: Uint8Array = new Uint8Array(0);
  /** Bytes of the slab from `#from` up to `#to` belong to the list but are not among the pieces yet. */
  #from = 0;
  #to = 0;
  #byteLength = 0;

  /** Bytes waiting to be taken. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Adds bytes. Short ones are copied; long ones must not change until they are written. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#byteLength += bytes.length;
    if (bytes.length >= coalesceBelowBytes) {
      this.#cut();
      this.#pieces.push(bytes);
      return;
    }
    if (bytes.length > this.#slab.length - this.#to) this.#newSlab();
    this.#slab.set(bytes, this.#to);
    this.#to += bytes.length;
  }

  /** Gives room for a few bytes that the caller writes at once; see {@link GatherList.offset}. */
  reserve(byteLength: number): Uint8Array {
    if (byteLength > this.#slab.length - this.#to) this.#newSlab();
    this.#to += byteLength;
    this.#byteLength += byteLength;
    return this.#slab;
  }

  /** Where the room of the last {@link GatherList.reserve} of so many bytes begins. */
  offset(byteLength: number): number {
    return this.#to - byteLength;
  }

  /** Everything in order; the list is empty afterwards. */
  take(): Uint8Array[] {
    this.#cut();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#byteLength = 0;
    return pieces;
  }

  #cut(): void {
    if (this.#to > this.#from) this.#pieces.push(this.#slab.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #newSlab(): void {
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(slabBytes);
    this.#from = 0;
    this.#to = 0;
  }
}
