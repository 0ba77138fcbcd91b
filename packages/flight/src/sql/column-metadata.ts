/**
 * What Flight SQL says of a column besides its Arrow type, as metadata of the field:
 *
 *     ARROW:FLIGHT:SQL:CATALOG_NAME, SCHEMA_NAME, TABLE_NAME, TYPE_NAME, REMARKS    text
 *     ARROW:FLIGHT:SQL:PRECISION, SCALE                                             decimal digits
 *     ARROW:FLIGHT:SQL:IS_AUTO_INCREMENT, IS_CASE_SENSITIVE, IS_READ_ONLY, IS_SEARCHABLE   "1" or "0"
 *
 * The comments of format/FlightSql.proto call the schema DB_SCHEMA_NAME; every implementation writes SCHEMA_NAME.
 */

import { type DataType, Field } from 'apache-arrow';

const start = 'ARROW:FLIGHT:SQL:';

/** What is known of a column; what is not known is undefined. */
export interface SqlColumnMetadata {
  /** Catalog of the table that the column is of. */
  readonly catalogName?: string | undefined;
  /** Schema of the table that the column is of. */
  readonly dbSchemaName?: string | undefined;
  /** The table that the column is of. */
  readonly tableName?: string | undefined;
  /** The type as the database calls it. */
  readonly typeName?: string | undefined;
  /** Digits of a number, or characters of a text, at most. */
  readonly precision?: number | undefined;
  /** Digits behind the decimal point. */
  readonly scale?: number | undefined;
  /** Whether the database counts its values up by itself. */
  readonly isAutoIncrement?: boolean | undefined;
  /** Whether comparing values tells upper case from lower. */
  readonly isCaseSensitive?: boolean | undefined;
  /** Whether it cannot be written. */
  readonly isReadOnly?: boolean | undefined;
  /** Whether a WHERE clause can use it. */
  readonly isSearchable?: boolean | undefined;
  /** What was written about it, for people. */
  readonly remarks?: string | undefined;
}

type TextName = 'catalogName' | 'dbSchemaName' | 'tableName' | 'typeName' | 'remarks';
type NumberName = 'precision' | 'scale';
type FlagName = 'isAutoIncrement' | 'isCaseSensitive' | 'isReadOnly' | 'isSearchable';

const textKeys: readonly (readonly [TextName, string])[] = [
  ['catalogName', 'CATALOG_NAME'],
  ['dbSchemaName', 'SCHEMA_NAME'],
  ['tableName', 'TABLE_NAME'],
  ['typeName', 'TYPE_NAME'],
  ['remarks', 'REMARKS'],
];
const numberKeys: readonly (readonly [NumberName, string])[] = [
  ['precision', 'PRECISION'],
  ['scale', 'SCALE'],
];
const flagKeys: readonly (readonly [FlagName, string])[] = [
  ['isAutoIncrement', 'IS_AUTO_INCREMENT'],
  ['isCaseSensitive', 'IS_CASE_SENSITIVE'],
  ['isReadOnly', 'IS_READ_ONLY'],
  ['isSearchable', 'IS_SEARCHABLE'],
];

/** The metadata of a field. */
export function encodeColumnMetadata(column: SqlColumnMetadata): Map<string, string> {
  const metadata = new Map<string, string>();
  for (const [name, key] of textKeys) {
    const value = column[name];
    if (value !== undefined) metadata.set(start + key, value);
  }
  for (const [name, key] of numberKeys) {
    const value = column[name];
    if (value !== undefined) metadata.set(start + key, String(value));
  }
  for (const [name, key] of flagKeys) {
    const value = column[name];
    if (value !== undefined) metadata.set(start + key, value ? '1' : '0');
  }
  return metadata;
}

/** The field with what is known of its column, added to the metadata that it has. */
export function withColumnMetadata<T extends DataType>(field: Field<T>, column: SqlColumnMetadata): Field<T> {
  const metadata = new Map([...field.metadata, ...encodeColumnMetadata(column)]);
  return new Field(field.name, field.type, field.nullable, metadata);
}

/** Reads the metadata of a field. What cannot be read, such as a precision that is no number, is left out. */
export function readColumnMetadata(metadata: ReadonlyMap<string, string>): SqlColumnMetadata {
  const text = (key: string): string | undefined => metadata.get(start + key);
  const number = (key: string): number | undefined => {
    const value = text(key);
    return value !== undefined && /^-?\d+$/.test(value) ? Number(value) : undefined;
  };
  const flag = (key: string): boolean | undefined => {
    const value = text(key);
    // Java's server writes true and false
    if (value === '1' || value === 'true') return true;
    return value === '0' || value === 'false' ? false : undefined;
  };
  return {
    catalogName: text('CATALOG_NAME'),
    dbSchemaName: text('SCHEMA_NAME') ?? text('DB_SCHEMA_NAME'),
    tableName: text('TABLE_NAME'),
    typeName: text('TYPE_NAME'),
    precision: number('PRECISION'),
    scale: number('SCALE'),
    isAutoIncrement: flag('IS_AUTO_INCREMENT'),
    isCaseSensitive: flag('IS_CASE_SENSITIVE'),
    isReadOnly: flag('IS_READ_ONLY'),
    isSearchable: flag('IS_SEARCHABLE'),
    remarks: text('REMARKS'),
  };
}
