/** gRPC over HTTP/2: what Flight stands on, for those who want it without Flight. */

export { createChannel } from './channel.ts';
export { BytesDecoder, bytesMessage, type MessageDecoder, type OutgoingMessage } from './message.ts';
export { Metadata, type MetadataInit, type MetadataValue } from './metadata.ts';
export { createServer } from './server.ts';
export { errorOfStatus, statusOfError } from './status.ts';
export {
  type GrpcCallOptions,
  type GrpcChannel,
  type GrpcChannelOptions,
  type GrpcChannelState,
  type GrpcClientCall,
  type GrpcCompression,
  type GrpcConnectionOptions,
  type GrpcListener,
  type GrpcListenTarget,
  type GrpcLookup,
  type GrpcMessageSink,
  type GrpcMessageSource,
  type GrpcMethod,
  type GrpcServer,
  type GrpcServerCall,
  type GrpcServerOptions,
  type GrpcStatus,
  type GrpcStatusCode,
  type GrpcTarget,
  type GrpcUnaryResult,
  grpcStatusCodes,
} from './types.ts';
