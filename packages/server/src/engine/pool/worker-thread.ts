import { FlightUnavailableError } from '@peregrine/flight/errors';
import { toFlightError } from '../adbc/errors.ts';
import type {
  OperationArguments,
  OperationName,
  OperationResult,
  WorkerAnswer,
  WorkerRequest,
  WorkerSetup,
} from '../worker/messages.ts';
import { takeWorker } from './early-worker.ts';

/** One worker thread, which does one thing at a time. */
export interface WorkerThread {
  /** Runs an operation. @throws FlightError as the engine tells */
  run<K extends OperationName>(name: K, args: OperationArguments<K>): Promise<OperationResult<K>>;
  /** Whether something runs or waits in it. */
  readonly isBusy: boolean;
  /** Whether it has loaded its program: what it is asked for now it does at once. */
  readonly isLoaded: boolean;
  /** False once it ended, by itself or by an error. */
  readonly isAlive: boolean;
  /** Sets it up anew; what it was asked for before still runs as it was set up then. */
  setUp(setup: WorkerSetup): void;
  /** Has it give free memory of the whole process back to the system, when what runs is done. */
  rest(): void;
  /** Ends the thread when what runs is done. */
  close(): Promise<void>;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Starts a worker; a failure to start comes with its first operation. */
export function startWorker(setup: WorkerSetup, onExit: () => void): WorkerThread {
  const started = takeWorker();
  const { worker } = started;
  started.command({ kind: 'setup', setup });
  const waiting: Waiting[] = [];
  let failure: Error | undefined;
  let tellExit = (): void => undefined;
  const exited = new Promise<void>((resolve) => {
    tellExit = resolve;
  });

  function fail(error: Error): void {
    failure ??= new FlightUnavailableError(`a thread of the engine ended: ${error.message}`, {
      cause: error,
    });
    for (const each of waiting.splice(0)) each.reject(failure);
  }

  worker.on('message', (answer: WorkerAnswer) => {
    const next = waiting.shift();
    if (waiting.length === 0) worker.unref();
    if (answer.kind === 'done') next?.resolve(answer.result);
    else next?.reject(toFlightError(answer.failure));
  });
  worker.on('error', fail);
  worker.on('exit', (code) => {
    tellExit();
    fail(new Error(`exit code ${code}`));
    onExit();
  });

  return {
    run<K extends OperationName>(name: K, args: OperationArguments<K>): Promise<OperationResult<K>> {
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise<OperationResult<K>>((resolve, reject) => {
        // Answers come in the order of the requests, and each is the result of its request's operation.
        waiting.push({ resolve: (result) => resolve(result as OperationResult<K>), reject });
        worker.ref();
        const request: WorkerRequest<K> = { name, args };
        started.command({ kind: 'run', request });
      });
    },
    get isBusy() {
      return waiting.length > 0;
    },
    get isLoaded() {
      return started.isLoaded;
    },
    get isAlive() {
      return failure === undefined;
    },
    setUp(next) {
      started.command({ kind: 'setup', setup: next });
    },
    rest() {
      started.command({ kind: 'rest' });
    },
    close() {
      worker.ref();
      // Never from outside: what native code is about cannot be ended in the middle.
      started.command({ kind: 'end' });
      // Also by an error: then it is gone as well.
      return exited;
    },
  };
}
