import { FlightInternalError, FlightUnimplementedError } from '../errors.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { maxRequestBytes } from '../limits/server.ts';
import { describeArgument } from '../model/bytes.ts';
import { FlightDescriptor, SchemaResult } from '../model/index.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { decodeRequest, readRequest, sendMessage } from './messages.ts';
import { RequestDecoder } from './request-decoder.ts';

/** GetSchema: FlightDescriptor → SchemaResult. */
export function getSchemaMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'GetSchema',
    () => new RequestDecoder('GetSchema', maxRequestBytes),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      if (handlers.getSchema === undefined)
        throw new FlightUnimplementedError('this server has no GetSchema');
      const descriptor = decodeRequest('FlightDescriptor', FlightDescriptor, await readRequest(call));
      const answer = await handlers.getSchema(descriptor, context);
      const given: unknown = answer;
      if (typeof given !== 'object' || given === null) {
        throw new FlightInternalError(`the handler gave ${describeArgument(given)}; it should give a Schema`);
      }
      const result = answer instanceof SchemaResult ? answer : new SchemaResult(answer);
      await sendMessage(sink, result.serialize());
    },
  );
}
