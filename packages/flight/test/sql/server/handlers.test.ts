// What the server base makes of handlers that go on for ever, or give nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlightInternalError, FlightTimedOutError } from '../../../src/errors.ts';
import { until } from '../../server/fixture.ts';
import { startSql } from '../fixture.ts';

describe('handlers of Flight SQL', () => {
  it('are stopped in the middle of metadata rows when the client has left', async () => {
    let isOver = false;
    await using both = await startSql({
      async *getCatalogs() {
        try {
          for (let i = 0; i < 100_000; i++) yield await sleep(1, `c${i}`);
        } finally {
          isOver = true;
        }
      },
    });
    await assert.rejects(both.sql.getCatalogs({ timeoutMs: 100 }), FlightTimedOutError);
    await until(() => isOver, 'the generator has ended');
  });

  it('hear of what they forgot to give', async () => {
    // what programs without types do
    const forgetful: object = {
      getCatalogs: () => undefined,
      getTableTypes: async () => undefined,
      getSqlInfo: () => undefined,
      getFlightInfoStatement: () => undefined,
      getSchemaStatement: () => undefined,
      pollFlightInfoStatement: () => undefined,
      doPutStatementUpdate: () => undefined,
      createPreparedStatement: () => undefined,
      beginTransaction: () => undefined,
    };
    await using both = await startSql(forgetful);
    const { sql } = both;
    for (const call of [
      () => sql.getCatalogs(),
      () => sql.getTableTypes(),
      () => sql.getSqlInfo(),
      () => sql.execute('x'),
      () => sql.executeSchema('x'),
      () => sql.pollExecute('x'),
      () => sql.executeUpdate('x'),
      () => sql.prepare('x'),
      () => sql.beginTransaction(),
    ]) {
      await assert.rejects(
        call,
        (error) =>
          error instanceof FlightInternalError &&
          /the handler gave (?:undefined|no bytes)/.test(error.message),
        String(call),
      );
    }
  });

  it('give no id of a transaction that clients would take for none', async () => {
    await using both = await startSql({ beginTransaction: () => new Uint8Array(0) });
    await assert.rejects(both.sql.beginTransaction(), FlightInternalError);
  });
});
