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
  FlightUnimplementedError,
  flightErrorCodes,
} from '@peregrine/flight';
import {
  type ActionResults,
  createSessionHandlers,
  type FlightHandlers,
  type ServerCallContext,
} from '@peregrine/flight/server';
import { canonicalTable } from './canonical.ts';
import { type BatchDataset, DatasetStore, datasetTable, type RawDataset } from './dataset-store.ts';
import { withEndings } from './endings.ts';
import { numbers, openTicket } from './tickets.ts';

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
  const handlers: FlightHandlers = {
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
  return withEndings(handlers, running);
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
