import assert from 'node:assert/strict';
import { FlightInvalidArgumentError } from '@peregrine/flight';
import { connectSql, createFlightSqlHandlers, SqlInfo } from '@peregrine/flight/sql';
import { Int64, makeData, RecordBatch, Struct } from 'apache-arrow';
import { compareSchemas } from '../integration-json.ts';
import { bytes, ingestSchema } from './flight-sql-parts.ts';
import type { Scenario } from './scenario.ts';

const options = {
  table: 'test_table',
  ifMissing: 'create',
  ifExists: 'replace',
  schema: 'test_schema',
  catalog: 'test_catalog',
  temporary: true,
  options: { key1: 'val1', key2: 'val2' },
} as const;
const transaction = bytes('123');
const rows = 3;

/** Three nulls. */
function ingestBatch(): RecordBatch {
  const column = makeData({
    type: new Int64(),
    length: rows,
    nullCount: rows,
    data: new BigInt64Array(rows),
    nullBitmap: new Uint8Array(1),
  });
  const type = new Struct(ingestSchema.fields);
  return new RecordBatch(ingestSchema, makeData({ type, length: rows, nullCount: 0, children: [column] }));
}

/** Bulk ingest with every option. */
export const flightSqlIngestion: Scenario = {
  name: 'flight_sql:ingestion',
  server: () => ({
    handlers: createFlightSqlHandlers({
      async doPutStatementIngest({ kind: _kind, transactionId, ...command }, reader) {
        const table = await reader.readAll();
        try {
          assert.deepEqual(command, options);
          assert.deepEqual(Buffer.from(transactionId ?? []), Buffer.from(transaction));
          assert.equal(compareSchemas(ingestSchema, table.schema), undefined);
        } catch (cause) {
          throw new FlightInvalidArgumentError(`not what the scenario asks for: ${String(cause)}`, { cause });
        }
        return table.numRows;
      },
      getSqlInfo: () => ({
        [SqlInfo.FLIGHT_SQL_SERVER_BULK_INGESTION]: true,
        [SqlInfo.FLIGHT_SQL_SERVER_INGEST_TRANSACTIONS_SUPPORTED]: true,
      }),
    }),
  }),
  client: async (location) => {
    await using sql = connectSql(location);
    assert.deepEqual(Object.fromEntries(await sql.getSqlInfo([11, 10])), { 10: true, 11: true });
    assert.equal(await sql.executeIngest(ingestBatch(), { ...options, transaction }), BigInt(rows));
  },
};
