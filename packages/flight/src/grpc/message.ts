/** Messages on their way in and out, before the gRPC layer knows anything about what is in them. */

import { Buffer } from 'node:buffer';
import type { Body } from '../bytes/body-pool.ts';
import { noBytes } from '../bytes/empty.ts';
import { FlightResourceExhaustedError } from '../errors.ts';

/** A message to send, as a gather list: nothing is copied that is large enough to be worth it. */
export interface OutgoingMessage {
  /** The bytes, in order. They may not change until {@link OutgoingMessage.onFlushed}. */
  readonly pieces: readonly Uint8Array[];
  /** The sum of the pieces' lengths. */
  readonly byteLength: number;
  /**
   * Called once when every byte was handed to the system, or the call is over and they never will be: the memory may
   * be used again. Not called for a message that `write` threw for. Default: none, the pieces never change.
   */
  readonly onFlushed?: (() => void) | undefined;
  /**
   * Memory that only these pieces use: whoever writes the message once may release it when every byte was handed to
   * the system, or leave it to the garbage collector. Default: none.
   */
  readonly memory?: Body | undefined;
}

/**
 * Takes one message after the other as its bytes arrive: `begin`, any number of `push`, then `finish` (also for empty
 * messages). What it throws ends the call. One decoder serves one call.
 */
export interface MessageDecoder<T> {
  /** A message of this many bytes begins. It is within the limit for messages. */
  begin(byteLength: number): void;
  /** Its next bytes, `[start, end)` of a buffer that is valid during this call only. */
  push(buffer: Uint8Array, start: number, end: number): void;
  /** All of its bytes were pushed. */
  finish(): T;
  /** The call ended inside a message that was begun. */
  abort(): void;
}

/** Bytes that are shorter are copied faster by a loop than by `set` with the view that it needs. */
const loopBytes = 48;

/** Gives each message as its bytes, in memory of its own. */
export class BytesDecoder implements MessageDecoder<Uint8Array> {
  #bytes: Uint8Array = noBytes;
  #filled = 0;

  /** Takes memory for a message of this length. */
  begin(byteLength: number): void {
    this.#filled = 0;
    try {
      this.#bytes = byteLength === 0 ? noBytes : allocate(byteLength);
    } catch (cause) {
      throw new FlightResourceExhaustedError(
        `cannot take ${byteLength} bytes of memory for a message; send smaller ones`,
        { cause },
      );
    }
  }

  /** Copies a piece of it. */
  push(buffer: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let to = this.#filled;
    if (end - start > loopBytes) {
      bytes.set(buffer.subarray(start, end), to);
      to += end - start;
    } else {
      // a byte outside of the buffer cannot be: [start, end) is within it
      for (let from = start; from < end; from += 1) bytes[to++] = buffer[from] ?? 0;
    }
    this.#filled = to;
  }

  /** The message; the memory is the caller's. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    this.#bytes = noBytes;
    return bytes;
  }

  /** Forgets a message that will not be complete. */
  abort(): void {
    this.#bytes = noBytes;
  }
}

function allocate(byteLength: number): Uint8Array {
  // clearing memory that is filled at once is only worth it where allocating without is slower
  if (byteLength < 1024) return new Uint8Array(byteLength);
  return new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
}

/** A message of bytes that are there already. */
export function bytesMessage(bytes: Uint8Array): OutgoingMessage {
  return { pieces: [bytes], byteLength: bytes.byteLength };
}
