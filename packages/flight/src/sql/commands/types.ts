/**
 * The commands of Flight SQL as plain values, one interface a message; `kind` is the message's name.
 *
 * Fields that may be absent are undefined: an absent filter does not filter, `''` selects what has no catalog or no
 * schema. Patterns are those of SQL's LIKE: `%` for any text, `_` for one character.
 *
 * Spec: format/FlightSql.proto of Apache Arrow, package `arrow.flight.protocol.sql`
 */

/** A query that was compiled to Substrait. */
export interface SubstraitPlan {
  /** The serialized plan. */
  readonly plan: Uint8Array;
  /** Version of Substrait that it was written for, such as `0.44.0`. */
  readonly version: string;
}

/** Runs a query. For GetFlightInfo, PollFlightInfo and GetSchema. */
export interface CommandStatementQuery {
  readonly kind: 'CommandStatementQuery';
  /** The SQL text. */
  readonly query: string;
  /** The transaction that it runs in. Undefined: none, it commits by itself. */
  readonly transactionId?: Uint8Array | undefined;
}

/** Runs a Substrait plan. For GetFlightInfo, PollFlightInfo and GetSchema, and for DoPut as an update. */
export interface CommandStatementSubstraitPlan {
  readonly kind: 'CommandStatementSubstraitPlan';
  /** The plan. */
  readonly plan: SubstraitPlan;
  /** The transaction that it runs in. Undefined: none. */
  readonly transactionId?: Uint8Array | undefined;
}

/** What the ticket of a statement's result is: bytes that only the server understands. */
export interface TicketStatementQuery {
  readonly kind: 'TicketStatementQuery';
  /** The bytes of the server. */
  readonly statementHandle: Uint8Array;
}

/** Runs a statement for its effect. For DoPut. */
export interface CommandStatementUpdate {
  readonly kind: 'CommandStatementUpdate';
  /** The SQL text. */
  readonly query: string;
  /** The transaction that it runs in. Undefined: none, it commits by itself. */
  readonly transactionId?: Uint8Array | undefined;
}

/** What bulk ingest does when there is no such table. */
export type IngestIfMissing = 'create' | 'fail';

/** What bulk ingest does when there is such a table. */
export type IngestIfExists = 'append' | 'replace' | 'fail';

/** Puts rows into a table. For DoPut. */
export interface CommandStatementIngest {
  readonly kind: 'CommandStatementIngest';
  /** Name of the table. */
  readonly table: string;
  /** Whether a table that is not there is made, or the call fails. */
  readonly ifMissing: IngestIfMissing;
  /** Whether rows go to those of a table that is there, take their place, or the call fails. */
  readonly ifExists: IngestIfExists;
  /** Schema of the table. Undefined: the server's default. */
  readonly schema?: string | undefined;
  /** Catalog of the table. Undefined: the server's default. */
  readonly catalog?: string | undefined;
  /** Whether the table is to live as long as the session or connection. */
  readonly temporary: boolean;
  /** The transaction that it happens in. Undefined: none, it commits by itself. */
  readonly transactionId?: Uint8Array | undefined;
  /** Whatever else the server understands. */
  readonly options: Readonly<Record<string, string>>;
}

/** Runs a prepared query, or binds its parameters. For GetFlightInfo, PollFlightInfo, GetSchema, DoPut, and as ticket. */
export interface CommandPreparedStatementQuery {
  readonly kind: 'CommandPreparedStatementQuery';
  /** What preparing the statement gave. */
  readonly preparedStatementHandle: Uint8Array;
}

/** Runs a prepared statement for its effect, once for each row of parameters. For DoPut. */
export interface CommandPreparedStatementUpdate {
  readonly kind: 'CommandPreparedStatementUpdate';
  /** What preparing the statement gave. */
  readonly preparedStatementHandle: Uint8Array;
}

/** Asks what the server is and can. */
export interface CommandGetSqlInfo {
  readonly kind: 'CommandGetSqlInfo';
  /** Values of {@link SqlInfo}; none means all. */
  readonly info: readonly number[];
}

/** Asks for the types of the database in terms of ODBC and JDBC. */
export interface CommandGetXdbcTypeInfo {
  readonly kind: 'CommandGetXdbcTypeInfo';
  /** A value of {@link XdbcDataType}. Undefined: all. */
  readonly dataType?: number | undefined;
}

/** Asks for the catalogs. */
export interface CommandGetCatalogs {
  readonly kind: 'CommandGetCatalogs';
}

/** Asks for the schemas of the database. */
export interface CommandGetDbSchemas {
  readonly kind: 'CommandGetDbSchemas';
  /** Catalog of the schemas, by its whole name. Undefined: of all. */
  readonly catalog?: string | undefined;
  /** Pattern for the names of schemas. Undefined: all. */
  readonly dbSchemaFilterPattern?: string | undefined;
}

/** Asks for the tables. */
export interface CommandGetTables {
  readonly kind: 'CommandGetTables';
  /** Catalog of the tables, by its whole name. Undefined: of all. */
  readonly catalog?: string | undefined;
  /** Pattern for the names of schemas. Undefined: all. */
  readonly dbSchemaFilterPattern?: string | undefined;
  /** Pattern for the names of tables. Undefined: all. */
  readonly tableNameFilterPattern?: string | undefined;
  /** Types of tables, as {@link CommandGetTableTypes} tells them; none means all. */
  readonly tableTypes: readonly string[];
  /** Whether the answer has the column `table_schema`. */
  readonly includeSchema: boolean;
}

/** Asks which types of tables there are. */
export interface CommandGetTableTypes {
  readonly kind: 'CommandGetTableTypes';
}

/** Asks for the primary key of a table. */
export interface CommandGetPrimaryKeys {
  readonly kind: 'CommandGetPrimaryKeys';
  /** Catalog of the table. Undefined: not said. */
  readonly catalog?: string | undefined;
  /** Schema of the table. Undefined: not said. */
  readonly dbSchema?: string | undefined;
  /** Name of the table. */
  readonly table: string;
}

/** Asks for the foreign keys that refer to a table. */
export interface CommandGetExportedKeys {
  readonly kind: 'CommandGetExportedKeys';
  /** Catalog of the table. Undefined: not said. */
  readonly catalog?: string | undefined;
  /** Schema of the table. Undefined: not said. */
  readonly dbSchema?: string | undefined;
  /** Name of the table that is referred to. */
  readonly table: string;
}

/** Asks for the foreign keys of a table. */
export interface CommandGetImportedKeys {
  readonly kind: 'CommandGetImportedKeys';
  /** Catalog of the table. Undefined: not said. */
  readonly catalog?: string | undefined;
  /** Schema of the table. Undefined: not said. */
  readonly dbSchema?: string | undefined;
  /** Name of the table that refers. */
  readonly table: string;
}

/** Asks for the foreign keys of one table that refer to another. */
export interface CommandGetCrossReference {
  readonly kind: 'CommandGetCrossReference';
  /** Catalog of the table that is referred to. */
  readonly pkCatalog?: string | undefined;
  /** Schema of the table that is referred to. */
  readonly pkDbSchema?: string | undefined;
  /** Name of the table that is referred to. */
  readonly pkTable: string;
  /** Catalog of the table that refers. */
  readonly fkCatalog?: string | undefined;
  /** Schema of the table that refers. */
  readonly fkDbSchema?: string | undefined;
  /** Name of the table that refers. */
  readonly fkTable: string;
}

/** A command that asks for metadata of the server or the database: its answer has a schema that the format fixes. */
export type SqlMetadataCommand =
  | CommandGetSqlInfo
  | CommandGetXdbcTypeInfo
  | CommandGetCatalogs
  | CommandGetDbSchemas
  | CommandGetTables
  | CommandGetTableTypes
  | CommandGetPrimaryKeys
  | CommandGetExportedKeys
  | CommandGetImportedKeys
  | CommandGetCrossReference;

/** A command that gives rows: for GetFlightInfo, PollFlightInfo and GetSchema. */
export type SqlQueryCommand =
  | CommandStatementQuery
  | CommandStatementSubstraitPlan
  | CommandPreparedStatementQuery
  | SqlMetadataCommand;

/** A command that comes with a DoPut. */
export type SqlPutCommand =
  | CommandStatementUpdate
  | CommandStatementIngest
  | CommandStatementSubstraitPlan
  | CommandPreparedStatementQuery
  | CommandPreparedStatementUpdate;

/** Any command of Flight SQL, and the one ticket that is no command. */
export type SqlCommand = SqlQueryCommand | SqlPutCommand | TicketStatementQuery;
