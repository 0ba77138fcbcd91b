/** Flight SQL: its commands and answers, and both sides of it over Flight. */

// commands, as descriptors and tickets carry them
export { encodeSqlCommand, parseSqlCommand, sqlDescriptor, sqlTicket } from './commands/codec.ts';
export { parseSqlDescriptor, parseSqlTicket } from './commands/codec.ts';
export type {
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
  IngestIfExists,
  IngestIfMissing,
  SqlCommand,
  SqlMetadataCommand,
  SqlPutCommand,
  SqlQueryCommand,
  SubstraitPlan,
  TicketStatementQuery,
} from './commands/types.ts';

// actions
export { encodeSqlAction, parseSqlAction } from './actions/codec.ts';
export type {
  BeginSavepointRequest,
  BeginTransactionRequest,
  CancelQueryRequest,
  ClosePreparedStatementRequest,
  CreatePreparedStatementRequest,
  CreatePreparedSubstraitPlanRequest,
  EndSavepointRequest,
  EndTransactionRequest,
  PreparedStatementResult,
  SqlAction,
} from './actions/types.ts';

// schemas and metadata
export { metadataSchema, sqlSchemas } from './schemas.ts';
export {
  encodeColumnMetadata,
  readColumnMetadata,
  type SqlColumnMetadata,
  withColumnMetadata,
} from './column-metadata.ts';
export {
  createCatalogs,
  createCrossReference,
  createDbSchemas,
  createExportedKeys,
  createImportedKeys,
  createPrimaryKeys,
  createTables,
  createTableTypes,
  createXdbcTypeInfo,
} from './metadata/result-sets.ts';
export { matchesPattern } from './metadata/pattern.ts';
export type {
  SqlDbSchema,
  SqlForeignKeyColumn,
  SqlForeignKeyRule,
  SqlPrimaryKeyColumn,
  SqlTable,
  XdbcTypeInfo,
} from './metadata/rows.ts';
export { createSqlInfo, type SqlInfoValues } from './info/sql-info.ts';
export { sqlInfoKind, type SqlInfoKind, type SqlInfoValue } from './info/values.ts';

// the numbers of the format
export {
  Nullable,
  Searchable,
  SqlInfo,
  SqlNullOrdering,
  SqlOuterJoinsSupportLevel,
  SqlSupportedCaseSensitivity,
  SqlSupportedElementActions,
  SqlSupportedGroupBy,
  SqlSupportedPositionedCommands,
  SqlSupportedResultSetConcurrency,
  SqlSupportedResultSetType,
  SqlSupportedSubqueries,
  SqlSupportedTransaction,
  SqlSupportedTransactions,
  SqlSupportedUnions,
  SqlSupportsConvert,
  SqlTransactionIsolationLevel,
  SupportedAnsi92SqlGrammarLevel,
  SupportedSqlGrammar,
  UpdateDeleteRules,
  XdbcDataType,
  XdbcDatetimeSubcode,
} from '../proto/gen/flight_sql_pb.ts';

// the server
export type {
  FlightSqlHandlers,
  MetadataAnswer,
  PollAnswer,
  SchemaAnswer,
  StatementAnswer,
  StatementInfo,
  StatementPoll,
  UpdateAnswer,
} from './server/types.ts';
export { createFlightSqlHandlers } from './server/create-handlers.ts';
export { FlightSqlServer, type FlightSqlServerOptions } from './server/flight-sql-server.ts';

// the client
export { connectSql } from './client/connect-sql.ts';
export {
  type CrossReferenceTables,
  type DbSchemasFilter,
  FlightSqlClient,
  type TableReference,
  type TablesFilter,
} from './client/flight-sql-client.ts';
export type { SqlTableInfo } from './client/metadata.ts';
export type {
  ExecuteOptions,
  IngestOptions,
  PollOptions,
  QueryOptions,
  SqlRows,
  StatementOptions,
  TransactionReference,
} from './client/options.ts';
export { PreparedStatement } from './client/prepared-statement.ts';
export { Savepoint, Transaction } from './client/transaction.ts';
export { parameterBatch, type SqlParameterRow } from './parameters/batch.ts';
