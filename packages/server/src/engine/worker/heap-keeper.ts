import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/*
 * What V8 does by itself is made for one large heap: each lets garbage of 8 to 16 MB gather in its old part before it
 * looks there at all, and the engine has a heap for each of 19 threads. What requests leave in a thread is little, some
 * 100 bytes, so these parts fill for an hour: memory that looks like a leak. A collection of such a heap takes 10 ms.
 */

/** Garbage that a thread keeps: about what its young part changes by on its own. */
const garbageBytes = 3 * 1024 * 1024;

/** Between two looks, in milliseconds: at most about 1 % of a thread's time goes into collections. */
const lookMs = 1_000;

/** What a keeper asks and does; others are for tests. */
export interface HeapKeeperTools {
  now(): number;
  usedBytes(): number;
  /** Collects what can be collected; false where this Node cannot be told to, now or ever. */
  collect(): boolean;
}

const nodeTools: HeapKeeperTools = {
  now: () => performance.now(),
  usedBytes: () => getHeapStatistics().used_heap_size,
  collect: collectGarbage,
};

/**
 * Keeps the heap of the calling thread near what it needs.
 *
 * @returns to be called after each piece of work, when its answer has been sent; now and then it collects garbage
 */
export function createHeapKeeper(tools: HeapKeeperTools = nodeTools): () => void {
  let nextLook = tools.now() + lookMs;
  /** Bytes in use after the last collection; 0 before the first, so that what loading left goes early. */
  let settled = 0;
  return () => {
    if (tools.now() < nextLook) return;
    // A heap that really holds much is not looked through for little.
    if (tools.usedBytes() > settled + Math.max(garbageBytes, settled / 2) && tools.collect()) {
      settled = tools.usedBytes();
    }
    nextLook = tools.now() + lookMs;
  };
}

let collector: (() => void) | undefined;

/**
 * Has V8 collect all garbage of this thread and give the pages back.
 *
 * @returns whether it did: another thread may have taken the flag away at this very moment, which is another's turn
 */
export function collectGarbage(): boolean {
  collector ??= findCollector();
  collector?.();
  return collector !== undefined;
}

/**
 * V8's `gc`, which contexts have that are made while the flag is set. The flag is taken back, since the code cache of
 * Node's own modules holds for the flags alone that it was made with.
 */
function findCollector(): (() => void) | undefined {
  const { gc: given } = globalThis;
  if (given !== undefined) return () => given();
  setFlagsFromString('--expose-gc');
  try {
    const gc: unknown = runInNewContext('globalThis.gc');
    return typeof gc === 'function' ? () => void Reflect.apply(gc, undefined, []) : undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
