/**
 * The answers to metadata commands out of plain rows: the format's schema, and the format's order, whatever the order
 * of the rows.
 */

import type { RecordBatch } from 'apache-arrow';
import { FlightInternalError } from '../../errors.ts';
import { LazySchema } from '../../model/schema-bytes.ts';
import { UpdateDeleteRules } from '../../proto/gen/flight_sql_pb.ts';
import { sqlSchemas } from '../schemas.ts';
import { batchOfRows, sortRows } from './columns.ts';
import type {
  SqlDbSchema,
  SqlForeignKeyColumn,
  SqlPrimaryKeyColumn,
  SqlTable,
  XdbcTypeInfo,
} from './rows.ts';

/** The answer to CommandGetCatalogs, of the catalogs' names. */
export function createCatalogs(names: Iterable<string>): RecordBatch {
  return batchOfRows(sqlSchemas.catalogs, [...names].sort(), (name) => [name]);
}

/** The answer to CommandGetDbSchemas. */
export function createDbSchemas(rows: Iterable<SqlDbSchema>): RecordBatch {
  const sorted = sortRows(rows, 'catalogName', 'dbSchemaName');
  return batchOfRows(sqlSchemas.dbSchemas, sorted, (row) => [row.catalogName, row.dbSchemaName]);
}

/**
 * The answer to CommandGetTables.
 *
 * @param includeSchema - as in the command
 * @throws FlightInternalError for a table without a schema where schemas are wanted
 */
export function createTables(rows: Iterable<SqlTable>, includeSchema: boolean): RecordBatch {
  const sorted = sortRows(rows, 'catalogName', 'dbSchemaName', 'tableName', 'tableType');
  const names = (row: SqlTable): readonly unknown[] => [
    row.catalogName,
    row.dbSchemaName,
    row.tableName,
    row.tableType,
  ];
  if (!includeSchema) return batchOfRows(sqlSchemas.tables, sorted, names);
  return batchOfRows(sqlSchemas.tablesWithSchema, sorted, (row) => [...names(row), schemaBytes(row)]);
}

function schemaBytes({ tableName, schema }: SqlTable): Uint8Array {
  if (schema === undefined) {
    throw new FlightInternalError(`the table ${tableName} comes without its schema, which was asked for`);
  }
  return new LazySchema(schema).bytes;
}

/** The answer to CommandGetTableTypes, of the types' names. */
export function createTableTypes(names: Iterable<string>): RecordBatch {
  return batchOfRows(sqlSchemas.tableTypes, [...names].sort(), (name) => [name]);
}

/** The answer to CommandGetPrimaryKeys. */
export function createPrimaryKeys(rows: Iterable<SqlPrimaryKeyColumn>): RecordBatch {
  const sorted = sortRows(rows, 'catalogName', 'dbSchemaName', 'tableName', 'keyName', 'keySequence');
  return batchOfRows(sqlSchemas.primaryKeys, sorted, (row) => [
    row.catalogName,
    row.dbSchemaName,
    row.tableName,
    row.columnName,
    row.keySequence,
    row.keyName,
  ]);
}

/** The answer to CommandGetExportedKeys. */
export function createExportedKeys(rows: Iterable<SqlForeignKeyColumn>): RecordBatch {
  return foreignKeys(
    sortRows(rows, 'fkCatalogName', 'fkDbSchemaName', 'fkTableName', 'fkKeyName', 'keySequence'),
  );
}

/** The answer to CommandGetImportedKeys. */
export function createImportedKeys(rows: Iterable<SqlForeignKeyColumn>): RecordBatch {
  return foreignKeys(
    sortRows(rows, 'pkCatalogName', 'pkDbSchemaName', 'pkTableName', 'pkKeyName', 'keySequence'),
  );
}

/** The answer to CommandGetCrossReference. */
export function createCrossReference(rows: Iterable<SqlForeignKeyColumn>): RecordBatch {
  return createImportedKeys(rows);
}

function foreignKeys(rows: readonly SqlForeignKeyColumn[]): RecordBatch {
  return batchOfRows(sqlSchemas.importedKeys, rows, (row) => [
    row.pkCatalogName,
    row.pkDbSchemaName,
    row.pkTableName,
    row.pkColumnName,
    row.fkCatalogName,
    row.fkDbSchemaName,
    row.fkTableName,
    row.fkColumnName,
    row.keySequence,
    row.fkKeyName,
    row.pkKeyName,
    UpdateDeleteRules[row.updateRule],
    UpdateDeleteRules[row.deleteRule],
  ]);
}

/**
 * The answer to CommandGetXdbcTypeInfo.
 *
 * @param dataType - as in the command: only types of this number. Default: all
 */
export function createXdbcTypeInfo(rows: Iterable<XdbcTypeInfo>, dataType?: number): RecordBatch {
  const wanted = [...rows].filter((row) => dataType === undefined || row.dataType === dataType);
  return batchOfRows(sqlSchemas.xdbcTypeInfo, sortRows(wanted, 'dataType', 'typeName'), (row) => [
    row.typeName,
    row.dataType,
    row.columnSize,
    row.literalPrefix,
    row.literalSuffix,
    row.createParams,
    row.nullable,
    row.caseSensitive,
    row.searchable,
    row.unsignedAttribute,
    row.fixedPrecScale,
    row.autoIncrement,
    row.localTypeName,
    row.minimumScale,
    row.maximumScale,
    row.sqlDataType,
    row.datetimeSubcode,
    row.numPrecRadix,
    row.intervalPrecision,
  ]);
}
