import { Buffer } from 'node:buffer';
import { platform } from 'node:process';

/** 32 MiB is the largest block that counts, its own header and the rounding to pages included. */
const largestCountedBytes: number = 32 * 1024 * 1024 - 64 * 1024;

let asked = false;

/**
 * Lets the process keep the pages of bodies that the garbage collector has freed, so that the next body need not
 * take fresh ones: the system clears each of those and maps it at its first touch, which costs as much as copying
 * the body into it does.
 *
 * glibc maps a block above a threshold (128 KiB at first) on its own and unmaps it when it is freed. When such a
 * block is freed the threshold rises to its size, and up to twice of that stays with the process from then on
 * (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). Bodies would raise it to their own size, and a collection,
 * which frees several at once, would give them all back to the system. So one block of the largest size that counts
 * is taken and dropped; nothing is written to it, so it never takes pages. Where another C library is at work,
 * nothing changes.
 *
 * Acts once a process (each worker thread asks on its own, which changes nothing more).
 */
export function keepFreedPages(): void {
  if (asked || platform !== 'linux') return;
  asked = true;
  Buffer.allocUnsafeSlow(largestCountedBytes);
}
