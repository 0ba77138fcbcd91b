// Streams of batches over FlightData: what clients and servers are made of, and what a DoGet handler returns.

// For handlers
export {
  RecordBatchStream,
  type RecordBatchSource,
  type RecordBatchStreamOptions,
} from './record-batch-stream.ts';
export {
  GeneratorStream,
  type AppMetadata,
  type GeneratorStreamItem,
  type GeneratorStreamSource,
} from './generator-stream.ts';
export {
  RawIpcStream,
  type RawIpcSource,
  type RawIpcStreamOptions,
} from './raw-ipc-stream.ts';
export type { RawIpcMessage, RawMessageOptions } from './raw-message.ts';
export { rechunk, rechunkAsync } from './rechunk.ts';

// Reading and writing over a call
export { createStreamReader } from './reader.ts';
export { createStreamWriter, type StreamWriterOptions } from './writer.ts';
export { FlightBatchDecoder, type DecodedFlightData } from './batch-decoder.ts';
export { FlightBatchEncoder, type FlightBatchOptions } from './batch-encoder.ts';
export type { FlightStreamStats } from './stats.ts';
export type {
  FlightData,
  FlightDataBody,
  FlightDataSink,
  FlightDataSource,
  FlightDataStream,
  FlightReadOptions,
  FlightSendOptions,
  FlightStreamChunk,
  FlightStreamReader,
  FlightStreamWriter,
  FlightWriteOptions,
  IpcReadOptions,
  IpcWriteOptions,
  OutgoingMessage,
  WriteTableOptions,
} from './types.ts';
