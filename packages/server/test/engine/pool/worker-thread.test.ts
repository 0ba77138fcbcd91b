import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FlightUnavailableError } from '@peregrine/flight';
import { startWorker } from '../../../src/engine/pool/worker-thread.ts';
import type { WorkerSetup } from '../../../src/engine/worker/messages.ts';
import { nowhere } from './nowhere.ts';

/** A setup that the thread's program cannot take, so that it ends by an error. */
const impossible: WorkerSetup = { table: undefined, duckdb: '/there/is/no/library', release: undefined };

it('closes a thread that ends by an error meanwhile', async () => {
  let exits = 0;
  const thread = startWorker(impossible, () => {
    exits += 1;
  });
  await thread.close();
  assert.equal(exits, 1);
  assert.equal(thread.isAlive, false);
  // Once more is nothing.
  await thread.close();
});

it('fails what a thread was asked for that ends by an error', async () => {
  const thread = startWorker(impossible, () => undefined);
  await assert.rejects(
    thread.run('open', nowhere),
    (error) => error instanceof FlightUnavailableError && /a thread of the engine ended/.test(error.message),
  );
  await thread.close();
});
