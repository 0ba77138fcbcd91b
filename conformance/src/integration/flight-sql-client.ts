import assert from 'node:assert/strict';
import type { FlightInfo } from '@peregrine/flight';
import { connectSql, sqlSchemas } from '@peregrine/flight/sql';
import type {
  FlightSqlClient,
  PreparedStatement,
  SqlMetadataCommand,
  Transaction,
} from '@peregrine/flight/sql';
import { Int64, makeData, RecordBatch, Struct, type Schema } from 'apache-arrow';
import { compareSchemas } from '../integration-json.ts';
import { text } from './expect.ts';
import {
  plan,
  preparedUpdatedRows,
  querySchema,
  savepointId,
  savepointName,
  transactionId,
  transactionSchema,
  updatedRows,
} from './flight-sql-parts.ts';

function sameSchema(expected: Schema, actual: Schema): void {
  assert.equal(compareSchemas(expected, actual), undefined);
}

/** The result is streamed with this schema and has no rows. */
async function expectEmpty(sql: FlightSqlClient, schema: Schema, info: FlightInfo): Promise<void> {
  const [endpoint] = info.endpoints;
  assert.ok(endpoint);
  const reader = sql.flight.doGet(endpoint.ticket);
  sameSchema(schema, await reader.schema);
  // Java sends one batch without rows
  assert.equal((await reader.readAll()).numRows, 0);
}

/** Each metadata command of `flight_sql`, the schema of its answer, and the commands that ask for that schema alone. */
const metadata: readonly (readonly [SqlMetadataCommand, Schema, ...SqlMetadataCommand[]])[] = [
  [{ kind: 'CommandGetCatalogs' }, sqlSchemas.catalogs, { kind: 'CommandGetCatalogs' }],
  [
    { kind: 'CommandGetDbSchemas', catalog: 'catalog', dbSchemaFilterPattern: 'db_schema_filter_pattern' },
    sqlSchemas.dbSchemas,
    { kind: 'CommandGetDbSchemas' },
  ],
  [
    {
      kind: 'CommandGetTables',
      catalog: 'catalog',
      dbSchemaFilterPattern: 'db_schema_filter_pattern',
      tableNameFilterPattern: 'table_filter_pattern',
      tableTypes: ['table', 'view'],
      includeSchema: true,
    },
    sqlSchemas.tablesWithSchema,
    { kind: 'CommandGetTables', tableTypes: [], includeSchema: true },
  ],
  [{ kind: 'CommandGetTableTypes' }, sqlSchemas.tableTypes, { kind: 'CommandGetTableTypes' }],
  [
    { kind: 'CommandGetPrimaryKeys', catalog: 'catalog', dbSchema: 'db_schema', table: 'table' },
    sqlSchemas.primaryKeys,
    { kind: 'CommandGetPrimaryKeys', table: '' },
  ],
  [
    { kind: 'CommandGetExportedKeys', catalog: 'catalog', dbSchema: 'db_schema', table: 'table' },
    sqlSchemas.exportedKeys,
    { kind: 'CommandGetExportedKeys', table: '' },
  ],
  [
    { kind: 'CommandGetImportedKeys', catalog: 'catalog', dbSchema: 'db_schema', table: 'table' },
    sqlSchemas.importedKeys,
    { kind: 'CommandGetImportedKeys', table: '' },
  ],
  [
    {
      kind: 'CommandGetCrossReference',
      pkCatalog: 'pk_catalog',
      pkDbSchema: 'pk_db_schema',
      pkTable: 'pk_table',
      fkCatalog: 'fk_catalog',
      fkDbSchema: 'fk_db_schema',
      fkTable: 'fk_table',
    },
    sqlSchemas.crossReference,
    { kind: 'CommandGetCrossReference', pkTable: '', fkTable: '' },
  ],
  [{ kind: 'CommandGetXdbcTypeInfo' }, sqlSchemas.xdbcTypeInfo, { kind: 'CommandGetXdbcTypeInfo' }],
  [{ kind: 'CommandGetSqlInfo', info: [0, 3] }, sqlSchemas.sqlInfo, { kind: 'CommandGetSqlInfo', info: [] }],
];

/** A row `id` = 1 in the schema of the results, as parameters. */
function parameters(): RecordBatch {
  const column = makeData({ type: new Int64(), length: 1, nullCount: 0, data: BigInt64Array.of(1n) });
  const type = new Struct(querySchema.fields);
  return new RecordBatch(querySchema, makeData({ type, length: 1, nullCount: 0, children: [column] }));
}

async function expectPreparedQuery(
  sql: FlightSqlClient,
  prepared: PreparedStatement,
  schema: Schema,
): Promise<void> {
  prepared.bind(parameters());
  await expectEmpty(sql, schema, await prepared.execute());
  sameSchema(schema, await prepared.executeSchema());
  await prepared.close();
}

async function expectPreparedUpdate(prepared: PreparedStatement, rows: bigint): Promise<void> {
  assert.equal(await prepared.executeUpdate(), rows);
  await prepared.close();
}

/** The client of `flight_sql`. */
export async function flightSqlClient(location: string): Promise<void> {
  await using sql = connectSql(location);
  for (const [command, schema, ...forSchema] of metadata) {
    const info = await sql.getFlightInfo(command);
    await expectEmpty(sql, schema, info);
    for (const each of forSchema) sameSchema(schema, await sql.getSchema(each));
  }
  sameSchema(
    sqlSchemas.tables,
    await sql.getSchema({ kind: 'CommandGetTables', tableTypes: [], includeSchema: false }),
  );

  await expectEmpty(sql, querySchema, await sql.execute('SELECT STATEMENT'));
  sameSchema(querySchema, await sql.executeSchema('SELECT STATEMENT'));
  assert.equal(await sql.executeUpdate('UPDATE STATEMENT'), updatedRows.plain);
  await expectPreparedQuery(sql, await sql.prepare('SELECT PREPARED STATEMENT'), querySchema);
  await expectPreparedUpdate(await sql.prepare('UPDATE PREPARED STATEMENT'), preparedUpdatedRows.plain);
}

/** The client of `flight_sql:extension`. */
export async function flightSqlExtensionClient(location: string): Promise<void> {
  await using sql = connectSql(location);
  const values = await sql.getSqlInfo([4, 5, 6, 7, 8, 9, 100, 101]);
  assert.deepEqual(
    [...values].sort(([a], [b]) => a - b),
    [
      [4, false],
      [5, true],
      [6, 'min_version'],
      [7, 'max_version'],
      [8, 2],
      [9, true],
      [100, 42],
      [101, 7],
    ],
  );

  await expectEmpty(sql, querySchema, await sql.executeSubstrait(plan));
  sameSchema(querySchema, await sql.executeSubstraitSchema(plan));
  assert.equal(await sql.cancelQuery(await sql.executeSubstrait(plan)), 'CANCELLED');
  assert.equal(await sql.executeSubstraitUpdate(plan), updatedRows.plain);
  await expectPreparedQuery(sql, await sql.prepareSubstrait(plan), querySchema);
  await expectPreparedUpdate(await sql.prepareSubstrait(plan), preparedUpdatedRows.plain);

  const transaction = await sql.beginTransaction();
  assert.equal(text(transaction.id), text(transactionId));
  const savepoint = await transaction.beginSavepoint(savepointName);
  assert.equal(text(savepoint.id), text(savepointId));
  await expectInTransaction(sql, transaction);
  await savepoint.rollback();
  await (await transaction.beginSavepoint(savepointName)).release();
  await transaction.commit();
  await (await sql.beginTransaction()).rollback();
}

async function expectInTransaction(sql: FlightSqlClient, transaction: Transaction): Promise<void> {
  const options = { transaction };
  await expectEmpty(sql, transactionSchema, await sql.execute('SELECT STATEMENT', options));
  await expectEmpty(sql, transactionSchema, await sql.executeSubstrait(plan, options));
  sameSchema(transactionSchema, await sql.executeSchema('SELECT STATEMENT', options));
  sameSchema(transactionSchema, await sql.executeSubstraitSchema(plan, options));
  assert.equal(await sql.executeUpdate('UPDATE STATEMENT', options), updatedRows.inTransaction);
  assert.equal(await sql.executeSubstraitUpdate(plan, options), updatedRows.inTransaction);
  const rows = preparedUpdatedRows.inTransaction;
  await expectPreparedQuery(sql, await sql.prepare('SELECT PREPARED STATEMENT', options), transactionSchema);
  await expectPreparedQuery(sql, await sql.prepareSubstrait(plan, options), transactionSchema);
  await expectPreparedUpdate(await sql.prepare('UPDATE PREPARED STATEMENT', options), rows);
  await expectPreparedUpdate(await sql.prepareSubstrait(plan, options), rows);
}
