import { Action } from '../model/action.ts';
import { Result } from '../model/result.ts';
import { encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import type { FlightResults } from './flight-client.ts';
import type { DoActionOptions } from './options.ts';

/** DoAction: Action → stream of Result. */
export function doAction(
  caller: Caller,
  action: Action | string,
  options: DoActionOptions,
): FlightResults<Result> {
  const message = encodeArgument(
    typeof action === 'string' ? new Action(action) : action,
    'an Action or its type',
    caller.where('DoAction'),
  );
  const request = { method: 'DoAction', options, repeatable: options.idempotent ?? false } as const;
  return caller.results(request, message, (answer) => Result.deserialize(answer));
}
