/** A server that has whatever `python/client.py` asks for. */

import {
  type Action,
  ActionType,
  CancelFlightInfoResult,
  createFlightError,
  FlightDescriptor,
  FlightEndpoint,
  FlightError,
  type FlightErrorCode,
  FlightInfo,
  FlightInternalError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnimplementedError,
  flightErrorCodes,
} from '@peregrine/flight';
import {
  type ActionResults,
  createSessionHandlers,
  type DoGetResult,
  type FlightHandlers,
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
import { ipcStreamMessages, writeIpcStream } from '@peregrine/flight/ipc';
import { canonicalTable } from './canonical.ts';
import { type BatchDataset, DatasetStore, datasetTable, type RawDataset } from './dataset-store.ts';

const text = new TextDecoder();

/** What the handlers share with the program around them. */
export interface TestState {
  /** The methods of calls that are over, with the code of their error; filled by middleware. */
  readonly completed: (readonly [method: string, code: FlightErrorCode | null])[];
}

/** Handlers with a store of their own. */
export function createTestHandlers(state: TestState): FlightHandlers {
  const store = new DatasetStore();
  /** Generators that run, by the name of their ticket. */
  const running = new Map<string, number>();
  return {
    ...createSessionHandlers(),
    *listFlights(criteria) {
      const prefix = decodeCriteria(criteria);
      for (const [name, dataset] of store.entries) {
        if (name.startsWith(prefix)) yield datasetInfo(name, dataset);
      }
    },
    getFlightInfo(descriptor) {
      if (descriptor.type === 'CMD' && text.decode(descriptor.command) === 'everything') {
        return infoWithEverything(descriptor);
      }
      const name = descriptor.path.join('/');
      return datasetInfo(name, store.get(name));
    },
    getSchema: (descriptor) => store.getBatches(descriptor.path.join('/')).schema,
    doGet: (ticket, context) => openTicket(text.decode(ticket.ticket), context, store, running),
    async doPut(descriptor, reader, writer) {
      const [first] = descriptor.path;
      if (first === 'refused') throw new FlightInvalidArgumentError('not this one');
      if (first === 'unread') return;
      const name = descriptor.path.join('/');
      if (first === 'raw') {
        await store.putRaw(name, reader);
        return;
      }
      await store.putBatches(name, reader, async (appMetadata) => {
        await writer.write(Buffer.concat([Buffer.from('ack '), appMetadata]));
      });
    },
    async doExchange(descriptor, reader, writer) {
      switch (text.decode(descriptor.command)) {
        case 'echo': {
          let begun = false;
          for await (const { data, appMetadata } of reader) {
            if (data !== undefined && !begun) {
              await writer.begin(data.schema);
              begun = true;
            }
            if (data === undefined) await writer.writeMetadata(appMetadata ?? '');
            else if (appMetadata === undefined) await writer.writeBatch(data);
            else await writer.writeWithMetadata(data, appMetadata);
          }
          return;
        }
        case 'get':
          await writer.writeTable(numbers());
          return;
        case 'count': {
          const table = await reader.readAll();
          await writer.writeMetadata(`${table.numRows} rows`);
          return;
        }
        case 'fail':
          throw new FlightInternalError('exchange failed', { extraInfo: Buffer.from('exchange info') });
        default:
          throw new FlightUnimplementedError('no such exchange');
      }
    },
    doAction: (action, context) => runAction(action, context, { store, running, state }),
    listActions: () => [new ActionType('echo', 'gives the body back'), new ActionType('ping', 'says pong')],
    cancelFlightInfo: () => new CancelFlightInfoResult('CANCELLED'),
    renewFlightEndpoint: ({ ticket, locations }) =>
      new FlightEndpoint(ticket, locations, { expirationTime: new Date(Date.now() + 60_000) }),
  };
}

function decodeCriteria(criteria: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(criteria);
  } catch (cause) {
    throw new FlightInvalidArgumentError('the criteria are no text', { cause });
  }
}

function datasetInfo(name: string, dataset: BatchDataset | RawDataset): FlightInfo {
  const descriptor = FlightDescriptor.forPath(...name.split('/'));
  const endpoints = [new FlightEndpoint(name)];
  return dataset.kind === 'raw'
    ? new FlightInfo(undefined, descriptor, endpoints)
    : FlightInfo.forTable(datasetTable(dataset), descriptor, endpoints);
}

function infoWithEverything(descriptor: FlightDescriptor): FlightInfo {
  return new FlightInfo(
    numbers().schema,
    descriptor,
    [
      new FlightEndpoint(
        Uint8Array.of(0, 255, ...Buffer.from(' ticket')),
        ['grpc+tcp://a.example:1', 'grpc+tls://b.example:2'],
        {
          appMetadata: 'endpoint metadata',
          expirationTime: { seconds: 1_700_000_000n, nanos: 123_456_000 },
        },
      ),
      new FlightEndpoint('second'),
    ],
    { ordered: true, appMetadata: 'info metadata', totalBytes: 1n << 40n },
  );
}

const numberSchema = new Schema([new Field('x', new Int32(), true)]);

/** Column x with 1, 2, 3. */
function numbers(): Table {
  return new Table({ x: vectorFromArray([1, 2, 3], new Int32()) });
}

function oneRow(): RecordBatch {
  const [batch] = tableFromArrays({ x: Int32Array.of(1) }).batches;
  if (batch === undefined) throw new Error('a table of one row has a batch');
  return batch;
}

async function openTicket(
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

interface ActionScope {
  readonly store: DatasetStore;
  readonly running: ReadonlyMap<string, number>;
  readonly state: TestState;
}

async function runAction(
  { type, body }: Action,
  context: ServerCallContext,
  { store, running, state }: ActionScope,
): Promise<ActionResults> {
  switch (type) {
    case 'echo':
      return body;
    case 'ping':
      return 'pong';
    case 'nothing':
      return undefined;
    case 'count':
      return Array.from({ length: Number(text.decode(body)) }, (_item, index) => String(index));
    case 'identity':
      return context.peerIdentity;
    case 'context':
      return JSON.stringify({
        method: context.method,
        peer: context.peer,
        peerIdentity: context.peerIdentity,
        remainingMs: context.deadline === undefined ? null : context.deadline.getTime() - Date.now(),
        traceContext: context.traceContext,
      });
    case 'headers':
      return JSON.stringify(headersAsJson(context));
    case 'add-headers':
      context.addHeader('x-handler', 'header');
      context.addTrailer('x-handler-trailer', 'trailer');
      return 'done';
    case 'sleep':
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
      return undefined;
    case 'running':
      return String(running.get(text.decode(body)) ?? 0);
    case 'completed':
      return JSON.stringify(state.completed);
    case 'canonical':
      return JSON.stringify(canonicalTable(datasetTable(store.getBatches(text.decode(body)))));
    case 'fail':
      throw createFlightError(errorCode(text.decode(body)), `failed with ${text.decode(body)}`);
    case 'fail-with-info':
      throw createFlightError(errorCode(text.decode(body)), `failed with ${text.decode(body)}`, {
        extraInfo: Uint8Array.of(0, ...Buffer.from('info'), 255),
      });
    case 'fail-text':
      throw new FlightError('UNKNOWN', text.decode(body));
    case 'throw':
      throw new TypeError('a plain error');
    default:
      throw new FlightUnimplementedError(`unknown action "${type}"`);
  }
}

function errorCode(name: string): FlightErrorCode {
  const code = flightErrorCodes.find((known) => known === name);
  if (code === undefined) throw new FlightInvalidArgumentError(`no code "${name}"`);
  return code;
}

function headersAsJson(context: ServerCallContext): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of context.headers) {
    const list = (headers[name] ??= []);
    list.push(typeof value === 'string' ? value : Buffer.from(value).toString('hex'));
  }
  return headers;
}
