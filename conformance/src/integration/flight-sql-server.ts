import assert from 'node:assert/strict';
import { CancelFlightInfoResult, FlightInvalidArgumentError, RecordBatchStream } from '@peregrine/flight';
import type { FlightHandlers } from '@peregrine/flight';
import {
  createFlightSqlHandlers,
  parseSqlTicket,
  SqlInfo,
  SqlSupportedTransaction,
} from '@peregrine/flight/sql';
import type { FlightSqlHandlers, SubstraitPlan } from '@peregrine/flight/sql';
import type { Schema } from 'apache-arrow';
import { compareSchemas } from '../integration-json.ts';
import { text } from './expect.ts';
import {
  bytes,
  plan,
  preparedUpdatedRows,
  querySchema,
  savepointId,
  savepointName,
  transactionId,
  transactionSchema,
  updatedRows,
} from './flight-sql-parts.ts';

/** Runs a check of what the client sent; what is wrong is the client's mistake. */
function check(what: () => void): void {
  try {
    what();
  } catch (cause) {
    throw new FlightInvalidArgumentError(`not what the scenario asks for: ${String(cause)}`, { cause });
  }
}

/** ` WITH TXN` in the names of what belongs to a transaction. */
function inTransaction(id: Uint8Array | undefined): boolean {
  if (id === undefined) return false;
  check(() => assert.equal(text(id), text(transactionId)));
  return true;
}

function checkPlan(given: SubstraitPlan): void {
  check(() => assert.deepEqual([text(given.plan), given.version], [text(plan.plan), plan.version]));
}

function schemaOfHandle(handle: Uint8Array): Schema {
  const name = text(handle);
  check(() => assert.match(name, /^(SELECT STATEMENT|SELECT PREPARED STATEMENT|PLAN)( WITH TXN)? HANDLE$/));
  return name.includes('WITH TXN') ? transactionSchema : querySchema;
}

function statement(name: string, id: Uint8Array | undefined): { schema: Schema; handle: Uint8Array } {
  return inTransaction(id)
    ? { schema: transactionSchema, handle: bytes(`${name} WITH TXN HANDLE`) }
    : { schema: querySchema, handle: bytes(`${name} HANDLE`) };
}

const empty = (schema: Schema): RecordBatchStream => new RecordBatchStream([], { schema });

const handlers: FlightSqlHandlers = {
  getFlightInfoStatement({ query, transactionId: id }) {
    check(() => assert.equal(query, 'SELECT STATEMENT'));
    return statement(query, id);
  },
  getSchemaStatement({ query, transactionId: id }) {
    check(() => assert.equal(query, 'SELECT STATEMENT'));
    return statement(query, id).schema;
  },
  getFlightInfoSubstraitPlan({ plan: given, transactionId: id }) {
    checkPlan(given);
    return statement('PLAN', id);
  },
  getSchemaSubstraitPlan({ plan: given, transactionId: id }) {
    checkPlan(given);
    return statement('PLAN', id).schema;
  },
  doGetStatement: (handle) => empty(schemaOfHandle(handle)),
  doPutStatementUpdate({ query, transactionId: id }) {
    check(() => assert.equal(query, 'UPDATE STATEMENT'));
    return inTransaction(id) ? updatedRows.inTransaction : updatedRows.plain;
  },
  doPutSubstraitPlanUpdate({ plan: given, transactionId: id }) {
    checkPlan(given);
    return inTransaction(id) ? updatedRows.inTransaction : updatedRows.plain;
  },

  createPreparedStatement({ query, transactionId: id }) {
    check(() => assert.match(query, /^(SELECT|UPDATE) PREPARED STATEMENT$/));
    return { handle: statement(query, id).handle };
  },
  createPreparedSubstraitPlan({ plan: given, transactionId: id }) {
    checkPlan(given);
    return { handle: statement('PLAN', id).handle };
  },
  closePreparedStatement(handle) {
    check(() => assert.match(text(handle), /^((SELECT|UPDATE) PREPARED STATEMENT|PLAN)( WITH TXN)? HANDLE$/));
  },
  async doPutPreparedStatementQuery({ preparedStatementHandle }, parameters) {
    schemaOfHandle(preparedStatementHandle);
    const table = await parameters.readAll();
    check(() => assert.equal(compareSchemas(querySchema, table.schema), undefined));
    // 1 from C++ and Go, null from Java
    check(() => assert.equal(table.numRows, 1));
    return undefined;
  },
  doPutPreparedStatementUpdate({ preparedStatementHandle }) {
    const name = text(preparedStatementHandle);
    check(() => assert.match(name, /^(UPDATE PREPARED STATEMENT|PLAN)( WITH TXN)? HANDLE$/));
    return name.includes('WITH TXN') ? preparedUpdatedRows.inTransaction : preparedUpdatedRows.plain;
  },
  getFlightInfoPreparedStatement: ({ preparedStatementHandle }) => ({
    schema: schemaOfHandle(preparedStatementHandle),
  }),
  getSchemaPreparedStatement: ({ preparedStatementHandle }) => schemaOfHandle(preparedStatementHandle),
  doGetPreparedStatement: ({ preparedStatementHandle }) => empty(schemaOfHandle(preparedStatementHandle)),

  beginTransaction: () => transactionId,
  endTransaction({ transactionId: id }) {
    inTransaction(id);
  },
  beginSavepoint({ transactionId: id, name }) {
    inTransaction(id);
    check(() => assert.equal(name, savepointName));
    return savepointId;
  },
  endSavepoint({ savepointId: id }) {
    check(() => assert.equal(text(id), text(savepointId)));
  },
  cancelFlightInfo({ info }) {
    const tickets = info.endpoints.map(({ ticket }) => parseSqlTicket(ticket));
    check(() =>
      assert.deepEqual(
        tickets.map((ticket) =>
          ticket?.kind === 'TicketStatementQuery' ? text(ticket.statementHandle) : ticket,
        ),
        ['PLAN HANDLE'],
      ),
    );
    return new CancelFlightInfoResult('CANCELLED');
  },

  getCatalogs: () => [],
  getDbSchemas({ catalog, dbSchemaFilterPattern }) {
    check(() => assert.deepEqual([catalog, dbSchemaFilterPattern], ['catalog', 'db_schema_filter_pattern']));
    return [];
  },
  getTables({ kind: _kind, ...filter }) {
    check(() =>
      assert.deepEqual(filter, {
        catalog: 'catalog',
        dbSchemaFilterPattern: 'db_schema_filter_pattern',
        tableNameFilterPattern: 'table_filter_pattern',
        tableTypes: ['table', 'view'],
        includeSchema: true,
      }),
    );
    return [];
  },
  getTableTypes: () => [],
  getPrimaryKeys: (command) => noKeys(command),
  getExportedKeys: (command) => noKeys(command),
  getImportedKeys: (command) => noKeys(command),
  getCrossReference({ kind: _kind, ...tables }) {
    check(() =>
      assert.deepEqual(tables, {
        pkCatalog: 'pk_catalog',
        pkDbSchema: 'pk_db_schema',
        pkTable: 'pk_table',
        fkCatalog: 'fk_catalog',
        fkDbSchema: 'fk_db_schema',
        fkTable: 'fk_table',
      }),
    );
    return [];
  },
  getXdbcTypeInfo: () => [],
  getSqlInfo: () => ({
    [SqlInfo.FLIGHT_SQL_SERVER_SQL]: false,
    [SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT]: true,
    [SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION]: 'min_version',
    [SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION]: 'max_version',
    [SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION]: SqlSupportedTransaction.SAVEPOINT,
    [SqlInfo.FLIGHT_SQL_SERVER_CANCEL]: true,
    [SqlInfo.FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT]: 42,
    [SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT]: 7,
  }),
};

function noKeys({
  catalog,
  dbSchema,
  table,
}: {
  readonly catalog?: string | undefined;
  readonly dbSchema?: string | undefined;
  readonly table: string;
}): [] {
  check(() => assert.deepEqual([catalog, dbSchema, table], ['catalog', 'db_schema', 'table']));
  return [];
}

/** The server of `flight_sql` and `flight_sql:extension`. */
export function flightSqlHandlers(): FlightHandlers {
  return createFlightSqlHandlers(handlers);
}
