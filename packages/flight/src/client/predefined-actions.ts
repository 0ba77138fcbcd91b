/** Actions that Flight itself defines: the body is the bare message, and there is exactly one result. */

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
import type { Caller } from './caller.ts';
import { doAction } from './do-action.ts';
import type { DoActionOptions, FlightCallOptions } from './options.ts';

/** CancelFlightInfo. Not tried again: a second cancellation would answer NOT_CANCELLABLE. */
export function cancelFlightInfo(
  caller: Caller,
  request: CancelFlightInfoRequest | FlightInfo,
  options: FlightCallOptions,
): Promise<CancelFlightInfoResult> {
  const message = request instanceof CancelFlightInfoRequest ? request : new CancelFlightInfoRequest(request);
  const decode = (body: Uint8Array): CancelFlightInfoResult => CancelFlightInfoResult.deserialize(body);
  return oneResult(caller, new Action('CancelFlightInfo', message.serialize()), decode, options);
}

/** RenewFlightEndpoint. Not tried again: each call may extend the life once more. */
export function renewFlightEndpoint(
  caller: Caller,
  endpoint: FlightEndpoint,
  options: FlightCallOptions,
): Promise<FlightEndpoint> {
  const body = new RenewFlightEndpointRequest(endpoint).serialize();
  const decode = (answer: Uint8Array): FlightEndpoint => FlightEndpoint.deserialize(answer);
  return oneResult(caller, new Action('RenewFlightEndpoint', body), decode, options);
}

/** SetSessionOptions; setting the same again changes nothing. */
export function setSessionOptions(
  caller: Caller,
  values: SessionOptions<SessionOptionValue | null | undefined>,
  options: FlightCallOptions,
): Promise<SetSessionOptionsResult> {
  const decode = (body: Uint8Array): SetSessionOptionsResult => SetSessionOptionsResult.deserialize(body);
  const action = new Action('SetSessionOptions', new SetSessionOptionsRequest(values).serialize());
  return oneResult(caller, action, decode, { ...options, idempotent: true });
}

/** GetSessionOptions. */
export async function getSessionOptions(
  caller: Caller,
  options: FlightCallOptions,
): Promise<ReadonlyMap<string, SessionOptionValue>> {
  const decode = (body: Uint8Array): GetSessionOptionsResult => GetSessionOptionsResult.deserialize(body);
  const result = await oneResult(caller, new Action('GetSessionOptions'), decode, {
    ...options,
    idempotent: true,
  });
  return result.options;
}

/** CloseSession. */
export function closeSession(caller: Caller, options: FlightCallOptions): Promise<CloseSessionResult> {
  const decode = (body: Uint8Array): CloseSessionResult => CloseSessionResult.deserialize(body);
  return oneResult(caller, new Action('CloseSession'), decode, options);
}

async function oneResult<T>(
  caller: Caller,
  action: Action,
  decode: (body: Uint8Array) => T,
  options: DoActionOptions,
): Promise<T> {
  const results = await doAction(caller, action, options).toArray();
  const [result] = results;
  try {
    if (result === undefined || results.length > 1) {
      throw new FlightInternalError(
        `the action ${action.type} gave ${results.length} results, and there must be one`,
      );
    }
    return decode(result.body);
  } catch (error) {
    throw locateError(error, caller.where('DoAction'));
  }
}
