import { socketReadBufferBytes } from '../../limits/http2.ts';
import type { TransportListener } from '../transport.ts';

/** Bytes that stay when their buffer is used again. Not slice(): of a Buffer it would be a view. */
export function copyOf(buffer: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(buffer.subarray(start, end));
}

/**
 * One buffer that a socket reads into again and again, so that payload is copied once, to where it will live. What
 * comes before anybody listens is kept.
 */
export class ReadBuffer {
  #listener: TransportListener | undefined;
  readonly #early: Uint8Array[] = [];

  /** What Node's sockets take as their `onread` option. */
  readonly onread: {
    readonly buffer: Uint8Array;
    readonly callback: (byteLength: number, buffer: Uint8Array) => boolean;
  } = {
    // Not a Buffer, whose `slice` is a view where that of others is a copy.
    buffer: new Uint8Array(Buffer.allocUnsafeSlow(socketReadBufferBytes).buffer),
    callback: (byteLength, buffer) => {
      if (this.#listener === undefined) this.keep(buffer.subarray(0, byteLength));
      else this.#listener.onBytes(buffer, 0, byteLength);
      return true;
    },
  };

  /** Keeps a copy of bytes for the listener to come. */
  keep(bytes: Uint8Array): void {
    this.#early.push(copyOf(bytes, 0, bytes.byteLength));
  }

  /** Gives the listener what was read so far, and from now on what is read. Called once. */
  start(listener: TransportListener): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener.onBytes(bytes, 0, bytes.length);
  }
}
