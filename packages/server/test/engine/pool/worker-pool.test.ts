import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { createWorkerPool } from '../../../src/engine/pool/worker-pool.ts';

it('closes while a thread that was idle is ending', async () => {
  const idleMs = 500;
  const pool = createWorkerPool(
    { table: undefined, duckdb: undefined, release: undefined },
    { maxThreads: 2, maxQueued: 0, queueTimeoutMs: 1000, idleMs },
  );
  const work = () => pool.run('load', { path: '/nowhere/driver.so', entrypoint: undefined });
  const both = [work(), work()];
  await assert.rejects(Promise.race(both));
  await nextTurn();
  // Fires right behind the timer of the thread that was idle first: now it is neither idle nor gone.
  await delay(idleMs);
  await Promise.all([pool.close(), Promise.allSettled(both)]);
  assert.equal(pool.running, 0);
});
