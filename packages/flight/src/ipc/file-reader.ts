import { type RecordBatch, type Schema, Table } from 'apache-arrow';
import { FlightDataError, FlightUnimplementedError } from '../errors.ts';
import { IpcDecoder } from './decode/decoder.ts';
import { encapsulatedHeader } from './decode/encapsulated.ts';
import { decodeMessageHeader, unsupportedVersion } from './decode/message.ts';
import { decodeSchemaTable, readMetadata, TextBudget } from './decode/schema-table.ts';
import { toSchema } from './decode/schema.ts';
import { encodeSchema } from './encode/schema.ts';
import { FlatbufferReader } from './flatbuffer/reader.ts';
import type { ArrowSchema } from './arrow-types.ts';
import type { IpcMessage } from './message.ts';
import type { IpcReadOptions } from './options.ts';

/*
 * file   := "ARROW1", 2 bytes padding, stream, footer (flatbuffer), int32 footer length, "ARROW1"
 * footer := table { version: short; schema: Schema; dictionaries: [Block]; recordBatches: [Block];
 *                   custom_metadata: [KeyValue] }
 * Block  := struct { offset: long; metaDataLength: int, 4 bytes padding; bodyLength: long }
 *           offset counts from the file's start; metaDataLength counts prefix and padding
 *
 * https://github.com/apache/arrow/blob/main/format/File.fbs
 */

const magic = 'ARROW1';
const blockBytes = 24;

/** An IPC file (Feather V2) in memory. Batches are decoded when they are asked for. */
export interface IpcFile extends Iterable<RecordBatch> {
  /** Schema of all batches. */
  readonly schema: Schema;
  /** Metadata of the footer, which is not that of the schema. */
  readonly metadata: ReadonlyMap<string, string>;
  /** How many batches the file has. */
  readonly batchCount: number;
  /** Decodes one batch, from 0 on. */
  batch(index: number): RecordBatch;
  /** Decodes all batches into a table. */
  readAll(): Table;
}

/** Where a message lies in a file, as the footer states it. */
export interface IpcBlock {
  /** Of the message's prefix, from the start of the file. */
  readonly offset: number;
  /** Prefix, header and padding, in bytes; the body follows. */
  readonly headerLength: number;
  /** In bytes. */
  readonly bodyLength: number;
}

/** What the footer of an IPC file says. */
export interface IpcFooter {
  /** Metadata version of the format that the file was written in. */
  readonly version: 'V4' | 'V5';
  /** Schema of all batches, as plain data. */
  readonly schema: ArrowSchema;
  /** Metadata of the footer, which is not that of the schema. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Where the dictionary batches lie. */
  readonly dictionaries: readonly IpcBlock[];
  /** Where the record batches lie, in their order. */
  readonly batches: readonly IpcBlock[];
}

/**
 * Reads an Arrow IPC file, which is the same as a Feather file of version 2.
 *
 * @param bytes - the whole file; the batches are views on it
 * @throws FlightDataError when the bytes are no IPC file
 * @throws FlightUnimplementedError for Feather files of version 1
 */
export function readIpcFile(bytes: Uint8Array, options: IpcReadOptions = {}): IpcFile {
  const footer = readFooter(bytes);
  const schema = toSchema(footer.schema, footer.version);
  let decoder: IpcDecoder | undefined;
  /** In a file the dictionaries, deltas counted, hold for all batches, whatever the order. */
  const withDictionaries = (): IpcDecoder => {
    if (decoder === undefined) {
      const made = new IpcDecoder(options, schema);
      for (const block of footer.dictionaries) {
        const { message, body } = messageAt(bytes, block, 'dictionary');
        made.decode(message, body);
      }
      decoder = made;
    }
    return decoder;
  };
  const file: IpcFile = {
    schema,
    metadata: footer.metadata,
    batchCount: footer.batches.length,
    batch(index) {
      const block = footer.batches[index];
      if (block === undefined) {
        throw new FlightDataError(
          `the file has ${footer.batches.length} batches; there is no batch ${index}`,
        );
      }
      const { message, body } = messageAt(bytes, block, 'batch');
      const batch = withDictionaries().decode(message, body);
      if (batch === undefined) throw new FlightDataError(`block ${index} of the file is no record batch`);
      return batch;
    },
    *[Symbol.iterator]() {
      for (let index = 0; index < footer.batches.length; index++) yield file.batch(index);
    },
    readAll: () => new Table(schema, [...file]),
  };
  return file;
}

/**
 * The messages of an IPC file one by one, headers and bodies as they are, in the order of a stream: schema, dictionaries,
 * record batches. A server sends them on without decoding; types that no batch can be made of pass as well.
 *
 * @throws FlightDataError and FlightUnimplementedError as {@link readIpcFile}
 */
export function* ipcFileMessages(bytes: Uint8Array): Generator<IpcMessage, void, void> {
  const footer = readFooter(bytes);
  yield schemaMessage(bytes, footer);
  for (const block of footer.dictionaries) yield messageAt(bytes, block, 'dictionary');
  for (const block of footer.batches) yield messageAt(bytes, block, 'batch');
}

/** Whether bytes start as an IPC file does (and not as an IPC stream). */
export function isIpcFile(bytes: Uint8Array): boolean {
  return startsWith(bytes, 0, magic);
}

/**
 * The schema message with which the stream inside the file starts. apache-arrow's own file writer leaves it out: then
 * the footer's schema is written as one.
 */
function schemaMessage(bytes: Uint8Array, footer: IpcFooter): IpcMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Without batches the end of the stream may stand here: a length of 0, with or without the continuation token.
  const first = view.getUint32(8, true) === 0xffff_ffff ? view.getInt32(12, true) : view.getInt32(8, true);
  const header = first === 0 ? undefined : encapsulatedHeader(bytes.subarray(8));
  const message = header === undefined ? undefined : decodeMessageHeader(header);
  if (header !== undefined && message?.kind === 'schema') return { header, message, body: new Uint8Array(0) };
  const written = encodeSchema(footer.schema, footer.version);
  return { header: written, message: decodeMessageHeader(written), body: new Uint8Array(0) };
}

function messageAt(bytes: Uint8Array, block: IpcBlock, kind: 'dictionary' | 'batch'): IpcMessage {
  const { offset, headerLength, bodyLength } = block;
  const start = offset + headerLength;
  // Written so that numbers beyond 2^53 and NaN fail as well.
  if (!(offset >= 8 && headerLength >= 8 && bodyLength >= 0 && start <= bytes.byteLength - bodyLength)) {
    throw new FlightDataError(
      `a block of ${headerLength} and ${bodyLength} bytes at byte ${offset} lies outside the IPC file of ${bytes.byteLength} bytes`,
    );
  }
  const header = encapsulatedHeader(bytes.subarray(offset, start));
  if (header === undefined)
    throw new FlightDataError(`the block at byte ${offset} of the IPC file has no message`);
  const message = decodeMessageHeader(header);
  if (message.kind !== kind) {
    throw new FlightDataError(
      `the block at byte ${offset} of the IPC file is a ${message.kind}, not a ${kind}`,
    );
  }
  return { header, message, body: bytes.subarray(start, start + bodyLength) };
}

function readFooter(bytes: Uint8Array): IpcFooter {
  const { byteLength } = bytes;
  if (startsWith(bytes, 0, 'FEA1')) {
    throw new FlightUnimplementedError(
      'this is a Feather file of version 1, a format without nested types that nobody writes any more; convert it to version 2 (an Arrow IPC file)',
    );
  }
  if (!isIpcFile(bytes)) {
    throw new FlightDataError(
      `these ${byteLength} bytes do not start with ${magic}; this is no Arrow IPC file`,
    );
  }
  if (byteLength < 8 + 10 || !startsWith(bytes, byteLength - magic.length, magic)) {
    throw new FlightDataError(
      `the IPC file of ${byteLength} bytes does not end with ${magic}; is it complete?`,
    );
  }
  const end = byteLength - magic.length - 4;
  const length = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getInt32(0, true);
  if (length <= 0 || length > end - 8) {
    throw new FlightDataError(`the IPC file of ${byteLength} bytes states a footer of ${length} bytes`);
  }
  return parseIpcFooter(bytes.subarray(end - length, end));
}

/**
 * Reads the footer of an IPC file, for those who read a file piece by piece. Blocks are as the file states them: compare
 * each with the file's length before it is used.
 *
 * @param bytes - the flatbuffer between the messages and the footer's length
 * @throws FlightDataError when it is none
 */
export function parseIpcFooter(bytes: Uint8Array): IpcFooter {
  const reader = new FlatbufferReader(bytes, 'footer of the IPC file');
  const footer = reader.root();
  const version = reader.i16Field(footer, 0, 0);
  if (version !== 3 && version !== 4) throw unsupportedVersion(version);
  const schema = reader.reference(footer, 1);
  if (schema === 0) throw new FlightDataError('the footer of the IPC file has no schema');
  return {
    version: version === 3 ? 'V4' : 'V5',
    schema: decodeSchemaTable(reader, schema),
    dictionaries: readBlocks(reader, reader.reference(footer, 2)),
    batches: readBlocks(reader, reader.reference(footer, 3)),
    metadata: readMetadata(reader, reader.reference(footer, 4), new TextBudget()),
  };
}

function readBlocks(reader: FlatbufferReader, vector: number): IpcBlock[] {
  const count = reader.count(vector, blockBytes);
  const blocks: IpcBlock[] = [];
  for (let at = vector + 4, i = 0; i < count; i++, at += blockBytes) {
    blocks.push({
      offset: reader.i64(at),
      headerLength: reader.i32(at + 8),
      bodyLength: reader.i64(at + 16),
    });
  }
  return blocks;
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}
