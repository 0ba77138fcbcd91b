import {
  type Address,
  allocate,
  allocateText,
  free,
  loadLibrary,
  readPointer,
  readText,
  type NativeFunction,
  type NativeLibrary,
  pointer,
  write,
} from '../c-data/native.ts';
import { type ParameterType, decimalType } from './parameter-types.ts';

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
  /** Names of a prepared statement's parameters and the types that it expects; undefined where the handle is not as expected. */
  parameterTypes(connection: Address, statement: Address): ParameterType[] | undefined;
  /** How many columns a statement gives; undefined where the handle is not as expected. */
  columnCount(connection: Address, statement: Address): number | undefined;
  /** The names of the columns that a statement gives; undefined where they are fewer than `least`. */
  columnNames(connection: Address, statement: Address, least: number): string[] | undefined;
  /**
   * Which columns of what a statement gives are UHUGEINT, which Arrow is told as decimals that cannot hold the upper half
   * of its values: their places when all columns and what is nested in them are counted, outer before inner.
   */
  unsignedLeaves(connection: Address, statement: Address): number[];
  /** Sets the memory for rows of a result that were not asked for yet; does nothing in a transaction that has failed. */
  setStreamBuffer(connection: Address, bytes: number): void;
  /** What it calls its version, such as `v1.5.0`. */
  version(): string;
  /** Per cent that are done, -1 when it is not known. */
  progress(connection: Address): number;
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
  const parameterCount = library.func('duckdb_nparams', 'uint64_t', [pointer]);
  const parameterName = library.func('duckdb_parameter_name', pointer, [pointer, 'uint64_t']);
  const parameterType = library.func('duckdb_param_logical_type', pointer, [pointer, 'uint64_t']);
  const typeId = library.func('duckdb_get_type_id', 'int', [pointer]);
  const decimalWidth = library.func('duckdb_decimal_width', 'uint8_t', [pointer]);
  const decimalScale = library.func('duckdb_decimal_scale', 'uint8_t', [pointer]);
  const destroyType = library.func('duckdb_destroy_logical_type', 'void', [pointer]);
  const findUnsigned = unsignedFinder(library, typeId, destroyType);
  const columnCount = library.func('duckdb_prepared_statement_column_count', 'uint64_t', [pointer]);
  const columnName = library.func('duckdb_prepared_statement_column_name', pointer, [pointer, 'uint64_t']);
  const freeText = library.func('duckdb_free', 'void', [pointer]);
  const query = library.func('duckdb_query', 'int', [pointer, pointer, pointer]);
  const version = library.func('duckdb_library_version', pointer, []);
  const progress = library.progressFunction('duckdb_query_progress');
  const takeText = (text: Address): string => {
    const value = readText(text);
    if (text !== 0) freeText(text);
    return value;
  };
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
      const prepared = preparedOf(connection, statement);
      return prepared === undefined ? undefined : statementType(prepared);
    },
    parameterTypes(connection, statement) {
      const prepared = preparedOf(connection, statement);
      if (prepared === undefined) return undefined;
      const slot = allocate(8);
      try {
        return Array.from({ length: parameterCount(prepared) }, (_, i): ParameterType => {
          const name = takeText(parameterName(prepared, i + 1));
          const type = parameterType(prepared, i + 1);
          if (type === 0) return { name, id: 0 };
          const id = typeId(type);
          const found =
            id === decimalType
              ? { name, id, width: decimalWidth(type), scale: decimalScale(type) }
              : { name, id };
          write(slot, new Uint8Array(new BigUint64Array([BigInt(type)]).buffer));
          destroyType(slot);
          return found;
        });
      } finally {
        free(slot);
      }
    },
    columnCount(connection, statement) {
      const prepared = preparedOf(connection, statement);
      return prepared === undefined ? undefined : columnCount(prepared);
    },
    columnNames(connection, statement, least) {
      const prepared = preparedOf(connection, statement);
      const count = prepared === undefined ? 0 : columnCount(prepared);
      if (prepared === undefined || count < least) return undefined;
      return Array.from({ length: count }, (_, i) => takeText(columnName(prepared, i)));
    },
    version: () => readText(version()),
    unsignedLeaves(connection, statement) {
      const prepared = preparedOf(connection, statement);
      return prepared === undefined ? [] : findUnsigned(prepared);
    },
    setStreamBuffer(connection, bytes) {
      const sql = allocateText(`SET SESSION streaming_buffer_size = '${bytes}B'`);
      try {
        query(readPointer(readPointer(connection)), sql, 0);
      } finally {
        free(sql);
      }
    },
    progress: (connection) => progress(readPointer(readPointer(connection))),
  };
}

/** The C API's prepared statement behind one of the ADBC driver. */
function preparedOf(connection: Address, statement: Address): Address | undefined {
  const connectionData = readPointer(connection);
  const statementData = readPointer(statement);
  if (connectionData === 0 || statementData === 0) return undefined;
  if (readPointer(statementData) !== readPointer(connectionData)) return undefined;
  if (readPointer(statementData + 8) !== connectionData) return undefined;
  const prepared = readPointer(statementData + 16);
  return prepared === 0 ? undefined : prepared;
}

/** `DUCKDB_TYPE_…` of types that others are nested in, and of UHUGEINT. */
const nestedTypes = { list: 24, struct: 25, map: 26, union: 28, unsigned: 32, array: 33 } as const;

/** Walks the types of a statement's columns in the order in which Arrow nests them. */
function unsignedFinder(
  library: NativeLibrary,
  typeId: NativeFunction,
  destroyType: NativeFunction,
): (prepared: Address) => number[] {
  const one = (name: string): NativeFunction => library.func(name, pointer, [pointer]);
  const count = (name: string): NativeFunction => library.func(name, 'uint64_t', [pointer]);
  const indexed = (name: string): NativeFunction => library.func(name, pointer, [pointer, 'uint64_t']);
  const columnCount = count('duckdb_prepared_statement_column_count');
  const columnType = indexed('duckdb_prepared_statement_column_logical_type');
  const listChild = one('duckdb_list_type_child_type');
  const arrayChild = one('duckdb_array_type_child_type');
  const mapKey = one('duckdb_map_type_key_type');
  const mapValue = one('duckdb_map_type_value_type');
  const structCount = count('duckdb_struct_type_child_count');
  const structChild = indexed('duckdb_struct_type_child_type');
  const unionCount = count('duckdb_union_type_member_count');
  const unionMember = indexed('duckdb_union_type_member_type');
  return (prepared) => {
    const found: number[] = [];
    const slot = allocate(8);
    let place = 0;
    const visit = (type: Address): void => {
      if (type === 0) return;
      const own = place++;
      try {
        switch (typeId(type)) {
          case nestedTypes.unsigned:
            found.push(own);
            return;
          case nestedTypes.list:
            return visit(listChild(type));
          case nestedTypes.array:
            return visit(arrayChild(type));
          case nestedTypes.map:
            // Arrow has a struct of both between them.
            place++;
            visit(mapKey(type));
            return visit(mapValue(type));
          case nestedTypes.struct:
            for (let i = 0; i < structCount(type); i++) visit(structChild(type, i));
            return;
          case nestedTypes.union:
            for (let i = 0; i < unionCount(type); i++) visit(unionMember(type, i));
            return;
          default:
        }
      } finally {
        write(slot, new Uint8Array(new BigUint64Array([BigInt(type)]).buffer));
        destroyType(slot);
      }
    };
    try {
      for (let i = 0; i < columnCount(prepared); i++) visit(columnType(prepared, i));
      return found;
    } finally {
      free(slot);
    }
  };
}
