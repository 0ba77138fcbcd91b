import { ActionType } from '../model/action-type.ts';
import type { Caller } from './caller.ts';
import type { FlightResults } from './flight-client.ts';
import type { FlightCallOptions } from './options.ts';

/** ListActions: Empty → stream of ActionType. */
export function listActions(caller: Caller, options: FlightCallOptions): FlightResults<ActionType> {
  const request = { method: 'ListActions', options, repeatable: true } as const;
  return caller.results(request, new Uint8Array(0), (message) => ActionType.deserialize(message));
}
