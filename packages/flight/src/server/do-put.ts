import { FlightUnimplementedError } from '../errors.ts';
import { FlightDataDecoder } from '../proto/flight-data-decoder.ts';
import type { GrpcMethod } from '../grpc/index.ts';
import { PutResult } from '../model/index.ts';
import type { FlightData } from '../stream/types.ts';
import { createStreamReader } from '../stream/reader.ts';
import { callSink } from './call-sink.ts';
import { flightMethod, type ServerRuntime } from './call.ts';
import { sendMessage } from './messages.ts';
import { callSource, readDescriptor } from './stream-adapters.ts';
import type { FlightMetadataWriter } from './types.ts';

/** DoPut: stream of FlightData, the descriptor in the first → stream of PutResult, at any time. */
export function doPutMethod(runtime: ServerRuntime): GrpcMethod<FlightData> {
  return flightMethod(
    runtime,
    'DoPut',
    () => new FlightDataDecoder(),
    async (call, context) => {
      const sink = callSink(call);
      const { handlers } = runtime;
      if (handlers.doPut === undefined) throw new FlightUnimplementedError('this server has no DoPut');
      const reader = createStreamReader(callSource(call), runtime.ipc);
      const descriptor = await readDescriptor(reader);
      const writer: FlightMetadataWriter = {
        async write(appMetadata) {
          await sendMessage(sink, new PutResult(appMetadata).serialize());
        },
      };
      await handlers.doPut(descriptor, reader, writer, context);
    },
  );
}
