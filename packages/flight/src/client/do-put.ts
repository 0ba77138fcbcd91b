import { BytesDecoder } from '../grpc/message.ts';
import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { createStreamWriter } from '../stream/writer.ts';
import type { Caller } from './caller.ts';
import { connectedSink } from './connected-sink.ts';
import type { DoPutCall } from './flight-client.ts';
import type { FlightCallOptions } from './options.ts';
import { createPutResultReader } from './put-results.ts';

/** DoPut: stream of FlightData, the descriptor in the first → stream of PutResult. */
export function doPut(caller: Caller, descriptor: FlightDescriptor, options: FlightCallOptions): DoPutCall {
  const decoder = (): BytesDecoder => new BytesDecoder();
  const call = caller.begin({ method: 'DoPut', decoder, options, repeatable: false });
  const results = createPutResultReader(call);
  const writer = createStreamWriter(connectedSink(caller, call, options), {
    write: { ...caller.context.ipc, ...options.ipc },
    descriptor: descriptor.serialize(),
    where: call.where,
    // the server may be held up by answers that nobody takes
    finished: () => results.drain(),
  });
  return {
    writer,
    reader: results.reader,
    cancel: (reason?: string) => call.cancel(reason),
    async [Symbol.asyncDispose](): Promise<void> {
      call.cancel('the upload was left before it was closed');
    },
  };
}
