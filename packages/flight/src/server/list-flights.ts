import { FlightUnimplementedError } from '../errors.ts';
import { BytesDecoder, type GrpcMethod } from '../grpc/index.ts';
import { Criteria } from '../model/index.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { forEachOf } from './many.ts';
import { decodeRequest, readRequest, sendMessage } from './messages.ts';

/** ListFlights: Criteria → stream of FlightInfo. */
export function listFlightsMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'ListFlights',
    () => new BytesDecoder(),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      if (handlers.listFlights === undefined)
        throw new FlightUnimplementedError('this server has no ListFlights');
      const { expression } = decodeRequest('Criteria', Criteria, await readRequest(call));
      const flights = await handlers.listFlights(expression, context);
      await forEachOf(flights, call.signal, (info) => sendMessage(sink, info.serialize()));
    },
  );
}
