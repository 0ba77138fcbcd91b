import { type Driver, DriverError, handleBytes } from '../adbc/driver.ts';
import type { DuckDbLibrary } from '../adbc/duckdb-library.ts';
import { type Address, allocate, free, peek, peekedLong, writeLong } from '../c-data/native.ts';
import type { ReleaseFunctions } from '../c-data/write-structs.ts';
import type { DriverOption } from './messages.ts';

/** Calls a function of the driver. */
export type Call = Driver['call'];

/** What operations work with. */
export interface WorkerDriver {
  readonly call: Call;
  /** DuckDB's C API; undefined where the driver is another's. */
  readonly library: DuckDbLibrary | undefined;
  /** Release functions for what the driver is given; undefined: nothing can be given to it. */
  readonly release: ReleaseFunctions | undefined;
}

/** A handle that is filled by the driver; freed when that fails. */
export function open(fill: (handle: Address) => void): Address {
  const handle = allocate(handleBytes);
  try {
    fill(handle);
    return handle;
  } catch (error) {
    free(handle);
    throw error;
  }
}

/** Releases and frees a handle; a driver that cannot release has nobody left to tell. */
export function close(handle: Address, release: () => void): undefined {
  quietly(release);
  free(handle);
  return undefined;
}

/** Opens a database that has its options. */
export function openDatabase(call: Call, options: readonly DriverOption[]): Address {
  return open((database) => {
    call('DatabaseNew', database);
    try {
      for (const [key, value] of options) call('DatabaseSetOption', database, key, value);
      call('DatabaseInit', database);
    } catch (error) {
      quietly(() => call('DatabaseRelease', database));
      throw error;
    }
  });
}

/** Opens a connection of a database. */
export function openConnection(call: Call, database: Address): Address {
  return open((connection) => {
    call('ConnectionNew', connection);
    try {
      call('ConnectionInit', connection, database);
    } catch (error) {
      quietly(() => call('ConnectionRelease', connection));
      throw error;
    }
  });
}

/** Lets a driver fail that has nobody to tell. */
export function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
  }
}

/** Runs work in a transaction of its own: committed when it is done, rolled back when it fails. */
export function inTransaction<T>(call: Call, connection: Address, wanted: boolean, work: () => T): T {
  if (!wanted) return work();
  runSql(call, connection, 'BEGIN TRANSACTION');
  let result: T;
  try {
    result = work();
  } catch (error) {
    quietly(() => runSql(call, connection, 'ROLLBACK'));
    throw error;
  }
  runSql(call, connection, 'COMMIT');
  return result;
}

/** Has a statement for as long as the work on it takes. */
export function withStatement<T>(
  call: Call,
  connection: Address,
  sql: string,
  work: (statement: Address) => T,
): T {
  const statement = open((handle) => call('StatementNew', connection, handle));
  try {
    call('StatementSetSqlQuery', statement, sql);
    return work(statement);
  } finally {
    close(statement, () => call('StatementRelease', statement));
  }
}

/** Runs SQL for its effect. */
export function runSql(call: Call, connection: Address, sql: string): void {
  withStatement(call, connection, sql, (statement) => execute(call, statement, false));
}

/** Runs what a statement holds: how many rows it changed, -1n where that is not asked for or known. */
export function execute(call: Call, statement: Address, countsRows: boolean): bigint {
  const affected = allocate(8);
  try {
    writeLong(affected, -1);
    call('StatementExecuteQuery', statement, 0, affected);
    peek(affected, 8);
    const rows = peekedLong(0);
    return BigInt(countsRows ? rows : -1);
  } finally {
    free(affected);
  }
}
