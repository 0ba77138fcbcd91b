import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { type FlightSqlClient, Transaction } from '@peregrine/flight/sql';
import { type RunningServer, startServer } from './running-server.ts';

function hasCode(code: string, text: string): (error: unknown) => boolean {
  return (error) => error instanceof FlightError && error.code === code && error.message.includes(text);
}

describe('a transaction in which a statement failed', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  before(async () => {
    server = await startServer();
    sql = server.sql();
    await sql.executeUpdate('CREATE TABLE kept (a INTEGER PRIMARY KEY)');
  });
  after(() => server.stop());

  async function rows(): Promise<number> {
    return (await sql.query('SELECT a FROM kept')).numRows;
  }

  it('is not said to be committed', async () => {
    const transaction = await sql.beginTransaction();
    await sql.executeUpdate('INSERT INTO kept VALUES (1)', { transaction });
    await assert.rejects(sql.executeUpdate("INSERT INTO kept SELECT error('no')", { transaction }));
    await assert.rejects(transaction.commit(), hasCode('ABORTED', 'nothing was committed'));
    assert.equal(await rows(), 0);
    await assert.rejects(sql.query('SELECT 1', { transaction }), hasCode('ABORTED', 'begin another'));
  });

  it('is committed when what failed did nothing, such as a misspelt name', async () => {
    const transaction = await sql.beginTransaction();
    await sql.executeUpdate('INSERT INTO kept VALUES (1)', { transaction });
    await assert.rejects(sql.query('SELECT * FROM missing', { transaction }));
    await transaction.commit();
    assert.equal(await rows(), 1);
    await sql.executeUpdate('DELETE FROM kept');
  });

  it('may be rolled back by its client after the commit has failed, once', async () => {
    const winner = await sql.beginTransaction();
    const loser = await sql.beginTransaction();
    await sql.executeUpdate('INSERT INTO kept VALUES (2)', { transaction: winner });
    await sql.executeUpdate('INSERT INTO kept VALUES (2)', { transaction: loser });
    await winner.commit();
    await assert.rejects(loser.commit(), hasCode('FAILED_PRECONDITION', 'duplicate key'));
    const again = (): Transaction => new Transaction(sql.flight, loser.id);
    await assert.rejects(again().commit(), hasCode('ABORTED', 'begin another'));
    await again().rollback();
    await assert.rejects(again().rollback(), hasCode('NOT_FOUND', 'transaction'));
    await sql.executeUpdate('DELETE FROM kept');
  });

  for (const commit of ['COMMIT', 'end transaction']) {
    it(`is not said to be committed by ${commit}, and ends with ROLLBACK`, async () => {
      const own = server.sql(true);
      await own.executeUpdate('BEGIN');
      await own.executeUpdate('INSERT INTO kept VALUES (3)');
      await assert.rejects(own.executeUpdate("INSERT INTO kept SELECT error('no')"));
      await assert.rejects(own.executeUpdate(commit), hasCode('ABORTED', 'send ROLLBACK'));
      await assert.rejects(own.query(commit), hasCode('ABORTED', 'send ROLLBACK'));
      await using prepared = await own.prepare(commit);
      await assert.rejects(prepared.executeUpdate(), hasCode('ABORTED', 'send ROLLBACK'));
      await own.executeUpdate('ROLLBACK');
      await own.executeUpdate('BEGIN');
      await own.executeUpdate('INSERT INTO kept VALUES (4)');
      await own.executeUpdate(commit);
      assert.equal(await rows(), 1);
      await sql.executeUpdate('DELETE FROM kept');
    });
  }
});
