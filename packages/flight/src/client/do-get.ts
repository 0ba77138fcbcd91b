import { FlightDataDecoder } from '../proto/flight-data-decoder.ts';
import type { Ticket } from '../model/ticket.ts';
import { createStreamReader } from '../stream/reader.ts';
import type { FlightStreamReader } from '../stream/types.ts';
import type { Caller } from './caller.ts';
import type { FlightCallOptions } from './options.ts';

/** DoGet: Ticket → stream of FlightData. */
export function doGet(caller: Caller, ticket: Ticket, options: FlightCallOptions): FlightStreamReader {
  const request = {
    method: 'DoGet',
    decoder: () => new FlightDataDecoder(),
    options,
    repeatable: true,
  } as const;
  const call = caller.stream(request, ticket.serialize());
  return createStreamReader(call, { ...caller.context.ipc, ...options.ipc, where: caller.where('DoGet') });
}
