import { FlightUnimplementedError } from '../errors.ts';
import { FlightDataDecoder } from '../proto/flight-data-decoder.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { createStreamReader } from '../stream/reader.ts';
import type { FlightData } from '../stream/types.ts';
import { createStreamWriter } from '../stream/writer.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { callSource, readDescriptor } from './stream-adapters.ts';

/** DoExchange: stream of FlightData, the descriptor in the first ↔ stream of FlightData. */
export function doExchangeMethod(runtime: ServerRuntime): GrpcMethod<FlightData> {
  return flightMethod(
    runtime,
    'DoExchange',
    () => new FlightDataDecoder(),
    async (call, context) => {
      const { handlers } = runtime;
      if (handlers.doExchange === undefined)
        throw new FlightUnimplementedError('this server has no DoExchange');
      const reader = createStreamReader(callSource(call), runtime.ipc);
      const writer = createStreamWriter(callSink(call), { write: runtime.ipc });
      const descriptor = await readDescriptor(reader);
      await handlers.doExchange(descriptor, reader, writer, context);
    },
  );
}
