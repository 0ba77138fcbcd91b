import { parentPort, workerData } from 'node:worker_threads';
import { FlightError, messageOf } from '@peregrine/flight/ipc/messages';
import { DriverError } from '../adbc/driver.ts';
import type { EngineFailure } from '../adbc/errors.ts';
import { loadLibrary } from '../c-data/native.ts';
import { findDuckDbLibrary } from '../duckdb-files.ts';
import type { WorkerStart } from '../pool/early-worker.ts';
import type { OperationName, OperationTable, WorkerAnswer, WorkerRequest, WorkerSetup } from './messages.ts';
import { createOperations } from './operations.ts';

/*
 * The program of a worker thread: gets its setup first, then takes one request after the other and answers each. Native
 * calls may take minutes; they block this thread only.
 */

const port = parentPort;
if (port === null) throw new Error('this program runs as a worker thread of the engine');

// workerData is what `early-worker.ts` passes.
const { preload }: WorkerStart = workerData;
if (preload) preloadDuckDb();

/** Whoever needs the library is told why it cannot be loaded. */
function preloadDuckDb(): void {
  try {
    loadLibrary(findDuckDbLibrary());
  } catch {
    // Not there, or not for this platform.
  }
}

function run<K extends OperationName>(operations: OperationTable, { name, args }: WorkerRequest<K>): unknown {
  return operations[name](args);
}

function failureOf(error: unknown): EngineFailure {
  if (error instanceof DriverError) return { status: error.status, code: undefined, message: error.message };
  if (error instanceof FlightError) return { status: undefined, code: error.code, message: error.rawMessage };
  if (error instanceof RangeError) {
    return {
      status: undefined,
      code: 'RESOURCE_EXHAUSTED',
      message: `no memory for this batch: ${error.message}`,
    };
  }
  return {
    status: undefined,
    code: 'INTERNAL',
    message: messageOf(error),
  };
}

port.once('message', (setup: WorkerSetup) => {
  const operations = createOperations(setup);
  port.on('message', (request: WorkerRequest) => {
    let answer: WorkerAnswer;
    try {
      answer = { kind: 'done', result: run(operations, request) };
    } catch (error) {
      answer = { kind: 'failed', failure: failureOf(error) };
    }
    port.postMessage(answer);
  });
});
