import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError, FlightResourceExhaustedError } from '../../../src/errors.ts';
import { maxSessionOptions } from '../../../src/limits/server.ts';
import { createMemorySessionStore } from '../../../src/server/sessions/session-store.ts';
import { clock } from '../../clock.ts';

describe('sessions in memory', () => {
  it('keep options and state under an id that cannot be guessed', async () => {
    const store = createMemorySessionStore();
    const session = await store.create('alice');
    await session.setOption('catalog', 'main');
    await session.setOption('limit', 5n);
    session.state.set('transaction', 7);
    assert.ok(session.id.length >= 32);
    const found = await store.get(session.id);
    assert.equal(found?.identity, 'alice');
    assert.deepEqual(
      [...(found?.options ?? [])],
      [
        ['catalog', 'main'],
        ['limit', 5n],
      ],
    );
    assert.equal(found?.state.get('transaction'), 7);
    await session.removeOption('catalog');
    assert.deepEqual([...(found?.options.keys() ?? [])], ['limit']);
    assert.equal(await store.get('other'), undefined);
    await store.closeAll();
  });

  it('end when closed, telling those who hold something for them', async () => {
    const store = createMemorySessionStore();
    const session = await store.create('');
    const ended: string[] = [];
    session.onEnd(() => ended.push('first'));
    session.onEnd(() => ended.push('second'));
    assert.equal(await store.close(session.id), true);
    assert.equal(await store.close(session.id), false);
    assert.equal(await store.get(session.id), undefined);
    assert.deepEqual(ended, ['first', 'second']);
  });

  it('report a listener that throws, and tell the others', async () => {
    const store = createMemorySessionStore();
    const session = await store.create('');
    let told = false;
    session.onEnd(() => {
      throw new Error('broken');
    });
    session.onEnd(() => {
      told = true;
    });
    const events: unknown[] = [];
    const subscriber = (event: unknown): void => void events.push(event);
    subscribe('peregrine:server:error', subscriber);
    try {
      await store.closeAll();
    } finally {
      unsubscribe('peregrine:server:error', subscriber);
    }
    assert.equal(told, true);
    assert.equal(events.length, 1);
  });

  it('end when unused, and live on with use', async () => {
    const { now, advance } = clock();
    const store = createMemorySessionStore({ idleMs: 100, now });
    const session = await store.create('');
    let ended = false;
    session.onEnd(() => {
      ended = true;
    });
    advance(99);
    assert.ok(await store.get(session.id));
    advance(99);
    assert.ok(await store.get(session.id));
    advance(100);
    assert.equal(await store.get(session.id), undefined);
    assert.equal(ended, true);
    await store.closeAll();
  });

  it('end when unused also when no call comes any more', async () => {
    const store = createMemorySessionStore({ idleMs: 1 });
    const session = await store.create('');
    // the sweep holds no process alive, this does
    const alive = setInterval(() => undefined, 1000);
    await new Promise<void>((resolve) => session.onEnd(resolve));
    clearInterval(alive);
    assert.equal(await store.get(session.id), undefined);
  });

  it('are bounded in number and in options', async () => {
    const { now, advance } = clock();
    const store = createMemorySessionStore({ maxSessions: 2, idleMs: 100, now });
    const session = await store.create('');
    await store.create('');
    assert.throws(() => store.create(''), FlightResourceExhaustedError);
    advance(100);
    await store.create('');
    for (let index = 0; index < maxSessionOptions; index += 1)
      await session.setOption(`option ${index}`, true);
    await session.setOption('option 0', false);
    assert.throws(() => session.setOption('one more', true), FlightResourceExhaustedError);
    await store.closeAll();
  });

  it('do not expire while they are held', async () => {
    const { now, advance } = clock();
    const store = createMemorySessionStore({ idleMs: 100, now });
    const [held, other] = [await store.create(''), await store.create('')];
    const ended: string[] = [];
    held.onEnd(() => ended.push('held'));
    other.onEnd(() => ended.push('other'));
    const releases = [store.hold?.(held.id), store.hold?.(held.id)];
    advance(500);
    await store.create('');
    assert.deepEqual(ended, ['other']);
    releases[0]?.();
    releases[0]?.();
    advance(500);
    await store.create('');
    assert.deepEqual(ended, ['other']);
    releases[1]?.();
    advance(99);
    assert.equal(await store.get(held.id), held);
    advance(100);
    assert.equal(await store.get(held.id), undefined);
    assert.deepEqual(ended, ['other', 'held']);
    store.hold?.('unknown')();
    await store.closeAll();
  });

  it('refuse limits that make no sense', () => {
    assert.throws(() => createMemorySessionStore({ idleMs: 0 }), FlightInvalidArgumentError);
    assert.throws(() => createMemorySessionStore({ maxSessions: Number.NaN }), FlightInvalidArgumentError);
  });
});
