import { type RecordBatch, type Schema, Table } from 'apache-arrow';
import { FlightDataError } from '../errors.ts';
import { IpcDecoder } from './decode/decoder.ts';
import { IpcMessageParser } from './message-parser.ts';
import type { IpcMessage } from './message.ts';
import type { IpcReadOptions } from './options.ts';

/** Where an IPC stream comes from: all of its bytes, or pieces of any size as they arrive. */
export type IpcSource = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** An IPC stream that is being read: the schema, then the batches, once. */
export interface IpcStream extends AsyncIterable<RecordBatch> {
  /** Schema of all batches. */
  readonly schema: Schema;
  /** Reads the batches that are left into a table. */
  readAll(): Promise<Table>;
}

/** A whole IPC stream in memory, whose batches are decoded as they are asked for. */
export interface IpcBatches extends Iterable<RecordBatch> {
  /** Schema of all batches. */
  readonly schema: Schema;
  /** Decodes all batches into a table. */
  readAll(): Table;
}

/**
 * Reads an Arrow IPC stream (`application/vnd.apache.arrow.stream`). Resolves when the schema is there; batches are
 * decoded as they are iterated. Ending the iteration early ends the source.
 *
 * @param source - pieces may be cut anywhere; their memory belongs to the batches
 * @throws FlightDataError when the bytes are no IPC stream, or end within a message (not when only the mark for the end
 * is missing)
 */
export async function readIpcStream(source: IpcSource, options: IpcReadOptions = {}): Promise<IpcStream> {
  const messages = ipcStreamMessages(source);
  const decoder = new IpcDecoder(options);
  const first = await messages.next();
  if (first.done === true) throw noSchema();
  let schema: Schema;
  try {
    schema = decodeFirst(decoder, first.value);
  } catch (error) {
    await messages.return(undefined);
    throw error;
  }
  const stream: IpcStream = {
    schema,
    async *[Symbol.asyncIterator]() {
      for await (const { message, body } of messages) {
        const batch = decoder.decode(message, body);
        if (batch !== undefined) yield batch;
      }
    },
    async readAll() {
      const batches: RecordBatch[] = [];
      for await (const batch of stream) batches.push(batch);
      return new Table(schema, batches);
    },
  };
  return stream;
}

/**
 * Reads an Arrow IPC stream that is in memory, without promises; else as {@link readIpcStream}. It can be iterated
 * more than once.
 */
export function readIpcStreamSync(bytes: Uint8Array, options: IpcReadOptions = {}): IpcBatches {
  const first = messagesOf(bytes).next();
  if (first.done === true) throw noSchema();
  const schema = decodeFirst(new IpcDecoder(options), first.value);
  const batches: IpcBatches = {
    schema,
    *[Symbol.iterator]() {
      const decoder = new IpcDecoder(options, schema);
      let skipped = false;
      for (const { message, body } of messagesOf(bytes)) {
        if (skipped) {
          const batch = decoder.decode(message, body);
          if (batch !== undefined) yield batch;
        }
        skipped = true;
      }
    },
    readAll: () => new Table(schema, [...batches]),
  };
  return batches;
}

/**
 * The messages of an IPC stream, headers and bodies as they are: for a server that forwards them, and for types that no
 * batch can be made of.
 */
export async function* ipcStreamMessages(source: IpcSource): AsyncGenerator<IpcMessage, void, void> {
  const parser = new IpcMessageParser();
  for await (const chunk of source instanceof Uint8Array ? [source] : source) {
    parser.push(chunk);
    for (let message = parser.next(); message !== undefined; message = parser.next()) yield message;
    if (parser.ended) return;
  }
  parser.finish();
}

function* messagesOf(bytes: Uint8Array): Generator<IpcMessage, void, void> {
  const parser = new IpcMessageParser();
  parser.push(bytes);
  for (let message = parser.next(); message !== undefined; message = parser.next()) yield message;
  parser.finish();
}

function decodeFirst(decoder: IpcDecoder, { message, body }: IpcMessage): Schema {
  decoder.decode(message, body);
  if (decoder.schema === undefined) throw noSchema();
  return decoder.schema;
}

function noSchema(): FlightDataError {
  return new FlightDataError('the stream has no schema; an Arrow IPC stream starts with one');
}
