import { parentPort, workerData } from 'node:worker_threads';
import { giveBackFreeMemory, loadLibrary } from '../c-data/native.ts';
import { findDuckDbLibrary } from '../duckdb-files.ts';
import { endAllWork, endWork } from '../pool/counted-work.ts';
import type { WorkerStart } from '../pool/early-worker.ts';
import { failureOf } from './failure.ts';
import { collectGarbage, createHeapKeeper } from './heap-keeper.ts';
import type {
  OperationName,
  OperationTable,
  WorkerAnswer,
  WorkerCommand,
  WorkerRequest,
} from './messages.ts';
import { createOperations } from './operations.ts';

/*
 * The program of a worker thread: gets its setup first, then takes one request after the other and answers each,
 * until it is told to end. Native calls may take minutes; they block this thread only.
 */

const port = parentPort;
if (port === null) throw new Error('this program runs as a worker thread of the engine');

// workerData is what `early-worker.ts` passes.
const { preload, work }: WorkerStart = workerData;
process.once('exit', () => endAllWork(work));
if (preload) preloadDuckDb();

/** Whoever needs the library is told why it cannot be loaded. */
function preloadDuckDb(): void {
  try {
    loadLibrary(findDuckDbLibrary(), true);
  } catch {
    // Not there, or not for this platform.
  }
}

function run<K extends OperationName>(operations: OperationTable, { name, args }: WorkerRequest<K>): unknown {
  return operations[name](args);
}

let operations: OperationTable | undefined;
const keepHeap = createHeapKeeper();

function answerTo(request: WorkerRequest): WorkerAnswer {
  try {
    if (operations === undefined) throw new Error('a request came before the setup');
    return { kind: 'done', result: run(operations, request) };
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error) };
  }
}

port.on('message', (command: WorkerCommand) => {
  try {
    if (command.kind === 'setup') operations = createOperations(command.setup);
    else if (command.kind === 'run') {
      port.postMessage(answerTo(command.request));
      keepHeap();
    } else if (command.kind === 'rest') {
      collectGarbage();
      giveBackFreeMemory();
    }
    // Nothing keeps the thread then.
    else port.close();
  } finally {
    endWork(work);
  }
});
endWork(work);
