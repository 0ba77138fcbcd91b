/*
 * A thread that is ended in the middle of a native call takes the process with it: what comes back from the call finds
 * no JavaScript to go to. So whoever ends threads knows first that they do nothing. Main thread and worker share two
 * numbers:
 *
 *   [0] what the thread was asked for   written by the main thread
 *   [1] what it is done with            written by the worker, which wakes those that wait for it
 */

const askedIndex = 0;
const doneIndex = 1;

/** The two numbers; loading its modules is the first thing that a thread is asked for. */
export type CountedWork = Int32Array<SharedArrayBuffer>;

/**
 * How long the end of the process waits for a thread, in milliseconds. Loading takes seconds on a busy machine, and Node
 * itself waits for native calls without a limit; this one is for a thread that could not load its program.
 */
const longestWaitMs = 60_000;

/** The work of threads that live. */
const living = new Set<CountedWork>();

/** The count of a thread that is about to be started. */
export function countWork(): CountedWork {
  const work = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  work[askedIndex] = 1;
  if (living.size === 0) process.once('exit', waitForAll);
  living.add(work);
  return work;
}

/** Its thread is gone. */
export function forgetWork(work: CountedWork): void {
  living.delete(work);
  if (living.size === 0) process.removeListener('exit', waitForAll);
}

/** The main thread asks for something more. */
export function askForWork(work: CountedWork): void {
  Atomics.add(work, askedIndex, 1);
}

/** The worker is done with one thing. */
export function endWork(work: CountedWork): void {
  Atomics.add(work, doneIndex, 1);
  Atomics.notify(work, doneIndex);
}

/** The worker ends: nobody needs to wait for what it was asked for. */
export function endAllWork(work: CountedWork): void {
  Atomics.store(work, doneIndex, 2 ** 31 - 1);
  Atomics.notify(work, doneIndex);
}

function waitForAll(): void {
  const until = performance.now() + longestWaitMs;
  for (const work of living) wait(work, until);
}

function wait(work: CountedWork, until: number): void {
  const asked = Atomics.load(work, askedIndex);
  for (;;) {
    const done = Atomics.load(work, doneIndex);
    const left = until - performance.now();
    if (done >= asked || left <= 0) return;
    Atomics.wait(work, doneIndex, done, left);
  }
}
