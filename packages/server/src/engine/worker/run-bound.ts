import { DriverError } from '../adbc/driver.ts';
import { bind, emptyBatch, readBatches, reordered, rowOf, rowsOf } from './bound.ts';
import { execute, inTransaction, runSql, type WorkerDriver } from './driver-calls.ts';
import type { OperationArguments, OpenedResult } from './messages.ts';
import { openStatementResult } from './open-result.ts';
import { countsRows } from './statement-kind.ts';

/** Runs a prepared statement once for each row, or each batch where the driver takes one: how many rows it changed. */
export function executeRows(
  { call, library, release }: WorkerDriver,
  { connection, statement, batches, transaction }: OperationArguments<'executeRows'>,
): bigint {
  const isCounted = countsRows(library, connection, statement);
  return inTransaction(call, connection, transaction, () => {
    let total = 0n;
    let row = 0;
    const list = readBatches(batches, statement);
    const isOne = list.reduce((sum, batch) => sum + batch.rows, 0) === 1;
    for (const batch of list) {
      for (const rows of rowsOf(batch, statement, library !== undefined)) {
        row++;
        try {
          bind(call, statement, rows, release);
          const changed = execute(call, statement, isCounted);
          total = changed < 0n || total < 0n ? -1n : total + changed;
        } catch (error) {
          throw library === undefined || isOne ? error : atRow(error, row);
        }
      }
    }
    return total;
  });
}

/** The driver's error, with the row that it was for. */
function atRow(error: unknown, row: number): unknown {
  if (!(error instanceof DriverError)) return error;
  return new DriverError(error.status, error.message, error.sqlState, row);
}

/** Runs a prepared query with one row of the last of the batches, or with all of it where the driver takes a batch. */
export function queryRow(
  driver: WorkerDriver,
  { connection, statement, batches, row, streamBuffer }: OperationArguments<'queryRow'>,
): OpenedResult {
  const { call, library, release } = driver;
  if (streamBuffer !== undefined) library?.setStreamBuffer(connection, streamBuffer);
  const batch = readBatches(batches, statement).at(-1);
  if (batch === undefined) throw new Error('a query was asked to run with no row');
  bind(call, statement, library === undefined ? batch : rowOf(batch, row, statement), release);
  return openStatementResult(driver, connection, statement);
}

/** Ingests batches, or an empty one where there is none, so that the table is made: how many rows. */
export function ingest(
  { call, release }: WorkerDriver,
  { statement, options, laterOptions = [], batches, order, checked }: OperationArguments<'ingest'>,
): bigint {
  for (const [key, value] of options) call('StatementSetOption', statement, key, value);
  let rows = 0n;
  const list = readBatches(batches, statement);
  for (const batch of list.length === 0 ? [emptyBatch(batches.schema, statement)] : list) {
    bind(call, statement, order === undefined ? batch : reordered(batch, order), release);
    execute(call, statement, false);
    if (checked !== undefined) runSql(call, checked, 'SELECT 1');
    rows += BigInt(batch.rows);
    for (const [key, value] of laterOptions) call('StatementSetOption', statement, key, value);
  }
  return rows;
}
