import { FlightDataError, FlightUnimplementedError } from '../../errors.ts';
import { FlatbufferReader } from '../flatbuffer/reader.ts';
import type { BatchLayout, IpcCompression, MessageHeader, MessageHeaderBase } from '../message.ts';
import { decodeSchemaTable, dictionaryId, readMetadata, TextBudget } from './schema-table.ts';

/*
 * table Message         { version: short; header: union (u8 type, table); bodyLength: long; custom_metadata: [KeyValue] }
 * table RecordBatch     { length: long; nodes: [FieldNode]; buffers: [Buffer]; compression: BodyCompression;
 *                         variadicBufferCounts: [long] }
 * table DictionaryBatch { id: long; data: RecordBatch; isDelta: bool }
 * table BodyCompression { codec: byte = LZ4_FRAME; method: byte = BUFFER }
 * struct FieldNode      { length: long; null_count: long }
 * struct Buffer         { offset: long; length: long }
 *
 * https://github.com/apache/arrow/blob/main/format/Message.fbs
 */

const headerSchema = 1;
const headerDictionaryBatch = 2;
const headerRecordBatch = 3;
const versionV4 = 3;
const versionV5 = 4;
const noCounts: readonly number[] = [];

/**
 * Reads the header of one IPC message: the flatbuffer alone, as FlightData carries it in `data_header`, without
 * continuation token and length prefix. Works for every type of the format, also those that no batch can be made of
 * here.
 *
 * @param header - the flatbuffer; not kept
 * @throws FlightDataError when the bytes are no Arrow message
 * @throws FlightUnimplementedError for tensors, for versions before V4 and for unknown codecs
 */
export function decodeMessageHeader(header: Uint8Array): MessageHeader {
  const reader = new FlatbufferReader(header, 'IPC message header');
  const message = reader.root();
  const versionNumber = reader.i16Field(message, 0, 0);
  if (versionNumber !== versionV4 && versionNumber !== versionV5) {
    throw unsupportedVersion(versionNumber);
  }
  const version: MessageHeaderBase['version'] = versionNumber === versionV4 ? 'V4' : 'V5';
  const headerType = reader.u8Field(message, 1, 0);
  const table = reader.reference(message, 2);
  if (table === 0) {
    throw new FlightDataError(
      'IPC message header: the message has no header table; is this an Arrow IPC message?',
    );
  }
  const bodyLength = reader.i64Field(message, 3, 0);
  if (bodyLength < 0 || bodyLength > Number.MAX_SAFE_INTEGER) {
    throw new FlightDataError(`IPC message header: body length ${bodyLength} is not between 0 and 2^53`);
  }
  const customMetadata = readMetadata(reader, reader.reference(message, 4), new TextBudget());
  switch (headerType) {
    case headerRecordBatch: {
      const { length, nodes, buffers, variadicBufferCounts, compression } = decodeLayout(reader, table);
      return {
        kind: 'batch',
        version,
        bodyLength,
        customMetadata,
        length,
        nodes,
        buffers,
        variadicBufferCounts,
        compression,
      };
    }
    case headerDictionaryBatch: {
      const data = reader.reference(table, 1);
      if (data === 0) throw new FlightDataError('IPC message header: the dictionary batch has no data');
      return {
        kind: 'dictionary',
        version,
        bodyLength,
        customMetadata,
        id: dictionaryId(reader.i64Field(table, 0, 0)),
        isDelta: reader.boolField(table, 2, false),
        ...decodeLayout(reader, data),
      };
    }
    case headerSchema:
      return {
        kind: 'schema',
        version,
        bodyLength,
        customMetadata,
        schema: decodeSchemaTable(reader, table),
      };
    default:
      if (headerType === 4 || headerType === 5) {
        throw new FlightUnimplementedError(
          'IPC message header: the message is a tensor; only schemas, record batches and dictionary batches can be read',
        );
      }
      throw new FlightDataError(`IPC message header: header type ${headerType} is none of the format's`);
  }
}

/** The error for a metadata version that is not V4 or V5. */
export function unsupportedVersion(version: number): FlightDataError | FlightUnimplementedError {
  if (version < 0 || version > versionV5) {
    return new FlightDataError(
      `Arrow metadata version ${version} is none of the format's (0 to 4); is this an Arrow IPC message?`,
    );
  }
  return new FlightUnimplementedError(
    `Arrow metadata V${version + 1} is from before Arrow 0.8 (2017); write the data again with a current library (V4 and V5 are read)`,
  );
}

function decodeLayout(reader: FlatbufferReader, batch: number): BatchLayout {
  const nodes = reader.reference(batch, 1);
  const nodeCount = reader.count(nodes, 16);
  const buffers = reader.reference(batch, 2);
  const bufferCount = reader.count(buffers, 16);
  const counts = reader.reference(batch, 4);
  const countCount = reader.count(counts, 8);
  const compression = reader.reference(batch, 3);
  return {
    length: reader.i64Field(batch, 0, 0),
    nodes: reader.i64s(nodes + 4, 2 * nodeCount),
    buffers: reader.i64s(buffers + 4, 2 * bufferCount),
    variadicBufferCounts: countCount === 0 ? noCounts : reader.i64s(counts + 4, countCount),
    compression: compression === 0 ? undefined : decodeCompression(reader, compression),
  };
}

function decodeCompression(reader: FlatbufferReader, table: number): IpcCompression {
  const codec = reader.u8Field(table, 0, 0);
  const method = reader.u8Field(table, 1, 0);
  if (method !== 0) {
    throw new FlightUnimplementedError(
      `body compression method ${method} is unknown; only compression of each buffer (0) can be read`,
    );
  }
  switch (codec) {
    case 0:
      return 'lz4';
    case 1:
      return 'zstd';
    default:
      throw new FlightUnimplementedError(
        `body compression codec ${codec} is unknown; LZ4_FRAME (0) and ZSTD (1) can be read`,
      );
  }
}
