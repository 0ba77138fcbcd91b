import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { FlightInfo } from '../model/flight-info.ts';
import { descriptorWanted, encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import type { GetFlightInfoOptions } from './options.ts';

/** GetFlightInfo: FlightDescriptor → FlightInfo. */
export async function getFlightInfo(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: GetFlightInfoOptions,
): Promise<FlightInfo> {
  const decode = (answer: Uint8Array): FlightInfo => FlightInfo.deserialize(answer);
  const message = encodeArgument(descriptor, descriptorWanted, caller.where('GetFlightInfo'));
  return await caller.unary('GetFlightInfo', message, decode, options);
}
