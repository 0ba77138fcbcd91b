import type { Schema, Table } from 'apache-arrow';
import type {
  EndpointsReader,
  FlightCallOptions,
  FlightClient,
  ReadEndpointsOptions,
} from '../../client/index.ts';
import type {
  CancelFlightInfoResult,
  CancelStatus,
  CloseSessionResult,
  FlightDescriptor,
  FlightInfo,
  PollInfo,
  SessionOptions,
  SessionOptionValue,
  SetSessionOptionsResult,
} from '../../model/index.ts';
import {
  decodeCancelStatus,
  decodePreparedStatementResult,
  decodeTransactionId,
} from '../actions/results.ts';
import { sqlDescriptor } from '../commands/codec.ts';
import type {
  CommandGetCrossReference,
  CommandGetDbSchemas,
  CommandGetPrimaryKeys,
  CommandGetTables,
  SqlMetadataCommand,
  SqlQueryCommand,
  SubstraitPlan,
} from '../commands/types.ts';
import { isMetadataCommand } from '../schemas.ts';
import type { SqlInfoValue } from '../info/values.ts';
import type {
  SqlDbSchema,
  SqlForeignKeyColumn,
  SqlPrimaryKeyColumn,
  XdbcTypeInfo,
} from '../metadata/rows.ts';
import { askAction, putUpdate } from './calls.ts';
import {
  readCatalogs,
  readDbSchemas,
  readForeignKeys,
  readPrimaryKeys,
  readSqlInfo,
  readTables,
  readTableTypes,
  readXdbcTypeInfo,
  type SqlTableInfo,
} from './metadata.ts';
import {
  type ExecuteOptions,
  type IngestOptions,
  type PollOptions,
  type QueryOptions,
  type SqlRows,
  type StatementOptions,
  transactionId,
} from './options.ts';
import { pollUntilDone } from './poll.ts';
import { PreparedStatement } from './prepared-statement.ts';
import { Transaction } from './transaction.ts';

/** Which schemas `getDbSchemas` asks for. Absent filters do not filter; patterns are those of SQL's LIKE. */
export type DbSchemasFilter = Omit<CommandGetDbSchemas, 'kind'>;

/** Which tables `getTables` asks for. Absent filters do not filter; patterns are those of SQL's LIKE. */
export type TablesFilter = Partial<Omit<CommandGetTables, 'kind'>>;

/** The table whose keys are asked for. */
export type TableReference = Omit<CommandGetPrimaryKeys, 'kind'>;

/** The two tables whose foreign keys are asked for. */
export type CrossReferenceTables = Omit<CommandGetCrossReference, 'kind'>;

/**
 * A client of a Flight SQL server, over a client of Flight.
 *
 * @example
 * await using sql = connectSql('grpc+tcp://localhost:8815');
 * const table = await sql.query('SELECT * FROM t WHERE id = ?', { parameters: [42] });
 */
export class FlightSqlClient implements AsyncDisposable {
  /** The client of Flight below, for everything that is no SQL. */
  readonly flight: FlightClient;

  /** @param flight - closed together with this client */
  constructor(flight: FlightClient) {
    this.flight = flight;
  }

  // statements

  /** Runs a query and reads all its rows. */
  async query(query: string, options: QueryOptions = {}): Promise<Table> {
    const { parameters, maxParallel, ...statement } = options;
    const { transaction: _transaction, ...call } = statement;
    if (parameters === undefined) {
      return this.readAll(await this.execute(query, statement), { ...call, maxParallel });
    }
    const prepared = await this.prepare(query, statement);
    try {
      return await prepared.bind(parameters).query({ ...call, maxParallel });
    } finally {
      // with the headers that let the others pass; a server that does not forget it is no reason to fail, or to fail otherwise
      const { signal: _signal, ...forgetting } = call;
      await prepared.close(forgetting).catch(() => undefined);
    }
  }

  /** Runs a query: where its rows can be had, for {@link readAll} and {@link read}. */
  execute(query: string, options: StatementOptions = {}): Promise<FlightInfo> {
    const { transaction, ...call } = options;
    return this.getFlightInfo(statementQuery(query, transaction), call);
  }

  /** The schema of a query's rows; nothing is executed. */
  executeSchema(query: string, options: StatementOptions = {}): Promise<Schema> {
    const { transaction, ...call } = options;
    return this.getSchema(statementQuery(query, transaction), call);
  }

  /** Runs a statement for its effect: rows changed, -1n where the server does not know. */
  executeUpdate(query: string, options: StatementOptions = {}): Promise<bigint> {
    const { transaction, ...call } = options;
    const command = {
      kind: 'CommandStatementUpdate',
      query,
      transactionId: transactionId(transaction),
    } as const;
    return putUpdate(this.flight, command, undefined, call);
  }

  /** Starts a query that may take long: go on with {@link poll} and the answer's descriptor until there is none. */
  pollExecute(query: string, options: StatementOptions = {}): Promise<PollInfo> {
    const { transaction, ...call } = options;
    const command = statementQuery(query, transaction);
    return this.flight.pollFlightInfo(sqlDescriptor(command), { idempotent: false, ...call });
  }

  /** Asks how far a query is. @param descriptor - the one of the last answer */
  poll(descriptor: FlightDescriptor, options: FlightCallOptions = {}): Promise<PollInfo> {
    return this.flight.pollFlightInfo(descriptor, options);
  }

  /** Runs a query that may take long, asking how far it is until it is done. Aborting the signal cancels it. */
  executePolled(query: string, options: PollOptions = {}): Promise<FlightInfo> {
    const { transaction, ...rest } = options;
    return pollUntilDone(this.flight, sqlDescriptor(statementQuery(query, transaction)), rest);
  }

  /** Runs a Substrait plan: where its rows can be had. */
  executeSubstrait(plan: SubstraitPlan, options: StatementOptions = {}): Promise<FlightInfo> {
    const { transaction, ...call } = options;
    const id = transactionId(transaction);
    return this.getFlightInfo({ kind: 'CommandStatementSubstraitPlan', plan, transactionId: id }, call);
  }

  /** The schema of a Substrait plan's rows; nothing is executed. */
  executeSubstraitSchema(plan: SubstraitPlan, options: StatementOptions = {}): Promise<Schema> {
    const { transaction, ...call } = options;
    const id = transactionId(transaction);
    return this.getSchema({ kind: 'CommandStatementSubstraitPlan', plan, transactionId: id }, call);
  }

  /** Runs a Substrait plan for its effect: rows changed, -1n where the server does not know. */
  executeSubstraitUpdate(plan: SubstraitPlan, options: StatementOptions = {}): Promise<bigint> {
    const { transaction, ...call } = options;
    const id = transactionId(transaction);
    return putUpdate(
      this.flight,
      { kind: 'CommandStatementSubstraitPlan', plan, transactionId: id },
      undefined,
      call,
    );
  }

  /** Puts rows into a table, all or nothing: rows taken, -1n where the server does not know. */
  executeIngest(rows: SqlRows, options: IngestOptions): Promise<bigint> {
    const {
      table,
      ifMissing = 'create',
      ifExists = 'append',
      schema,
      catalog,
      temporary = false,
      transaction,
      options: extra = {},
      ...call
    } = options;
    return putUpdate(
      this.flight,
      {
        kind: 'CommandStatementIngest',
        table,
        ifMissing,
        ifExists,
        schema,
        catalog,
        temporary,
        transactionId: transactionId(transaction),
        options: extra,
      },
      rows,
      call,
    );
  }

  // rows

  /** Reads all rows of a result; see {@link FlightClient.readAll}. */
  readAll(info: FlightInfo, options: ReadEndpointsOptions = {}): Promise<Table> {
    return this.flight.readAll(info, options);
  }

  /** Reads the rows of a result as they come; see {@link FlightClient.readEndpoints}. */
  read(info: FlightInfo, options: ReadEndpointsOptions = {}): EndpointsReader {
    return this.flight.readEndpoints(info, options);
  }

  // prepared statements and transactions

  /** Prepares a statement. Close it, or use `await using`. */
  async prepare(query: string, options: StatementOptions = {}): Promise<PreparedStatement> {
    const { transaction, ...call } = options;
    const request = {
      kind: 'CreatePreparedStatement',
      query,
      transactionId: transactionId(transaction),
    } as const;
    return new PreparedStatement(
      this.flight,
      await askAction(this.flight, request, decodePreparedStatementResult, call),
    );
  }

  /** Prepares a Substrait plan. Close it, or use `await using`. */
  async prepareSubstrait(plan: SubstraitPlan, options: StatementOptions = {}): Promise<PreparedStatement> {
    const { transaction, ...call } = options;
    const request = {
      kind: 'CreatePreparedSubstraitPlan',
      plan,
      transactionId: transactionId(transaction),
    } as const;
    return new PreparedStatement(
      this.flight,
      await askAction(this.flight, request, decodePreparedStatementResult, call),
    );
  }

  /** Begins a transaction. End it, or use `await using`, which rolls back what was not committed. */
  async beginTransaction(options: FlightCallOptions = {}): Promise<Transaction> {
    const request = { kind: 'BeginTransaction' } as const;
    return new Transaction(this.flight, await askAction(this.flight, request, decodeTransactionId, options));
  }

  // metadata

  /** The names of the catalogs. */
  async getCatalogs(options: FlightCallOptions = {}): Promise<string[]> {
    return readCatalogs(await this.#metadata({ kind: 'CommandGetCatalogs' }, options));
  }

  /** The schemas of the database. */
  async getDbSchemas(filter: DbSchemasFilter = {}, options: FlightCallOptions = {}): Promise<SqlDbSchema[]> {
    return readDbSchemas(await this.#metadata({ ...filter, kind: 'CommandGetDbSchemas' }, options));
  }

  /** The tables, with their schemas if the filter has `includeSchema`. */
  async getTables(filter: TablesFilter = {}, options: FlightCallOptions = {}): Promise<SqlTableInfo[]> {
    const { tableTypes = [], includeSchema = false, ...patterns } = filter;
    const command = { ...patterns, kind: 'CommandGetTables', tableTypes, includeSchema } as const;
    return readTables(await this.#metadata(command, options));
  }

  /** The types of tables that there are. */
  async getTableTypes(options: FlightCallOptions = {}): Promise<string[]> {
    return readTableTypes(await this.#metadata({ kind: 'CommandGetTableTypes' }, options));
  }

  /** The primary key of a table; a row for each column. */
  async getPrimaryKeys(
    table: TableReference,
    options: FlightCallOptions = {},
  ): Promise<SqlPrimaryKeyColumn[]> {
    return readPrimaryKeys(await this.#metadata({ ...table, kind: 'CommandGetPrimaryKeys' }, options));
  }

  /** The foreign keys that refer to a table; a row for each column. */
  async getExportedKeys(
    table: TableReference,
    options: FlightCallOptions = {},
  ): Promise<SqlForeignKeyColumn[]> {
    return readForeignKeys(await this.#metadata({ ...table, kind: 'CommandGetExportedKeys' }, options));
  }

  /** The foreign keys of a table; a row for each column. */
  async getImportedKeys(
    table: TableReference,
    options: FlightCallOptions = {},
  ): Promise<SqlForeignKeyColumn[]> {
    return readForeignKeys(await this.#metadata({ ...table, kind: 'CommandGetImportedKeys' }, options));
  }

  /** The foreign keys of one table that refer to another; a row for each column. */
  async getCrossReference(
    tables: CrossReferenceTables,
    options: FlightCallOptions = {},
  ): Promise<SqlForeignKeyColumn[]> {
    return readForeignKeys(await this.#metadata({ ...tables, kind: 'CommandGetCrossReference' }, options));
  }

  /** The types of the database in terms of ODBC and JDBC. @param dataType - only this one. Default: all */
  async getXdbcTypeInfo(dataType?: number, options: FlightCallOptions = {}): Promise<XdbcTypeInfo[]> {
    return readXdbcTypeInfo(await this.#metadata({ kind: 'CommandGetXdbcTypeInfo', dataType }, options));
  }

  /**
   * What the server is and can, by code of `SqlInfo`.
   *
   * @param info - codes; those that the server does not know are missing in the answer. Default: all
   */
  async getSqlInfo(
    info: Iterable<number> = [],
    options: FlightCallOptions = {},
  ): Promise<Map<number, SqlInfoValue>> {
    return readSqlInfo(await this.#metadata({ kind: 'CommandGetSqlInfo', info: [...info] }, options));
  }

  // any command

  /** Where the answer to a command can be had. */
  getFlightInfo(command: SqlQueryCommand, options: ExecuteOptions = {}): Promise<FlightInfo> {
    const idempotent = options.idempotent ?? isMetadataCommand(command);
    return this.flight.getFlightInfo(sqlDescriptor(command), { ...options, idempotent });
  }

  /** The schema of the answer to a command. */
  async getSchema(command: SqlQueryCommand, options: FlightCallOptions = {}): Promise<Schema> {
    return (await this.flight.getSchema(sqlDescriptor(command), options)).schema;
  }

  // control

  /** Stops the work behind a result. */
  cancelFlightInfo(info: FlightInfo, options: FlightCallOptions = {}): Promise<CancelFlightInfoResult> {
    return this.flight.cancelFlightInfo(info, options);
  }

  /** The same by the action that {@link cancelFlightInfo} has taken the place of, for servers of before Arrow 13. */
  cancelQuery(info: FlightInfo, options: FlightCallOptions = {}): Promise<CancelStatus> {
    return askAction(
      this.flight,
      { kind: 'CancelQuery', info: info.serialize() },
      decodeCancelStatus,
      options,
    );
  }

  /** Sets options of the session, such as `catalog` and `schema`; see {@link FlightClient.setSessionOptions}. */
  setSessionOptions(
    values: SessionOptions<SessionOptionValue | null | undefined>,
    options: FlightCallOptions = {},
  ): Promise<SetSessionOptionsResult> {
    return this.flight.setSessionOptions(values, options);
  }

  /** The options of the session. */
  getSessionOptions(options: FlightCallOptions = {}): Promise<ReadonlyMap<string, SessionOptionValue>> {
    return this.flight.getSessionOptions(options);
  }

  /** Ends the session. */
  closeSession(options: FlightCallOptions = {}): Promise<CloseSessionResult> {
    return this.flight.closeSession(options);
  }

  /** Cancels what is still running and closes the client below. */
  close(): Promise<void> {
    return this.flight.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #metadata(command: SqlMetadataCommand, options: FlightCallOptions): Promise<Table> {
    return this.flight.readAll(await this.getFlightInfo(command, options), options);
  }
}

/** The command of a query by its text. */
function statementQuery(query: string, transaction: StatementOptions['transaction']): SqlQueryCommand {
  return { kind: 'CommandStatementQuery', query, transactionId: transactionId(transaction) };
}
