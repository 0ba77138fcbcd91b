import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createOpaqueBearerTokens, createSignedBearerTokens } from '../../src/auth/bearer-tokens.ts';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { clock } from '../clock.ts';

describe('opaque bearer tokens', () => {
  it('stand for the identity they were issued to', async () => {
    const tokens = createOpaqueBearerTokens();
    const alice = await tokens.issue('alice');
    const bob = await tokens.issue('bob');
    assert.equal(await tokens.validate(alice), 'alice');
    assert.equal(await tokens.validate(bob), 'bob');
    assert.equal(await tokens.validate(`${alice}x`), undefined);
    assert.equal(await tokens.validate(''), undefined);
  });

  it('are one a login, so that many clients of a user do not disturb each other', async () => {
    const tokens = createOpaqueBearerTokens();
    const first = await tokens.issue('alice');
    const second = await tokens.issue('alice');
    assert.notEqual(first, second);
    await tokens.revoke(first);
    assert.equal(await tokens.validate(first), undefined);
    assert.equal(await tokens.validate(second), 'alice');
  });

  it('end when unused, and live on with use', async () => {
    const { now, advance } = clock();
    const tokens = createOpaqueBearerTokens({ idleLifetimeMs: 100, now });
    const token = await tokens.issue('alice');
    advance(99);
    assert.equal(await tokens.validate(token), 'alice');
    advance(99);
    assert.equal(await tokens.validate(token), 'alice');
    advance(100);
    assert.equal(await tokens.validate(token), undefined);
    assert.equal(await tokens.validate(token), undefined);
  });

  it('are bounded: expired ones make room, live ones do not', async () => {
    const { now, advance } = clock();
    const tokens = createOpaqueBearerTokens({ idleLifetimeMs: 100, maxTokens: 2, now });
    const first = await tokens.issue('a');
    await tokens.issue('b');
    assert.throws(() => tokens.issue('c'), FlightResourceExhaustedError);
    advance(50);
    await tokens.validate(first);
    advance(50);
    const third = await tokens.issue('c');
    assert.equal(await tokens.validate(first), 'a');
    assert.equal(await tokens.validate(third), 'c');
    assert.throws(() => tokens.issue('d'), FlightResourceExhaustedError);
  });

  it('refuse limits that make no sense', () => {
    assert.throws(() => createOpaqueBearerTokens({ idleLifetimeMs: 0 }), FlightInvalidArgumentError);
    assert.throws(() => createOpaqueBearerTokens({ maxTokens: Number.NaN }), FlightInvalidArgumentError);
  });
});

describe('signed bearer tokens', () => {
  const key = randomBytes(32);

  it('are good in every server with the same key', async () => {
    const token = await createSignedBearerTokens({ key }).issue('älice');
    assert.equal(await createSignedBearerTokens({ key }).validate(token), 'älice');
    assert.equal(await createSignedBearerTokens({ key: randomBytes(32) }).validate(token), undefined);
  });

  it('end', async () => {
    const { now, advance } = clock();
    const tokens = createSignedBearerTokens({ key, lifetimeMs: 100, now });
    const token = await tokens.issue('alice');
    advance(99);
    assert.equal(await tokens.validate(token), 'alice');
    advance(1);
    assert.equal(await tokens.validate(token), undefined);
    assert.equal(await createSignedBearerTokens({ key, clockSkewMs: 50, now }).validate(token), 'alice');
  });

  it('cannot be changed: no byte of them', async () => {
    const tokens = createSignedBearerTokens({ key });
    const token = await tokens.issue('alice');
    for (let index = 0; index < token.length - 1; index += 1) {
      const changed = `${token.slice(0, index)}${token[index] === 'A' ? 'B' : 'A'}${token.slice(index + 1)}`;
      assert.equal(await tokens.validate(changed), undefined, `character ${index}`);
    }
    for (const bad of ['', '.', 'abc', 'abc.', `${token}.${token}`, token.slice(0, -2)]) {
      assert.equal(await tokens.validate(bad), undefined, bad);
    }
  });

  it('refuse times that make no sense, and those without an end', () => {
    const key = randomBytes(32);
    for (const lifetimeMs of [0, Number.NaN, Infinity]) {
      assert.throws(() => createSignedBearerTokens({ key, lifetimeMs }), FlightInvalidArgumentError);
    }
    for (const clockSkewMs of [-1, Number.NaN, Infinity]) {
      assert.throws(() => createSignedBearerTokens({ key, clockSkewMs }), FlightInvalidArgumentError);
    }
  });

  it('need a key that cannot be guessed', () => {
    assert.throws(() => createSignedBearerTokens({ key: randomBytes(16) }), FlightInvalidArgumentError);
    const text = 'a text of more than thirty-two characters' as never;
    assert.throws(() => createSignedBearerTokens({ key: text }), FlightInvalidArgumentError);
  });
});
