import assert from 'node:assert/strict';
import { it } from 'node:test';
import { staticUsers } from '../../src/auth/static-users.ts';

it('a fixed list of users accepts exactly its passwords', async () => {
  const check = staticUsers({ alice: 'one', bob: '' });
  assert.equal(await check('alice', 'one'), 'alice');
  assert.equal(await check('alice', 'two'), undefined);
  assert.equal(await check('alice', ''), undefined);
  assert.equal(await check('bob', ''), 'bob');
  assert.equal(await check('carol', ''), undefined);
  assert.equal(await check('toString', ''), undefined);
});
