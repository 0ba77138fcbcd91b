import { FlightDataDecoder } from '../proto/flight-data-decoder.ts';
import { Ticket } from '../model/ticket.ts';
import { createStreamReader } from '../stream/reader.ts';
import type { FlightStreamReader } from '../stream/types.ts';
import { encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import type { FlightCallOptions } from './options.ts';

/** DoGet: Ticket → stream of FlightData. */
export function doGet(
  caller: Caller,
  ticket: Ticket | Uint8Array | string,
  options: FlightCallOptions,
): FlightStreamReader {
  const request = {
    method: 'DoGet',
    decoder: () => new FlightDataDecoder(),
    options,
    repeatable: true,
  } as const;
  const message = encodeArgument(
    typeof ticket === 'string' || ticket instanceof Uint8Array ? new Ticket(ticket) : ticket,
    'a Ticket, its bytes or its text',
    caller.where('DoGet'),
  );
  const call = caller.stream(request, message);
  return createStreamReader(call, { ...caller.context.ipc, ...options.ipc, where: caller.where('DoGet') });
}
