import assert from 'node:assert/strict';
import { BasicAuth, FlightUnauthenticatedError, Result, connect } from '@peregrine/flight';
import { refused, text } from './expect.ts';
import type { Scenario } from './scenario.ts';

const username = 'arrow';
const password = 'flight';

/** A handshake with one BasicAuth message; the token is the user's name. */
export const authBasicProto: Scenario = {
  name: 'auth:basic_proto',
  server: () => ({
    handlers: {
      doAction: (_action, context) => new Result(context.peerIdentity),
    },
    options: {
      authHandler: {
        authenticate: async (outgoing, incoming) => {
          const given = BasicAuth.deserialize(await incoming.read());
          if (given.username !== username || given.password !== password) {
            throw new FlightUnauthenticatedError('Invalid credentials');
          }
          await outgoing.write(username);
        },
        isValid: (token) => {
          if (text(token) !== username) throw new FlightUnauthenticatedError('Invalid token');
          return username;
        },
      },
    },
  }),
  client: async (location) => {
    await using client = connect(location);
    await refused(client.doAction('').toArray(), 'UNAUTHENTICATED');
    let token = new Uint8Array(0);
    await client.authenticate({
      authenticate: async (outgoing, incoming) => {
        await outgoing.write(new BasicAuth(username, password).serialize());
        token = Uint8Array.from(await incoming.read());
      },
      getToken: () => token,
    });
    const results = await client.doAction('').toArray();
    assert.deepEqual(
      results.map(({ body }) => text(body)),
      [username],
    );
  },
};
