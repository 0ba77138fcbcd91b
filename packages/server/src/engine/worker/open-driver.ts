import { type Driver, driverAt, loadDriver } from '../adbc/driver.ts';
import type { DuckDbLibrary } from '../adbc/duckdb-library.ts';
import type { ReleaseFunctions } from '../c-data/write-structs.ts';
import { borrow } from './borrow.ts';
import { type Call, close, openConnection, openDatabase } from './driver-calls.ts';
import type { OpenedDatabase, OperationArguments } from './messages.ts';

/**
 * Loads a driver, opens a database and connects.
 *
 * @param library - DuckDB's C API; undefined where the driver is another's
 */
export function openDriver(
  { path, entrypoint, options, helper }: OperationArguments<'open'>,
  library: DuckDbLibrary | undefined,
): OpenedDatabase {
  const table = loadDriver(path, entrypoint);
  const driver = driverAt(table);
  const call: Call = (name, ...values) => driver.call(name, ...values);
  const database = openDatabase(call, options);
  try {
    const release = library === undefined ? borrowFrom(helper, driver) : borrow({ path, database }, driver);
    const connection = openConnection(call, database);
    return { table, database, release, connection, version: library?.version() };
  } catch (error) {
    close(database, () => call('DatabaseRelease', database));
    throw error;
  }
}

/** Other drivers than DuckDB's need its library for data that goes in, where it is there. */
function borrowFrom(helper: string | undefined, driver: Driver): ReleaseFunctions | undefined {
  return helper === undefined ? undefined : borrow({ path: helper, database: undefined }, driver);
}
