import { type ArrowSchema, encodeRawSchema } from '@peregrine/flight/ipc/messages';
import { FlightError, FlightInvalidArgumentError } from '@peregrine/flight/errors';
import { refuseLargeBuffers } from '../buffer-setting.ts';
import { refuseFatalCalls } from '../function-calls.ts';
import { sqlTokens } from '../sql-tokens.ts';
import { type Driver, DriverError, driverAt, loadDriver } from '../adbc/driver.ts';
import { driverStatus } from '../adbc/status.ts';
import { describeParameters } from '../adbc/parameter-types.ts';
import { type DuckDbLibrary, loadDuckDbLibrary, statementTypes } from '../adbc/duckdb-library.ts';
import {
  type Address,
  allocate,
  allocateText,
  free,
  peek,
  peekedLong,
  readText,
  write,
  writeLong,
} from '../c-data/native.ts';
import { readSchema } from '../c-data/read-schema.ts';
import { isHeld, releaseStruct, structBytes } from '../c-data/structs.ts';
import { borrowReleaseFunctions } from '../c-data/borrowed-release.ts';
import type { ReleaseFunctions } from '../c-data/write-structs.ts';
import {
  type Call,
  close,
  execute,
  inTransaction,
  open,
  quietly,
  runSql,
  withStatement,
} from './driver-calls.ts';
import { bind, emptyBatch, freeBound, readBatches, reordered, rowOf, rowsOf } from './bound.ts';
import { insertAtOnce } from './insert-at-once.ts';
import { failureOf } from './failure.ts';
import type { OperationTable, PreparedFacts, WorkerSetup } from './messages.ts';
import { closeResult, newResult, nextBatches, readResultSchema } from './results.ts';
import { wideSchema } from './wide-schema.ts';

/** The operations of a worker. */
export function createOperations(setup: WorkerSetup): OperationTable {
  let driver: Driver | undefined = setup.table === undefined ? undefined : driverAt(setup.table);
  const library = setup.duckdb === undefined ? undefined : loadDuckDbLibrary(setup.duckdb);
  const call: Driver['call'] = (name, ...values) => {
    if (driver === undefined) throw new Error('the driver has not been loaded yet');
    driver.call(name, ...values);
  };

  const executeAlone = (connection: Address, sql: string): bigint => {
    countStatements(library, connection, sql);
    return withStatement(call, connection, sql, (statement) =>
      execute(call, statement, library === undefined || changesRows(library, connection, statement)),
    );
  };

  return {
    load({ path, entrypoint }) {
      const table = loadDriver(path, entrypoint);
      driver = driverAt(table);
      return table;
    },
    borrow: ({ path, database }) => borrow(path, database, driver),
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
    closeStatement({ statement }) {
      quietly(() => call('StatementRelease', statement));
      freeBound(statement);
      free(statement);
      return undefined;
    },
    prepare({ connection, statement, sql, schema }) {
      const count = countStatements(library, connection, sql);
      // PIVOT without a list of values counts as two: one that finds the values, and one that uses them.
      if (count !== undefined && count > 1 && holdsSeveral(sql)) {
        throw new FlightInvalidArgumentError(
          `one statement can be prepared at a time, and this text has ${count}; send them one by one`,
        );
      }
      call('StatementSetSqlQuery', statement, sql);
      call('StatementPrepare', statement);
      return prepared(call, library, connection, statement, sql, schema || count !== 1);
    },
    execute({ connection, statement, sql }) {
      if (sql !== undefined) {
        countStatements(library, connection, sql);
        call('StatementSetSqlQuery', statement, sql);
      }
      return execute(call, statement, library === undefined || changesRows(library, connection, statement));
    },
    executeAlone: ({ connection, sql }) => executeAlone(connection, sql),
    executeEach: ({ connection, statements }) =>
      statements.map((sql) => {
        try {
          executeAlone(connection, sql);
          return undefined;
        } catch (error) {
          return failureOf(error);
        }
      }),
    describe: ({ connection, queries }) =>
      queries.map((sql) => {
        try {
          return withStatement(call, connection, sql, (statement) => {
            call('StatementPrepare', statement);
            return prepared(call, library, connection, statement, sql, true).resultSchema;
          });
        } catch (error) {
          if (error instanceof DriverError || error instanceof FlightError) return undefined;
          throw error;
        }
      }),
    query({ connection, statement, sql, streamBuffer }) {
      if (streamBuffer !== undefined) library?.setStreamBuffer(connection, streamBuffer);
      if (sql !== undefined) {
        countStatements(library, connection, sql);
        call('StatementSetSqlQuery', statement, sql);
      }
      return openResult(
        (result) => call('StatementExecuteQuery', statement, result, 0),
        () => library?.unsignedLeaves(connection, statement) ?? [],
      );
    },
    executeRows({ connection, statement, batches, transaction }) {
      const countsRows = library === undefined || changesRows(library, connection, statement);
      return inTransaction(call, connection, transaction, () => {
        let total = 0n;
        let row = 0;
        const list = readBatches(batches, statement);
        const isOne = list.reduce((sum, batch) => sum + batch.rows, 0) === 1;
        for (const batch of list) {
          for (const rows of rowsOf(batch, statement, library !== undefined)) {
            row++;
            try {
              bind(call, statement, rows, setup.release);
              const changed = execute(call, statement, countsRows);
              total = changed < 0n || total < 0n ? -1n : total + changed;
            } catch (error) {
              throw library === undefined || isOne ? error : atRow(error, row);
            }
          }
        }
        return total;
      });
    },
    insertAtOnce: (args) => insertAtOnce(call, args, setup.release),
    queryRow({ connection, statement, batches, row, streamBuffer }) {
      if (streamBuffer !== undefined) library?.setStreamBuffer(connection, streamBuffer);
      const batch = readBatches(batches, statement).at(-1);
      if (batch === undefined) throw new Error('a query was asked to run with no row');
      bind(call, statement, library === undefined ? batch : rowOf(batch, row, statement), setup.release);
      return openResult(
        (result) => call('StatementExecuteQuery', statement, result, 0),
        () => library?.unsignedLeaves(connection, statement) ?? [],
      );
    },
    ingest({ statement, options, laterOptions = [], batches, order }) {
      for (const [key, value] of options) call('StatementSetOption', statement, key, value);
      let rows = 0n;
      const list = readBatches(batches, statement);
      for (const batch of list.length === 0 ? [emptyBatch(batches.schema, statement)] : list) {
        bind(call, statement, order === undefined ? batch : reordered(batch, order), setup.release);
        execute(call, statement, false);
        rows += BigInt(batch.rows);
        for (const [key, value] of laterOptions) call('StatementSetOption', statement, key, value);
      }
      return rows;
    },
    getObjects: ({ connection, depth, catalog, schema, table, tableTypes, column }) =>
      openResult((result) =>
        withTextList(tableTypes, (types) =>
          call(
            'ConnectionGetObjects',
            connection,
            depth,
            catalog ?? 0,
            schema ?? 0,
            table ?? 0,
            types,
            column ?? 0,
            result,
          ),
        ),
      ),
    getInfo: ({ connection, codes }) =>
      openResult((result) => {
        const list = allocate(4 * codes.length);
        try {
          write(list, new Uint8Array(Uint32Array.from(codes).buffer));
          call('ConnectionGetInfo', connection, list, codes.length, result);
        } finally {
          free(list);
        }
      }),
    getTableTypes: ({ connection }) =>
      openResult((result) => call('ConnectionGetTableTypes', connection, result)),
    getTableSchema({ connection, catalog, schema, table }) {
      const struct = allocate(structBytes.schema);
      try {
        call('ConnectionGetTableSchema', connection, catalog ?? 0, schema ?? 0, table, struct);
        return encodeRawSchema(readSchema(struct));
      } finally {
        releaseStruct('schema', struct);
        free(struct);
      }
    },
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

/** The driver's error, with the row that it was for. */
function atRow(error: unknown, row: number): unknown {
  if (!(error instanceof DriverError)) return error;
  return new DriverError(error.status, error.message, error.sqlState, row);
}

/** A result that a driver fills; freed when that fails. */
function openResult(
  fill: (result: Address) => void,
  unsignedLeaves?: () => readonly number[],
): { result: Address; schema: Uint8Array } {
  const result = newResult();
  try {
    fill(result);
    if (!isHeld('stream', result)) throw new FlightInvalidArgumentError('the SQL text holds no statement');
    return { result, schema: readResultSchema(result, unsignedLeaves) };
  } catch (error) {
    closeResult(result);
    throw error;
  }
}

/** A list of C strings with NULL at its end, or NULL for no list. */
function withTextList(texts: readonly string[] | undefined, use: (list: Address) => void): void {
  if (texts === undefined) {
    use(0);
    return;
  }
  const places = texts.map(allocateText);
  const list = allocate(8 * (places.length + 1));
  try {
    for (const [index, place] of places.entries()) writeLong(list + 8 * index, place);
    use(list);
  } finally {
    free(list);
    for (const place of places) free(place);
  }
}

/** The schema of what a query gives, which is run; undefined where the driver refuses it. */
function schemaOf(call: Call, connection: Address, sql: string): Uint8Array | undefined {
  try {
    return withStatement(call, connection, sql, (statement) => {
      const { result, schema } = openResult((to) => call('StatementExecuteQuery', statement, to, 0));
      closeResult(result);
      return schema;
    });
  } catch (error) {
    if (error instanceof DriverError) return undefined;
    throw error;
  }
}

/** See {@link borrowReleaseFunctions}: of a database that is open, or of one that is opened for it. */
function borrow(
  path: string,
  database: Address | undefined,
  driver: Driver | undefined,
): ReleaseFunctions | undefined {
  const lender =
    driver !== undefined && database !== undefined ? driver : driverAt(loadDriver(path, 'duckdb_adbc_init'));
  const call: Call = (name, ...values) => lender.call(name, ...values);
  const lent =
    database ??
    open((handle) => {
      call('DatabaseNew', handle);
      call('DatabaseInit', handle);
    });
  const connection = open((handle) => {
    call('ConnectionNew', handle);
    call('ConnectionInit', handle, lent);
  });
  const statement = open((handle) => call('StatementNew', connection, handle));
  const result = newResult();
  try {
    call('StatementSetSqlQuery', statement, 'SELECT 1');
    call('StatementExecuteQuery', statement, result, 0);
    return borrowReleaseFunctions(result);
  } finally {
    closeResult(result);
    close(statement, () => call('StatementRelease', statement));
    close(connection, () => call('ConnectionRelease', connection));
    if (database === undefined) close(lent, () => call('DatabaseRelease', lent));
  }
}

function countStatements(
  library: DuckDbLibrary | undefined,
  connection: Address,
  sql: string,
): number | undefined {
  if (sql.includes('\0')) throw new FlightInvalidArgumentError('the SQL text holds a NUL character');
  if (library === undefined) return undefined;
  refuseFatalCalls(sql);
  refuseLargeBuffers(sql);
  const text = allocateText(sql);
  try {
    return library.countStatements(connection, text);
  } finally {
    free(text);
  }
}

/** Whether something stands behind a semicolon. */
function holdsSeveral(sql: string): boolean {
  let ended = false;
  for (const { text } of sqlTokens(sql)) {
    if (ended && text !== ';') return true;
    ended ||= text === ';';
  }
  return false;
}

function prepared(
  call: Call,
  library: DuckDbLibrary | undefined,
  connection: Address,
  statement: Address,
  sql: string,
  asksSchema: boolean,
): PreparedFacts {
  const parameters = askSchema((struct) => call('StatementGetParameterSchema', statement, struct));
  const type = library?.statementType(connection, statement);
  const isSelect = type === statementTypes.select;
  const wide =
    library !== undefined && asksSchema && isSelect && parameters?.fields.length === 0
      ? wideSchema(library, connection, statement, sql, (text) => schemaOf(call, connection, text))
      : undefined;
  // What other statements are is told by their schema, and how many columns there are where parameters have no type yet.
  const resultSchema =
    isSelect && !asksSchema && parameters?.fields.length === 0
      ? undefined
      : (wide ?? askSchema((struct) => call('StatementExecuteSchema', statement, struct)));
  if (library !== undefined && type === undefined && resultSchema === undefined) {
    throw new FlightInvalidArgumentError('the SQL text holds no statement');
  }
  const kind = kindOf(type, resultSchema, sql);
  return {
    kind,
    resultSchema: resultSchema === undefined ? undefined : encodeRawSchema(resultSchema),
    columnCount: parameters?.fields.length === 0 ? library?.columnCount(connection, statement) : undefined,
    parameterSchema: encodeRawSchema(
      describeParameters(parameters ?? noFields, library?.parameterTypes(connection, statement)),
    ),
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
