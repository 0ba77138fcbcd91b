import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSignedBearerTokens } from '../../src/auth/bearer-tokens.ts';
import {
  createMemoryTokenRevocations,
  type SignedToken,
  type TokenRevocations,
} from '../../src/auth/token-revocations.ts';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../../src/errors.ts';

const key = randomBytes(32);

describe('a signed token that is taken back', () => {
  it('is refused from then on, and no other token of the same identity', async () => {
    const tokens = createSignedBearerTokens({ key });
    const [first, second] = [await tokens.issue('alice'), await tokens.issue('alice')];
    await tokens.revoke(first);
    await tokens.revoke(first);
    assert.equal(await tokens.validate(first), undefined);
    assert.equal(await tokens.validate(second), 'alice');
  });

  it('is refused by all servers that share the revocations, which may answer later', async () => {
    const revoked = new Set<string>();
    const revocations: TokenRevocations = {
      revoke: async ({ id }) => {
        await Promise.resolve();
        revoked.add(id);
      },
      isRevoked: ({ id }) => Promise.resolve(revoked.has(id)),
    };
    const [one, other] = [
      createSignedBearerTokens({ key, revocations }),
      createSignedBearerTokens({ key, revocations }),
    ];
    const token = await one.issue('alice');
    assert.equal(await other.validate(token), 'alice');
    await other.revoke(token);
    assert.equal(await one.validate(token), undefined);
    assert.equal(await createSignedBearerTokens({ key }).validate(token), 'alice');
  });

  it('may be known by its identity', async () => {
    const asked: SignedToken[] = [];
    const tokens = createSignedBearerTokens({
      key,
      lifetimeMs: 1000,
      now: () => 5000,
      revocations: {
        revoke: () => undefined,
        isRevoked: (token) => {
          asked.push(token);
          return token.identity === 'mallory';
        },
      },
    });
    assert.equal(await tokens.validate(await tokens.issue('mallory')), undefined);
    assert.equal(await tokens.validate(await tokens.issue('alice')), 'alice');
    assert.deepEqual(
      asked.map(({ identity, expiresAt }) => [identity, expiresAt]),
      [
        ['mallory', 6000],
        ['alice', 6000],
      ],
    );
    assert.notEqual(asked[0]?.id, asked[1]?.id);
  });

  it('takes no room when it is forged or has ended', async () => {
    let time = 0;
    const tokens = createSignedBearerTokens({
      key,
      lifetimeMs: 10,
      now: () => time,
      revocations: { revoke: () => assert.fail('nothing is to be remembered'), isRevoked: () => false },
    });
    const ended = await tokens.issue('alice');
    time = 10;
    await tokens.revoke(ended);
    await tokens.revoke('nonsense');
    await tokens.revoke(
      await createSignedBearerTokens({ key: randomBytes(32), now: () => time }).issue('alice'),
    );
  });

  it('stays taken back as long as clocks that are apart let it live', async () => {
    let time = 0;
    const tokens = createSignedBearerTokens({ key, lifetimeMs: 100, clockSkewMs: 50, now: () => time });
    const token = await tokens.issue('alice');
    await tokens.revoke(token);
    for (time = 0; time < 200; time += 10) {
      await tokens.revoke(await tokens.issue('bob'));
      assert.equal(await tokens.validate(token), undefined, `at ${time}`);
    }
  });
});

describe('revocations in memory', () => {
  it('are bounded: those of tokens that have ended make room, others do not', () => {
    let time = 0;
    const revocations = createMemoryTokenRevocations({ maxTokens: 3, now: () => time });
    const token = (id: string, expiresAt: number): SignedToken => ({ id, identity: 'alice', expiresAt });
    for (const id of ['a', 'b', 'c']) void revocations.revoke(token(id, id === 'b' ? 10 : 100));
    assert.throws(() => revocations.revoke(token('d', 100)), FlightResourceExhaustedError);
    void revocations.revoke(token('a', 100));
    time = 10;
    void revocations.revoke(token('d', 100));
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => revocations.isRevoked(token(id, 100))),
      [true, false, true, true],
    );
  });

  it('do not grow with tokens that have ended', () => {
    let time = 0;
    const revocations = createMemoryTokenRevocations({ maxTokens: 5000, now: () => time });
    for (let index = 0; index < 50_000; index += 1) {
      time = index;
      void revocations.revoke({ id: String(index), identity: 'alice', expiresAt: index + 100 });
    }
    assert.equal(revocations.isRevoked({ id: '49999', identity: 'alice', expiresAt: 50_099 }), true);
    assert.equal(revocations.isRevoked({ id: '0', identity: 'alice', expiresAt: 100 }), false);
  });

  it('refuse limits that make no sense', () => {
    assert.throws(() => createMemoryTokenRevocations({ maxTokens: 0 }), FlightInvalidArgumentError);
  });
});
