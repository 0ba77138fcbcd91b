/** The answers to metadata commands as plain rows. */

import { MapRow, type Schema, type Table, Vector } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import { decodeSchemaEncapsulated } from '../../ipc/decode/encapsulated.ts';
import { UpdateDeleteRules } from '../../proto/gen/flight_sql_pb.ts';
import type { SqlInfoValue } from '../info/values.ts';
import type {
  SqlDbSchema,
  SqlForeignKeyColumn,
  SqlForeignKeyRule,
  SqlPrimaryKeyColumn,
  SqlTable,
  XdbcTypeInfo,
} from '../metadata/rows.ts';

/** Reads values of a row by the name of their column. */
interface RowReader {
  text(column: string): string;
  optionalText(column: string): string | undefined;
  number(column: string): number;
  optionalNumber(column: string): number | undefined;
  flag(column: string): boolean;
  optionalFlag(column: string): boolean | undefined;
  value(column: string): unknown;
}

function rowsOf<Row>(table: Table, read: (row: RowReader) => Row): Row[] {
  const columns = new Map(table.schema.names.map((name, index) => [String(name), table.getChildAt(index)]));
  return Array.from({ length: table.numRows }, (_item, row) => {
    const value = (column: string): unknown => columns.get(column)?.get(row) ?? undefined;
    const required = <T>(column: string, found: T | undefined): T => {
      if (found === undefined) throw new FlightDataError(`row ${row} of the answer has no ${column}`);
      return found;
    };
    const optionalText = (column: string): string | undefined => {
      const found = value(column);
      return found === undefined ? undefined : String(found);
    };
    const optionalNumber = (column: string): number | undefined => {
      const found = value(column);
      return found === undefined ? undefined : Number(found);
    };
    const optionalFlag = (column: string): boolean | undefined => {
      const found = value(column);
      return found === undefined ? undefined : Boolean(found);
    };
    return read({
      value,
      optionalText,
      optionalNumber,
      optionalFlag,
      text: (column) => required(column, optionalText(column)),
      number: (column) => required(column, optionalNumber(column)),
      flag: (column) => required(column, optionalFlag(column)),
    });
  });
}

/** The answer to CommandGetCatalogs. */
export function readCatalogs(table: Table): string[] {
  return rowsOf(table, (row) => row.text('catalog_name'));
}

/** The answer to CommandGetDbSchemas. */
export function readDbSchemas(table: Table): SqlDbSchema[] {
  return rowsOf(table, (row) => ({
    catalogName: row.optionalText('catalog_name'),
    dbSchemaName: row.text('db_schema_name'),
  }));
}

/** A table as the server tells it, with its schema where that was asked for. */
export interface SqlTableInfo extends SqlTable {
  /** Undefined unless it was asked for. */
  readonly schema: Schema | undefined;
}

/** The answer to CommandGetTables. */
export function readTables(table: Table): SqlTableInfo[] {
  return rowsOf(table, (row) => {
    const schema = row.value('table_schema');
    return {
      catalogName: row.optionalText('catalog_name'),
      dbSchemaName: row.optionalText('db_schema_name'),
      tableName: row.text('table_name'),
      tableType: row.text('table_type'),
      schema: schema instanceof Uint8Array ? decodeSchemaEncapsulated(schema) : undefined,
    };
  });
}

/** The answer to CommandGetTableTypes. */
export function readTableTypes(table: Table): string[] {
  return rowsOf(table, (row) => row.text('table_type'));
}

/** The answer to CommandGetPrimaryKeys. */
export function readPrimaryKeys(table: Table): SqlPrimaryKeyColumn[] {
  return rowsOf(table, (row) => ({
    catalogName: row.optionalText('catalog_name'),
    dbSchemaName: row.optionalText('db_schema_name'),
    tableName: row.text('table_name'),
    columnName: row.text('column_name'),
    keySequence: row.number('key_sequence'),
    keyName: row.optionalText('key_name'),
  }));
}

/** The answers to CommandGetExportedKeys, CommandGetImportedKeys and CommandGetCrossReference. */
export function readForeignKeys(table: Table): SqlForeignKeyColumn[] {
  return rowsOf(table, (row) => ({
    pkCatalogName: row.optionalText('pk_catalog_name'),
    pkDbSchemaName: row.optionalText('pk_db_schema_name'),
    pkTableName: row.text('pk_table_name'),
    pkColumnName: row.text('pk_column_name'),
    fkCatalogName: row.optionalText('fk_catalog_name'),
    fkDbSchemaName: row.optionalText('fk_db_schema_name'),
    fkTableName: row.text('fk_table_name'),
    fkColumnName: row.text('fk_column_name'),
    keySequence: row.number('key_sequence'),
    fkKeyName: row.optionalText('fk_key_name'),
    pkKeyName: row.optionalText('pk_key_name'),
    updateRule: ruleOf(row.number('update_rule')),
    deleteRule: ruleOf(row.number('delete_rule')),
  }));
}

const ruleNames: readonly SqlForeignKeyRule[] = [
  'CASCADE',
  'RESTRICT',
  'SET_NULL',
  'NO_ACTION',
  'SET_DEFAULT',
];

function ruleOf(value: number): SqlForeignKeyRule {
  const name = ruleNames.find((each) => UpdateDeleteRules[each] === value);
  if (name === undefined) throw new FlightDataError(`${value} is no rule of a foreign key`);
  return name;
}

/** The answer to CommandGetXdbcTypeInfo. */
export function readXdbcTypeInfo(table: Table): XdbcTypeInfo[] {
  return rowsOf(table, (row) => {
    const params = row.value('create_params');
    return {
      typeName: row.text('type_name'),
      dataType: row.number('data_type'),
      columnSize: row.optionalNumber('column_size'),
      literalPrefix: row.optionalText('literal_prefix'),
      literalSuffix: row.optionalText('literal_suffix'),
      createParams: params instanceof Vector ? texts(params) : undefined,
      nullable: row.number('nullable'),
      caseSensitive: row.flag('case_sensitive'),
      searchable: row.number('searchable'),
      unsignedAttribute: row.optionalFlag('unsigned_attribute'),
      fixedPrecScale: row.flag('fixed_prec_scale'),
      autoIncrement: row.optionalFlag('auto_increment'),
      localTypeName: row.optionalText('local_type_name'),
      minimumScale: row.optionalNumber('minimum_scale'),
      maximumScale: row.optionalNumber('maximum_scale'),
      sqlDataType: row.number('sql_data_type'),
      datetimeSubcode: row.optionalNumber('datetime_subcode'),
      numPrecRadix: row.optionalNumber('num_prec_radix'),
      intervalPrecision: row.optionalNumber('interval_precision'),
    };
  });
}

/** The answer to CommandGetSqlInfo, by code. A row without a value is left out. */
export function readSqlInfo(table: Table): Map<number, SqlInfoValue> {
  const values = new Map<number, SqlInfoValue>();
  for (const { code, value } of rowsOf(table, (row) => ({
    code: row.number('info_name'),
    value: row.value('value'),
  }))) {
    const read = sqlInfoValue(value);
    if (read !== undefined) values.set(code, read);
  }
  return values;
}

function sqlInfoValue(value: unknown): SqlInfoValue | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
    case 'number':
      return value;
    default:
      if (value instanceof MapRow) return mapOf(value);
      return value instanceof Vector ? texts(value) : undefined;
  }
}

function mapOf(row: MapRow): Map<number, readonly number[]> {
  const map = new Map<number, readonly number[]>();
  for (const [key, list] of row) {
    const items: unknown = list;
    map.set(Number(key), items instanceof Vector ? Array.from(items, Number) : []);
  }
  return map;
}

function texts(vector: Vector): string[] {
  return Array.from(vector, (item: unknown) => (item === null ? '' : String(item)));
}
