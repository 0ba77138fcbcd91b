import { BytesDecoder } from '../grpc/message.ts';
import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { createStreamWriter } from '../stream/writer.ts';
import { descriptorWanted, encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import { connectedSink } from './connected-sink.ts';
import type { DoPutCall } from './flight-client.ts';
import type { FlightCallOptions } from './options.ts';
import { createPutResultReader } from './put-results.ts';

/** DoPut: stream of FlightData, the descriptor in the first → stream of PutResult. */
export function doPut(caller: Caller, descriptor: FlightDescriptor, options: FlightCallOptions): DoPutCall {
  // before the call begins: it would run on without anybody who ends it
  const first = encodeArgument(descriptor, descriptorWanted, caller.where('DoPut'));
  const decoder = (): BytesDecoder => new BytesDecoder();
  const call = caller.begin({ method: 'DoPut', decoder, options, repeatable: false });
  const results = createPutResultReader(call);
  const writer = createStreamWriter(connectedSink(caller, call), {
    write: { ...caller.context.ipc, ...options.ipc },
    descriptor: first,
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
