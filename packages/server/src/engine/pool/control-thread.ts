import type { OperationArguments, OperationName, OperationResult, WorkerSetup } from '../worker/messages.ts';
import { type WorkerThread, startWorker } from './worker-thread.ts';

/** The thread of an engine that is always free, to cancel what runs in others and to tell how far it is. */
export interface ControlThread {
  /** Whether it is there, and does what it is asked for at once; asking for something starts it. */
  readonly isLoaded: boolean;
  /** Runs an operation. @throws FlightError as the engine tells */
  run<K extends OperationName>(name: K, args: OperationArguments<K>): Promise<OperationResult<K>>;
  /** Ends the thread when what runs is done. */
  close(): Promise<void>;
}

/**
 * When the thread is started, in milliseconds, unless it is asked for something before: to load it takes the processor
 * from the first statements and from a server that starts, and nobody cancels yet.
 */
const startAfterMs = 1_000;

/** @see ControlThread */
export function createControlThread(setup: WorkerSetup): ControlThread {
  let thread: WorkerThread | undefined;
  const start = (): WorkerThread => {
    thread ??= startWorker(setup, () => undefined);
    return thread;
  };
  const soon = setTimeout(start, startAfterMs);
  soon.unref();
  return {
    get isLoaded() {
      return thread?.isLoaded === true;
    },
    run: (name, args) => start().run(name, args),
    async close() {
      clearTimeout(soon);
      await thread?.close();
    },
  };
}
