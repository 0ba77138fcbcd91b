import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authenticate, authenticateBasicToken } from '../../src/client/handshake.ts';
import {
  FlightError,
  FlightInternalError,
  FlightInvalidArgumentError,
  FlightUnauthenticatedError,
} from '../../src/errors.ts';
import { HandshakeRequest, HandshakeResponse } from '../../src/model/handshake.ts';
import { scriptedCaller } from './scripted-caller.ts';

const refused = new FlightUnauthenticatedError('wrong password');

describe('a handshake by handler', () => {
  it('exchanges payloads as the handler likes', async () => {
    const { caller, calls } = scriptedCaller(async (call) => {
      call.send(new HandshakeResponse('challenge').serialize());
      await call.ended;
      // one more than the handler wants
      call.send(new HandshakeResponse('bye').serialize());
      call.finish();
    });
    const heard: string[] = [];
    const handler = {
      async authenticate(
        outgoing: { write(payload: string): Promise<void> },
        incoming: { read(): Promise<Uint8Array> },
      ): Promise<void> {
        heard.push(Buffer.from(await incoming.read()).toString());
        await outgoing.write('answer');
      },
      getToken: () => undefined,
    };
    await authenticate(caller, handler, {});
    assert.deepEqual(heard, ['challenge']);
    const sent = calls[0]?.received.map((bytes) =>
      Buffer.from(HandshakeRequest.deserialize(bytes).payload).toString(),
    );
    assert.deepEqual(sent, ['answer']);
  });

  it('fails when the server ends it early', async () => {
    const { caller } = scriptedCaller((call) => call.finish());
    const handler = {
      authenticate: async (_: unknown, incoming: { read(): Promise<Uint8Array> }) =>
        void (await incoming.read()),
      getToken: () => undefined,
    };
    await assert.rejects(authenticate(caller, handler, {}), FlightUnauthenticatedError);
  });

  it('fails with what the server says at its end', async () => {
    const { caller } = scriptedCaller(async (call) => {
      await call.ended;
      call.finish(refused);
    });
    const handler = { authenticate: () => undefined, getToken: () => undefined };
    await assert.rejects(authenticate(caller, handler, {}), /wrong password \(Handshake at/);
  });

  it('cancels the call when the handler fails, and gives its error', async () => {
    const { caller, calls } = scriptedCaller(() => undefined);
    const handler = {
      authenticate: () => Promise.reject(new Error('no password given')),
      getToken: () => undefined,
    };
    await assert.rejects(
      authenticate(caller, handler, {}),
      (error) => error instanceof FlightError && /no password given/.test(error.message),
    );
    assert.notEqual(calls[0]?.cancelled, undefined);
  });
});

describe('logging in with name and password', () => {
  for (const place of ['headers', 'trailers'] as const) {
    it(`takes the Bearer token from the ${place}`, async () => {
      const { caller, calls } = scriptedCaller(async (call) => {
        await call.ended;
        const token = { authorization: ['Basic x', 'Bearer abc'] };
        if (place === 'headers') call.headers(token);
        call.finish(undefined, place === 'trailers' ? token : {});
      });
      const options = { headers: { a: '1', authorization: 'old' } };
      assert.equal(await authenticateBasicToken(caller, 'hans', 'pass:wörd', options), 'Bearer abc');
      const { metadata } = calls[0] ?? assert.fail('no call');
      assert.equal(metadata.get('a'), '1');
      assert.deepEqual(metadata.getAll('authorization'), [
        `Basic ${Buffer.from('hans:pass:wörd').toString('base64')}`,
      ]);
    });
  }

  it('fails when the server refuses', async () => {
    const { caller } = scriptedCaller((call) => call.finish(refused));
    await assert.rejects(authenticateBasicToken(caller, 'a', 'b', {}), FlightUnauthenticatedError);
  });

  it('fails when the server gives no token', async () => {
    const { caller } = scriptedCaller((call) => call.finish(undefined, { authorization: 'Basic x' }));
    await assert.rejects(authenticateBasicToken(caller, 'a', 'b', {}), FlightInternalError);
  });

  it('refuses a name with a colon', async () => {
    const { caller } = scriptedCaller(() => undefined);
    await assert.rejects(authenticateBasicToken(caller, 'a:b', 'c', {}), FlightInvalidArgumentError);
  });
});
