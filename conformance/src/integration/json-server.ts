import {
  FlightEndpoint,
  FlightError,
  FlightInfo,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnimplementedError,
  GeneratorStream,
  RawIpcStream,
} from '@peregrine/flight';
import type { FlightData, FlightDescriptor, FlightHandlers, FlightStreamReader } from '@peregrine/flight';
import { IpcDecoder, decodeMessageHeader } from '@peregrine/flight/ipc';
import type { RecordBatch, Schema } from 'apache-arrow';
import { text } from './expect.ts';

interface Dataset {
  /** The encoded schema message, which stands for the schema where apache-arrow has no such types. */
  readonly messages: readonly FlightData[];
  readonly schema: Schema | undefined;
  readonly batches: readonly RecordBatch[];
  readonly rows: bigint;
}

/**
 * The server of the JSON mode: keeps what is put under a path, answers each batch with its metadata, and gives the
 * data back with batches numbered. Data whose types apache-arrow has is decoded and encoded again; other data is
 * kept as the messages that came.
 *
 * @param location - where this server can be reached, known when it listens
 */
export function jsonHandlers(location: () => string): FlightHandlers {
  const datasets = new Map<string, Dataset>();
  const find = (name: string): Dataset => {
    const dataset = datasets.get(name);
    if (dataset === undefined) throw new FlightNotFoundError(`no flight: ${name}`);
    return dataset;
  };
  return {
    doPut: async (descriptor, reader, writer) => {
      const [name] = descriptor.path;
      if (descriptor.type !== 'PATH' || name === undefined) {
        throw new FlightInvalidArgumentError('the descriptor must be a path that is not empty');
      }
      datasets.set(name, await receive(reader, (appMetadata) => writer.write(appMetadata)));
    },
    getFlightInfo: (descriptor: FlightDescriptor) => {
      if (descriptor.type !== 'PATH')
        throw new FlightUnimplementedError('only descriptors with paths are known');
      const name = descriptor.path[0] ?? '';
      const dataset = find(name);
      const [schemaMessage] = dataset.messages;
      return new FlightInfo(
        dataset.schema ?? encapsulated(schemaMessage?.dataHeader ?? new Uint8Array(0)),
        descriptor,
        [new FlightEndpoint(name, [location()])],
        { totalRecords: dataset.rows },
      );
    },
    doGet: ({ ticket }) => {
      const { schema, batches, messages } = find(text(ticket));
      if (schema === undefined) return new RawIpcStream(numbered(messages));
      return new GeneratorStream(
        schema,
        batches.map((data, i) => ({ data, appMetadata: `${i}` })),
      );
    },
  };
}

async function receive(
  reader: FlightStreamReader,
  acknowledge: (appMetadata: Uint8Array) => Promise<void>,
): Promise<Dataset> {
  const messages: FlightData[] = [];
  const batches: RecordBatch[] = [];
  let decoder: IpcDecoder | undefined = new IpcDecoder({ validate: 'full' });
  let rows = 0n;
  for await (const message of reader.raw()) {
    const header = decodeMessageHeader(message.dataHeader);
    messages.push(message);
    try {
      const batch = decoder?.decode(header, message.dataBody);
      if (batch !== undefined) batches.push(batch);
    } catch (error) {
      if (!(error instanceof FlightError && error.code === 'UNIMPLEMENTED')) throw error;
      decoder = undefined;
    }
    if (header.kind !== 'batch') continue;
    rows += BigInt(header.length);
    if (message.appMetadata !== undefined) await acknowledge(message.appMetadata);
  }
  return { messages, schema: decoder?.schema, batches, rows };
}

function* numbered(messages: readonly FlightData[]): Generator<FlightData> {
  let number = 0;
  for (const message of messages) {
    const isBatch = decodeMessageHeader(message.dataHeader).kind === 'batch';
    const appMetadata = isBatch ? Buffer.from(`${number++}`) : undefined;
    yield { ...message, descriptor: undefined, appMetadata };
  }
}

/** An IPC message: continuation 0xFFFFFFFF, length of 32 bits, header padded to 8 bytes. */
function encapsulated(header: Uint8Array): Uint8Array {
  const padded = Math.ceil(header.byteLength / 8) * 8;
  const bytes = Buffer.alloc(8 + padded);
  bytes.writeUInt32LE(0xffffffff, 0);
  bytes.writeUInt32LE(padded, 4);
  bytes.set(header, 8);
  return bytes;
}
