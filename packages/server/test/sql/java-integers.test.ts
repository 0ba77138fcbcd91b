import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { type RunningServer, startServer } from './running-server.ts';

describe('integers of Java, whose driver cuts off what has no room', () => {
  let server: RunningServer;
  let java: FlightSqlClient;
  before(async () => {
    server = await startServer();
    java = server.sql(true, 'grpc-java-netty/1.73.0');
    await java.executeUpdate(
      'CREATE TABLE small (t TINYINT, s SMALLINT, i INTEGER, b BIGINT, ut UTINYINT, us USMALLINT, ui UINTEGER, v VARCHAR)',
    );
  });
  after(() => server.stop());

  const insert = 'INSERT INTO small VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
  const rows = [
    [-128, -32_768, -2_147_483_648, -(2n ** 63n), 0, 0, 0, 'low'],
    [127, 32_767, 2_147_483_647, 2n ** 63n - 1n, 255, 65_535, 4_294_967_295, 'high'],
    [null, null, null, null, null, null, null, null],
  ];

  it('are told as 64 bits wide, others are told the truth', async () => {
    const types = async (client: FlightSqlClient): Promise<string> => {
      await using statement = await client.prepare(insert);
      return (statement.parameterSchema?.fields ?? []).map(({ type }) => String(type)).join(' ');
    };
    assert.equal(await types(java), 'Int64 Int64 Int64 Int64 Int64 Int64 Int64 Utf8');
    assert.equal(await types(server.sql(true)), 'Int8 Int16 Int32 Int64 Uint8 Uint16 Uint32 Utf8');
  });

  it('go into narrow columns, to their bounds', async () => {
    await java.executeUpdate('DELETE FROM small');
    await using statement = await java.prepare(insert);
    assert.equal(await statement.bindRows(rows).executeUpdate(), 3n);
    const found = await java.query('SELECT COLUMNS(*)::VARCHAR FROM small');
    assert.deepEqual(
      found.toArray().map((row) => Object.values(row.toJSON())),
      rows.map((row) => row.map((value) => (value === null ? null : String(value)))),
    );
  });

  it('are of the type that the engine expects, in each run', async () => {
    await using statement = await java.prepare('SELECT chr(?) AS c, typeof(?::INTEGER) AS t');
    statement.bind([65, 1]);
    for (let run = 0; run < 2; run++) {
      assert.deepEqual((await statement.query()).get(0)?.toJSON(), { c: 'A', t: 'INTEGER' });
    }
  });

  for (const [type, value] of [
    ['TINYINT', 128n],
    ['TINYINT', -129n],
    ['SMALLINT', 32_768n],
    ['INTEGER', 2n ** 32n],
    ['INTEGER', -(2n ** 31n) - 1n],
    ['UTINYINT', -1n],
    ['USMALLINT', 65_536n],
    ['UINTEGER', 2n ** 32n],
  ] as const) {
    it(`are refused where ${value} has no room in a ${type}`, async () => {
      await using statement = await java.prepare(`SELECT ?::VARCHAR, ?::${type} AS v`);
      const bound = statement.bindRows([
        ['x', 1n],
        ['y', value],
      ]);
      await assert.rejects(
        bound.query(),
        (error) =>
          error instanceof FlightError &&
          error.code === 'INVALID_ARGUMENT' &&
          error.message.includes(
            `parameter $2 is of type ${type}, which has no room for ${value} (row 2 of those that are bound)`,
          ),
      );
    });
  }

  it('leave nothing of a batch with a number that is too large', async () => {
    await java.executeUpdate('DELETE FROM small');
    await using statement = await java.prepare('INSERT INTO small (t) VALUES (?)');
    await assert.rejects(
      statement.bindRows([[1], [300], [2]]).executeUpdate(),
      /has no room for 300 \(row 2 of/,
    );
    assert.equal((await java.query('SELECT count(*) AS n FROM small')).get(0)?.['n'], 0n);
  });
});
