import { Worker } from 'node:worker_threads';

/** A thread that nobody has taken yet. */
let early: Worker | undefined;

/**
 * Starts the thread that the next engine begins with. A program that is about to open one calls this before it loads
 * the rest of itself, and both load at once. It does not keep the process alive.
 */
export function startEngineThread(): void {
  const worker = newWorker();
  const forget = (): void => {
    if (early === worker) early = undefined;
  };
  // One that cannot load leaves it to the next to say why.
  early = worker.once('error', forget).once('exit', forget);
}

/** The thread that was started early, or a new one. */
export function takeWorker(): Worker {
  const taken = early ?? newWorker();
  early = undefined;
  return taken.removeAllListeners();
}

function newWorker(): Worker {
  // Output of tsc: the worker's program lies beside as JavaScript.
  const worker = new Worker(new URL('../worker/main.js', import.meta.url));
  worker.unref();
  return worker;
}
