import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { FlightError } from '@peregrine/flight';
import { createDuckDbEngine } from '../../../src/engine/duckdb.ts';
import { createControlThread } from '../../../src/engine/pool/control-thread.ts';
import { nowhere } from './nowhere.ts';

const setup = { table: undefined, duckdb: undefined, release: undefined };

describe('the thread that cancels', () => {
  it('is started a moment after its engine, or when something is asked of it', async () => {
    const asked = createControlThread(setup);
    assert.equal(asked.isLoaded, false);
    await assert.rejects(asked.run('open', nowhere), /load/);
    assert.equal(asked.isLoaded, true);
    await asked.close();

    const waited = createControlThread(setup);
    const end = performance.now() + 10_000;
    while (!waited.isLoaded && performance.now() < end) await delay(10);
    assert.equal(waited.isLoaded, true);
    await waited.close();
  });

  it('is not started when its engine is closed before', async () => {
    const closed = createControlThread(setup);
    await closed.close();
    await delay(1_300);
    assert.equal(closed.isLoaded, false);
  });

  it('cancels a statement without end that begins with the engine', async () => {
    const engine = await createDuckDbEngine();
    try {
      const connection = await engine.connect();
      const cancel = new AbortController();
      const endless = connection.execute(
        'CREATE TABLE t AS SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range + b.range = -1',
        { signal: cancel.signal },
      );
      setTimeout(() => cancel.abort(), 10);
      await assert.rejects(endless, (error) => error instanceof FlightError && error.code === 'CANCELLED');
      await connection.close();
    } finally {
      await engine.close();
    }
  });
});
