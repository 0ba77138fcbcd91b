import type { FlightDescriptor } from '../model/flight-descriptor.ts';
import { FlightInfo } from '../model/flight-info.ts';
import type { Caller } from './caller.ts';
import type { GetFlightInfoOptions } from './options.ts';

/** GetFlightInfo: FlightDescriptor → FlightInfo. */
export function getFlightInfo(
  caller: Caller,
  descriptor: FlightDescriptor,
  options: GetFlightInfoOptions,
): Promise<FlightInfo> {
  const decode = (message: Uint8Array): FlightInfo => FlightInfo.deserialize(message);
  return caller.unary('GetFlightInfo', descriptor.serialize(), decode, options);
}
