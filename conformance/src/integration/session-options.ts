import assert from 'node:assert/strict';
import { connect } from '@peregrine/flight';
import { createSessionHandlers } from '@peregrine/flight/server';
import type { SessionOptionValue } from '@peregrine/flight';
import { cookieMiddleware } from '@peregrine/flight/middleware';
import type { Scenario } from './scenario.ts';

const list = ['a', 'b', 'sea', 'dee', ' ', '  ', 'geee', '(づ｡◕‿‿◕｡)づ'];

/** Options of a session, which a cookie names. */
export const sessionOptions: Scenario = {
  name: 'session_options',
  server: () => ({
    handlers: createSessionHandlers({
      check: (name, value) => {
        if (name === 'lol_invalid') return 'INVALID_NAME';
        return value === 'lol_invalid' ? 'INVALID_VALUE' : undefined;
      },
    }),
  }),
  client: async (location) => {
    await using client = connect(location, { middleware: [cookieMiddleware()] });
    const all = async (): Promise<Record<string, SessionOptionValue>> =>
      Object.fromEntries(await client.getSessionOptions());

    const set = await client.setSessionOptions({
      foolong: 123n,
      bardouble: 456,
      lol_invalid: "this won't get set",
      key_with_invalid_value: 'lol_invalid',
      big_ol_string_list: list,
    });
    assert.deepEqual(Object.fromEntries(set.errors), {
      lol_invalid: 'INVALID_NAME',
      key_with_invalid_value: 'INVALID_VALUE',
    });
    assert.deepEqual(await all(), { foolong: 123n, bardouble: 456, big_ol_string_list: list });

    const changed = await client.setSessionOptions({
      foolong: undefined,
      big_ol_string_list: list.join(','),
    });
    assert.equal(changed.errors.size, 0);
    assert.deepEqual(await all(), { bardouble: 456, big_ol_string_list: list.join(',') });
    assert.equal((await client.closeSession()).status, 'CLOSED');
  },
};
