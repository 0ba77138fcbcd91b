// Logging in by a handshake: both sides are handlers, as pyarrow's ServerAuthHandler and ClientAuthHandler are.
import { Action, BasicAuth, connect, FlightServer, FlightUnauthenticatedError } from '@peregrine/flight';
import type { ClientAuthHandler, ServerAuthHandler } from '@peregrine/flight/auth';

const passwords = new Map([['user123', 'secret456']]);

/** Real ones: `createBasicAuthHandler` with tokens that end and can be taken back. */
const serverHandler: ServerAuthHandler = {
  async authenticate(outgoing, incoming) {
    const { username, password } = BasicAuth.deserialize(await incoming.read());
    if (passwords.get(username) !== password) throw new FlightUnauthenticatedError('wrong name or password');
    await outgoing.write(`token-${username}`);
  },
  isValid(token) {
    const username = /^token-(.+)$/.exec(new TextDecoder().decode(token))?.[1];
    if (username === undefined || !passwords.has(username))
      throw new FlightUnauthenticatedError('log in first');
    return username;
  },
};

function login(username: string, password: string): ClientAuthHandler {
  let token: Uint8Array | undefined;
  return {
    async authenticate(outgoing, incoming) {
      await outgoing.write(new BasicAuth(username, password).serialize());
      token = await incoming.read();
    },
    getToken: () => token,
  };
}

const server = new FlightServer(
  { doAction: (_action, { peerIdentity }) => `hello ${peerIdentity}` },
  { authHandler: serverHandler },
);
await server.listen('grpc+tcp://127.0.0.1:0');

const client = connect(`grpc+tcp://127.0.0.1:${server.port}`);
const greet = async (): Promise<void> => {
  const [result] = await client.doAction(new Action('greet')).toArray();
  console.log(result?.text);
};
await greet().catch((error: unknown) => console.log(String(error)));
await client.authenticate(login('user123', 'guess')).catch((error: unknown) => console.log(String(error)));
await client.authenticate(login('user123', 'secret456'));
await greet();
await client.close();
await server.shutdown();
