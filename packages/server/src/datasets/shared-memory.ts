import { FlightResourceExhaustedError } from '@peregrine/flight/errors';
import { maxIdleDatasetBytes, maxMemoryDatasetBytes } from '../limits.ts';

/** Small bodies lie side by side in blocks of this many bytes; longer ones have a block of their own. */
const blockBytes = 4 * 1024 * 1024;

/** A body above this would leave too much of a block unused. */
const maxPackedBytes = 1024 * 1024;

/** Bodies begin at a multiple of this, as Arrow recommends. */
const alignment = 64;

/** What one dataset has of the memory. Its blocks are given back when nobody holds it any more. */
export interface SharedLease {
  /**
   * Copies bytes to where they stay.
   *
   * @throws FlightResourceExhaustedError above the limit
   */
  store(bytes: Uint8Array): Uint8Array;
  /** False after the last release. */
  readonly isHeld: boolean;
  /** Holds the memory once more: for a stream that is being sent. */
  hold(): void;
  /** Lets go of one hold; who took the lease has the first. After the last one the memory may be used for others. */
  release(): void;
}

/** How much a {@link SharedMemory} has. */
export interface SharedMemoryUse {
  /** Bytes of the blocks that are in use. */
  readonly usedBytes: number;
  /** Bytes of free blocks that wait for the next dataset. */
  readonly idleBytes: number;
}

/** Memory for the bodies of datasets, in SharedArrayBuffers. */
export interface SharedMemory {
  /** Takes part of the memory for a dataset. */
  lease(name: string): SharedLease;
  readonly use: SharedMemoryUse;
}

/**
 * Makes memory that datasets share, and other threads can read. Sockets send it without a copy. SharedArrayBuffers do
 * not hurry the garbage collector (on Node 20, 2.7 GB of them stayed, all unreachable), so blocks are counted and used
 * again.
 *
 * @param limitBytes - of all blocks in use together. Default: `maxMemoryDatasetBytes`
 */
export function createSharedMemory(limitBytes: number = maxMemoryDatasetBytes): SharedMemory {
  const idle = new Map<number, SharedArrayBuffer[]>();
  let usedBytes = 0;
  let idleBytes = 0;

  function take(byteLength: number, name: string): SharedArrayBuffer {
    if (usedBytes + byteLength > limitBytes) {
      throw new FlightResourceExhaustedError(
        `dataset ${name} would bring the datasets in memory to ${usedBytes + byteLength} bytes and the limit is ${limitBytes}; drop others first, or serve it from a file`,
      );
    }
    const kept = idle.get(byteLength)?.pop();
    if (kept !== undefined) idleBytes -= byteLength;
    const block = kept ?? create(byteLength, name);
    usedBytes += byteLength;
    return block;
  }

  function give(block: SharedArrayBuffer): void {
    const { byteLength } = block;
    usedBytes -= byteLength;
    // What is above waits for the garbage collector.
    if (idleBytes + byteLength > maxIdleDatasetBytes) return;
    idleBytes += byteLength;
    const blocks = idle.get(byteLength);
    if (blocks === undefined) idle.set(byteLength, [block]);
    else blocks.push(block);
  }

  return {
    get use() {
      return { usedBytes, idleBytes };
    },
    lease: (name) => createLease((byteLength) => take(byteLength, name), give),
  };
}

function createLease(
  take: (byteLength: number) => SharedArrayBuffer,
  give: (block: SharedArrayBuffer) => void,
): SharedLease {
  const blocks: SharedArrayBuffer[] = [];
  let packed: SharedArrayBuffer | undefined;
  let filled = 0;
  let holds = 1;

  function place(byteLength: number): Uint8Array {
    if (byteLength > maxPackedBytes) {
      const block = take(sizeClass(byteLength));
      blocks.push(block);
      return new Uint8Array(block, 0, byteLength);
    }
    if (packed === undefined || filled + byteLength > packed.byteLength) {
      // A dataset that is small takes little; one that grows takes whole blocks.
      packed = take(blocks.length === 0 ? sizeClass(Math.max(byteLength, 64 * 1024)) : blockBytes);
      blocks.push(packed);
      filled = 0;
    }
    const view = new Uint8Array(packed, filled, byteLength);
    filled = Math.ceil((filled + byteLength) / alignment) * alignment;
    return view;
  }

  return {
    store(bytes) {
      if (bytes.length === 0) return bytes;
      const view = place(bytes.length);
      view.set(bytes);
      return view;
    },
    get isHeld() {
      return holds > 0;
    },
    hold() {
      holds++;
    },
    release() {
      if (--holds !== 0) return;
      for (const block of blocks.splice(0)) give(block);
      packed = undefined;
    },
  };
}

/** Rounds up to 4, 5, 6 or 7 times a power of two, so that blocks of about the same size can be used again. */
function sizeClass(byteLength: number): number {
  const step = 2 ** (Math.floor(Math.log2(byteLength)) - 2);
  return Math.ceil(byteLength / step) * step;
}

function create(byteLength: number, name: string): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(byteLength);
  } catch (cause) {
    throw new FlightResourceExhaustedError(
      `the system has no ${byteLength} bytes of memory for dataset ${name}`,
      { cause },
    );
  }
}
