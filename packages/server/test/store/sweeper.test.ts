import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FlightUnavailableError } from '@peregrine/flight';
import { createLocalStorage } from '../../src/store/local-storage.ts';
import type { Storage } from '../../src/store/storage.ts';
import { createSweeper } from '../../src/store/sweeper.ts';
import { newPartName } from '../../src/store/writer-id.ts';

let folder: string;
let storage: Storage;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-sweeper-'));
  storage = createLocalStorage(folder);
});
afterEach(() => rm(folder, { recursive: true }));

/** A part of a process that is gone: the largest process number that there can be is nobody's. */
async function leavePart(): Promise<void> {
  await mkdir(join(folder, 'd.peregrine'), { recursive: true });
  const name = newPartName('.parquet').replace(/\.\d+\./, '.4194304.');
  await writeFile(join(folder, 'd.peregrine', name), 'rows');
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

describe('The sweeper', () => {
  it('removes at the start, and what comes to be later at intervals', async () => {
    const sweeper = createSweeper(storage, 'store', { retainMs: 0, sweepMs: 10 });
    await leavePart();
    await sweeper.start();
    assert.deepEqual(await readdir(folder), []);
    // An object that a bucket finished when its writer was gone.
    for (let times = 0; times < 2; times += 1) {
      await leavePart();
      await until(async () => !(await readdir(folder)).includes('d.peregrine'));
    }
    await sweeper.stop();
    await leavePart();
    assert.deepEqual(await readdir(folder), ['d.peregrine']);
  });

  it('sweeps once where it is told to', async () => {
    const sweeper = createSweeper(storage, 'store', { retainMs: 0, sweepMs: Infinity });
    await leavePart();
    await sweeper.start();
    assert.deepEqual(await readdir(folder), []);
    await sweeper.stop();
  });

  it('tells what it could not do, until it can', async () => {
    const { list } = storage;
    storage.list = () => Promise.reject(new FlightUnavailableError('s3://b cannot be reached'));
    const sweeper = createSweeper(storage, 'store', { retainMs: 0, sweepMs: 10 });
    await sweeper.start();
    assert.deepEqual(sweeper.problem(), {
      origin: 'store',
      message: 'what is not needed any more could not be removed: s3://b cannot be reached',
    });
    storage.list = list;
    await until(async () => sweeper.problem() === undefined);
    await sweeper.stop();
  });
});
