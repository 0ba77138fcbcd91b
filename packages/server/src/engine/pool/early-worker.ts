import { Worker } from 'node:worker_threads';
import type { WorkerCommand } from '../worker/messages.ts';
import { type CountedWork, askForWork, countWork, forgetWork, hasLoaded } from './counted-work.ts';

/** What a thread is started with, before it is known what for. */
export interface WorkerStart {
  /** Loads DuckDB's library already: what it takes to load it, it takes once a process. */
  readonly preload: boolean;
  /** Where it counts what it is done with. */
  readonly work: CountedWork;
}

/** A thread and how to ask it for something. */
export interface StartedWorker {
  readonly worker: Worker;
  /** Whether it has loaded its program: what it is asked for now it does at once. */
  readonly isLoaded: boolean;
  /** Sends a command, which counts as work until the thread is done with it. */
  command(command: WorkerCommand): void;
}

/**
 * Memory that threads share is freed when all of them have collected what refers to it, and what they make themselves is
 * little: with the usual size they would hardly ever collect.
 */
const youngMb = 2;

/** A thread that nobody has taken yet. */
let early: StartedWorker | undefined;

/** Whether a thread loads the library already. */
let isPreloaded = false;

/**
 * Starts the thread that is asked for next, if none waits already. A program that is about to open an engine calls this
 * before it loads the rest of itself, and both load at once. It does not keep the process alive.
 */
export function startEngineThread(): void {
  if (early !== undefined) return;
  const started = newWorker({ preload: !isPreloaded });
  isPreloaded = true;
  early = started;
  // One that cannot load leaves it to the next to say why.
  const forget = (): void => {
    if (early === started) early = undefined;
  };
  started.worker.once('error', forget).once('exit', forget);
}

/** The thread that was started early, or a new one. */
export function takeWorker(): StartedWorker {
  const taken = early ?? newWorker({ preload: false });
  early = undefined;
  return taken;
}

function newWorker({ preload }: { readonly preload: boolean }): StartedWorker {
  const work = countWork();
  const start: WorkerStart = { preload, work };
  // Output of tsc: the worker's program lies beside as JavaScript.
  const worker = new Worker(new URL('../worker/main.js', import.meta.url), {
    workerData: start,
    // Node takes the flag for programs that are text, and a thread that inherits it ends at once.
    ...(process.execArgv.some((flag) => flag.startsWith('--input-type')) && { execArgv: [] }),
    resourceLimits: { maxYoungGenerationSizeMb: youngMb },
  });
  worker.unref();
  worker.once('exit', () => forgetWork(work));
  return {
    worker,
    get isLoaded() {
      return hasLoaded(work);
    },
    command(command) {
      askForWork(work);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(command);
    },
  };
}
