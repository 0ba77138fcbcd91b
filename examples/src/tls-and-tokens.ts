// TLS with certificates of a development authority, and a name and password for a bearer token.
import { Action, connect, FlightServer } from '@peregrine/flight';
import {
  createBasicBearerAuthenticator,
  createDevCertificates,
  createOpaqueBearerTokens,
  staticUsers,
} from '@peregrine/flight/auth';

const { ca, server: certificate } = createDevCertificates({ serverNames: ['localhost'] });

const server = new FlightServer(
  { doAction: (_action, context) => `hello ${context.peerIdentity}` },
  {
    tls: { certificates: [certificate] },
    authenticators: [
      createBasicBearerAuthenticator({
        check: staticUsers({ alice: 'secret' }),
        tokens: createOpaqueBearerTokens(),
      }),
    ],
  },
);
await server.listen('grpc+tls://localhost:0');

const location = `grpc+tls://localhost:${server.port}`;
const client = connect(location, { tls: { rootCertificates: ca.cert } });
const greet = async (): Promise<string> => {
  const [result] = await client.doAction(new Action('whoami')).toArray();
  return result?.text ?? '';
};

await greet().catch((error: unknown) => console.log(`without a token: ${String(error)}`));
await client.authenticateBasicToken('alice', 'wrong').catch((error: unknown) => console.log(String(error)));
await client.authenticateBasicToken('alice', 'secret', { keepToken: true });
console.log(await greet());

// Who does not know the authority does not talk to the server.
const stranger = connect(location, { retry: false });
await stranger
  .listActions()
  .toArray()
  .catch((error: unknown) => console.log(String(error)));
await stranger.close();
await client.close();
await server.shutdown();
