import {
  allocate,
  allocateText,
  type Address,
  free,
  functionAt,
  loadLibrary,
  type NativeFunction,
  peek,
  peeked,
  peekedLong,
  pointer,
  readPointer,
  readText,
  write,
} from '../c-data/native.ts';
import { driverStatus } from './status.ts';

/*
 * AdbcDriver := private_data* private_manager* release() then the functions below, a pointer each
 * AdbcError  := message* vendor_code:i32 sqlstate:char[5] (padding) release() private_data* private_driver*
 * AdbcDatabase, AdbcConnection, AdbcStatement := private_data* private_driver*
 *
 * https://arrow.apache.org/adbc/current/cpp/api/adbc.html (adbc.h, 1.1.0)
 */

/** Version 1.1.0 of ADBC, and 1.0.0 for drivers that do not know it. */
const versions = [1_001_000, 1_000_000] as const;

/** Bytes of the driver's table, with room; of an error; of a database, connection or statement. */
const driverBytes = 1024;
const errorBytes = 64;
export const handleBytes: number = 64;

/** Functions in the order of the table. */
export const driverFunctions = [
  'DatabaseInit',
  'DatabaseNew',
  'DatabaseSetOption',
  'DatabaseRelease',
  'ConnectionCommit',
  'ConnectionGetInfo',
  'ConnectionGetObjects',
  'ConnectionGetTableSchema',
  'ConnectionGetTableTypes',
  'ConnectionInit',
  'ConnectionNew',
  'ConnectionSetOption',
  'ConnectionReadPartition',
  'ConnectionRelease',
  'ConnectionRollback',
  'StatementBind',
  'StatementBindStream',
  'StatementExecuteQuery',
  'StatementExecutePartitions',
  'StatementGetParameterSchema',
  'StatementNew',
  'StatementPrepare',
  'StatementRelease',
  'StatementSetOption',
  'StatementSetSqlQuery',
  'StatementSetSubstraitPlan',
  'ErrorGetDetailCount',
  'ErrorGetDetail',
  'ErrorFromArrayStream',
  'DatabaseGetOption',
  'DatabaseGetOptionBytes',
  'DatabaseGetOptionDouble',
  'DatabaseGetOptionInt',
  'DatabaseSetOptionBytes',
  'DatabaseSetOptionDouble',
  'DatabaseSetOptionInt',
  'ConnectionCancel',
  'ConnectionGetOption',
  'ConnectionGetOptionBytes',
  'ConnectionGetOptionDouble',
  'ConnectionGetOptionInt',
  'ConnectionGetStatistics',
  'ConnectionGetStatisticNames',
  'ConnectionSetOptionBytes',
  'ConnectionSetOptionDouble',
  'ConnectionSetOptionInt',
  'StatementCancel',
  'StatementExecuteSchema',
] as const;

/** A function of the driver's table. */
export type DriverFunction = (typeof driverFunctions)[number];

/** What the functions that are used take before the error. */
const signatures: Readonly<Partial<Record<DriverFunction, readonly string[]>>> = {
  DatabaseInit: [pointer],
  DatabaseNew: [pointer],
  DatabaseSetOption: [pointer, pointer, pointer],
  DatabaseRelease: [pointer],
  ConnectionCommit: [pointer],
  ConnectionGetInfo: [pointer, pointer, 'size_t', pointer],
  ConnectionGetObjects: [pointer, 'int', pointer, pointer, pointer, pointer, pointer, pointer],
  ConnectionGetTableSchema: [pointer, pointer, pointer, pointer, pointer],
  ConnectionGetTableTypes: [pointer, pointer],
  ConnectionInit: [pointer, pointer],
  ConnectionNew: [pointer],
  ConnectionSetOption: [pointer, pointer, pointer],
  ConnectionReadPartition: [pointer, pointer, 'size_t', pointer],
  ConnectionRelease: [pointer],
  ConnectionRollback: [pointer],
  StatementBind: [pointer, pointer, pointer],
  StatementBindStream: [pointer, pointer],
  StatementExecuteQuery: [pointer, pointer, pointer],
  StatementExecutePartitions: [pointer, pointer, pointer, pointer],
  StatementGetParameterSchema: [pointer, pointer],
  StatementNew: [pointer, pointer],
  StatementPrepare: [pointer],
  StatementRelease: [pointer],
  StatementSetOption: [pointer, pointer, pointer],
  StatementSetSqlQuery: [pointer, pointer],
  StatementSetSubstraitPlan: [pointer, pointer, 'size_t'],
  ConnectionCancel: [pointer],
  ConnectionGetOption: [pointer, pointer, pointer, pointer],
  StatementCancel: [pointer],
  StatementExecuteSchema: [pointer, pointer],
};

/** What a driver told with a status that is not OK. */
export class DriverError extends Error {
  override readonly name: string = 'DriverError';
  /** AdbcStatusCode. */
  readonly status: number;
  readonly sqlState: string;
  /** Which of the rows that were bound it was, from 1; undefined where there was one, or none. */
  readonly row: number | undefined;
  constructor(status: number, message: string, sqlState: string, row?: number) {
    super(message);
    this.status = status;
    this.sqlState = sqlState;
    this.row = row;
  }
}

/** The functions of a driver, in the thread that made it. */
export interface Driver {
  /** Whether the driver has the function at all. */
  has(name: DriverFunction): boolean;
  /** Calls a function; texts become C strings for the call. @throws DriverError with the driver's words */
  call(name: DriverFunction, ...values: readonly (number | string)[]): void;
}

/**
 * Loads a driver's library and has it fill its table. Other threads use the same table by {@link driverAt}; the library
 * stays loaded as long as the process lives.
 *
 * @throws Error in the loader's words, or DriverError
 */
export function loadDriver(path: string, entrypoint: string | undefined): Address {
  const library = loadLibrary(path);
  const init = findInit(path, entrypoint, (name) => library.func(name, 'int', ['int', pointer, pointer]));
  const table = allocate(driverBytes);
  const error = allocate(errorBytes);
  try {
    let status: number = driverStatus.unknown;
    for (const version of versions) {
      status = init(version, table, error);
      if (status === driverStatus.ok) return table;
      if (status !== driverStatus.notImplemented) break;
    }
    throw takeError(status, 'AdbcDriverInit', error);
  } finally {
    free(error);
  }
}

/** Drivers name their entry point after their file, or AdbcDriverInit. */
function findInit(
  path: string,
  entrypoint: string | undefined,
  find: (name: string) => NativeFunction,
): NativeFunction {
  if (entrypoint !== undefined) return find(entrypoint);
  const file = path
    .replace(/^.*[\\/]/, '')
    .replace(/\..*$/, '')
    .replace(/^lib/, '');
  const words = file.split(/[^a-zA-Z0-9]+/).filter((word) => word !== '');
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  const tried = [`${pascal}Init`, 'AdbcDriverInit'];
  let reason: unknown;
  for (const name of tried) {
    try {
      return find(name);
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`${path} has no entry point ${tried.join(' or ')}; name it after a comma`, {
    cause: reason,
  });
}

/** The functions of a table that {@link loadDriver} made, in this or another thread. */
export function driverAt(table: Address): Driver {
  const functions = new Map<DriverFunction, NativeFunction | undefined>();
  const error = allocate(errorBytes);

  function find(name: DriverFunction): NativeFunction | undefined {
    if (functions.has(name)) return functions.get(name);
    const place = readPointer(table + 8 * (3 + driverFunctions.indexOf(name)));
    const found = place === 0 ? undefined : functionAt(place, 'int', [...(signatures[name] ?? []), pointer]);
    functions.set(name, found);
    return found;
  }

  return {
    has: (name) => find(name) !== undefined,
    call(name, ...values) {
      const found = find(name);
      if (found === undefined) {
        throw new DriverError(driverStatus.notImplemented, `the driver has no ${name}`, '');
      }
      const texts: Address[] = [];
      try {
        const given = values.map((value) => {
          if (typeof value === 'number') return value;
          const text = allocateText(value);
          texts.push(text);
          return text;
        });
        const status = found(...given, error);
        if (status !== driverStatus.ok) throw takeError(status, name, error);
      } finally {
        for (const text of texts) free(text);
      }
    },
  };
}

/** Reads an error and releases it, so that the next one begins empty: drivers append to what is there. */
function takeError(status: number, name: string, error: Address): DriverError {
  peek(error, errorBytes);
  const message = peekedLong(0);
  const release = peekedLong(3);
  const sqlState = String.fromCharCode(...peeked.u8.subarray(12, 17)).replaceAll('\0', '');
  const text = readText(message) || `${name} failed with status ${status}`;
  if (release !== 0) functionAt(release, 'void', [pointer])(error);
  const empty = new Uint8Array(errorBytes);
  write(error, empty);
  return new DriverError(status, text, sqlState);
}
