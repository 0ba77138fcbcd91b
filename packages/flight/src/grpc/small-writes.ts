/**
 * Small messages of one call that are written one after the other, copied together: each on its own would cost several
 * objects on its way, which is more than its bytes. They go out together at the end of the turn.
 */

import { smallWriteSlabBytes } from '../limits/grpc.ts';
import type { OutgoingMessage } from './message.ts';

/** Shared by all calls, since most write little at a time; filled once and left to the garbage collector. */
let slab = new Uint8Array(0);
let slabAt = 0;

let scheduled: SmallWrites[] = [];

function flushScheduled(): void {
  const due = scheduled;
  scheduled = [];
  for (const writes of due) writes.flush();
}

const prefixBytes = 5;

/** See the top of this file. */
export class SmallWrites {
  readonly #send: (bytes: Uint8Array) => void;
  /** The region of a slab that is filled and not sent. */
  #slab: Uint8Array = slab;
  #from = 0;
  #to = 0;
  #scheduled = false;

  /** @param send - takes messages with their prefixes */
  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** Adds an uncompressed message of at most `maxSmallWriteBytes`. */
  append({ pieces, byteLength }: OutgoingMessage): void {
    const length = prefixBytes + byteLength;
    if (this.#slab !== slab || this.#to !== slabAt || slabAt + length > slab.byteLength) this.#begin(length);
    const bytes = this.#slab;
    let at = this.#to;
    bytes[at] = 0;
    bytes[at + 1] = 0;
    bytes[at + 2] = 0;
    bytes[at + 3] = byteLength >>> 8;
    bytes[at + 4] = byteLength;
    at += prefixBytes;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.byteLength;
    }
    this.#to = at;
    slabAt = at;
    if (!this.#scheduled) this.#schedule();
  }

  /** Sends what was added. */
  flush(): void {
    this.#scheduled = false;
    if (this.#to === this.#from) return;
    const bytes = this.#slab.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#send(bytes);
  }

  /** Forgets what was added. */
  drop(): void {
    this.#from = this.#to;
  }

  #begin(length: number): void {
    const again = this.#scheduled;
    this.flush();
    this.#scheduled = again;
    if (slabAt + length > slab.byteLength) {
      slab = new Uint8Array(smallWriteSlabBytes);
      slabAt = 0;
    }
    this.#slab = slab;
    this.#from = slabAt;
    this.#to = slabAt;
  }

  #schedule(): void {
    this.#scheduled = true;
    if (scheduled.push(this) === 1) process.nextTick(flushScheduled);
  }
}
