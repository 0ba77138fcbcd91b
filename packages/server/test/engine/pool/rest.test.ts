import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { allocate, free, write } from '../../../src/engine/c-data/native.ts';
import { createWorkerPool } from '../../../src/engine/pool/worker-pool.ts';
import { nowhere } from './nowhere.ts';

const blocks = 4_000;
const blockBytes = 50_000;

it('gives memory that is free back to the system when its last thread has had nothing to do for a while', async () => {
  const pool = createWorkerPool(
    { table: undefined, duckdb: undefined, release: undefined },
    { maxThreads: 3, maxQueued: 0, queueTimeoutMs: 1_000, idleMs: 50 },
  );
  const work = () => pool.run('open', nowhere);
  await Promise.allSettled([work(), work(), work()]);

  // Free memory between blocks that are held: the C library cannot give it back by itself.
  const taken = Array.from({ length: blocks }, () => allocate(blockBytes));
  const ones = new Uint8Array(blockBytes).fill(1);
  for (const address of taken) write(address, ones);
  const held = taken.filter((_, index) => index % 20 === 0);
  for (const address of taken) if (!held.includes(address)) free(address);
  const garbage = new WeakRef({ left: 'by a statement' });
  const before = process.memoryUsage.rss();
  const least = before - (hasGlibc() ? (blocks * blockBytes) / 2 : 0);
  try {
    // Fails by the time limit of the runner where nothing is given back.
    while (process.memoryUsage.rss() > least) await delay(20);
    assert.equal(pool.running, 0);
    while (garbage.deref() !== undefined) await delay(20);
    await assert.rejects(work(), /shared library/, 'one thread stays and works on');
  } finally {
    for (const address of held) free(address);
    await pool.close();
  }
});

/** Other C libraries look after this themselves. */
function hasGlibc(): boolean {
  const { header } = Object(process.report.getReport());
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header;
}
