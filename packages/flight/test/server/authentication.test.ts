import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatBasicAuthorization } from '../../src/auth/basic-credentials.ts';
import { createOpaqueBearerTokens } from '../../src/auth/bearer-tokens.ts';
import {
  createBasicBearerAuthenticator,
  createBearerAuthenticator,
  createCertificateAuthenticator,
} from '../../src/auth/call-authenticator.ts';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { createBasicAuthHandler, type ServerAuthHandler } from '../../src/auth/server-auth-handler.ts';
import { staticUsers } from '../../src/auth/static-users.ts';
import {
  FlightResourceExhaustedError,
  FlightUnauthenticatedError,
  FlightUnimplementedError,
} from '../../src/errors.ts';
import { BytesDecoder, bytesMessage, type GrpcChannel } from '../../src/grpc/index.ts';
import { maxHandshakeMessageBytes, maxHandshakeMessages } from '../../src/limits/auth.ts';
import { BasicAuth, HandshakeRequest, HandshakeResponse } from '../../src/model/index.ts';
import { flightMethodPath } from '../../src/proto/names.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { action, get, numbers, start, withHeaders } from './fixture.ts';

const handlers: FlightHandlers = {
  doAction: (_action, { peerIdentity }) => peerIdentity,
  doGet: () => numbers(1),
};
const check = staticUsers({ alice: 'secret' });

/** A handshake: sends the payloads one after the other, gives the answers. */
async function handshake(
  channel: GrpcChannel,
  ...payloads: readonly (string | Uint8Array)[]
): Promise<string[]> {
  const call = channel.call(flightMethodPath('Handshake'), () => new BytesDecoder());
  for (const payload of payloads) call.write(bytesMessage(new HandshakeRequest(payload).serialize()));
  call.end();
  const answers: string[] = [];
  for (let next = await call.read(); next !== undefined; next = await call.read()) {
    answers.push(Buffer.from(HandshakeResponse.deserialize(next).payload).toString());
  }
  return answers;
}

const tokenHeader = (token: string): ReturnType<typeof withHeaders> =>
  withHeaders([['auth-token-bin', Buffer.from(token)]]);

describe('an auth handler', () => {
  const authHandler = createBasicAuthHandler({ check, tokens: createOpaqueBearerTokens() });

  it('lets in who has its token, and nobody else', async () => {
    await using running = await start(handlers, { authHandler });
    const { channel } = running;
    await assert.rejects(action(channel, 'x'), FlightUnauthenticatedError);
    await assert.rejects(get(channel, 'x').reader.readAll(), FlightUnauthenticatedError);
    await assert.rejects(action(channel, 'x', '', tokenHeader('forged')), FlightUnauthenticatedError);
    await assert.rejects(
      handshake(channel, new BasicAuth('alice', 'wrong').serialize()),
      FlightUnauthenticatedError,
    );
    const [token = ''] = await handshake(channel, new BasicAuth('alice', 'secret').serialize());
    assert.deepEqual(await action(channel, 'x', '', tokenHeader(token)), ['alice']);
  });

  it('may exchange as many messages as it wants, within limits', async () => {
    const counting: ServerAuthHandler = {
      async authenticate(outgoing, incoming) {
        let sum = 0;
        while (sum < 6) {
          sum += Number(Buffer.from(await incoming.read()).toString());
          await outgoing.write(String(sum));
        }
      },
      isValid: (token) => (token.byteLength === 0 ? 'nobody' : 'somebody'),
    };
    await using running = await start(handlers, { authHandler: counting });
    const { channel } = running;
    assert.deepEqual(await handshake(channel, '1', '2', '3'), ['1', '3', '6']);
    await assert.rejects(handshake(channel, '1', '2'), FlightUnauthenticatedError);
    await assert.rejects(
      handshake(channel, ...Array.from({ length: maxHandshakeMessages + 1 }, () => '0')),
      FlightResourceExhaustedError,
    );
    await assert.rejects(
      handshake(channel, new Uint8Array(maxHandshakeMessageBytes + 1)),
      FlightResourceExhaustedError,
    );
    assert.deepEqual(await action(channel, 'x'), ['nobody']);
  });

  it('leaves calls without its token to authenticators, where there are some', async () => {
    const authenticators = createBearerAuthenticator({
      validate: (token) => (token === 'good' ? 'bob' : undefined),
    });
    await using running = await start(handlers, { authHandler, authenticators });
    const { channel } = running;
    const [token = ''] = await handshake(channel, new BasicAuth('alice', 'secret').serialize());
    assert.deepEqual(await action(channel, 'x', '', tokenHeader(token)), ['alice']);
    assert.deepEqual(await action(channel, 'x', '', withHeaders({ authorization: 'Bearer good' })), ['bob']);
    await assert.rejects(action(channel, 'x'), FlightUnauthenticatedError);
  });
});

describe('authenticators', () => {
  it('answer the Basic header of a handshake with a Bearer header', async () => {
    await using running = await start(handlers, {
      authenticators: createBasicBearerAuthenticator({ check, tokens: createOpaqueBearerTokens() }),
    });
    const { channel } = running;
    for (const messages of [0, 1]) {
      const call = channel.call(
        flightMethodPath('Handshake'),
        () => new BytesDecoder(),
        withHeaders({ authorization: formatBasicAuthorization('alice', 'secret') }),
      );
      if (messages === 1) call.write(bytesMessage(new Uint8Array(0)));
      call.end();
      assert.equal(await call.read(), undefined);
      const { metadata } = await call.status;
      const authorization = (await call.headers).get('authorization') ?? metadata.get('authorization') ?? '';
      assert.match(authorization, /^Bearer ./);
      assert.deepEqual(await action(channel, 'x', '', withHeaders({ authorization })), ['alice']);
    }
    await assert.rejects(action(channel, 'x'), FlightUnauthenticatedError);
  });

  it('are asked in order until one knows the credentials', async () => {
    const asked: string[] = [];
    await using running = await start(handlers, {
      authenticators: [
        {
          authenticate: () => {
            asked.push('first');
            return undefined;
          },
        },
        {
          authenticate: () => {
            asked.push('second');
            return Promise.resolve({ identity: 'second', responseHeaders: { 'x-seen': 'yes' } });
          },
        },
        { authenticate: () => assert.fail('it is decided') },
      ],
    });
    assert.deepEqual(await action(running.channel, 'x'), ['second']);
    assert.deepEqual(asked, ['first', 'second']);
  });

  it('that break refuse the call', async () => {
    await using running = await start(handlers, {
      authenticators: {
        authenticate: () => {
          throw new TypeError('broken');
        },
      },
    });
    await assert.rejects(action(running.channel, 'x'), /broken/);
  });
});

describe('mutual TLS', () => {
  const authority = createDevCertificateAuthority();
  const ca = authority.certificate.cert;
  const alice = authority.issueClient({ commonName: 'alice' });
  const certificates = authority.issueServer();

  it('makes the certificate the identity', async () => {
    await using running = await start(
      handlers,
      { tls: { certificates, rootCertificates: ca, verifyClient: 'required' } },
      'grpc+tls://127.0.0.1:0',
      { tls: { rootCertificates: ca, certificate: alice.cert, key: alice.key } },
    );
    assert.deepEqual(await action(running.channel, 'x'), ['alice']);
  });

  it('can be asked for by an authenticator', async () => {
    await using running = await start(
      handlers,
      {
        tls: { certificates, rootCertificates: ca, verifyClient: 'optional' },
        authenticators: createCertificateAuthenticator(),
      },
      'grpc+tls://127.0.0.1:0',
      { tls: { rootCertificates: ca } },
    );
    await assert.rejects(action(running.channel, 'x'), FlightUnauthenticatedError);
  });
});

it('a server without authentication needs no handshake', async () => {
  await using running = await start(handlers);
  await assert.rejects(handshake(running.channel, 'x'), FlightUnimplementedError);
  assert.deepEqual(await action(running.channel, 'x'), ['']);
});

it('a handler of the application serves the handshake by hand', async () => {
  await using running = await start({
    async handshake(incoming, outgoing, context) {
      await outgoing.write(`${context.method}: ${Buffer.from(await incoming.read()).toString()}`);
    },
  });
  assert.deepEqual(await handshake(running.channel, 'hello'), ['Handshake: hello']);
});
