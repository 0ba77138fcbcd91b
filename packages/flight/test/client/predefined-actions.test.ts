import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  cancelFlightInfo,
  closeSession,
  getSessionOptions,
  renewFlightEndpoint,
  setSessionOptions,
} from '../../src/client/predefined-actions.ts';
import { FlightInternalError, FlightUnavailableError } from '../../src/errors.ts';
import { Action } from '../../src/model/action.ts';
import { CancelFlightInfoRequest, CancelFlightInfoResult } from '../../src/model/cancel-flight-info.ts';
import { CloseSessionResult } from '../../src/model/close-session.ts';
import { FlightEndpoint } from '../../src/model/flight-endpoint.ts';
import { FlightInfo } from '../../src/model/flight-info.ts';
import { GetSessionOptionsResult } from '../../src/model/get-session-options.ts';
import { RenewFlightEndpointRequest } from '../../src/model/renew-flight-endpoint.ts';
import { Result } from '../../src/model/result.ts';
import { SetSessionOptionsRequest, SetSessionOptionsResult } from '../../src/model/set-session-options.ts';
import type { ScriptedCall } from './fake-channel.ts';
import { scriptedCaller } from './scripted-caller.ts';

function answering(...bodies: Uint8Array[]): (call: ScriptedCall) => Promise<void> {
  return async (call) => {
    await call.ended;
    for (const body of bodies) call.send(new Result(body).serialize());
    call.finish();
  };
}

function sent(calls: readonly ScriptedCall[]): Action {
  return Action.deserialize(calls[0]?.received[0] ?? assert.fail('nothing was sent'));
}

const info = new FlightInfo(undefined, undefined, [new FlightEndpoint('t')]);

describe('the predefined actions', () => {
  it('cancel a FlightInfo, given as it is or as a request', async () => {
    const result = new CancelFlightInfoResult('CANCELLED');
    for (const request of [info, new CancelFlightInfoRequest(info)]) {
      const { caller, calls } = scriptedCaller(answering(result.serialize()));
      assert.equal((await cancelFlightInfo(caller, request, {})).status, 'CANCELLED');
      assert.equal(sent(calls).type, 'CancelFlightInfo');
      assert.ok(CancelFlightInfoRequest.deserialize(sent(calls).body).info.equals(info));
    }
  });

  it('renew an endpoint', async () => {
    const renewed = new FlightEndpoint('t2');
    const { caller, calls } = scriptedCaller(answering(renewed.serialize()));
    const endpoint = new FlightEndpoint('t');
    assert.ok((await renewFlightEndpoint(caller, endpoint, {})).equals(renewed));
    assert.ok(RenewFlightEndpointRequest.deserialize(sent(calls).body).endpoint.equals(endpoint));
  });

  it('set and get the options of a session', async () => {
    const errors = { bad: 'INVALID_NAME' } as const;
    const set = scriptedCaller(answering(new SetSessionOptionsResult(errors).serialize()));
    const result = await setSessionOptions(set.caller, { a: 1n, b: null, c: ['x'], bad: 'y' }, {});
    assert.deepEqual([...result.errors], [['bad', 'INVALID_NAME']]);
    assert.deepEqual(
      [...SetSessionOptionsRequest.deserialize(sent(set.calls).body).options],
      [...new SetSessionOptionsRequest({ a: 1n, b: null, c: ['x'], bad: 'y' }).options],
    );
    const get = scriptedCaller(answering(new GetSessionOptionsResult({ a: 1n, d: 1.5 }).serialize()));
    assert.deepEqual([...(await getSessionOptions(get.caller, {}))].toSorted(), [
      ['a', 1n],
      ['d', 1.5],
    ]);
  });

  it('close a session', async () => {
    const { caller, calls } = scriptedCaller(answering(new CloseSessionResult('CLOSED').serialize()));
    assert.equal((await closeSession(caller, {})).status, 'CLOSED');
    assert.equal(sent(calls).type, 'CloseSession');
  });

  it('fail when there is not exactly one result', async () => {
    const body = new CloseSessionResult('CLOSED').serialize();
    for (const bodies of [[], [body, body]]) {
      const { caller } = scriptedCaller(answering(...bodies));
      await assert.rejects(
        closeSession(caller, {}),
        (error) => error instanceof FlightInternalError && /DoAction at grpc:\/\/test:1/.test(error.message),
      );
    }
  });

  it('are tried again only where that changes nothing', async () => {
    const down = (call: ScriptedCall): void => call.finish(new FlightUnavailableError('down'));
    const tries = async (
      run: (caller: Parameters<typeof closeSession>[0]) => Promise<unknown>,
    ): Promise<number> => {
      const { caller, calls } = scriptedCaller(down);
      await assert.rejects(run(caller), FlightUnavailableError);
      return calls.length;
    };
    assert.equal(await tries((caller) => getSessionOptions(caller, {})), 3);
    assert.equal(await tries((caller) => setSessionOptions(caller, {}, {})), 3);
    assert.equal(await tries((caller) => closeSession(caller, {})), 1);
    assert.equal(await tries((caller) => cancelFlightInfo(caller, info, {})), 1);
    assert.equal(await tries((caller) => renewFlightEndpoint(caller, new FlightEndpoint('t'), {})), 1);
  });
});
