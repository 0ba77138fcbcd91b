import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { formatBasicAuthorization } from '../../src/auth/basic-credentials.ts';
import { createOpaqueBearerTokens } from '../../src/auth/bearer-tokens.ts';
import {
  type CallCredentials,
  createBasicBearerAuthenticator,
  createBearerAuthenticator,
  createCertificateAuthenticator,
} from '../../src/auth/call-authenticator.ts';
import { createDevCertificateAuthority } from '../../src/auth/dev-certificates.ts';
import { createBasicAuthHandler } from '../../src/auth/server-auth-handler.ts';
import { staticUsers } from '../../src/auth/static-users.ts';
import { FlightInternalError, FlightUnauthenticatedError } from '../../src/errors.ts';
import { Metadata } from '../../src/grpc/index.ts';

function credentials(authorization?: string, more: Partial<CallCredentials> = {}): CallCredentials {
  return {
    method: 'Handshake',
    headers: Metadata.from(authorization === undefined ? {} : { authorization }),
    peer: 'ipv4:127.0.0.1:1',
    peerCertificate: undefined,
    ...more,
  };
}

describe('Basic and Bearer', () => {
  const check = staticUsers({ alice: 'secret' });
  const basic = formatBasicAuthorization('alice', 'secret');

  it('answers a login with a token that later calls are known by', async () => {
    const authenticator = createBasicBearerAuthenticator({ check, tokens: createOpaqueBearerTokens() });
    const login = await authenticator.authenticate(credentials(basic));
    assert.equal(login?.identity, 'alice');
    const authorization = login.responseHeaders?.['authorization'];
    assert.match(authorization ?? '', /^Bearer ./);
    const later = await authenticator.authenticate(credentials(authorization, { method: 'DoGet' }));
    assert.deepEqual(later, { identity: 'alice' });
  });

  it('issues no token to calls other than a login, unless told to', async () => {
    const call = credentials(basic, { method: 'DoGet' });
    const once = createBasicBearerAuthenticator({ check, tokens: createOpaqueBearerTokens() });
    assert.deepEqual(await once.authenticate(call), { identity: 'alice' });
    const always = createBasicBearerAuthenticator({
      check,
      tokens: createOpaqueBearerTokens(),
      issueTokens: 'every-call',
    });
    assert.ok((await always.authenticate(call))?.responseHeaders?.['authorization']);
  });

  it('refuses wrong passwords and tokens, and leaves other schemes to others', async () => {
    const authenticator = createBasicBearerAuthenticator({ check, tokens: createOpaqueBearerTokens() });
    for (const wrong of [formatBasicAuthorization('alice', 'x'), 'Bearer nonsense']) {
      await assert.rejects(
        async () => authenticator.authenticate(credentials(wrong)),
        FlightUnauthenticatedError,
      );
    }
    assert.equal(await authenticator.authenticate(credentials()), undefined);
    assert.equal(await authenticator.authenticate(credentials('Negotiate abc')), undefined);
    assert.equal(await authenticator.authenticate(credentials('Basic nonsense')), undefined);
  });
});

it('tokens that were issued elsewhere are judged by a function', async () => {
  const authenticator = createBearerAuthenticator({
    validate: (token) => (token === 'good' ? 'alice' : undefined),
  });
  assert.deepEqual(await authenticator.authenticate(credentials('Bearer good')), { identity: 'alice' });
  await assert.rejects(
    async () => authenticator.authenticate(credentials('Bearer bad')),
    FlightUnauthenticatedError,
  );
  assert.equal(await authenticator.authenticate(credentials('Basic good')), undefined);
  assert.equal(await authenticator.authenticate(credentials()), undefined);
});

it('certificates are judged by their name', async () => {
  const { cert } = createDevCertificateAuthority().issueClient({ commonName: 'alice' });
  const call = credentials(undefined, { peerCertificate: new X509Certificate(cert) });
  assert.deepEqual(await createCertificateAuthenticator().authenticate(call), { identity: 'alice' });
  assert.equal(await createCertificateAuthenticator().authenticate(credentials()), undefined);
  const strict = createCertificateAuthenticator({ identify: () => undefined });
  await assert.rejects(async () => strict.authenticate(call), FlightUnauthenticatedError);
});

it('only a text says who calls: what programs without types answer instead lets nobody in', async () => {
  const { cert } = createDevCertificateAuthority().issueClient();
  const peerCertificate = new X509Certificate(cert);
  for (const [answer, expected] of [
    [null, FlightUnauthenticatedError],
    [false, FlightUnauthenticatedError],
    [true, FlightInternalError],
    [{}, FlightInternalError],
  ] as const) {
    const give = (): never => answer as never;
    const tokens = { issue: () => 'token', validate: give, revoke: () => undefined };
    const bearer = credentials('Bearer x', { peerCertificate });
    const basic = credentials(formatBasicAuthorization('alice', 'x'));
    const judged = [
      createBearerAuthenticator({ validate: give }).authenticate(bearer),
      createBasicBearerAuthenticator({ check: give, tokens }).authenticate(bearer),
      createBasicBearerAuthenticator({ check: give, tokens }).authenticate(basic),
      createBasicAuthHandler({ check: give, tokens }).isValid(new Uint8Array(1)),
      (async () => createCertificateAuthenticator({ identify: give }).authenticate(bearer))(),
    ];
    for (const judgement of judged) await assert.rejects(async () => judgement, expected);
  }
});
