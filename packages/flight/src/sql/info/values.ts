/** What the codes of SqlInfo mean: the kind of value that each has. */

import { SqlInfo } from '../../proto/gen/flight_sql_pb.ts';

/**
 * A value of SqlInfo, by the child of the result's union that holds it: text, a flag, a bigint for 64-bit numbers, a
 * number for 32-bit ones (also those that are bit masks), a list of texts, or a map of numbers to lists of numbers.
 */
export type SqlInfoValue =
  | string
  | boolean
  | bigint
  | number
  | readonly string[]
  | ReadonlyMap<number, readonly number[]>;

/** Names of the kinds, in the order of the union's type ids. */
export const sqlInfoKinds = ['string', 'bool', 'int64', 'int32', 'string-list', 'int32-map'] as const;

/** The kind of a {@link SqlInfoValue}. */
export type SqlInfoKind = (typeof sqlInfoKinds)[number];

/** Codes by kind, as ranges with both ends; what is in none of them is a flag. */
const ranges: readonly (readonly [first: number, last: number, kind: SqlInfoKind])[] = [
  [SqlInfo.FLIGHT_SQL_SERVER_NAME, SqlInfo.FLIGHT_SQL_SERVER_ARROW_VERSION, 'string'],
  [
    SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MIN_VERSION,
    SqlInfo.FLIGHT_SQL_SERVER_SUBSTRAIT_MAX_VERSION,
    'string',
  ],
  [SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION, SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION, 'int32'],
  [SqlInfo.FLIGHT_SQL_SERVER_STATEMENT_TIMEOUT, SqlInfo.FLIGHT_SQL_SERVER_TRANSACTION_TIMEOUT, 'int32'],
  [SqlInfo.SQL_IDENTIFIER_CASE, SqlInfo.SQL_IDENTIFIER_CASE, 'int32'],
  [SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR, SqlInfo.SQL_IDENTIFIER_QUOTE_CHAR, 'string'],
  [SqlInfo.SQL_QUOTED_IDENTIFIER_CASE, SqlInfo.SQL_QUOTED_IDENTIFIER_CASE, 'int32'],
  [SqlInfo.SQL_NULL_ORDERING, SqlInfo.SQL_NULL_ORDERING, 'int32'],
  [SqlInfo.SQL_KEYWORDS, SqlInfo.SQL_DATETIME_FUNCTIONS, 'string-list'],
  [SqlInfo.SQL_SEARCH_STRING_ESCAPE, SqlInfo.SQL_EXTRA_NAME_CHARACTERS, 'string'],
  [SqlInfo.SQL_SUPPORTS_CONVERT, SqlInfo.SQL_SUPPORTS_CONVERT, 'int32-map'],
  [SqlInfo.SQL_SUPPORTED_GROUP_BY, SqlInfo.SQL_SUPPORTED_GROUP_BY, 'int32'],
  [SqlInfo.SQL_SUPPORTED_GRAMMAR, SqlInfo.SQL_ANSI92_SUPPORTED_LEVEL, 'int32'],
  [SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL, SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL, 'int32'],
  [SqlInfo.SQL_SCHEMA_TERM, SqlInfo.SQL_CATALOG_TERM, 'string'],
  [SqlInfo.SQL_SCHEMAS_SUPPORTED_ACTIONS, SqlInfo.SQL_SUPPORTED_POSITIONED_COMMANDS, 'int32'],
  [SqlInfo.SQL_SUPPORTED_SUBQUERIES, SqlInfo.SQL_SUPPORTED_SUBQUERIES, 'int32'],
  [SqlInfo.SQL_SUPPORTED_UNIONS, SqlInfo.SQL_SUPPORTED_UNIONS, 'int32'],
  [SqlInfo.SQL_MAX_BINARY_LITERAL_LENGTH, SqlInfo.SQL_MAX_ROW_SIZE, 'int64'],
  [SqlInfo.SQL_MAX_STATEMENT_LENGTH, SqlInfo.SQL_MAX_USERNAME_LENGTH, 'int64'],
  // an enum, and yet drivers (Apache's JDBC and ODBC ones) read 64 bits
  [SqlInfo.SQL_DEFAULT_TRANSACTION_ISOLATION, SqlInfo.SQL_DEFAULT_TRANSACTION_ISOLATION, 'int64'],
  [
    SqlInfo.SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS,
    SqlInfo.SQL_SUPPORTED_TRANSACTIONS_ISOLATION_LEVELS,
    'int32',
  ],
  [
    SqlInfo.SQL_SUPPORTED_RESULT_SET_TYPES,
    SqlInfo.SQL_SUPPORTED_CONCURRENCIES_FOR_RESULT_SET_SCROLL_INSENSITIVE,
    'int32',
  ],
];

const knownCodes: ReadonlySet<number> = new Set(Object.values(SqlInfo));

/** The kind of value that the format gives a code; undefined for codes of vendors, which choose. */
export function sqlInfoKind(code: number): SqlInfoKind | undefined {
  if (!knownCodes.has(code)) return undefined;
  return ranges.find(([first, last]) => code >= first && code <= last)?.[2] ?? 'bool';
}

/** The kind that a value is of. */
export function kindOfValue(value: SqlInfoValue): SqlInfoKind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int64';
    case 'number':
      return 'int32';
    default:
      return value instanceof Map ? 'int32-map' : 'string-list';
  }
}
