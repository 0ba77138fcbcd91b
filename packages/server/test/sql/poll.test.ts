import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlightError } from '@peregrine/flight';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { type RunningServer, startServer } from './running-server.ts';

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof FlightError && error.code === code;
}

async function until(isSo: () => boolean): Promise<void> {
  const end = Date.now() + 300_000;
  while (!isSo()) {
    assert.ok(Date.now() < end, 'it does not become so');
    await sleep(5);
  }
}

describe('PollFlightInfo over DuckDB', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  before(async () => {
    server = await startServer();
    sql = server.sql();
  });
  after(() => server.stop());

  async function count(query: string): Promise<number> {
    return Number((await sql.query(query)).getChildAt(0)?.get(0));
  }

  it('polls a long query until it is done, and cancels one', async () => {
    const info = await sql.executePolled('SELECT count(*) AS n FROM range(30000000) a WHERE a.range % 3 = 1');
    assert.equal(Number((await sql.readAll(info)).getChildAt(0)?.get(0)), 10_000_000);
    const endless = 'SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3';
    const poll = await sql.pollExecute(endless);
    assert.equal(poll.isComplete, false);
    assert.ok(poll.info !== undefined && poll.descriptor !== undefined);
    assert.ok((poll.expirationTime?.getTime() ?? 0) > Date.now(), 'until when it can be polled');
    const { progress } = await sql.poll(poll.descriptor);
    assert.equal((await sql.cancelFlightInfo(poll.info)).status, 'CANCELLED');
    // DuckDB does not know how far range() is, and nothing is made up for it.
    assert.equal(progress, undefined);
    await assert.rejects(sql.poll(poll.descriptor), hasCode('NOT_FOUND'));
    await until(() => server.engine.statistics.running === 0);
  });

  it('stops a query whose client gives up before it learns the handle, and its transaction goes on', async () => {
    const transaction = await sql.beginTransaction();
    const abort = new AbortController();
    const endless = 'SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3';
    const refused = assert.rejects(
      sql.pollExecute(endless, { transaction, signal: abort.signal }),
      hasCode('CANCELLED'),
    );
    await until(() => server.engine.statistics.running === 1);
    abort.abort();
    await refused;
    await transaction.rollback();
    await until(() => server.engine.statistics.connections === 0);
  });

  for (const [what, statement] of [
    ['a query', (rows: string) => `SELECT count(*) FROM (${rows})`],
    ['a statement that changes something', (rows: string) => `CREATE TABLE not_made AS ${rows}`],
    ['one that gives rows back', (rows: string) => `INSERT INTO polled_into ${rows} RETURNING h`],
  ] as const) {
    it(`tells how far ${what} is, always more, until it is stopped`, async () => {
      await sql.executeUpdate(
        'CREATE OR REPLACE TABLE polled_from AS SELECT range AS i FROM range(10000000)',
      );
      await sql.executeUpdate('CREATE OR REPLACE TABLE polled_into (h VARCHAR)');
      const rows =
        "SELECT sha256(repeat('x', 1000) || i) AS h FROM polled_from WHERE sha256(repeat('y', 1000) || i) > '1'";
      let poll = await sql.pollExecute(statement(rows));
      const { info } = poll;
      assert.ok(info !== undefined);
      const told: number[] = [];
      while (new Set(told).size < 3) {
        assert.ok(poll.descriptor !== undefined, 'it takes long');
        poll = await sql.poll(poll.descriptor);
        if (poll.progress !== undefined) told.push(poll.progress);
      }
      assert.deepEqual(
        told,
        [...told].sort((a, b) => a - b),
      );
      assert.ok(told.every((progress) => progress > 0 && progress < 1));
      assert.equal((await sql.cancelFlightInfo(info)).status, 'CANCELLED');
      await until(() => server.engine.statistics.running === 0);
      assert.equal(await count('SELECT count(*) FROM polled_into'), 0);
    });
  }

  it('gives the same answer again to who polls a query that is done, as the first may have been lost', async () => {
    let poll = await sql.pollExecute('SELECT count(*) AS n FROM range(300000000) a WHERE a.range % 3 = 1');
    const { descriptor, info } = poll;
    assert.ok(descriptor !== undefined && info !== undefined);
    while (!poll.isComplete) poll = await sql.poll(descriptor);
    const again = await sql.poll(descriptor);
    assert.ok(again.isComplete && again.progress === 1);
    assert.deepEqual(again.info?.endpoints, poll.info?.endpoints);
    // with what the first poll gave, by who has not heard that it is done
    assert.equal((await sql.cancelFlightInfo(info)).status, 'CANCELLED');
    assert.ok(again.info !== undefined);
    await assert.rejects(sql.readAll(again.info), hasCode('CANCELLED'));
  });

  it('stops a query that nobody polls any more', async () => {
    const impatient = await startServer({ ticketLifeMs: 1500 });
    try {
      const poll = await impatient
        .sql()
        .pollExecute('SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3');
      assert.equal(poll.isComplete, false);
      await until(() => impatient.engine.statistics.running === 0);
    } finally {
      await impatient.stop();
    }
  });
});
