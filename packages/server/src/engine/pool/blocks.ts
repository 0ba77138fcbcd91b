/** Memory of batches that is used again: fresh pages are what filling a batch costs most. */
export interface BlockPool {
  /** A used block, if there is one. */
  take(): SharedArrayBuffer | undefined;
  /** Gives a block back. Memory of another size is left to the garbage collector. */
  give(block: SharedArrayBuffer | ArrayBuffer): void;
  /** Bytes of the blocks that wait to be used again. */
  readonly idleBytes: number;
}

/** Usual size of a batch's memory: the largest body that is forwarded as it is. */
export const blockBytes: number = 4 * 1024 * 1024;

/** How long blocks wait, in milliseconds, before half of those that nobody needed are given up. */
const trimMs = 10_000;

/**
 * A pool of blocks in memory that threads share: a worker fills them, sockets write from them. They belong to the
 * garbage collector, so that whoever keeps a batch too long reads what another put there, but never freed memory.
 *
 * @param keepBytes - most bytes that wait
 */
export function createBlockPool(keepBytes: number): BlockPool {
  const idle: SharedArrayBuffer[] = [];
  let leastIdle = 0;
  let timer: NodeJS.Timeout | undefined;

  /** The oldest are at the front: those that were not needed since the last time. */
  function trim(): void {
    timer = undefined;
    idle.splice(0, Math.ceil(Math.min(leastIdle, idle.length) / 2));
    leastIdle = idle.length;
    if (idle.length > 0) timer = setTimeout(trim, trimMs).unref();
  }

  return {
    take() {
      const block = idle.pop();
      leastIdle = Math.min(leastIdle, idle.length);
      return block;
    },
    give(block) {
      if (!(block instanceof SharedArrayBuffer) || block.byteLength !== blockBytes) return;
      if ((idle.length + 1) * blockBytes > keepBytes) return;
      idle.push(block);
      timer ??= setTimeout(trim, trimMs).unref();
    },
    get idleBytes() {
      return idle.length * blockBytes;
    },
  };
}
