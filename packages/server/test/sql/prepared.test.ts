import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import type { PreparedStatement } from '@peregrine/flight/sql';
import { startServer } from './running-server.ts';

it('refuses parameters when those of all prepared statements take too much', async () => {
  const server = await startServer({ maxPreparedBytes: 3_000 });
  try {
    const sql = server.sql();
    const lengthOf = async (statement: PreparedStatement, length: number): Promise<unknown> =>
      (await statement.bind(['x'.repeat(length)]).query()).get(0)?.['n'];
    const one = await sql.prepare('SELECT length(?) AS n');
    const two = await sql.prepare('SELECT length(?) AS n');
    assert.equal(await lengthOf(one, 1_500), 1_500n);
    await assert.rejects(
      lengthOf(two, 1_500),
      (error) =>
        error instanceof FlightError &&
        error.code === 'RESOURCE_EXHAUSTED' &&
        error.message.includes('more would pass the limit of 3000; run and close some first'),
    );
    assert.equal(await lengthOf(two, 100), 100n);
    assert.equal(await lengthOf(one, 100), 100n);
    assert.equal(await lengthOf(two, 1_500), 1_500n);
    await two.close();
    assert.equal(await lengthOf(one, 1_500), 1_500n);
  } finally {
    await server.stop();
  }
});
