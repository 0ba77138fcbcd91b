/** The answers to metadata commands as plain rows, as servers give them and clients get them. */

import type { Schema } from 'apache-arrow';

/** A schema of the database. */
export interface SqlDbSchema {
  /** Undefined where the database has no catalogs. */
  readonly catalogName?: string | undefined;
  /** Name of the schema. */
  readonly dbSchemaName: string;
}

/** A table, a view, or whatever else the database has of that kind. */
export interface SqlTable {
  /** Undefined where the database has no catalogs. */
  readonly catalogName?: string | undefined;
  /** Undefined where the database has no schemas. */
  readonly dbSchemaName?: string | undefined;
  /** Name of the table. */
  readonly tableName: string;
  /** One of the types that CommandGetTableTypes tells. */
  readonly tableType: string;
  /**
   * Schema of the table's rows, also as IPC-encapsulated bytes: needed when the command has `includeSchema`, else not
   * used. Its fields may carry {@link SqlColumnMetadata}.
   */
  readonly schema?: Schema | Uint8Array | undefined;
}

/** A column of a primary key. */
export interface SqlPrimaryKeyColumn {
  /** Undefined where the database has no catalogs. */
  readonly catalogName?: string | undefined;
  /** Undefined where the database has no schemas. */
  readonly dbSchemaName?: string | undefined;
  /** Table that the key is of. */
  readonly tableName: string;
  /** Column that is part of the key. */
  readonly columnName: string;
  /** Place of the column in the key, from 1. */
  readonly keySequence: number;
  /** Name of the key. Undefined: it has none. */
  readonly keyName?: string | undefined;
}

/** What happens to rows that refer to one that is changed or deleted: UpdateDeleteRules of the format. */
export type SqlForeignKeyRule = 'CASCADE' | 'RESTRICT' | 'SET_NULL' | 'NO_ACTION' | 'SET_DEFAULT';

/** A column of a foreign key (`fk…`) and the column that it refers to (`pk…`). */
export interface SqlForeignKeyColumn {
  /** Catalog of the table that is referred to. Undefined where the database has none. */
  readonly pkCatalogName?: string | undefined;
  /** Schema of the table that is referred to. Undefined where the database has none. */
  readonly pkDbSchemaName?: string | undefined;
  /** Table that is referred to. */
  readonly pkTableName: string;
  /** Column that is referred to. */
  readonly pkColumnName: string;
  /** Catalog of the table that refers. Undefined where the database has none. */
  readonly fkCatalogName?: string | undefined;
  /** Schema of the table that refers. Undefined where the database has none. */
  readonly fkDbSchemaName?: string | undefined;
  /** Table that refers. */
  readonly fkTableName: string;
  /** Column that refers. */
  readonly fkColumnName: string;
  /** Place of the column in the key, from 1. */
  readonly keySequence: number;
  /** Name of the foreign key. Undefined: it has none. */
  readonly fkKeyName?: string | undefined;
  /** Name of the key that is referred to. Undefined: it has none. */
  readonly pkKeyName?: string | undefined;
  /** What happens to rows that refer when the key changes. */
  readonly updateRule: SqlForeignKeyRule;
  /** What happens to rows that refer when the row is deleted. */
  readonly deleteRule: SqlForeignKeyRule;
}

/** A type of the database in terms of ODBC and JDBC. */
export interface XdbcTypeInfo {
  /** As the database calls it. */
  readonly typeName: string;
  /** A value of {@link XdbcDataType}. */
  readonly dataType: number;
  /** Digits, characters, or bytes at most. Undefined: does not apply. */
  readonly columnSize?: number | undefined;
  /** What begins and ends a literal, such as `'`. Undefined: nothing. */
  readonly literalPrefix?: string | undefined;
  /** What ends a literal. Undefined: nothing. */
  readonly literalSuffix?: string | undefined;
  /** What can follow the name in parentheses, such as `length`. Undefined: nothing. */
  readonly createParams?: readonly string[] | undefined;
  /** A value of {@link Nullable}. */
  readonly nullable: number;
  /** Whether comparing values tells upper case from lower. */
  readonly caseSensitive: boolean;
  /** A value of {@link Searchable}. */
  readonly searchable: number;
  /** Undefined: no number. */
  readonly unsignedAttribute?: boolean | undefined;
  /** Whether precision and scale are fixed, as of money. */
  readonly fixedPrecScale: boolean;
  /** Undefined: does not apply. */
  readonly autoIncrement?: boolean | undefined;
  /** The name in the language of people. Undefined: the same. */
  readonly localTypeName?: string | undefined;
  /** Fewest digits behind the decimal point. Undefined: does not apply. */
  readonly minimumScale?: number | undefined;
  /** Most digits behind the decimal point. Undefined: does not apply. */
  readonly maximumScale?: number | undefined;
  /** As `dataType`, but XDBC_DATETIME and XDBC_INTERVAL for those kinds, with the subcode. */
  readonly sqlDataType: number;
  /** A value of {@link XdbcDatetimeSubcode}. Undefined: no date, time or interval. */
  readonly datetimeSubcode?: number | undefined;
  /** 10 where sizes count decimal digits, 2 where they count bits. Undefined: no number. */
  readonly numPrecRadix?: number | undefined;
  /** Digits of the leading field of an interval. Undefined: no interval. */
  readonly intervalPrecision?: number | undefined;
}
