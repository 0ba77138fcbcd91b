/** What can be fetched from the test server besides its datasets. */

import { FlightInternalError, FlightNotFoundError } from '@peregrine/flight';
import { ipcStreamMessages, writeIpcStream } from '@peregrine/flight/ipc';
import {
  type DoGetResult,
  GeneratorStream,
  RawIpcStream,
  RecordBatchStream,
  type ServerCallContext,
} from '@peregrine/flight/server';
import {
  Field,
  Int32,
  type RecordBatch,
  Schema,
  Table,
  tableFromArrays,
  vectorFromArray,
} from 'apache-arrow';
import type { DatasetStore } from './dataset-store.ts';

const numberSchema = new Schema([new Field('x', new Int32(), true)]);

/** Column x with 1, 2, 3. */
export function numbers(): Table {
  return new Table({ x: vectorFromArray([1, 2, 3], new Int32()) });
}

function oneRow(): RecordBatch {
  const [batch] = tableFromArrays({ x: Int32Array.of(1) }).batches;
  if (batch === undefined) throw new Error('a table of one row has a batch');
  return batch;
}

/** What the server sends for a ticket. */
export async function openTicket(
  ticket: string,
  context: ServerCallContext,
  store: DatasetStore,
  running: Map<string, number>,
): Promise<DoGetResult> {
  if (ticket.startsWith('source:')) return sourceOf(ticket.slice('source:'.length));
  switch (ticket) {
    case 'numbered':
      return new GeneratorStream(oneRow().schema, [
        [oneRow(), '0'],
        oneRow(),
        { appMetadata: 'alone' },
        { data: oneRow(), appMetadata: '2' },
      ]);
    case 'endless':
    case 'stuck':
      return new GeneratorStream(oneRow().schema, () => generate(ticket, context, running));
    case 'flood': {
      const columns = Array.from({ length: 8 }, (_item, index) => [
        `c${index}`,
        new BigInt64Array(64 * 1024),
      ]);
      const table = tableFromArrays(Object.fromEntries(columns));
      // 1,024 batches of 4 MiB
      return new GeneratorStream(table.schema, function* () {
        for (let index = 0; index < 1024; index += 1) yield table;
      });
    }
    case 'breaks':
      return new GeneratorStream(numberSchema, function* () {
        yield numbers();
        throw new FlightInternalError('broke half-way', { extraInfo: Buffer.from('half') });
      });
    case 'fails at length':
      throw new FlightInternalError('failed', { extraInfo: new Uint8Array(100_000) });
    default: {
      const dataset = store.get(ticket);
      if (dataset.kind === 'raw') return new RawIpcStream(dataset.messages);
      return new RecordBatchStream([...dataset.batches], {
        schema: dataset.schema,
        targetMessageBytes: Number.POSITIVE_INFINITY,
      });
    }
  }
}

/** Gives a row again and again, or one and then nothing; counts how many of its kind run. */
async function* generate(
  name: string,
  context: ServerCallContext,
  running: Map<string, number>,
): AsyncGenerator<RecordBatch> {
  running.set(name, (running.get(name) ?? 0) + 1);
  try {
    yield oneRow();
    if (name === 'stuck') {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
    }
    for (;;) {
      yield oneRow();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    running.set(name, (running.get(name) ?? 0) - 1);
  }
}

function sourceOf(kind: string): DoGetResult {
  const table = numbers();
  const { batches } = table;
  const [batch] = batches;
  if (batch === undefined) throw new Error('a table of three rows has a batch');
  switch (kind) {
    case 'table':
      return table;
    case 'batch':
      return batch;
    case 'batches':
      return batches;
    case 'generator':
      return (function* () {
        yield* batches;
      })();
    case 'async-generator':
      return (async function* () {
        yield* batches;
      })();
    case 'record-batch-stream':
      return new RecordBatchStream(table);
    case 'generator-stream':
      return new GeneratorStream(table.schema, batches);
    case 'raw':
      return new RawIpcStream(() => ipcStreamMessages(writeIpcStream(table)));
    default:
      throw new FlightNotFoundError(`no source "${kind}"`);
  }
}
