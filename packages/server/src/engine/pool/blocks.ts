/** Memory of batches that is used again: fresh pages are what filling a batch costs most. */
export interface BlockPool {
  /** A block of the usual size; a used one if there is one. */
  take(): SharedArrayBuffer;
  /** Gives a block back. Blocks of another size are left to the garbage collector. */
  give(block: SharedArrayBuffer): void;
  /** Bytes of the blocks that wait to be used again. */
  readonly idleBytes: number;
}

/**
 * A pool of blocks in memory that threads share: a worker fills them, sockets write from them. They belong to the
 * garbage collector, so that whoever keeps a batch too long reads what another put there, but never freed memory.
 *
 * @param blockBytes - the usual size
 * @param keepBytes - most bytes that wait
 */
export function createBlockPool(blockBytes: number, keepBytes: number): BlockPool {
  const idle: SharedArrayBuffer[] = [];
  return {
    take: () => idle.pop() ?? new SharedArrayBuffer(blockBytes),
    give(block) {
      if (block.byteLength !== blockBytes || (idle.length + 1) * blockBytes > keepBytes) return;
      idle.push(block);
    },
    get idleBytes() {
      return idle.length * blockBytes;
    },
  };
}
