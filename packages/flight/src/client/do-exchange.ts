import { FlightDataDecoder } from '../proto/flight-data-decoder.ts';
import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { createStreamReader } from '../stream/reader.ts';
import type { FlightData, FlightDataSource } from '../stream/types.ts';
import { createStreamWriter } from '../stream/writer.ts';
import { descriptorWanted, encodeArgument } from './arguments.ts';
import type { FlightCall } from './call.ts';
import type { Caller } from './caller.ts';
import { connectedSink } from './connected-sink.ts';
import type { DoExchangeCall } from './flight-client.ts';
import type { FlightCallOptions } from './options.ts';

/** DoExchange: stream of FlightData, the descriptor in the first ⇄ stream of FlightData. */
export function doExchange(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: FlightCallOptions,
): DoExchangeCall {
  // before the call begins: it would run on without anybody who ends it
  const first = encodeArgument(descriptor, descriptorWanted, caller.where('DoExchange'));
  const decoder = (): FlightDataDecoder => new FlightDataDecoder();
  const call = caller.begin({ method: 'DoExchange', decoder, options, repeatable: false });
  const ipc = { ...caller.context.ipc, ...options.ipc };
  let reading = false;
  const source: FlightDataSource = {
    tryRead(): FlightData | undefined {
      reading = true;
      return call.tryRead();
    },
    read(): Promise<FlightData | undefined> {
      reading = true;
      return call.read();
    },
    cancel: (reason?: string) => call.cancel(reason),
  };
  const writer = createStreamWriter(connectedSink(caller, call), {
    write: ipc,
    descriptor: first,
    where: call.where,
    async finished(): Promise<void> {
      // data that nobody reads must not keep the server from ending the call
      if (!reading) await discardAll(call);
      await call.finished();
    },
  });
  return {
    writer,
    reader: createStreamReader(source, { ...ipc, where: call.where }),
    cancel: (reason?: string) => call.cancel(reason),
    async [Symbol.asyncDispose](): Promise<void> {
      call.cancel('the exchange was left before it had ended');
    },
  };
}

async function discardAll(call: FlightCall<FlightData>): Promise<void> {
  for (;;) {
    const data = await call.read();
    if (data === undefined) return;
    data.body?.release();
  }
}
