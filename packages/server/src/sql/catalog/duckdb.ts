import type { SqlTable } from '@peregrine/flight/sql';
import { memoryDatabase } from '../../datasets/database-name.ts';
import type { EngineConnection } from '../../engine/types.ts';
import { loadedSchema } from '../../store/engine-tables.ts';
import { queryRows, textOf } from '../../engine/rows.ts';
import { quoteLiteral } from '../../engine/sql-text.ts';
import { patternEscape } from '../sql-text.ts';
import { duckdbTableSchemas } from './duckdb-columns.ts';
import { duckdbForeignKeys, duckdbPrimaryKeys, isNamed } from './duckdb-keys.ts';
import type { Catalog, SchemaFilter, TableFilter } from './types.ts';

/**
 * The databases that a person attached, without that of datasets in memory, and `temp` where a temporary table or view is in it. `system` holds DuckDB's
 * own views, which every database shows under the same names again.
 */
const visibleDatabases =
  `select database_name from duckdb_databases() where not internal and database_name <> '${memoryDatabase}' ` +
  'union select database_name from duckdb_tables() where temporary ' +
  'union select database_name from duckdb_views() where temporary and not internal';

/** DuckDB's own, and the one in which the store keeps the rows of Arrow files behind their views. */
const hiddenSchemas = `('information_schema', 'pg_catalog', ${quoteLiteral(loadedSchema)})`;

/** DuckDB's catalog, by its table functions. */
export const duckdbCatalog: Catalog = {
  tableTypes: async () => ['BASE TABLE', 'LOCAL TEMPORARY', 'VIEW'],
  async catalogs(connection) {
    const rows = await queryRows(connection, visibleDatabases);
    return rows.map((row) => textOf(row['database_name']) ?? '');
  },
  async schemas(connection, filter) {
    const rows = await queryRows(
      connection,
      `select database_name, schema_name from duckdb_schemas() where schema_name not in ${hiddenSchemas} ` +
        `and database_name in (${visibleDatabases})${schemaConditions(filter)}`,
    );
    return rows.map((row) => ({
      catalogName: textOf(row['database_name']),
      dbSchemaName: textOf(row['schema_name']) ?? '',
    }));
  },
  tables: readTables,
  withSchemas: duckdbTableSchemas,
  primaryKeys: duckdbPrimaryKeys,
  foreignKeys: duckdbForeignKeys,
};

async function readTables(connection: EngineConnection, filter: TableFilter): Promise<SqlTable[]> {
  const types =
    filter.types.length === 0 ? '' : ` and table_type in (${filter.types.map(quoteLiteral).join(', ')})`;
  const tables =
    "select database_name, schema_name, table_name, case when temporary then 'LOCAL TEMPORARY' " +
    `else 'BASE TABLE' end as table_type from duckdb_tables() ` +
    `where not internal and database_name <> '${memoryDatabase}' and schema_name not in ${hiddenSchemas}`;
  const views = "select database_name, schema_name, view_name, 'VIEW' from duckdb_views() where not internal";
  const rows = await queryRows(
    connection,
    `select * from (${tables} union all ${views}) where true${schemaConditions(filter)}` +
      like('table_name', filter.tablePattern) +
      types,
  );
  return rows.map((row) => ({
    catalogName: textOf(row['database_name']),
    dbSchemaName: textOf(row['schema_name']),
    tableName: textOf(row['table_name']) ?? '',
    tableType: textOf(row['table_type']) ?? '',
  }));
}

/** DuckDB has nothing without a catalog: '' finds nothing by itself. */
function schemaConditions({ catalog, schemaPattern }: SchemaFilter): string {
  const inCatalog = catalog === undefined ? '' : ` and ${isNamed('database_name', catalog)}`;
  return inCatalog + like('schema_name', schemaPattern);
}

/** Names are compared as DuckDB compares them, whatever their case: JDBC tools ask for PENGUINS. */
function like(column: string, pattern: string | undefined): string {
  return pattern === undefined
    ? ''
    : ` and ${column} ilike ${quoteLiteral(pattern)} escape ${quoteLiteral(patternEscape)}`;
}
