import { FlightUnimplementedError } from '../errors.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { maxRequestBytes } from '../limits/server.ts';
import { Criteria } from '../model/index.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { forEachOf } from './many.ts';
import { decodeRequest, readRequest, sendMessage, serializeAnswer } from './messages.ts';
import { RequestDecoder } from './request-decoder.ts';

/** ListFlights: Criteria → stream of FlightInfo. */
export function listFlightsMethod(runtime: ServerRuntime): GrpcMethod<Uint8Array> {
  return flightMethod(
    runtime,
    'ListFlights',
    () => new RequestDecoder('ListFlights', maxRequestBytes),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      if (handlers.listFlights === undefined)
        throw new FlightUnimplementedError('this server has no ListFlights');
      const { expression } = decodeRequest('Criteria', Criteria, await readRequest(call));
      const flights = await handlers.listFlights(expression, context);
      await forEachOf(flights, call.signal, (info) => sendMessage(sink, serializeAnswer(info, 'FlightInfo')));
    },
  );
}
