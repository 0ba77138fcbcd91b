import { FlightInvalidArgumentError } from '@peregrine/flight';
import { type ArrowSchema, encodeSchema } from '@peregrine/flight/ipc';
import { type Driver, DriverError, driverAt, driverStatus, handleBytes, loadDriver } from '../adbc/driver.ts';
import { type DuckDbLibrary, loadDuckDbLibrary, statementTypes } from '../adbc/duckdb-library.ts';
import {
  type Address,
  allocate,
  allocateText,
  free,
  peek,
  peekedLong,
  readText,
  writeLong,
} from '../c-data/native.ts';
import { readSchema } from '../c-data/read-schema.ts';
import { isHeld, releaseStruct, structBytes } from '../c-data/structs.ts';
import type { OperationTable, PreparedFacts, WorkerSetup } from './messages.ts';
import { closeResult, newResult, nextBatches, readResultSchema } from './results.ts';

/** The operations of a worker. */
export function createOperations(setup: WorkerSetup): OperationTable {
  let driver: Driver | undefined = setup.table === undefined ? undefined : driverAt(setup.table);
  const library = setup.duckdb === undefined ? undefined : loadDuckDbLibrary(setup.duckdb);
  const call: Driver['call'] = (name, ...values) => {
    if (driver === undefined) throw new Error('the driver has not been loaded yet');
    driver.call(name, ...values);
  };

  return {
    load({ path, entrypoint }) {
      const table = loadDriver(path, entrypoint);
      driver = driverAt(table);
      return table;
    },
    openDatabase: ({ options }) =>
      open((database) => {
        call('DatabaseNew', database);
        try {
          for (const [key, value] of options) call('DatabaseSetOption', database, key, value);
          call('DatabaseInit', database);
        } catch (error) {
          quietly(() => call('DatabaseRelease', database));
          throw error;
        }
      }),
    closeDatabase: ({ database }) => close(database, () => call('DatabaseRelease', database)),
    openConnection: ({ database }) =>
      open((connection) => {
        call('ConnectionNew', connection);
        try {
          call('ConnectionInit', connection, database);
        } catch (error) {
          quietly(() => call('ConnectionRelease', connection));
          throw error;
        }
      }),
    closeConnection: ({ connection }) => close(connection, () => call('ConnectionRelease', connection)),
    version: () => ({ vendor: 'DuckDB', version: library?.version() ?? '', arrow: undefined }),
    getOption: ({ connection, key }) => getOption(call, connection, key),
    setOption({ connection, key, value }) {
      call('ConnectionSetOption', connection, key, value);
      return undefined;
    },
    endTransaction({ connection, commit }) {
      call(commit ? 'ConnectionCommit' : 'ConnectionRollback', connection);
      return undefined;
    },
    cancel({ connection, statement }) {
      try {
        call('ConnectionCancel', connection);
      } catch {
        if (statement !== undefined) quietly(() => call('StatementCancel', statement));
      }
      return undefined;
    },
    progress({ connection }) {
      if (library === undefined) return undefined;
      const percent = library.progress(connection);
      return percent < 0 ? undefined : Math.min(1, percent / 100);
    },
    newStatement: ({ connection }) => open((statement) => call('StatementNew', connection, statement)),
    closeStatement: ({ statement }) => close(statement, () => call('StatementRelease', statement)),
    prepare({ connection, statement, sql }) {
      const count = countStatements(library, connection, sql);
      if (count !== undefined && count > 1) {
        throw new FlightInvalidArgumentError(
          `one statement can be prepared at a time, and this text has ${count}; send them one by one`,
        );
      }
      call('StatementSetSqlQuery', statement, sql);
      call('StatementPrepare', statement);
      return prepared(call, library, connection, statement, sql);
    },
    execute({ connection, statement, sql }) {
      if (sql !== undefined) {
        countStatements(library, connection, sql);
        call('StatementSetSqlQuery', statement, sql);
      }
      return execute(call, statement, changesRows(library, connection, statement));
    },
    query({ connection, statement, sql }) {
      if (sql !== undefined) {
        countStatements(library, connection, sql);
        call('StatementSetSqlQuery', statement, sql);
      }
      const result = newResult();
      try {
        call('StatementExecuteQuery', statement, result, 0);
        return { result, schema: readResultSchema(result) };
      } catch (error) {
        closeResult(result);
        throw error;
      }
    },
    next: nextBatches,
    closeResult({ result }) {
      closeResult(result);
      return undefined;
    },
  };
}

type Call = Driver['call'];

/** A handle that is filled by the driver; freed when that fails. */
function open(fill: (handle: Address) => void): Address {
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
function close(handle: Address, release: () => void): undefined {
  quietly(release);
  free(handle);
  return undefined;
}

function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
  }
}

function countStatements(
  library: DuckDbLibrary | undefined,
  connection: Address,
  sql: string,
): number | undefined {
  if (sql.includes('\0')) throw new FlightInvalidArgumentError('the SQL text holds a NUL character');
  if (library === undefined) return undefined;
  const text = allocateText(sql);
  try {
    return library.countStatements(connection, text);
  } finally {
    free(text);
  }
}

function prepared(
  call: Call,
  library: DuckDbLibrary | undefined,
  connection: Address,
  statement: Address,
  sql: string,
): PreparedFacts {
  const resultSchema = askSchema((struct) => call('StatementExecuteSchema', statement, struct));
  const parameters = askSchema((struct) => call('StatementGetParameterSchema', statement, struct));
  const type = library?.statementType(connection, statement);
  const kind = kindOf(type, resultSchema, sql);
  return {
    kind,
    resultSchema: resultSchema === undefined ? undefined : encodeSchema(resultSchema),
    parameterSchema: encodeSchema(parameters ?? noFields),
  };
}

const noFields: ArrowSchema = { fields: [], metadata: new Map(), endianness: 'little' };

/** A schema that the driver may not know; undefined then. */
function askSchema(ask: (struct: Address) => void): ArrowSchema | undefined {
  const struct = allocate(structBytes.schema);
  try {
    ask(struct);
    return readSchema(struct);
  } catch (error) {
    if (error instanceof DriverError) return undefined;
    throw error;
  } finally {
    if (isHeld('schema', struct)) releaseStruct('schema', struct);
    free(struct);
  }
}

/** DuckDB gives one row with the number of rows for changes, and one with `Success` for the rest. */
function kindOf(
  type: number | undefined,
  schema: ArrowSchema | undefined,
  sql: string,
): PreparedFacts['kind'] {
  const only = schema?.fields.length === 1 ? schema.fields[0] : undefined;
  if (type === undefined) return kindOfText(sql, schema);
  if (type === statementTypes.select || type === statementTypes.explain) return 'query';
  if (only?.name === 'Success' && only.type.kind === 'bool') return 'ddl';
  const isCount = only?.name === 'Count' && only.type.kind === 'int';
  if (!isCount || /\breturning\b/i.test(sql)) return schema?.fields.length === 0 ? 'ddl' : 'query';
  return updateTypes.has(type) ? 'update' : 'ddl';
}

const updateTypes: ReadonlySet<number> = new Set([
  statementTypes.insert,
  statementTypes.update,
  statementTypes.delete,
  statementTypes.copy,
  statementTypes.execute,
  statementTypes.merge,
]);

/** For other drivers: by the first word. */
function kindOfText(sql: string, schema: ArrowSchema | undefined): PreparedFacts['kind'] {
  const word = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/|\()*([a-z]+)/i.exec(sql)?.[1]?.toLowerCase() ?? '';
  if (['insert', 'update', 'delete', 'merge', 'replace', 'copy'].includes(word)) {
    return /\breturning\b/i.test(sql) ? 'query' : 'update';
  }
  if (['create', 'drop', 'alter', 'begin', 'commit', 'rollback', 'set', 'truncate', 'grant'].includes(word)) {
    return 'ddl';
  }
  return schema?.fields.length === 0 ? 'ddl' : 'query';
}

/** Whether a prepared statement changes rows and gives rows back, which must be counted by reading them. */
function changesRows(library: DuckDbLibrary | undefined, connection: Address, statement: Address): boolean {
  const type = library?.statementType(connection, statement);
  return type !== undefined && updateTypes.has(type);
}

function execute(call: Call, statement: Address, countsRows: boolean): bigint {
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

function getOption(call: Call, connection: Address, key: string): string | undefined {
  for (let size = 256; size <= 1 << 20; size *= 16) {
    const value = allocate(size + 8);
    try {
      writeLong(value + size, size);
      call('ConnectionGetOption', connection, key, value, value + size);
      peek(value + size, 8);
      if (peekedLong(0) <= size) return readText(value);
    } catch (error) {
      if (error instanceof DriverError && noSuchOption.has(error.status)) return undefined;
      throw error;
    } finally {
      free(value);
    }
  }
  return undefined;
}

const noSuchOption: ReadonlySet<number> = new Set([driverStatus.notFound, driverStatus.notImplemented]);
