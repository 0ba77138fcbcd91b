/** Actions that Flight itself defines: the body is the bare message, and there is exactly one result. */

import { noBytes } from '../bytes/empty.ts';
import { FlightInternalError, locateError } from '../errors.ts';
import { Action } from '../model/action.ts';
import { CancelFlightInfoRequest, CancelFlightInfoResult } from '../model/cancel-flight-info.ts';
import { CloseSessionResult } from '../model/close-session.ts';
import { FlightEndpoint } from '../model/flight-endpoint.ts';
import type { FlightInfo } from '../model/flight-info.ts';
import { GetSessionOptionsResult } from '../model/get-session-options.ts';
import { RenewFlightEndpointRequest } from '../model/renew-flight-endpoint.ts';
import type { SessionOptionValue, SessionOptions } from '../model/session-option-value.ts';
import { SetSessionOptionsRequest, SetSessionOptionsResult } from '../model/set-session-options.ts';
import { encodeArgument } from './arguments.ts';
import type { Caller } from './caller.ts';
import { doAction } from './do-action.ts';
import type { DoActionOptions, FlightCallOptions } from './options.ts';

/** CancelFlightInfo. Not tried again: a second cancellation would answer NOT_CANCELLABLE. */
export async function cancelFlightInfo(
  caller: Caller,
  request: CancelFlightInfoRequest | FlightInfo,
  options: FlightCallOptions,
): Promise<CancelFlightInfoResult> {
  const body = (): Uint8Array => {
    encodeArgument(request, 'a FlightInfo or a CancelFlightInfoRequest', caller.where('DoAction'));
    const message =
      request instanceof CancelFlightInfoRequest ? request : new CancelFlightInfoRequest(request);
    return message.serialize();
  };
  const decode = (answer: Uint8Array): CancelFlightInfoResult => CancelFlightInfoResult.deserialize(answer);
  return await oneResult(caller, { type: 'CancelFlightInfo', body }, decode, options);
}

/** RenewFlightEndpoint. Not tried again: each call may extend the life once more. */
export async function renewFlightEndpoint(
  caller: Caller,
  endpoint: FlightEndpoint,
  options: FlightCallOptions,
): Promise<FlightEndpoint> {
  const body = (): Uint8Array => {
    encodeArgument(endpoint, 'a FlightEndpoint', caller.where('DoAction'));
    return new RenewFlightEndpointRequest(endpoint).serialize();
  };
  const decode = (answer: Uint8Array): FlightEndpoint => FlightEndpoint.deserialize(answer);
  return await oneResult(caller, { type: 'RenewFlightEndpoint', body }, decode, options);
}

/** SetSessionOptions; setting the same again changes nothing. */
export async function setSessionOptions(
  caller: Caller,
  values: SessionOptions<SessionOptionValue | null | undefined>,
  options: FlightCallOptions,
): Promise<SetSessionOptionsResult> {
  const body = (): Uint8Array => new SetSessionOptionsRequest(values).serialize();
  const decode = (answer: Uint8Array): SetSessionOptionsResult => SetSessionOptionsResult.deserialize(answer);
  const request = { type: 'SetSessionOptions', body };
  return await oneResult(caller, request, decode, { ...options, idempotent: true });
}

/** GetSessionOptions. */
export async function getSessionOptions(
  caller: Caller,
  options: FlightCallOptions,
): Promise<ReadonlyMap<string, SessionOptionValue>> {
  const decode = (answer: Uint8Array): GetSessionOptionsResult => GetSessionOptionsResult.deserialize(answer);
  const request = { type: 'GetSessionOptions', body: nothing };
  const result = await oneResult(caller, request, decode, { ...options, idempotent: true });
  return result.options;
}

/** CloseSession. */
export async function closeSession(caller: Caller, options: FlightCallOptions): Promise<CloseSessionResult> {
  const decode = (answer: Uint8Array): CloseSessionResult => CloseSessionResult.deserialize(answer);
  return await oneResult(caller, { type: 'CloseSession', body: nothing }, decode, options);
}

const nothing = (): Uint8Array => noBytes;

/** An action before its argument is encoded, which may fail as the call may. */
interface ActionRequest {
  readonly type: string;
  readonly body: () => Uint8Array;
}

async function oneResult<T>(
  caller: Caller,
  { type, body }: ActionRequest,
  decode: (body: Uint8Array) => T,
  options: DoActionOptions,
): Promise<T> {
  try {
    const results = await doAction(caller, new Action(type, body()), options).toArray();
    const [result] = results;
    if (result === undefined || results.length > 1) {
      throw new FlightInternalError(
        `the action ${type} gave ${results.length} results, and there must be one`,
      );
    }
    return decode(result.body);
  } catch (error) {
    throw locateError(error, caller.where('DoAction'));
  }
}
