import { type Driver, driverAt } from '../adbc/driver.ts';
import { loadDuckDbLibrary } from '../adbc/duckdb-library.ts';
import type { Address } from '../c-data/native.ts';
import { closeStatement } from './bound.ts';
import { getInfo, getObjects, getOption, getTableSchema } from './catalog-calls.ts';
import {
  close,
  execute,
  open,
  openConnection,
  openDatabase,
  quietly,
  runSql,
  type WorkerDriver,
  withStatement,
} from './driver-calls.ts';
import { failureOf } from './failure.ts';
import { insertAtOnce } from './insert-at-once.ts';
import type { OperationTable, WorkerSetup } from './messages.ts';
import { openDriver } from './open-driver.ts';
import { openResult, openStatementResult } from './open-result.ts';
import { describeQueries, prepare } from './prepare.ts';
import { closeResult, nextBatches } from './results.ts';
import { executeRows, ingest, queryRow } from './run-bound.ts';
import { countsRows } from './statement-kind.ts';
import { checkText } from './statement-text.ts';

/** The operations of a worker. */
export function createOperations(setup: WorkerSetup): OperationTable {
  let loaded: Driver | undefined = setup.table === undefined ? undefined : driverAt(setup.table);
  const library = setup.duckdb === undefined ? undefined : loadDuckDbLibrary(setup.duckdb);
  const call: Driver['call'] = (name, ...values) => {
    if (loaded === undefined) throw new Error('the driver has not been loaded yet');
    loaded.call(name, ...values);
  };
  const driver: WorkerDriver = { call, library, release: setup.release };

  return {
    open(args) {
      const opened = openDriver(args, library);
      loaded = driverAt(opened.table);
      return opened;
    },
    openDatabase: ({ options }) => openDatabase(call, options),
    closeDatabase: ({ database }) => close(database, () => call('DatabaseRelease', database)),
    openConnection: ({ database }) => openConnection(call, database),
    closeConnection: ({ connection }) => close(connection, () => call('ConnectionRelease', connection)),
    getOption: (args) => getOption(call, args),
    setOption({ connection, key, value }) {
      call('ConnectionSetOption', connection, key, value);
      return undefined;
    },
    endTransaction({ connection, commit }) {
      call(commit ? 'ConnectionCommit' : 'ConnectionRollback', connection);
      return undefined;
    },
    cancel({ connection, statement }) {
      quietly(() => call('ConnectionCancel', connection));
      // Connections of other drivers cancel what is theirs only.
      if (library === undefined && statement !== undefined) quietly(() => call('StatementCancel', statement));
      return undefined;
    },
    progress({ connection }) {
      if (library === undefined) return undefined;
      const percent = library.progress(connection);
      // -1 before the statement runs, and 0 for as long as DuckDB cannot tell, which may be to its end: `range()`.
      return percent <= 0 ? undefined : Math.min(1, percent / 100);
    },
    newStatement: ({ connection }) => open((statement) => call('StatementNew', connection, statement)),
    closeStatement: ({ statement }) => closeStatement(call, statement),
    prepare: (args) => prepare(driver, args),
    describe: (args) => describeQueries(driver, args),
    execute({ connection, statement, sql }) {
      if (sql !== undefined) setText(driver, connection, statement, sql);
      return execute(call, statement, countsRows(library, connection, statement));
    },
    executeAlone: ({ connection, sql }) => executeAlone(driver, connection, sql),
    executeEach: ({ connection, statements }) =>
      statements.map((sql) => {
        try {
          executeAlone(driver, connection, sql);
          return undefined;
        } catch (error) {
          return failureOf(error);
        }
      }),
    query({ connection, statement, sql, streamBuffer }) {
      if (streamBuffer !== undefined) library?.setStreamBuffer(connection, streamBuffer);
      if (sql !== undefined) setText(driver, connection, statement, sql);
      return openStatementResult(driver, connection, statement);
    },
    executeRows: (args) => executeRows(driver, args),
    queryRow: (args) => queryRow(driver, args),
    insertAtOnce: (args) => insertAtOnce(driver, args),
    ingest: (args) => ingest(driver, args),
    getObjects: (args) => getObjects(call, args),
    getInfo: (args) => getInfo(call, args),
    getTableTypes: ({ connection }) =>
      openResult((result) => call('ConnectionGetTableTypes', connection, result)),
    getTableSchema: (args) => getTableSchema(call, args),
    next: nextBatches,
    closeResult({ result, connection }) {
      closeResult(result);
      // DuckDB frees what a query has read, and ends its transaction, when its connection gets the next statement.
      if (connection !== undefined && library !== undefined) {
        quietly(() => runSql(call, connection, 'SELECT 1'));
      }
      return undefined;
    },
  };
}

function setText(
  { call, library }: WorkerDriver,
  connection: Address,
  statement: Address,
  sql: string,
): void {
  checkText(library, connection, sql);
  call('StatementSetSqlQuery', statement, sql);
}

/** Runs SQL by a statement of its own. */
function executeAlone({ call, library }: WorkerDriver, connection: Address, sql: string): bigint {
  checkText(library, connection, sql);
  return withStatement(call, connection, sql, (statement) =>
    execute(call, statement, countsRows(library, connection, statement)),
  );
}
