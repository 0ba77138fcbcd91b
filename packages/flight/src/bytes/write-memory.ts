import { Buffer } from 'node:buffer';
import { markAsUntransferable } from 'node:worker_threads';
import { writeSlabBytes } from '../limits/bytes.ts';
import { type Body, defaultBodyPool } from './body-pool.ts';

/** A stretch of memory, from a multiple of 8 on; what is in it at first is undefined. */
export interface WriteMemory {
  /** What it lies in, as bytes and as words of 32 bits. */
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Where it begins in `bytes`. */
  readonly at: number;
  /** Release it when nothing refers to it any more, or leave it to the garbage collector; undefined where it is shared. */
  readonly body: Body | undefined;
}

/** The block that short stretches are cut from, one after the other, and how much of it is given away. */
let slab = makeSlab(0);
let slabUsed = 0;

/**
 * Memory for the head of a message, which is written once, in full, and dropped when it was sent. A block of its own costs
 * more than filling it does: it is taken outside of the heap, cleared, and given back by the garbage collector. So short
 * ones share blocks, and long ones come from where bodies do.
 */
export function takeWriteMemory(byteLength: number): WriteMemory {
  if (byteLength > writeSlabBytes / 4) {
    const body = defaultBodyPool().allocate(byteLength);
    const { bytes } = body;
    return { bytes, words: new Int32Array(bytes.buffer, 0, byteLength >> 2), at: 0, body };
  }
  if (byteLength > slab.bytes.byteLength - slabUsed) {
    slab = makeSlab(writeSlabBytes);
    slabUsed = 0;
  }
  const at = slabUsed;
  slabUsed += (byteLength + 7) & ~7;
  return { bytes: slab.bytes, words: slab.words, at, body: undefined };
}

function makeSlab(byteLength: number): { readonly bytes: Uint8Array; readonly words: Int32Array } {
  const { buffer } = Buffer.allocUnsafeSlow(byteLength);
  // Whoever transferred one message to another thread would take all others along.
  markAsUntransferable(buffer);
  return { bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
}
