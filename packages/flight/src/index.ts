// For users of Flight: clients, servers, and what they speak of.

export { connect } from './client/index.ts';
export type {
  BasicTokenOptions,
  CircuitBreakerOptions,
  CircuitState,
  ConnectionPool,
  ConnectionPoolOptions,
  DoActionOptions,
  DoExchangeCall,
  DoPutCall,
  EndpointsReader,
  FlightCallOptions,
  FlightClient,
  FlightClientOptions,
  FlightIpcOptions,
  FlightMetadataReader,
  FlightResults,
  FlightTlsOptions,
  GetFlightInfoOptions,
  ReadEndpointsOptions,
  RetryOptions,
} from './client/index.ts';
export { createConnectionPool } from './client/index.ts';

export { createHealthService, FlightServer } from './server/index.ts';
export type {
  ActionResult,
  ActionResults,
  DoGetResult,
  FlightHandlers,
  FlightMetadataWriter,
  FlightServerConnectionOptions,
  FlightServerLimits,
  FlightServerOptions,
  GrpcService,
  HealthService,
  HealthStatus,
  ListenOptions,
  ServerCallContext,
  ServerTlsOptions,
  ShutdownOptions,
} from './server/index.ts';

export {
  Action,
  ActionType,
  BasicAuth,
  CancelFlightInfoRequest,
  CancelFlightInfoResult,
  CloseSessionResult,
  Criteria,
  FlightDescriptor,
  FlightEndpoint,
  FlightInfo,
  Location,
  PollInfo,
  Result,
  SchemaResult,
  SetSessionOptionsResult,
  Ticket,
} from './model/index.ts';
export type {
  CancelStatus,
  CloseSessionStatus,
  DescriptorType,
  FlightEndpointOptions,
  FlightInfoOptions,
  LocationKind,
  PollInfoOptions,
  SessionOptions,
  SessionOptionValue,
  SetSessionOptionError,
} from './model/index.ts';

export { GeneratorStream, RawIpcStream, RecordBatchStream, rechunk, rechunkAsync } from './stream/index.ts';
export type {
  FlightDataStream,
  FlightStreamChunk,
  FlightStreamReader,
  FlightStreamStats,
  FlightStreamWriter,
  FlightWriteOptions,
  GeneratorStreamItem,
  RawIpcMessage,
  RawMessageOptions,
  RecordBatchSource,
  WriteTableOptions,
} from './stream/index.ts';

export {
  classifyError,
  createFlightError,
  FlightCancelledError,
  FlightDataError,
  FlightError,
  flightErrorCodes,
  FlightInternalError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightResourceExhaustedError,
  FlightServerError,
  FlightTimedOutError,
  FlightUnauthenticatedError,
  FlightUnauthorizedError,
  FlightUnavailableError,
  FlightUnimplementedError,
  FlightWriteSizeExceededError,
  retryableCodes,
  toFlightError,
} from './errors.ts';
export type {
  FlightErrorClass,
  FlightErrorClassification,
  FlightErrorCode,
  FlightErrorOptions,
} from './errors.ts';

// For those who build on Flight: one level below, where messages are as they are on the wire.

export {
  createStreamReader,
  createStreamWriter,
  FlightBatchDecoder,
  FlightBatchEncoder,
} from './stream/index.ts';
export type {
  AppMetadata,
  DecodedFlightData,
  FlightBatchOptions,
  FlightData,
  FlightDataBody,
  FlightDataSink,
  FlightDataSource,
  FlightReadOptions,
  FlightSendOptions,
  IpcReadOptions,
  IpcWriteOptions,
  OutgoingMessage,
  StreamWriterOptions,
} from './stream/index.ts';
export { messageOf } from './errors.ts';
export type { FlightTimestamp, LocationOptions } from './model/index.ts';
export { clientErrorChannel, serverErrorChannel } from './diagnostics.ts';
export type { ClientErrorEvent, ServerErrorEvent } from './diagnostics.ts';
