import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { PollInfo } from '../model/poll-info.ts';
import { descriptorWanted, encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import type { GetFlightInfoOptions } from './options.ts';

/** PollFlightInfo: FlightDescriptor → PollInfo. */
export async function pollFlightInfo(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: GetFlightInfoOptions,
): Promise<PollInfo> {
  const decode = (answer: Uint8Array): PollInfo => PollInfo.deserialize(answer);
  const message = encodeArgument(descriptor, descriptorWanted, caller.where('PollFlightInfo'));
  return await caller.unary('PollFlightInfo', message, decode, options);
}
