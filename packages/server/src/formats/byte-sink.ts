import { Buffer } from 'node:buffer';

/** Bytes that grow while text is written into them. Numbers, dates and plain texts go in without becoming strings. */
export class ByteSink {
  /**
   * The memory; replaced when it grows, so that nobody keeps it over a call that writes. Always a plain Uint8Array: code
   * that sees one class only is several times as fast.
   */
  bytes: Uint8Array;
  /** Where the next byte goes. */
  at = 0;
  #buffer: Buffer;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(capacity, 1024));
    this.bytes = plainBytes(this.#buffer);
  }

  /** Makes room for so many bytes. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.#buffer = larger;
    this.bytes = plainBytes(larger);
  }

  /** One byte; the room is there. */
  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  /** Bytes as they are. Short ones: a loop is quicker than a call of the platform. */
  raw(piece: Uint8Array): void {
    this.reserve(piece.length);
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < piece.length; i++) bytes[at++] = piece[i] ?? 0;
    this.at = at;
  }

  /** A text as UTF-8. */
  text(text: string): void {
    this.reserve(3 * text.length);
    this.at += this.#buffer.write(text, this.at);
  }
}

/** Bytes of a text, not as a Buffer. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

function plainBytes({ buffer, byteOffset, byteLength }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
