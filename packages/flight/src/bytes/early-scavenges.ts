import { versions } from 'node:process';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import {
  maxYoungFillBytes,
  maxScavengeStepBytes,
  scavengeLookBytes,
  scavengeStepBytes,
} from '../limits/bytes.ts';

/** What is asked of the garbage collector. */
export interface YoungHeap {
  /** Bytes outside the heap that objects of the heap keep alive, as far as the collector knows. */
  externalBytes(): number;
  /** Bytes that can be allocated before the young generation is full and collected. */
  youngRoom(): number;
  /** Takes so many bytes of the young generation and drops them. */
  fill(byteLength: number): void;
}

/**
 * Has bodies that nobody refers to any more freed by cheap collections of the young generation.
 *
 * V8 collects in full when the memory outside its heap has grown by 64 MiB since the last time. Up to Node 22 it
 * collects the young generation before that, when 32 MiB belong to young objects, which is 0.4 ms and frees what a
 * reader has dropped; from V8 13 on (Node 24) the two limits are the same, and a stream of batches costs a full
 * collection each 64 MiB: 10 ms with a heap of 15 MB, and more with more. So garbage is made until the young generation
 * is full, which costs 2 to 4 ms.
 *
 * Whoever keeps the bodies has nothing of it: when nothing was freed, the next attempt is twice as far away.
 */
export class EarlyScavenges {
  readonly #heap: YoungHeap;
  /** Bytes allocated since the collector was last asked. */
  #allocated = 0;
  /** The least that was outside the heap since the last attempt, and what was there then. */
  #least = Infinity;
  #before = Infinity;
  #step = scavengeStepBytes;

  constructor(heap: YoungHeap) {
    this.#heap = heap;
  }

  /** Memory for a body is about to be taken. */
  beforeBody(byteLength: number): void {
    this.#allocated += byteLength;
    if (this.#allocated < scavengeLookBytes) return;
    this.#allocated = 0;
    const external = this.#heap.externalBytes();
    this.#least = Math.min(this.#least, external);
    if (this.#least < this.#before) this.#step = scavengeStepBytes;
    if (external - this.#least < this.#step) return;
    if (this.#least >= this.#before) this.#step = Math.min(2 * this.#step, maxScavengeStepBytes);
    this.#before = external;
    this.#least = external;
    const room = this.#heap.youngRoom();
    if (room <= maxYoungFillBytes) this.#heap.fill(room);
  }
}

/** An array that takes 16 KB: what a page of the young generation has left over behind them is little. */
const pattern: readonly number[] = Array.from({ length: 2000 }, () => 0);

let garbage: unknown;

const v8Heap: YoungHeap = {
  externalBytes: () => getHeapStatistics().external_memory,
  youngRoom: () =>
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_available_size ??
    Infinity,
  fill(byteLength) {
    for (let left = byteLength; left >= 0; left -= pattern.length * 8) garbage = pattern.slice();
    if (garbage !== undefined) garbage = undefined;
  },
};

/** For the heap of this thread; undefined where V8 collects early by itself, and with another engine. */
export function earlyScavenges(): EarlyScavenges | undefined {
  return Number.parseInt(versions.v8 ?? '', 10) >= 13 ? new EarlyScavenges(v8Heap) : undefined;
}
