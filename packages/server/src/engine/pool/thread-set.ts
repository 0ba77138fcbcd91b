import type { WorkerSetup } from '../worker/messages.ts';
import { collectGarbage } from '../worker/heap-keeper.ts';
import { startWorker, type WorkerThread } from './worker-thread.ts';

/**
 * The threads of a pool: those that work and those that are idle. An idle one ends after a while; the last one stays, and
 * gives back what the others left.
 */
export interface ThreadSet {
  /** All of them; one that was idle and is ending counts until it has ended. */
  readonly size: number;
  /** Those that are idle. */
  readonly idle: number;
  /** Starts a thread that works. */
  start(): WorkerThread;
  /** Sets up all of them anew, and those that are started from now on. */
  setUp(setup: WorkerSetup): void;
  /** Takes the one that has been idle the shortest; undefined where none is. */
  take(): WorkerThread | undefined;
  /** A thread has nothing to do. */
  giveBack(thread: WorkerThread): void;
  /** A thread has died. */
  remove(thread: WorkerThread): void;
  /** Ends all of them. */
  close(): Promise<void>;
}

/**
 * @param first - what threads are set up with until {@link ThreadSet.setUp}
 * @param idleMs - how long a thread is idle before it ends, in milliseconds
 * @param onEnd - called after a thread has ended
 */
export function createThreadSet(first: WorkerSetup, idleMs: number, onEnd: () => void): ThreadSet {
  const threads = new Set<WorkerThread>();
  const idle: WorkerThread[] = [];
  const ends = new Map<WorkerThread, NodeJS.Timeout>();
  /** Threads that were told to end and have not yet. */
  const ending = new Set<WorkerThread>();
  let setup = first;
  let isClosed = false;

  function start(): WorkerThread {
    const thread = startWorker(setup, () => {
      threads.delete(thread);
      const place = idle.indexOf(thread);
      if (place >= 0) idle.splice(place, 1);
      ending.delete(thread);
      restIfAlone();
      onEnd();
    });
    threads.add(thread);
    return thread;
  }

  /**
   * After the others ended, which had nothing to do for as long. What statements left in this thread, such as bodies that
   * were sent, V8 collects when it gets round to it, and the C library can give back only what was collected.
   */
  function restIfAlone(): void {
    const [last] = idle;
    if (last === undefined || threads.size > 1 || isClosed) return;
    collectGarbage();
    last.rest();
  }

  function endIdle(thread: WorkerThread): void {
    const place = idle.indexOf(thread);
    if (place < 0) return;
    if (threads.size - ending.size === 1) {
      restIfAlone();
      return;
    }
    idle.splice(place, 1);
    ends.delete(thread);
    ending.add(thread);
    void thread.close();
  }

  return {
    get size() {
      return threads.size;
    },
    get idle() {
      return idle.length;
    },
    start,
    setUp(next) {
      setup = next;
      for (const thread of threads) thread.setUp(next);
    },
    take() {
      const thread = idle.pop();
      if (thread === undefined) return undefined;
      clearTimeout(ends.get(thread));
      ends.delete(thread);
      return thread;
    },
    giveBack(thread) {
      idle.push(thread);
      const timer = setTimeout(() => endIdle(thread), idleMs);
      timer.unref();
      ends.set(thread, timer);
    },
    remove(thread) {
      threads.delete(thread);
    },
    async close() {
      isClosed = true;
      for (const timer of ends.values()) clearTimeout(timer);
      await Promise.all([...threads].map((thread) => thread.close()));
    },
  };
}
