import { FlightUnimplementedError } from '../errors.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { maxRequestBytes } from '../limits/server.ts';
import { FlightDescriptor } from '../model/index.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { decodeRequest, readRequest, sendMessage, serializeAnswer } from './messages.ts';
import { RequestDecoder } from './request-decoder.ts';

/** GetFlightInfo: FlightDescriptor → FlightInfo. */
export function getFlightInfoMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'GetFlightInfo',
    () => new RequestDecoder('GetFlightInfo', maxRequestBytes),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      if (handlers.getFlightInfo === undefined)
        throw new FlightUnimplementedError('this server has no GetFlightInfo');
      const descriptor = decodeRequest('FlightDescriptor', FlightDescriptor, await readRequest(call));
      const info = await handlers.getFlightInfo(descriptor, context);
      await sendMessage(sink, serializeAnswer(info, 'FlightInfo'));
    },
  );
}
