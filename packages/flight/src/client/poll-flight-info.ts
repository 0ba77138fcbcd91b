import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { PollInfo } from '../model/poll-info.ts';
import type { Caller } from './caller.ts';
import type { GetFlightInfoOptions } from './options.ts';

/** PollFlightInfo: FlightDescriptor → PollInfo. */
export function pollFlightInfo(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: GetFlightInfoOptions,
): Promise<PollInfo> {
  const decode = (message: Uint8Array): PollInfo => PollInfo.deserialize(message);
  return caller.unary('PollFlightInfo', descriptor.serialize(), decode, options);
}
