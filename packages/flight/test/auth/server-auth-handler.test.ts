import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createOpaqueBearerTokens } from '../../src/auth/bearer-tokens.ts';
import { createBasicAuthHandler } from '../../src/auth/server-auth-handler.ts';
import { staticUsers } from '../../src/auth/static-users.ts';
import { FlightUnauthenticatedError } from '../../src/errors.ts';
import { BasicAuth } from '../../src/model/index.ts';

describe('the basic handshake', () => {
  const handler = createBasicAuthHandler({
    check: staticUsers({ arrow: 'flight' }),
    tokens: createOpaqueBearerTokens(),
  });

  async function shake(payload: Uint8Array): Promise<Uint8Array | string | undefined> {
    let answer: Uint8Array | string | undefined;
    await handler.authenticate(
      {
        write: (bytes) => {
          answer = bytes;
          return Promise.resolve();
        },
      },
      { read: () => Promise.resolve(payload) },
    );
    return answer;
  }

  it('gives a token for a name and its password', async () => {
    // BasicAuth { username 2: "arrow", password 3: "flight" }, as C++ sends it
    const token = await shake(Buffer.from('12056172726f771a06666c69676874', 'hex'));
    assert.ok(token);
    assert.equal(await handler.isValid(Buffer.from(token)), 'arrow');
  });

  it('refuses a wrong password, and what is no BasicAuth', async () => {
    await assert.rejects(shake(new BasicAuth('arrow', 'bow').serialize()), FlightUnauthenticatedError);
    await assert.rejects(shake(Uint8Array.of(0xff)), FlightUnauthenticatedError);
  });

  it('refuses calls without a token, or with another', async () => {
    await assert.rejects(async () => handler.isValid(new Uint8Array(0)), FlightUnauthenticatedError);
    await assert.rejects(async () => handler.isValid(Uint8Array.of(0xff, 0)), FlightUnauthenticatedError);
  });
});
