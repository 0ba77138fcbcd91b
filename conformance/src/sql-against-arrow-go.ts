// Our Flight SQL client against arrow-go's example server over SQLite.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectSql, readColumnMetadata, SqlInfo, SqlSupportedTransaction } from '@peregrine/flight/sql';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { tableFromArrays } from 'apache-arrow';
import type { Table } from 'apache-arrow';
import { refused } from './integration/expect.ts';
import { goProgram, startPeer } from './peers.ts';
import type { Peer } from './peers.ts';

const column = (table: Table, name: string): unknown[] => [...(table.getChild(name) ?? [])];

describe("our Flight SQL client against arrow-go's server over SQLite", () => {
  let server: Peer;
  let sql: FlightSqlClient;
  before(async () => {
    server = startPeer(goProgram('sqlite_flightsql_server'), ['-host', '127.0.0.1']);
    const [, address = ''] = await server.line(/^Starting SQLite Flight SQL Server on (\S+)/);
    sql = connectSql(`grpc+tcp://${address}`);
    await sql.flight.waitForAvailable();
  });
  after(async () => {
    await sql.close();
    await server.stop();
  });

  it('reads metadata', async () => {
    assert.deepEqual(await sql.getCatalogs(), ['main']);
    assert.deepEqual(await sql.getDbSchemas(), [{ catalogName: 'main', dbSchemaName: '' }]);
    assert.deepEqual(await sql.getTableTypes(), ['table']);
    const [table] = await sql.getTables({ tableNameFilterPattern: 'int%', includeSchema: true });
    assert.equal(table?.tableName, 'intTable');
    const [id] = table?.schema?.fields ?? [];
    assert.equal(readColumnMetadata(id?.metadata ?? new Map()).tableName, 'intTable');
    assert.equal((await sql.getPrimaryKeys({ table: 'intTable' }))[0]?.columnName, 'id');
    const keys = [
      await sql.getImportedKeys({ table: 'intTable' }),
      await sql.getExportedKeys({ table: 'foreignTable' }),
      await sql.getCrossReference({ pkTable: 'foreignTable', fkTable: 'intTable' }),
    ];
    for (const [key] of keys) {
      assert.deepEqual(
        [key?.pkTableName, key?.fkTableName, key?.fkColumnName, key?.updateRule],
        ['foreignTable', 'intTable', 'foreignId', 'NO_ACTION'],
      );
    }
    const types = await sql.getXdbcTypeInfo();
    assert.ok(types.some(({ typeName, dataType }) => typeName === 'bigint' && dataType === -5));
    const info = await sql.getSqlInfo();
    assert.equal(info.get(SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION), SqlSupportedTransaction.TRANSACTION);
    const functions = info.get(SqlInfo.SQL_STRING_FUNCTIONS);
    assert.ok(Array.isArray(functions) && functions.includes('LOWER'));
    assert.ok(info.get(SqlInfo.SQL_SUPPORTS_CONVERT) instanceof Map);
  });

  it('runs queries, with parameters and without', async () => {
    const all = await sql.query('SELECT * FROM intTable');
    assert.deepEqual(column(all, 'keyName'), ['one', 'zero', 'negative one', null]);
    const one = 'SELECT keyName FROM intTable WHERE value = ?';
    assert.deepEqual(column(await sql.query(one, { parameters: [-1] }), 'keyName'), ['negative one']);
    await using prepared = await sql.prepare('SELECT value FROM intTable WHERE keyName = ?');
    assert.deepEqual(column(await prepared.bind(['one']).query(), 'value'), [1n]);
    assert.deepEqual(column(await prepared.bind(['zero']).query(), 'value'), [0n]);
  });

  it('runs updates, once for each row of parameters', async () => {
    assert.equal(await sql.executeUpdate("INSERT INTO intTable (keyName, value) VALUES ('x', 9)"), 1n);
    await using prepared = await sql.prepare('INSERT INTO intTable (keyName, value) VALUES (?, ?)');
    prepared.bindRows([
      ['a', 5],
      ['b', 6],
    ]);
    assert.equal(await prepared.executeUpdate(), 2n);
    assert.equal(await sql.executeUpdate('DELETE FROM intTable WHERE value IN (5, 6, 9)'), 3n);
  });

  it('rolls back what was not committed', async () => {
    {
      await using transaction = await sql.beginTransaction();
      await sql.executeUpdate('DELETE FROM intTable', { transaction });
      assert.equal((await sql.query('SELECT * FROM intTable', { transaction })).numRows, 0);
    }
    assert.equal((await sql.query('SELECT * FROM intTable')).numRows, 4);
  });

  it('hears errors, and what is not implemented', async () => {
    await refused(sql.query('SELECT * FROM nowhere'));
    await refused(sql.executeSchema('SELECT 1'), 'UNIMPLEMENTED');
    await refused(sql.executeIngest(tableFromArrays({ a: [1] }), { table: 't' }), 'UNIMPLEMENTED');
  });
});
