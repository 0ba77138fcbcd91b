/** The server: functions for the ten RPCs, behind one object that listens. */

export type { ServerCallContext } from './context.ts';
export { defaultListenLocation, FlightServer, type ShutdownOptions } from './flight-server.ts';
export { createHealthService, type HealthService, type HealthStatus } from './health-service.ts';
export type {
  FlightServerConnectionOptions,
  FlightServerIpcOptions,
  FlightServerLimits,
  FlightServerOptions,
  GrpcService,
  ListenOptions,
} from './options.ts';
export {
  createSessionHandlers,
  type SessionHandlers,
  type SessionHandlersOptions,
} from './sessions/session-actions.ts';
export {
  createMemorySessionStore,
  type MemorySessionStoreOptions,
  type ServerSession,
  type SessionStore,
} from './sessions/session-store.ts';
export type { ServerTlsOptions } from './tls.ts';
export type {
  ActionResult,
  ActionResults,
  Awaitable,
  DoGetResult,
  FlightHandlers,
  FlightMetadataWriter,
  ManyOf,
} from './types.ts';

// what DoGet sends and DoPut and DoExchange receive

export {
  GeneratorStream,
  type GeneratorStreamItem,
  type GeneratorStreamSource,
  RawIpcStream,
  type RawIpcMessage,
  type RawMessageOptions,
  type RawIpcSource,
  type RawIpcStreamOptions,
  RecordBatchStream,
  type RecordBatchSource,
  type RecordBatchStreamOptions,
} from '../stream/index.ts';
export type {
  FlightData,
  FlightDataSink,
  FlightDataStream,
  FlightReadOptions,
  FlightSendOptions,
  FlightStreamChunk,
  FlightStreamReader,
  FlightStreamWriter,
  FlightWriteOptions,
} from '../stream/types.ts';
export type { FlightStreamStats } from '../stream/stats.ts';
