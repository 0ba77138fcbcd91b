// What becomes of calls whose clients give up while they run.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlightCancelledError } from '@peregrine/flight';
import { tableFromArrays } from 'apache-arrow';
import { withConnect } from '../../src/engine/with-connect.ts';
import { startServer } from './running-server.ts';

describe('Flight SQL over DuckDB', () => {
  it('begins no transaction for a client that has given up, which would join it unknowing', async () => {
    let opening = (): void => undefined;
    const isOpening = new Promise<void>((resolve) => {
      opening = resolve;
    });
    let open = (): void => undefined;
    const mayOpen = new Promise<void>((resolve) => {
      open = resolve;
    });
    let isHeld = true;
    const slow = await startServer({}, (engine) =>
      withConnect(engine, async () => {
        const connection = await engine.connect();
        if (!isHeld) return connection;
        isHeld = false;
        opening();
        await mayOpen;
        return connection;
      }),
    );
    try {
      const client = slow.sql();
      const abort = new AbortController();
      const refused = assert.rejects(client.beginTransaction({ signal: abort.signal }), FlightCancelledError);
      await isOpening;
      abort.abort();
      await refused;
      // the same connection: when this is answered, the server has read that the call before was cancelled
      await client.flight.doAction('ping').toArray();
      open();
      while (slow.engine.statistics.connections > 0) await sleep(5);
      await client.executeIngest(tableFromArrays({ i: [1] }), { table: 'kept' });
      const kept = await slow.sql().query('SELECT i FROM kept');
      assert.equal(kept.numRows, 1);
    } finally {
      open();
      await slow.stop();
    }
  });
});
