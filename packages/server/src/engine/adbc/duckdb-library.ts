import {
  type Address,
  allocate,
  free,
  loadLibrary,
  readPointer,
  readText,
  type NativeFunction,
  pointer,
} from '../c-data/native.ts';

/*
 * DuckDB's C API beside its ADBC driver, in the same library: what ADBC has no call for. The driver's handles lead to
 * the C API's:
 *
 * AdbcConnection.private_data -> { duckdb_connection, … }
 * AdbcStatement.private_data  -> { duckdb_connection, the connection's private data*, duckdb_prepared_statement, … }
 *
 * That is so in the pinned version; {@link DuckDbLibrary.statementType} checks the parts that it can see before it uses one.
 */

/** `duckdb_statement_type`, as far as it matters here. */
export const statementTypes = {
  select: 1,
  insert: 2,
  update: 3,
  explain: 4,
  delete: 5,
  execute: 8,
  copy: 11,
  call: 19,
  // The C API has no name for MERGE INTO; the number is what 1.5 gives.
  merge: 32,
} as const;

/** Calls of DuckDB's C API. */
export interface DuckDbLibrary {
  /** How many statements a text has; undefined when it cannot be parsed: preparing it tells the error. */
  countStatements(connection: Address, sql: Address): number | undefined;
  /** The type of a statement that the ADBC driver has prepared; undefined where the handle is not as expected. */
  statementType(connection: Address, statement: Address): number | undefined;
  /** Per cent that are done, -1 when it is not known. */
  progress(connection: Address): number;
  /** Such as `v1.5.5`. */
  version(): string;
}

/** Loads the C API of a libduckdb. */
export function loadDuckDbLibrary(path: string): DuckDbLibrary {
  const library = loadLibrary(path);
  const extract: NativeFunction = library.func('duckdb_extract_statements', 'size_t', [
    pointer,
    pointer,
    pointer,
  ]);
  const destroyExtracted = library.func('duckdb_destroy_extracted', 'void', [pointer]);
  const statementType = library.func('duckdb_prepared_statement_type', 'int', [pointer]);
  const version = library.func('duckdb_library_version', pointer, []);
  const progress = library.progressFunction('duckdb_query_progress');
  return {
    countStatements(connection, sql) {
      const out = allocate(8);
      try {
        const count = extract(readPointer(readPointer(connection)), sql, out);
        if (readPointer(out) !== 0) destroyExtracted(out);
        return count === 0 ? undefined : count;
      } finally {
        free(out);
      }
    },
    statementType(connection, statement) {
      const connectionData = readPointer(connection);
      const statementData = readPointer(statement);
      if (connectionData === 0 || statementData === 0) return undefined;
      if (readPointer(statementData) !== readPointer(connectionData)) return undefined;
      if (readPointer(statementData + 8) !== connectionData) return undefined;
      const prepared = readPointer(statementData + 16);
      return prepared === 0 ? undefined : statementType(prepared);
    },
    progress: (connection) => progress(readPointer(readPointer(connection))),
    version: () => readText(version()),
  };
}
