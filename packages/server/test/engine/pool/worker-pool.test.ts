import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { createWorkerPool } from '../../../src/engine/pool/worker-pool.ts';
import { nowhere } from './nowhere.ts';

it('closes while a thread that was idle is ending', async () => {
  const idleMs = 500;
  const pool = createWorkerPool(
    { table: undefined, duckdb: undefined, release: undefined },
    { maxThreads: 2, maxQueued: 0, queueTimeoutMs: 1000, idleMs },
  );
  const work = () => pool.run('open', nowhere);
  const both = [work(), work()];
  await assert.rejects(Promise.race(both));
  await nextTurn();
  // Fires right behind the timer of the thread that was idle first: now it is neither idle nor gone.
  await delay(idleMs);
  await Promise.all([pool.close(), Promise.allSettled(both)]);
  assert.equal(pool.running, 0);
});

it('lets others have the place of what was given up, as often as there are places', async () => {
  const pool = createWorkerPool(
    { table: undefined, duckdb: undefined, release: undefined },
    { maxThreads: 1, maxQueued: 10, queueTimeoutMs: 60_000, idleMs: 60_000 },
  );
  const begun: string[] = [];
  const giveUps: (() => void)[] = [];
  // What fails takes its time all the same: the file is looked for by the system.
  const run = (name: string): Promise<unknown> =>
    pool
      .run(
        'open',
        { ...nowhere, path: `/there-is-no-${name}` },
        {
          onStart(giveUp) {
            begun.push(name);
            giveUps.push(giveUp);
          },
        },
      )
      .catch(() => undefined);
  const runs = ['a', 'b', 'c', 'd'].map(run);
  assert.deepEqual(begun, ['a']);
  giveUps[0]?.();
  assert.deepEqual(begun, ['a', 'b']);
  // Twice is once.
  giveUps[0]?.();
  // One has given up its place already, which is as many as there are.
  giveUps[1]?.();
  assert.deepEqual(begun, ['a', 'b']);
  await Promise.all(runs);
  assert.deepEqual(begun, ['a', 'b', 'c', 'd']);
  assert.equal(pool.running, 0);
  await pool.close();
});

it('is free for the next as soon as whoever waited is answered', async () => {
  const pool = createWorkerPool(
    { table: undefined, duckdb: undefined, release: undefined },
    { maxThreads: 1, maxQueued: 0, queueTimeoutMs: 1000, idleMs: 1000 },
  );
  const reasons: string[] = [];
  for (let i = 0; i < 3; i++) {
    await pool.run('open', nowhere).catch((error: unknown) => reasons.push(String(error)));
    assert.equal(pool.running, 0);
  }
  for (const reason of reasons) assert.match(reason, /load/);
  await pool.close();
});

it('has one of its threads do a last thing, when none works any more', async () => {
  const pool = createWorkerPool(
    { table: undefined, duckdb: undefined, release: undefined },
    { maxThreads: 2, maxQueued: 0, queueTimeoutMs: 1000, idleMs: 1000 },
  );
  const running = pool.run('open', nowhere).catch(() => 'failed');
  let isDone = false;
  await pool.close(async (thread) => {
    assert.equal(pool.running, 1, 'this one');
    await assert.rejects(thread.run('open', nowhere), /load/);
    isDone = true;
  });
  assert.ok(isDone);
  assert.equal(await running, 'failed');
});
