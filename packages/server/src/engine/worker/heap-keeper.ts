import { getHeapStatistics } from 'node:v8';

/*
 * What V8 does by itself is made for one large heap: each lets garbage of 8 to 16 MB gather in its old part before it
 * looks there at all, and the engine has a heap for each of 19 threads. What requests leave in a thread is little, some
 * 100 bytes, so these parts fill for an hour: memory that looks like a leak. A collection of such a heap takes 10 ms.
 */

/** Garbage that a thread keeps: about what its young part changes by on its own. */
const garbageBytes = 3 * 1024 * 1024;

/** Between two looks, in milliseconds: at most about 1 % of a thread's time goes into collections. */
const lookMs = 1_000;

/** Keeps the heap of a thread near what it needs. */
export interface HeapKeeper {
  /** Called after each piece of work. Now and then a collection begins; it is done when what is given resolves. */
  afterWork(): Promise<void> | undefined;
  /** Resolves when no collection is under way. */
  idle(): Promise<void>;
}

/** What a keeper asks and does; others are for tests. */
export interface HeapKeeperTools {
  now(): number;
  usedBytes(): number;
  /** Collects what can be collected. @throws where this Node cannot be told to */
  collect(): Promise<void>;
}

const nodeTools: HeapKeeperTools = {
  now: () => performance.now(),
  usedBytes: () => getHeapStatistics().used_heap_size,
  collect: collectGarbage,
};

/** Makes one for the thread that calls. */
export function createHeapKeeper(tools: HeapKeeperTools = nodeTools): HeapKeeper {
  let nextLook = tools.now() + lookMs;
  /** Bytes in use after the last collection; 0 before the first, so that what loading left goes early. */
  let settled = 0;
  let collecting: Promise<void> | undefined;
  let isRefused = false;

  async function collect(): Promise<void> {
    try {
      await tools.collect();
      settled = tools.usedBytes();
      nextLook = tools.now() + lookMs;
    } catch {
      // A Node without an inspector, or one that forbids it: V8 collects when it sees fit.
      isRefused = true;
    }
    collecting = undefined;
  }

  return {
    afterWork() {
      if (isRefused || collecting !== undefined || tools.now() < nextLook) return undefined;
      nextLook = tools.now() + lookMs;
      // A heap that really holds much is not looked through for little.
      if (tools.usedBytes() <= settled + Math.max(garbageBytes, settled / 2)) return undefined;
      collecting = collect();
      return collecting;
    },
    idle: () => collecting ?? Promise.resolve(),
  };
}

/**
 * Has V8 collect all garbage of this thread and give the pages back. The inspector is the documented way that needs no
 * flag.
 *
 * @throws Error where Node was built without an inspector or may not use it
 */
export async function collectGarbage(): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('HeapProfiler.collectGarbage');
  } finally {
    session.disconnect();
  }
}
