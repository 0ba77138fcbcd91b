// Our Flight SQL client against arrow-rs' example server, which knows one table and answers everything the same way.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectSql, SqlInfo, XdbcDataType } from '@peregrine/flight/sql';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { Schema } from 'apache-arrow';
import { rustProgram, startPeer } from './peers.ts';
import type { Peer } from './peers.ts';
import { refused } from './integration/expect.ts';

/** The example listens there and nowhere else. */
const location = 'grpc+tcp://127.0.0.1:50051';

describe("our Flight SQL client against arrow-rs' example server", () => {
  let server: Peer;
  let sql: FlightSqlClient;
  before(async () => {
    server = startPeer(rustProgram('flight_sql_server'), []);
    await server.line(/^Listening on/);
    sql = connectSql(location);
    await sql.flight.waitForAvailable();
    await sql.flight.authenticateBasicToken('admin', 'password', { keepToken: true });
  });
  after(async () => {
    await sql.close();
    await server.stop();
  });

  it('reads metadata', async () => {
    assert.deepEqual(await sql.getCatalogs(), ['flight_sql']);
    const schemas = [{ catalogName: 'flight_sql', dbSchemaName: 'example' }];
    assert.deepEqual(await sql.getDbSchemas({ dbSchemaFilterPattern: 'ex%' }), schemas);
    assert.deepEqual(await sql.getDbSchemas({ catalog: 'another' }), []);
    const [table] = await sql.getTables({ includeSchema: true });
    assert.deepEqual([table?.tableName, table?.tableType, table?.schema?.fields], ['table', 'TABLE', []]);
    assert.equal((await sql.getTables())[0]?.schema, undefined);
    assert.equal((await sql.getXdbcTypeInfo(XdbcDataType.XDBC_INTEGER))[0]?.typeName, 'INTEGER');
    assert.equal((await sql.getSqlInfo()).get(SqlInfo.FLIGHT_SQL_SERVER_NAME), 'Example Flight SQL Server');
  });

  it('runs prepared statements, whose tickets are of the server alone', async () => {
    await using prepared = await sql.prepare('SELECT 1');
    assert.deepEqual(prepared.datasetSchema?.names, ['salutation']);
    assert.equal(prepared.parameterSchema, undefined);
    const table = await prepared.query();
    assert.deepEqual([...(table.getChild('salutation') ?? [])], ['Hello, FlightSQL!']);
  });

  it('runs updates and ingests', async () => {
    assert.equal(await sql.executeUpdate('DELETE FROM t'), 1n);
    assert.equal(await sql.executeIngest({ schema: new Schema([]), batches: [] }, { table: 't' }), 1n);
  });

  it('hears what is not implemented', async () => {
    await refused(sql.execute('SELECT 1'), 'UNIMPLEMENTED');
    await refused(sql.getTableTypes(), 'UNIMPLEMENTED');
    await refused(sql.beginTransaction(), 'UNIMPLEMENTED');
  });
});
