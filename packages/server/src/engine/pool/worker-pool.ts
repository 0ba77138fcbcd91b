import {
  FlightCancelledError,
  FlightResourceExhaustedError,
  FlightUnavailableError,
} from '@peregrine/flight/errors';
import type { OperationArguments, OperationName, OperationResult, WorkerSetup } from '../worker/messages.ts';
import { createPlaces } from './places.ts';
import { createThreadSet } from './thread-set.ts';
import type { WorkerThread } from './worker-thread.ts';

/** Limits of a {@link WorkerPool}. */
export interface WorkerPoolOptions {
  /** Threads, which is how many statements run at once. */
  readonly maxThreads: number;
  /** Statements that wait for a thread. */
  readonly maxQueued: number;
  /** How long a statement waits, in milliseconds. */
  readonly queueTimeoutMs: number;
  /** An idle thread ends after this time, in milliseconds, but for the last one, which gives free memory back. */
  readonly idleMs: number;
}

/** What is asked of the pool. */
export interface RunOptions {
  /** `continue`: belongs to what runs already, so it goes first and no limit refuses it. Default: `start`. */
  readonly kind?: 'start' | 'continue' | undefined;
  /** Ends the wait for a thread; what runs already is cancelled by others. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when a thread takes it up.
   *
   * @param giveUp - lets another statement have its place, though it still runs: it was cancelled and does not end. Nothing
   *   when as many as there are places have given theirs up already
   */
  readonly onStart?: ((giveUp: () => void) => void) | undefined;
}

/**
 * Threads beside those of statements, for what belongs to statements that have begun: results go on being read and
 * freed while every other thread works on something long.
 */
const spareThreads = 2;

/**
 * When those may come again whom a full queue refused, in milliseconds, half as much more or less, so that they do not
 * all come at once: by then some of what waits has begun, unless all that runs is long.
 */
const fullQueueRetryMs = 1_000;

/** Threads that operations run in. */
export interface WorkerPool {
  run<K extends OperationName>(
    name: K,
    args: OperationArguments<K>,
    options?: RunOptions,
  ): Promise<OperationResult<K>>;
  /** Sets up the threads anew, and those that are started from now on. */
  setUp(setup: WorkerSetup): void;
  readonly running: number;
  /** Threads that have nothing to do. */
  readonly idle: number;
  readonly queued: number;
  /**
   * Refuses what waits, waits for what runs, ends the threads.
   *
   * @param last - what one of them does then. Default: nothing
   */
  close(last?: (thread: WorkerThread) => Promise<unknown>): Promise<void>;
}

interface Job {
  start(thread: WorkerThread): void;
  refuse(error: Error): void;
}

/** Threads are started when there is work for them, and statements wait where too many run; `thread-set.ts` ends them. */
export function createWorkerPool(setup: WorkerSetup, options: WorkerPoolOptions): WorkerPool {
  const { maxThreads, maxQueued, queueTimeoutMs, idleMs } = options;
  const threads = createThreadSet(setup, idleMs, tellIfIdle);
  const places = createPlaces(maxThreads);
  const first: Job[] = [];
  const queue: Job[] = [];
  let isClosed = false;
  let onIdle: (() => void) | undefined;

  /** A thread, if the job may have one now. */
  function obtain(kind: 'start' | 'continue'): WorkerThread | undefined {
    if (kind === 'start' && places.areTaken) return undefined;
    const ready = threads.take();
    if (ready !== undefined) return ready;
    const most = maxThreads + places.givenUp + (kind === 'continue' ? spareThreads : 0);
    return threads.size < most ? threads.start() : undefined;
  }

  function tellIfIdle(): void {
    if (threads.idle === threads.size && first.length === 0) onIdle?.();
  }

  /** A thread is done with its job, or has died of it. */
  function free(done: WorkerThread): void {
    if (!done.isAlive) threads.remove(done);
    const list = first.length > 0 ? first : places.areTaken ? [] : queue;
    const thread = done.isAlive ? done : list.length > 0 ? obtain('continue') : undefined;
    // Where there is no thread for it, it waits on.
    const job = thread && list.shift();
    if (job !== undefined && thread !== undefined) {
      job.start(thread);
      return;
    }
    if (thread !== undefined) threads.giveBack(thread);
    tellIfIdle();
  }

  /** Has a thread take up what waits, when it may. */
  function startNext(): void {
    const list = first.length > 0 ? first : queue;
    const [job] = list;
    const thread = job && obtain(list === first ? 'continue' : 'start');
    if (job === undefined || thread === undefined) return;
    list.shift();
    job.start(thread);
  }

  return {
    run<K extends OperationName>(
      name: K,
      args: OperationArguments<K>,
      { kind = 'start', signal, onStart }: RunOptions = {},
    ): Promise<OperationResult<K>> {
      return new Promise<OperationResult<K>>((resolve, reject) => {
        if (isClosed && kind === 'start') {
          reject(new FlightUnavailableError('the engine has been closed'));
          return;
        }
        if (signal?.aborted === true) {
          reject(new FlightCancelledError('the statement was cancelled before it ran'));
          return;
        }
        const job: Job = {
          start(thread) {
            stopWaiting();
            const place = kind === 'start' ? places.take() : undefined;
            onStart?.(() => {
              if (place?.giveUp() === true) startNext();
            });
            thread
              .run(name, args)
              // Free before whoever waits asks for the next: that one would start another thread.
              .finally(() => {
                place?.free();
                free(thread);
              })
              .then(resolve, reject);
          },
          refuse(error) {
            stopWaiting();
            const list = kind === 'continue' ? first : queue;
            const place = list.indexOf(job);
            if (place >= 0) list.splice(place, 1);
            reject(error);
          },
        };
        const wait: { timer: NodeJS.Timeout | undefined } = { timer: undefined };
        const onAbort = (): void =>
          job.refuse(new FlightCancelledError('the statement was cancelled while it waited'));
        const stopWaiting = (): void => {
          clearTimeout(wait.timer);
          signal?.removeEventListener('abort', onAbort);
        };
        const thread = obtain(kind);
        if (thread !== undefined) {
          job.start(thread);
          return;
        }
        if (kind === 'continue') {
          first.push(job);
          return;
        }
        if (queue.length >= maxQueued) {
          reject(
            new FlightResourceExhaustedError(
              `${maxThreads} statements run and ${queue.length} wait, and the limit of waiting statements is ${maxQueued}; try again later`,
              { retryAfterMs: fullQueueRetryMs * (0.5 + Math.random()) },
            ),
          );
          return;
        }
        queue.push(job);
        signal?.addEventListener('abort', onAbort, { once: true });
        wait.timer = setTimeout(() => {
          job.refuse(
            new FlightResourceExhaustedError(
              `the statement waited ${queueTimeoutMs} ms for one of ${maxThreads} that run to end, which is the limit; try again later`,
            ),
          );
        }, queueTimeoutMs);
      });
    },
    setUp: (next) => threads.setUp(next),
    get running() {
      return threads.size - threads.idle;
    },
    get idle() {
      return threads.idle;
    },
    get queued() {
      return queue.length + first.length;
    },
    async close(last) {
      isClosed = true;
      for (const job of queue.splice(0)) job.refuse(new FlightUnavailableError('the engine has been closed'));
      if (threads.idle < threads.size || first.length > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      await last?.(threads.take() ?? threads.start());
      await threads.close();
    },
  };
}
