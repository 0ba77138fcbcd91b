import { type Driver, driverAt, loadDriver } from '../adbc/driver.ts';
import { borrowReleaseFunctions } from '../c-data/borrowed-release.ts';
import type { Address } from '../c-data/native.ts';
import type { ReleaseFunctions } from '../c-data/write-structs.ts';
import { type Call, close, openConnection, openDatabase, withStatement } from './driver-calls.ts';
import { closeResult, newResult } from './results.ts';

/**
 * See {@link borrowReleaseFunctions}: of a database that is open, or of one that is opened for it.
 *
 * @param driver - the driver of the open database; undefined: none has been loaded
 */
export function borrow(
  { path, database }: { readonly path: string; readonly database: Address | undefined },
  driver: Driver | undefined,
): ReleaseFunctions | undefined {
  const lender =
    driver !== undefined && database !== undefined ? driver : driverAt(loadDriver(path, 'duckdb_adbc_init'));
  const call: Call = (name, ...values) => lender.call(name, ...values);
  const lent = database ?? openDatabase(call, []);
  try {
    const connection = openConnection(call, lent);
    try {
      return withStatement(call, connection, 'SELECT 1', (statement) => {
        const result = newResult();
        try {
          call('StatementExecuteQuery', statement, result, 0);
          return borrowReleaseFunctions(result);
        } finally {
          closeResult(result);
        }
      });
    } finally {
      close(connection, () => call('ConnectionRelease', connection));
    }
  } finally {
    if (database === undefined) close(lent, () => call('DatabaseRelease', lent));
  }
}
