import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { prepareStore } from '../../src/store/store.ts';
import { engine, folder, useStore } from './opened-store.ts';

describe('a store that has not looked yet', () => {
  useStore();

  it('has no tables before it looks', async () => {
    await writeFile(join(folder, 'a.csv'), 'x\n1\n');
    const { store, look } = await prepare(Infinity);
    assert.deepEqual(store.tables(), []);
    await look();
    assert.deepEqual(
      store.tables().map(({ name }) => name),
      ['a'],
    );
    await store.close();
  });

  it('looks no more when it was closed while it looked', async () => {
    const { store, look } = await prepare(10);
    const looking = look();
    await store.close();
    await looking;
    await writeFile(join(folder, 'late.csv'), 'x\n1\n');
    await delay(200);
    assert.deepEqual(store.tables(), []);
  });

  it('is closed without having looked', async () => {
    const { store } = await prepare(Infinity);
    await store.close();
  });
});

async function prepare(pollMs: number): Promise<{
  readonly store: Awaited<ReturnType<typeof prepareStore>>['store'];
  readonly look: () => Promise<void>;
}> {
  const prepared = await prepareStore({ paths: [folder], engine, pollMs });
  return { store: prepared.store, look: () => prepared.look() };
}
