import { Criteria } from '../model/criteria.ts';
import { FlightInfo } from '../model/flight-info.ts';
import type { Caller } from './caller.ts';
import type { FlightResults } from './flight-client.ts';
import type { FlightCallOptions } from './options.ts';

/** ListFlights: Criteria → stream of FlightInfo. */
export function listFlights(
  caller: Caller,
  criteria: Uint8Array | string,
  options: FlightCallOptions,
): FlightResults<FlightInfo> {
  const request = { method: 'ListFlights', options, repeatable: true } as const;
  return caller.results(request, new Criteria(criteria).serialize(), (message) =>
    FlightInfo.deserialize(message),
  );
}
