import type { SqlForeignKeyColumn, SqlPrimaryKeyColumn } from '@peregrine/flight/sql';
import type { EngineConnection } from '../../engine/types.ts';
import { numberOf, queryRows, textOf } from '../../engine/rows.ts';
import { quoteLiteral } from '../../engine/sql-text.ts';
import type { ForeignKeyFilter, TableName } from './types.ts';

/** Primary keys by `duckdb_constraints`. */
export async function duckdbPrimaryKeys(
  connection: EngineConnection,
  table: TableName,
): Promise<SqlPrimaryKeyColumn[]> {
  const rows = await queryRows(
    connection,
    'select database_name, schema_name, table_name, unnest(constraint_column_names) as column_name, ' +
      'unnest(range(1, len(constraint_column_names) + 1)) as key_sequence, constraint_name ' +
      `from duckdb_constraints() where constraint_type = 'PRIMARY KEY'${named('table_name', table)}`,
  );
  return rows.map((row) => ({
    catalogName: textOf(row['database_name']),
    dbSchemaName: textOf(row['schema_name']),
    tableName: textOf(row['table_name']) ?? '',
    columnName: textOf(row['column_name']) ?? '',
    keySequence: numberOf(row['key_sequence']) ?? 0,
    keyName: textOf(row['constraint_name']),
  }));
}

/**
 * Foreign keys by `duckdb_constraints`. Both tables are of one schema: DuckDB has no foreign keys to another. The key
 * that is referred to is the primary key or unique constraint of the same columns. DuckDB refuses changes that leave a
 * row without the one that it refers to, and has no other rule.
 */
export async function duckdbForeignKeys(
  connection: EngineConnection,
  { pk, fk }: ForeignKeyFilter,
): Promise<SqlForeignKeyColumn[]> {
  const rows = await queryRows(
    connection,
    'select f.database_name, f.schema_name, coalesce(p.table_name, f.referenced_table) as referenced_table, ' +
      'unnest(coalesce(p.constraint_column_names, f.referenced_column_names)) as pk_column, ' +
      'f.table_name, unnest(f.constraint_column_names) as fk_column, ' +
      'unnest(range(1, len(f.constraint_column_names) + 1)) as key_sequence, f.constraint_name as fk_name, ' +
      'p.constraint_name as pk_name from duckdb_constraints() f left join duckdb_constraints() p on ' +
      'p.database_name = f.database_name and p.schema_name = f.schema_name ' +
      // As they were written in the reference.
      'and lower(p.table_name) = lower(f.referenced_table) and ' +
      "p.constraint_type in ('PRIMARY KEY', 'UNIQUE') and " +
      `${lowered('p.constraint_column_names')} = ${lowered('f.referenced_column_names')} ` +
      `where f.constraint_type = 'FOREIGN KEY'` +
      (pk === undefined ? '' : named('f.referenced_table', pk, 'f.')) +
      (fk === undefined ? '' : named('f.table_name', fk, 'f.')),
  );
  return rows.map((row) => {
    const catalog = textOf(row['database_name']);
    const schema = textOf(row['schema_name']);
    return {
      pkCatalogName: catalog,
      pkDbSchemaName: schema,
      pkTableName: textOf(row['referenced_table']) ?? '',
      pkColumnName: textOf(row['pk_column']) ?? '',
      fkCatalogName: catalog,
      fkDbSchemaName: schema,
      fkTableName: textOf(row['table_name']) ?? '',
      fkColumnName: textOf(row['fk_column']) ?? '',
      keySequence: numberOf(row['key_sequence']) ?? 0,
      fkKeyName: textOf(row['fk_name']),
      pkKeyName: textOf(row['pk_name']),
      updateRule: 'NO_ACTION',
      deleteRule: 'NO_ACTION',
    };
  });
}

function lowered(names: string): string {
  return `list_transform(${names}, lambda name: lower(name))`;
}

function named(column: string, { catalog, schema, table }: TableName, prefix = ''): string {
  const inCatalog = catalog === undefined ? '' : ` and ${isNamed(`${prefix}database_name`, catalog)}`;
  const inSchema = schema === undefined ? '' : ` and ${isNamed(`${prefix}schema_name`, schema)}`;
  return ` and ${isNamed(column, table)}${inCatalog}${inSchema}`;
}

/** Names are the same as DuckDB sees it, in any case. */
export function isNamed(column: string, name: string): string {
  return `lower(${column}) = lower(${quoteLiteral(name)})`;
}
