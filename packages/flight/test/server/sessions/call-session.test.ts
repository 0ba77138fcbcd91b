import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../../src/errors.ts';
import { CallSession } from '../../../src/server/sessions/call-session.ts';
import { createMemorySessionStore, type SessionStore } from '../../../src/server/sessions/session-store.ts';

interface Call {
  readonly session: CallSession;
  readonly cookies: string[];
}

/** One call with the cookies that a client would send. */
function call(store: SessionStore | undefined, cookie?: string, identity = ''): Call {
  const cookies: string[] = [];
  const session = new CallSession(store, {
    cookies: cookie === undefined ? [] : [cookie],
    identity,
    setCookie: (value) => cookies.push(value),
  });
  return { session, cookies };
}

describe('the session of a call', () => {
  it('is made when it is first asked for, once a call, and found again by its cookie', async () => {
    const store = createMemorySessionStore();
    const first = call(store);
    assert.equal(await first.session.find(), undefined);
    const [session, again] = await Promise.all([first.session.get(), first.session.get()]);
    assert.equal(session.id, again.id);
    assert.deepEqual(first.cookies, [`arrow_flight_session_id=${session.id}`]);
    const second = call(store, first.cookies[0]);
    assert.equal((await second.session.find())?.id, session.id);
    assert.equal((await second.session.get()).id, session.id);
    assert.deepEqual(second.cookies, []);
    await store.closeAll();
  });

  it('ends with its cookie', async () => {
    const store = createMemorySessionStore();
    const first = call(store);
    const { id } = await first.session.get();
    const second = call(store, first.cookies[0]);
    assert.equal(await second.session.close(), true);
    assert.deepEqual(second.cookies, [`arrow_flight_session_id=${id}; Max-Age=0`]);
    assert.equal(await second.session.find(), undefined);
    assert.equal(await call(store).session.close(), false);
  });

  it('is refused for an empty cookie', async () => {
    const { session } = call(createMemorySessionStore(), 'arrow_flight_session_id=');
    await assert.rejects(session.get(), FlightInvalidArgumentError);
  });

  it('is refused for an unknown cookie, and the client is told to forget it', async () => {
    const { session, cookies } = call(createMemorySessionStore(), 'arrow_flight_session_id=gone');
    await assert.rejects(session.find(), FlightInvalidArgumentError);
    assert.deepEqual(cookies, ['arrow_flight_session_id=gone; Max-Age=0']);
  });

  it("is its creator's; one from before the login is open to who logs in", async () => {
    const store = createMemorySessionStore();
    const alice = call(store, undefined, 'alice');
    await alice.session.get();
    await assert.rejects(call(store, alice.cookies[0], 'bob').session.get(), FlightInvalidArgumentError);
    await assert.rejects(call(store, alice.cookies[0], '').session.get(), FlightInvalidArgumentError);
    assert.ok(await call(store, alice.cookies[0], 'alice').session.get());
    const nobody = call(store);
    await nobody.session.get();
    assert.ok(await call(store, nobody.cookies[0], 'bob').session.get());
    await store.closeAll();
  });

  it('is not to be had where sessions are switched off', async () => {
    const { session } = call(undefined);
    await assert.rejects(session.get(), FlightUnimplementedError);
    await assert.rejects(session.find(), FlightUnimplementedError);
    await assert.rejects(session.close(), FlightUnimplementedError);
  });
});
