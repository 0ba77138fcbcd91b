/**
 * What an application gives a Flight SQL server: one object with a function for each command and action that it
 * serves. All are optional; what is not there answers UNIMPLEMENTED.
 */

import type { RecordBatch, Schema, Table } from 'apache-arrow';
import type {
  FlightDescriptor,
  FlightInfo,
  FlightInfoOptions,
  FlightTimestamp,
  PollInfo,
  SchemaResult,
} from '../../model/index.ts';
import type {
  Awaitable,
  DoGetResult,
  FlightHandlers,
  ManyOf,
  ServerCallContext,
} from '../../server/index.ts';
import type { FlightDataStream, FlightStreamReader } from '../../stream/types.ts';
import type {
  BeginSavepointRequest,
  CreatePreparedStatementRequest,
  CreatePreparedSubstraitPlanRequest,
  EndSavepointRequest,
  EndTransactionRequest,
  PreparedStatementResult,
} from '../actions/types.ts';
import type {
  CommandGetCatalogs,
  CommandGetCrossReference,
  CommandGetDbSchemas,
  CommandGetExportedKeys,
  CommandGetImportedKeys,
  CommandGetPrimaryKeys,
  CommandGetSqlInfo,
  CommandGetTables,
  CommandGetTableTypes,
  CommandGetXdbcTypeInfo,
  CommandPreparedStatementQuery,
  CommandPreparedStatementUpdate,
  CommandStatementIngest,
  CommandStatementQuery,
  CommandStatementSubstraitPlan,
  CommandStatementUpdate,
} from '../commands/types.ts';
import type { SqlInfoValues } from '../info/sql-info.ts';
import type {
  SqlDbSchema,
  SqlForeignKeyColumn,
  SqlPrimaryKeyColumn,
  SqlTable,
  XdbcTypeInfo,
} from '../metadata/rows.ts';

/**
 * A result that can be fetched, said briefly: the server makes a FlightInfo with one endpoint of it, whose location is
 * the connection that the client has.
 */
export interface StatementInfo extends Omit<FlightInfoOptions, 'ordered'> {
  /** Schema of the rows, also as IPC-encapsulated bytes. It must be the one that DoGet sends, to the last bit. */
  readonly schema: Schema | Uint8Array;
  /**
   * Names the result in its ticket: {@link FlightSqlHandlers.doGetStatement} gets it. Any bytes. Default, for prepared
   * statements only: the ticket is the command itself, for {@link FlightSqlHandlers.doGetPreparedStatement}.
   */
  readonly handle?: Uint8Array | undefined;
  /** Until then the ticket may be used repeatedly. Default: none, so it should be used once. */
  readonly expirationTime?: Date | FlightTimestamp | undefined;
}

/** Where the rows of a statement can be had. */
export type StatementAnswer = FlightInfo | StatementInfo;

/** A schema, or its IPC-encapsulated bytes. */
export type SchemaAnswer = Schema | Uint8Array | SchemaResult;

/** How far a query is. */
export interface StatementPoll {
  /** The rows so far; undefined while nothing can be fetched yet. */
  readonly info?: StatementAnswer | undefined;
  /**
   * What to ask with the next time: a handle, for {@link FlightSqlHandlers.pollFlightInfoHandle}, or a whole
   * descriptor. Undefined: the query is done.
   */
  readonly next?: Uint8Array | FlightDescriptor | undefined;
  /** From 0 to 1. Default: not known. */
  readonly progress?: number | undefined;
  /** When the server may forget the query. Default: not said. */
  readonly expirationTime?: Date | FlightTimestamp | undefined;
}

/** How far a query is, briefly or in full. */
export type PollAnswer = PollInfo | StatementPoll;

/**
 * The answer to a metadata command: plain rows, in any order, or a batch or stream of the schema that the format fixes
 * (`sqlSchemas`), in the order that it fixes.
 */
export type MetadataAnswer<Row> = ManyOf<Row> | Awaitable<Table | RecordBatch | FlightDataStream>;

/** Rows changed; -1 where that is not known. */
export type UpdateAnswer = Awaitable<bigint | number>;

/**
 * The functions that serve Flight SQL. Whatever they throw becomes the status of the call. All are optional.
 *
 * The names are those of the RPC and of the command that comes with it. `descriptor` is the one of the request, for
 * those who make a FlightInfo by hand.
 */
export interface FlightSqlHandlers
  extends Pick<
    FlightHandlers,
    'cancelFlightInfo' | 'renewFlightEndpoint' | 'setSessionOptions' | 'getSessionOptions' | 'closeSession'
  > {
  // queries

  /**
   * Starts a query. Clients send DDL and DML this way too: run those here, once, and let DoGet only hand out the
   * result.
   */
  getFlightInfoStatement?(
    command: CommandStatementQuery,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<StatementAnswer>;
  /** The schema of a query's rows; nothing is executed. */
  getSchemaStatement?(command: CommandStatementQuery, context: ServerCallContext): Awaitable<SchemaAnswer>;
  /** Starts a query that may take long. Default: {@link getFlightInfoStatement}, answered as done. */
  pollFlightInfoStatement?(
    command: CommandStatementQuery,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<PollAnswer>;
  /** How far a query is that was polled before: `handle` is {@link StatementPoll.next}. */
  pollFlightInfoHandle?(
    handle: Uint8Array,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<PollAnswer>;
  /** Sends the rows that a handle of {@link StatementInfo} names: of queries, plans and prepared statements. */
  doGetStatement?(handle: Uint8Array, context: ServerCallContext): Awaitable<DoGetResult>;
  /** Runs a statement for its effect. */
  doPutStatementUpdate?(command: CommandStatementUpdate, context: ServerCallContext): UpdateAnswer;

  // Substrait plans

  /** Starts a plan; its rows go through {@link doGetStatement}. */
  getFlightInfoSubstraitPlan?(
    command: CommandStatementSubstraitPlan,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<StatementAnswer>;
  /** The schema of a plan's rows; nothing is executed. */
  getSchemaSubstraitPlan?(
    command: CommandStatementSubstraitPlan,
    context: ServerCallContext,
  ): Awaitable<SchemaAnswer>;
  /** Starts a plan that may take long. Default: {@link getFlightInfoSubstraitPlan}, answered as done. */
  pollFlightInfoSubstraitPlan?(
    command: CommandStatementSubstraitPlan,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<PollAnswer>;
  /** Runs a plan for its effect. */
  doPutSubstraitPlanUpdate?(command: CommandStatementSubstraitPlan, context: ServerCallContext): UpdateAnswer;

  // prepared statements

  /** Prepares a statement. Fill in the dataset schema of whatever gives rows: drivers take others for updates. */
  createPreparedStatement?(
    request: CreatePreparedStatementRequest,
    context: ServerCallContext,
  ): Awaitable<PreparedStatementResult>;
  /** Prepares a plan. */
  createPreparedSubstraitPlan?(
    request: CreatePreparedSubstraitPlanRequest,
    context: ServerCallContext,
  ): Awaitable<PreparedStatementResult>;
  /** Forgets a prepared statement. */
  closePreparedStatement?(handle: Uint8Array, context: ServerCallContext): Awaitable<void>;
  /**
   * Binds parameters: read all rows that `parameters` gives.
   *
   * @returns the handle to use from now on, where it is another one
   */
  doPutPreparedStatementQuery?(
    command: CommandPreparedStatementQuery,
    parameters: FlightStreamReader,
    context: ServerCallContext,
  ): Awaitable<Uint8Array | undefined>;
  /** Runs a prepared statement for its effect, once for each row of parameters; once without any. */
  doPutPreparedStatementUpdate?(
    command: CommandPreparedStatementUpdate,
    parameters: FlightStreamReader,
    context: ServerCallContext,
  ): UpdateAnswer;
  /** Starts a prepared query with the parameters that were bound. */
  getFlightInfoPreparedStatement?(
    command: CommandPreparedStatementQuery,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<StatementAnswer>;
  /** The schema of a prepared query's rows; nothing is executed. */
  getSchemaPreparedStatement?(
    command: CommandPreparedStatementQuery,
    context: ServerCallContext,
  ): Awaitable<SchemaAnswer>;
  /** Starts a prepared query that may take long. Default: {@link getFlightInfoPreparedStatement}, answered as done. */
  pollFlightInfoPreparedStatement?(
    command: CommandPreparedStatementQuery,
    context: ServerCallContext,
    descriptor: FlightDescriptor,
  ): Awaitable<PollAnswer>;
  /** Sends the rows of a prepared query whose ticket is the command itself. */
  doGetPreparedStatement?(
    command: CommandPreparedStatementQuery,
    context: ServerCallContext,
  ): Awaitable<DoGetResult>;

  // bulk ingest and transactions

  /** Puts rows into a table, all or nothing. */
  doPutStatementIngest?(
    command: CommandStatementIngest,
    rows: FlightStreamReader,
    context: ServerCallContext,
  ): UpdateAnswer;
  /** Begins a transaction: its id. */
  beginTransaction?(context: ServerCallContext): Awaitable<Uint8Array>;
  /** Ends a transaction. */
  endTransaction?(request: EndTransactionRequest, context: ServerCallContext): Awaitable<void>;
  /** Begins a savepoint: its id. */
  beginSavepoint?(request: BeginSavepointRequest, context: ServerCallContext): Awaitable<Uint8Array>;
  /** Ends a savepoint. */
  endSavepoint?(request: EndSavepointRequest, context: ServerCallContext): Awaitable<void>;

  // metadata: the server answers GetFlightInfo and GetSchema by itself, these are for DoGet

  /** What the server is and can: all values, of which the server sends those that were asked for. */
  getSqlInfo?(command: CommandGetSqlInfo, context: ServerCallContext): Awaitable<SqlInfoValues | RecordBatch>;
  /** The types of the database; all of them, of which the server sends the one that was asked for. */
  getXdbcTypeInfo?(command: CommandGetXdbcTypeInfo, context: ServerCallContext): MetadataAnswer<XdbcTypeInfo>;
  /** The names of the catalogs. */
  getCatalogs?(command: CommandGetCatalogs, context: ServerCallContext): MetadataAnswer<string>;
  /** The schemas that pass the command's filters. */
  getDbSchemas?(command: CommandGetDbSchemas, context: ServerCallContext): MetadataAnswer<SqlDbSchema>;
  /** The tables that pass the command's filters. */
  getTables?(command: CommandGetTables, context: ServerCallContext): MetadataAnswer<SqlTable>;
  /** The types of tables. */
  getTableTypes?(command: CommandGetTableTypes, context: ServerCallContext): MetadataAnswer<string>;
  /** The primary key of the table; a row for each column. */
  getPrimaryKeys?(
    command: CommandGetPrimaryKeys,
    context: ServerCallContext,
  ): MetadataAnswer<SqlPrimaryKeyColumn>;
  /** The foreign keys that refer to the table; a row for each column. */
  getExportedKeys?(
    command: CommandGetExportedKeys,
    context: ServerCallContext,
  ): MetadataAnswer<SqlForeignKeyColumn>;
  /** The foreign keys of the table; a row for each column. */
  getImportedKeys?(
    command: CommandGetImportedKeys,
    context: ServerCallContext,
  ): MetadataAnswer<SqlForeignKeyColumn>;
  /** The foreign keys of the one table that refer to the other; a row for each column. */
  getCrossReference?(
    command: CommandGetCrossReference,
    context: ServerCallContext,
  ): MetadataAnswer<SqlForeignKeyColumn>;
}
