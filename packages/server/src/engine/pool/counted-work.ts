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

/**
 * How often threads are told again to leave what they are about, in milliseconds: a cancel that comes before its
 * statement begins is lost.
 */
const interruptAgainMs = 20;

/** What tells the threads of an engine so. */
const interrupts = new Set<() => void>();

/**
 * Asks for a call while the process ends, again and again until no thread works: without it, a statement of an hour
 * would keep the process for an hour.
 *
 * @returns ends it
 */
export function onProcessEnd(interrupt: () => void): () => void {
  interrupts.add(interrupt);
  return () => interrupts.delete(interrupt);
}

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

/** Whether the thread has loaded its modules. */
export function hasLoaded(work: CountedWork): boolean {
  return Atomics.load(work, doneIndex) > 0;
}

/** The worker ends: nobody needs to wait for what it was asked for. */
export function endAllWork(work: CountedWork): void {
  Atomics.store(work, doneIndex, 2 ** 31 - 1);
  Atomics.notify(work, doneIndex);
}

function waitForAll(): void {
  const until = performance.now() + longestWaitMs;
  let next = 0;
  for (;;) {
    const now = performance.now();
    const busy = [...living].find(isBusy);
    if (busy === undefined || now >= until) return;
    if (now >= next) {
      for (const interrupt of interrupts) interrupt();
      next = now + interruptAgainMs;
    }
    const done = Atomics.load(busy, doneIndex);
    if (isBusy(busy)) Atomics.wait(busy, doneIndex, done, Math.min(until, next) - now);
  }
}

function isBusy(work: CountedWork): boolean {
  return Atomics.load(work, doneIndex) < Atomics.load(work, askedIndex);
}
