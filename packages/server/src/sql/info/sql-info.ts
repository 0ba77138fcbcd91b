import {
  SqlInfo,
  type SqlInfoValue,
  SqlOuterJoinsSupportLevel,
  SqlSupportedCaseSensitivity,
  SqlSupportedElementActions,
  SqlSupportedGroupBy,
  SqlSupportedResultSetConcurrency,
  SqlSupportedResultSetType,
  SqlSupportedSubqueries,
  SqlSupportedTransaction,
  SqlSupportedUnions,
  SqlTransactionIsolationLevel,
  SupportedAnsi92SqlGrammarLevel,
  SupportedSqlGrammar,
} from '@peregrine/flight/sql';
import type { EngineInfo } from '../../engine/types.ts';
import { patternEscape } from '../sql-text.ts';
import { conversions } from './conversions.ts';
import type { LanguageLists } from './functions.ts';
import { type LanguageFacts, duckdbFacts } from './language-facts.ts';

/** What the server itself adds to what its engine is. */
export interface ServerFacts {
  /** Nothing can be changed through this server. */
  readonly readOnly: boolean;
  /** Milliseconds; 0: none. */
  readonly statementTimeoutMs: number;
  /** Milliseconds without a statement. */
  readonly transactionTimeoutMs: number;
  /** This server's own version, for engines that tell none. */
  readonly version: string;
}

/** Version of Arrow's format that results are in, for engines that tell none of a library. */
const arrowFormatVersion = '1.5';

/** Bits by their places. */
function bits(...places: readonly number[]): number {
  return places.reduce((mask, place) => mask | (1 << place), 0);
}

/** Whether keywords and functions are among the codes that a client asks for; none means all. */
export function wantsLanguageLists(codes: readonly number[]): boolean {
  return (
    codes.length === 0 ||
    codes.some((code) => code >= SqlInfo.SQL_KEYWORDS && code <= SqlInfo.SQL_DATETIME_FUNCTIONS)
  );
}

/**
 * Every value of GetSqlInfo: clients take a missing one for a broken server. Where a limit is only that of the memory
 * the value is 0, which is how JDBC says "no limit or not known".
 */
export function sqlInfoOf(
  engine: EngineInfo,
  server: ServerFacts,
  lists: LanguageLists | undefined,
  language: LanguageFacts = duckdbFacts,
): Record<number, SqlInfoValue> {
  return {
    ...serverInfo(engine, server),
    ...languageInfo(engine, lists, language),
    ...limitInfo(),
    ...transactionInfo(),
  };
}

function serverInfo(engine: EngineInfo, server: ServerFacts): Record<number, SqlInfoValue> {
  return {
    [SqlInfo.FLIGHT_SQL_SERVER_NAME]: engine.vendor,
    [SqlInfo.FLIGHT_SQL_SERVER_VERSION]: engine.vendorVersion === '' ? server.version : engine.vendorVersion,
    [SqlInfo.FLIGHT_SQL_SERVER_ARROW_VERSION]: engine.arrowVersion ?? arrowFormatVersion,
    [SqlInfo.FLIGHT_SQL_SERVER_READ_ONLY]: server.readOnly,
    [SqlInfo.FLIGHT_SQL_SERVER_SQL]: true,
    [SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT]: false,
    [SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION]: '',
    [SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION]: '',
    [SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION]: SqlSupportedTransaction.TRANSACTION,
    [SqlInfo.FLIGHT_SQL_SERVER_CANCEL]: true,
    [SqlInfo.FLIGHT_SQL_SERVER_BULK_INGESTION]: !server.readOnly,
    [SqlInfo.FLIGHT_SQL_SERVER_INGEST_TRANSACTIONS_SUPPORTED]: !server.readOnly,
    [SqlInfo.FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT]: server.statementTimeoutMs,
    [SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT]: server.transactionTimeoutMs,
    [SqlInfo.SQL_DDL_CATALOG]: false,
    [SqlInfo.SQL_DDL_SCHEMA]: !server.readOnly,
    [SqlInfo.SQL_DDL_TABLE]: !server.readOnly,
  };
}

function languageInfo(
  { dialect }: EngineInfo,
  lists: LanguageLists | undefined,
  language: LanguageFacts,
): Record<number, SqlInfoValue> {
  const isDuckdb = dialect === 'duckdb';
  const caseOfNames = isDuckdb
    ? SqlSupportedCaseSensitivity.SQL_CASE_SENSITIVITY_CASE_INSENSITIVE
    : SqlSupportedCaseSensitivity.SQL_CASE_SENSITIVITY_UNKNOWN;
  return {
    [SqlInfo.SQL_IDENTIFIER_CASE]: caseOfNames,
    [SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR]: '"',
    [SqlInfo.SQL_QUOTED_IDENTIFIER_CASE]: caseOfNames,
    [SqlInfo.SQL_ALL_TABLES_ARE_SELECTABLE]: true,
    [SqlInfo.SQL_NULL_ORDERING]: language.nullOrdering,
    [SqlInfo.SQL_KEYWORDS]: lists?.keywords ?? [],
    [SqlInfo.SQL_NUMERIC_FUNCTIONS]: lists?.numericFunctions ?? [],
    [SqlInfo.SQL_STRING_FUNCTIONS]: lists?.stringFunctions ?? [],
    [SqlInfo.SQL_SYSTEM_FUNCTIONS]: lists?.systemFunctions ?? [],
    [SqlInfo.SQL_DATETIME_FUNCTIONS]: lists?.datetimeFunctions ?? [],
    [SqlInfo.SQL_SEARCH_STRING_ESCAPE]: patternEscape,
    [SqlInfo.SQL_EXTRA_NAME_CHARACTERS]: '',
    [SqlInfo.SQL_SUPPORTS_COLUMN_ALIASING]: true,
    [SqlInfo.SQL_NULL_PLUS_NULL_IS_NULL]: true,
    [SqlInfo.SQL_SUPPORTS_CONVERT]: isDuckdb ? conversions : new Map(),
    [SqlInfo.SQL_SUPPORTS_TABLE_CORRELATION_NAMES]: true,
    [SqlInfo.SQL_SUPPORTS_DIFFERENT_TABLE_CORRELATION_NAMES]: false,
    [SqlInfo.SQL_SUPPORTS_EXPRESSIONS_IN_ORDER_BY]: true,
    [SqlInfo.SQL_SUPPORTS_ORDER_BY_UNRELATED]: true,
    [SqlInfo.SQL_SUPPORTED_GROUP_BY]: bits(
      SqlSupportedGroupBy.SQL_GROUP_BY_UNRELATED,
      SqlSupportedGroupBy.SQL_GROUP_BY_BEYOND_SELECT,
    ),
    [SqlInfo.SQL_SUPPORTS_LIKE_ESCAPE_CLAUSE]: true,
    [SqlInfo.SQL_SUPPORTS_NON_NULLABLE_COLUMNS]: true,
    [SqlInfo.SQL_SUPPORTED_GRAMMAR]: bits(
      SupportedSqlGrammar.SQL_MINIMUM_GRAMMAR,
      SupportedSqlGrammar.SQL_CORE_GRAMMAR,
      SupportedSqlGrammar.SQL_EXTENDED_GRAMMAR,
    ),
    [SqlInfo.SQL_ANSI92_SUPPORTED_LEVEL]: bits(SupportedAnsi92SqlGrammarLevel.ANSI92_ENTRY_SQL),
    [SqlInfo.SQL_SUPPORTS_INTEGRITY_ENHANCEMENT_FACILITY]: isDuckdb,
    [SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL]: bits(
      SqlOuterJoinsSupportLevel.SQL_LIMITED_OUTER_JOINS,
      ...(language.fullOuterJoins ? [SqlOuterJoinsSupportLevel.SQL_FULL_OUTER_JOINS] : []),
    ),
    [SqlInfo.SQL_SCHEMA_TERM]: 'schema',
    [SqlInfo.SQL_PROCEDURE_TERM]: '',
    [SqlInfo.SQL_CATALOG_TERM]: isDuckdb ? 'database' : 'catalog',
    [SqlInfo.SQL_CATALOG_AT_START]: true,
    [SqlInfo.SQL_SCHEMAS_SUPPORTED_ACTIONS]: bits(
      SqlSupportedElementActions.SQL_ELEMENT_IN_INDEX_DEFINITIONS,
    ),
    [SqlInfo.SQL_CATALOGS_SUPPORTED_ACTIONS]: bits(
      SqlSupportedElementActions.SQL_ELEMENT_IN_INDEX_DEFINITIONS,
    ),
    [SqlInfo.SQL_SUPPORTED_POSITIONED_COMMANDS]: 0,
    [SqlInfo.SQL_SELECT_FOR_UPDATE_SUPPORTED]: false,
    [SqlInfo.SQL_STORED_PROCEDURES_SUPPORTED]: false,
    [SqlInfo.SQL_SUPPORTED_SUBQUERIES]: bits(
      SqlSupportedSubqueries.SQL_SUBQUERIES_IN_COMPARISONS,
      SqlSupportedSubqueries.SQL_SUBQUERIES_IN_EXISTS,
      SqlSupportedSubqueries.SQL_SUBQUERIES_IN_INS,
      ...(language.quantifiedSubqueries ? [SqlSupportedSubqueries.SQL_SUBQUERIES_IN_QUANTIFIEDS] : []),
    ),
    [SqlInfo.SQL_CORRELATED_SUBQUERIES_SUPPORTED]: language.correlatedSubqueries,
    [SqlInfo.SQL_SUPPORTED_UNIONS]: bits(SqlSupportedUnions.SQL_UNION, SqlSupportedUnions.SQL_UNION_ALL),
  };
}

function limitInfo(): Record<number, SqlInfoValue> {
  const info: Record<number, SqlInfoValue> = {};
  for (
    let code: number = SqlInfo.SQL_MAX_BINARY_LITERAL_LENGTH;
    code <= SqlInfo.SQL_MAX_USERNAME_LENGTH;
    code++
  ) {
    info[code] = 0n;
  }
  info[SqlInfo.SQL_MAX_ROW_SIZE_INCLUDES_BLOBS] = true;
  return info;
}

function transactionInfo(): Record<number, SqlInfoValue> {
  const readOnly = bits(SqlSupportedResultSetConcurrency.SQL_RESULT_SET_CONCURRENCY_READ_ONLY);
  return {
    // DuckDB's snapshot isolation: stronger than repeatable read, and write skew keeps it from being serializable.
    [SqlInfo.SQL_DEFAULT_TRANSACTION_ISOLATION]: SqlTransactionIsolationLevel.SQL_TRANSACTION_REPEATABLE_READ,
    [SqlInfo.SQL_TRANSACTIONS_SUPPORTED]: true,
    [SqlInfo.SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS]: bits(
      SqlTransactionIsolationLevel.SQL_TRANSACTION_REPEATABLE_READ,
    ),
    [SqlInfo.SQL_DATA_DEFINITION_CAUSES_TRANSACTION_COMMIT]: false,
    [SqlInfo.SQL_DATA_DEFINITIONS_IN_TRANSACTIONS_IGNORED]: false,
    [SqlInfo.SQL_SUPPORTED_RESULT_SET_TYPES]: bits(
      SqlSupportedResultSetType.SQL_RESULT_SET_TYPE_FORWARD_ONLY,
    ),
    [SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_UNSPECIFIED]: readOnly,
    [SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_FORWARD_ONLY]: readOnly,
    [SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_SENSITIVE]: 0,
    [SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_INSENSITIVE]: 0,
    [SqlInfo.SQL_BATCH_UPDATES_SUPPORTED]: true,
    [SqlInfo.SQL_SAVEPOINTS_SUPPORTED]: false,
    [SqlInfo.SQL_NAMED_PARAMETERS_SUPPORTED]: false,
    [SqlInfo.SQL_LOCATORS_UPDATE_COPY]: false,
    [SqlInfo.SQL_STORED_FUNCTIONS_USING_CALL_SYNTAX_SUPPORTED]: false,
  };
}
