import { FlightDataError } from '../errors.ts';

/** Reads bytes from the beginning to the end; every read is checked against what is there. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.#bytes.byteLength - this.#offset;
  }

  /** Reads one byte. @throws FlightDataError at the end of the bytes */
  byte(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) throw tooShort(1, 0, this.#offset);
    this.#offset++;
    return value;
  }

  /** Reads a varint below 2^53. @throws FlightDataError when it is cut off or larger */
  varint(): number {
    const start = this.#offset;
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) {
        throw new FlightDataError(`the varint at byte ${start} is above 2^53`);
      }
      if (byte < 0x80) return value;
    }
  }

  /** Takes bytes, as a view. @throws FlightDataError when there are fewer */
  bytes(byteLength: number): Uint8Array {
    if (byteLength > this.remaining) throw tooShort(byteLength, this.remaining, this.#offset);
    const start = this.#offset;
    this.#offset += byteLength;
    return this.#bytes.subarray(start, this.#offset);
  }
}

function tooShort(wanted: number, there: number, offset: number): FlightDataError {
  return new FlightDataError(`${wanted} bytes are needed at byte ${offset}, but ${there} are left`);
}
