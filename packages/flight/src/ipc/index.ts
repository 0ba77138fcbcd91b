// Arrow IPC: schemas, dictionaries and record batches as messages, streams and files.

// Reading
export { readIpcFile, ipcFileMessages, isIpcFile, type IpcFile } from './file-reader.ts';
export { type IpcBlock, type IpcFooter, parseIpcFooter } from './file-reader.ts';
export {
  readIpcStream,
  readIpcStreamSync,
  ipcStreamMessages,
  type IpcBatches,
  type IpcSource,
  type IpcStream,
} from './stream-reader.ts';
export { decodeSchemaEncapsulated } from './decode/encapsulated.ts';
export { IpcDecoder } from './decode/decoder.ts';
export type { IpcReadOptions, IpcWriteOptions } from './options.ts';

// Writing
export {
  IpcStreamWriter,
  writeIpcStream,
  type IpcBatchSource,
  type IpcStreamWriteOptions,
} from './stream-writer.ts';
export { IpcFileWriter, writeIpcFile, type IpcFileWriteOptions } from './file-writer.ts';
export { encodeSchema, encodeSchemaEncapsulated, toArrowSchema } from './encode/schema.ts';
export {
  IpcEncoder,
  type IpcEncoderOptions,
  type PreparedBatch,
  type PreparedPart,
} from './encode/encoder.ts';
export { unifyDictionaries } from './unify-dictionaries.ts';

// The raw level: messages as they are on the wire
export { decodeMessageHeader } from './decode/message.ts';
export { decodeSchema, toSchema } from './decode/schema.ts';
export { decodeRecordBatch } from './decode/record-batch.ts';
export { decodeDictionaryBatch } from './decode/dictionary-batch.ts';
export {
  encapsulate,
  encodeDictionaryBatchHeader,
  encodeRecordBatchHeader,
  type BatchHeaderOptions,
  type EncodedMessage,
  type IpcVersion,
} from './encode/message.ts';
export { DictionaryMemo } from './decode/dictionary-memo.ts';
export { IpcMessageParser } from './message-parser.ts';
export type {
  BatchLayout,
  DictionaryBatchMessageHeader,
  IpcCompression,
  IpcMessage,
  MessageHeader,
  MessageHeaderBase,
  RecordBatchMessageHeader,
  SchemaMessageHeader,
} from './message.ts';
export type {
  ArrowDictionaryEncoding,
  ArrowField,
  ArrowSchema,
  ArrowTimeUnit,
  ArrowType,
} from './arrow-types.ts';
export { compressBuffer, decompressBuffer } from './compression/registry.ts';
export { createRecordBatch } from './create-batch.ts';
