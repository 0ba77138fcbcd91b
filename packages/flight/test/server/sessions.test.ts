import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../src/errors.ts';
import { BytesDecoder, bytesMessage, type GrpcChannel, Metadata } from '../../src/grpc/index.ts';
import {
  Action,
  CloseSessionResult,
  GetSessionOptionsResult,
  Result,
  type SessionOptionValue,
  SetSessionOptionsRequest,
  SetSessionOptionsResult,
} from '../../src/model/index.ts';
import { flightMethodPath } from '../../src/proto/names.ts';
import { createSessionHandlers } from '../../src/server/sessions/session-actions.ts';
import { createMemorySessionStore } from '../../src/server/sessions/session-store.ts';
import { clock } from '../clock.ts';
import { action, start, until } from './fixture.ts';

/** A client with a cookie jar. */
class Client {
  readonly #channel: GrpcChannel;
  cookie: string | undefined;

  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  async do(type: string, body: Uint8Array = new Uint8Array(0)): Promise<Uint8Array> {
    const metadata = Metadata.from(this.cookie === undefined ? {} : { cookie: `other=1; ${this.cookie}` });
    const call = this.#channel.call(flightMethodPath('DoAction'), () => new BytesDecoder(), { metadata });
    call.write(bytesMessage(new Action(type, body).serialize()));
    call.end();
    const read = call.read();
    await read.catch(() => undefined);
    const { metadata: trailers } = await call.status;
    for (const setCookie of [
      ...(await call.headers).getAll('set-cookie'),
      ...trailers.getAll('set-cookie'),
    ]) {
      this.cookie = setCookie.includes('Max-Age=0') ? undefined : setCookie.split(';')[0];
    }
    const bytes = await read;
    assert.ok(bytes);
    return Result.deserialize(bytes).body;
  }

  async set(options: Record<string, SessionOptionValue | undefined>): Promise<Record<string, string>> {
    const body = new SetSessionOptionsRequest(options).serialize();
    const { errors } = SetSessionOptionsResult.deserialize(await this.do('SetSessionOptions', body));
    return Object.fromEntries(errors);
  }

  async get(): Promise<Record<string, SessionOptionValue>> {
    const { options } = GetSessionOptionsResult.deserialize(await this.do('GetSessionOptions'));
    return Object.fromEntries(options);
  }

  async close(): Promise<string> {
    return CloseSessionResult.deserialize(await this.do('CloseSession')).status;
  }
}

const kaomoji = '(づ｡◕‿‿◕｡)づ';
const list = ['a', 'b', 'sea', 'dee', ' ', '  ', 'geee', kaomoji];

describe('sessions', () => {
  const handlers = createSessionHandlers({
    check: (name, value) => {
      if (name === 'lol_invalid') return 'INVALID_NAME';
      return value === 'lol_invalid' ? 'INVALID_VALUE' : undefined;
    },
  });

  // the session_options scenario of Arrow's integration tests
  it('keep options of every kind, refuse some, and take options out', async () => {
    await using running = await start(handlers);
    const client = new Client(running.channel);
    assert.deepEqual(
      await client.set({
        foolong: 123n,
        bardouble: 456.0,
        lol_invalid: "this won't get set",
        key_with_invalid_value: 'lol_invalid',
        big_ol_string_list: list,
      }),
      { lol_invalid: 'INVALID_NAME', key_with_invalid_value: 'INVALID_VALUE' },
    );
    assert.deepEqual(await client.get(), { foolong: 123n, bardouble: 456, big_ol_string_list: list });
    const joined = list.join(',');
    assert.deepEqual(await client.set({ foolong: undefined, big_ol_string_list: joined }), {});
    assert.deepEqual(await client.get(), { bardouble: 456, big_ol_string_list: joined });
    assert.equal(await client.close(), 'CLOSED');
    assert.equal(client.cookie, undefined);
    assert.deepEqual(await client.get(), {});
  });

  it('are not made by asking', async () => {
    await using running = await start(handlers);
    const client = new Client(running.channel);
    assert.deepEqual(await client.get(), {});
    assert.equal(client.cookie, undefined);
    await client.set({ a: true });
    assert.match(client.cookie ?? '', /^arrow_flight_session_id=./);
    assert.equal(await new Client(running.channel).close(), 'NOT_CLOSEABLE');
  });

  it('are apart from each other', async () => {
    await using running = await start(handlers);
    const [one, two] = [new Client(running.channel), new Client(running.channel)];
    await one.set({ a: 'one' });
    await two.set({ a: 'two' });
    assert.deepEqual([await one.get(), await two.get()], [{ a: 'one' }, { a: 'two' }]);
    assert.notEqual(one.cookie, two.cookie);
  });

  it('that are forgotten fail one call, and the next one begins anew', async () => {
    await using running = await start(handlers);
    const client = new Client(running.channel);
    client.cookie = 'arrow_flight_session_id=forgotten';
    await assert.rejects(client.get(), FlightInvalidArgumentError);
    assert.equal(client.cookie, undefined);
    assert.deepEqual(await client.set({ a: true }), {});
    client.cookie = 'arrow_flight_session_id=';
    await assert.rejects(client.get(), FlightInvalidArgumentError);
  });

  it('refuse names and values that are too large', async () => {
    await using running = await start(handlers);
    const client = new Client(running.channel);
    const long = 'x'.repeat(70_000);
    assert.deepEqual(await client.set({ '': 'x', [long]: 'x', value: long, list: [long], ok: 'x' }), {
      '': 'INVALID_NAME',
      [long]: 'INVALID_NAME',
      value: 'INVALID_VALUE',
      list: 'INVALID_VALUE',
    });
    assert.deepEqual(await client.get(), { ok: 'x' });
  });

  it('are open to handlers, with state of their own that is freed in the end', async () => {
    const ended: string[] = [];
    const store = createMemorySessionStore();
    await using running = await start(
      {
        ...handlers,
        doAction: async (_action, context) => {
          const session = await context.getSession();
          const calls = Number(session.state.get('calls') ?? 0) + 1;
          session.state.set('calls', calls);
          if (calls === 1) session.onEnd(() => ended.push(session.id));
          return String(calls);
        },
      },
      { sessions: store },
    );
    const client = new Client(running.channel);
    assert.equal(Buffer.from(await client.do('x')).toString(), '1');
    assert.equal(Buffer.from(await client.do('x')).toString(), '2');
    await client.close();
    assert.equal(ended.length, 1);
  });

  it('do not mind a clock that is set', async (test) => {
    let clock = Date.now();
    test.mock.method(Date, 'now', () => clock);
    const store = createMemorySessionStore();
    const { id } = await store.create('me');
    for (const hours of [2, -4]) {
      clock += hours * 3_600_000;
      assert.equal((await store.get(id))?.id, id);
    }
    await store.closeAll?.();
  });

  it("of the server's own store end with the server; those of a store that was given do not", async () => {
    for (const own of [true, false]) {
      const store = createMemorySessionStore();
      let ended = false;
      const running = await start(
        {
          doAction: async (_action, context) => {
            (await context.getSession()).onEnd(() => {
              ended = true;
            });
            return 'x';
          },
        },
        own ? {} : { sessions: store },
      );
      await action(running.channel, 'x');
      await running[Symbol.asyncDispose]();
      assert.equal(ended, own);
      await store.closeAll();
    }
  });

  it('can be switched off', async () => {
    await using running = await start(handlers, { sessions: false });
    await assert.rejects(new Client(running.channel).get(), FlightUnimplementedError);
  });

  it('lives as long as a call that uses it', async () => {
    const { now, advance } = clock();
    const sessions = createMemorySessionStore({ idleMs: 100, now });
    let ended = false;
    await using running = await start(
      {
        async doAction(_action, context) {
          (await context.getSession()).onEnd(() => {
            ended = true;
          });
          // hours of work, in which another client comes
          advance(1_000);
          await sessions.create('');
          return String(ended);
        },
      },
      { sessions },
    );
    assert.deepEqual(await action(running.channel, 'work'), ['false']);
    await until(() => running.server.runningCalls === 0, 'the call is over');
    advance(1_000);
    await sessions.create('');
    assert.equal(ended, true);
  });
});
