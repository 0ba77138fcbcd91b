import { encapsulate } from '@peregrine/flight/ipc';
import type { SqlDbSchema, SqlForeignKeyColumn, SqlPrimaryKeyColumn, SqlTable } from '@peregrine/flight/sql';
import type { EngineConnection, EngineObjectsFilter } from '../../engine/types.ts';
import { type Cell, CellRecord } from '../../formats/cell-record.ts';
import { type Row, emptySchemaHeader, readRows, textOf, textsOf } from '../../engine/rows.ts';
import type { Catalog, ForeignKeyFilter, TableName } from './types.ts';

/**
 * The catalog of any ADBC driver, by its GetObjects: the same for every database, as far as its driver goes.
 *
 * ```
 * catalog_name, catalog_db_schemas [ db_schema_name, db_schema_tables [ table_name, table_type, table_columns […],
 *   table_constraints [ constraint_name, constraint_type, constraint_column_names,
 *     constraint_column_usage [ fk_catalog, fk_db_schema, fk_table, fk_column_name ] ] ] ]
 * ```
 */
export const genericCatalog: Catalog = {
  async tableTypes(connection) {
    const types = await driverTableTypes(connection);
    return [...new Set(types.map(toStandardType))];
  },
  async catalogs(connection) {
    const rows = await objects(connection, { depth: 'catalogs' });
    // A database without catalogs tells one that has no name.
    return rows.map((row) => textOf(row['catalog_name'])).filter((name) => name !== undefined);
  },
  async schemas(connection, { catalog, schemaPattern }) {
    const rows = await objects(connection, { depth: 'schemas', catalog, schema: schemaPattern });
    return [...schemasOf(rows)].map(
      ({ catalogName, schema }): SqlDbSchema => ({
        catalogName,
        dbSchemaName: textOf(schema['db_schema_name']) ?? '',
      }),
    );
  },
  async tables(connection, { catalog, schemaPattern, tablePattern, types }) {
    const wanted = new Set(types);
    const rows = await objects(connection, {
      depth: 'tables',
      catalog,
      schema: schemaPattern,
      table: tablePattern,
    });
    return [...tablesOf(rows)]
      .map(
        ({ table, ...names }): SqlTable => ({
          ...names,
          tableName: textOf(table['table_name']) ?? '',
          tableType: toStandardType(textOf(table['table_type']) ?? ''),
        }),
      )
      .filter(({ tableType }) => wanted.size === 0 || wanted.has(tableType));
  },
  async withSchemas(connection, tables) {
    const found: SqlTable[] = [];
    for (const table of tables) {
      const header = await connection
        .getTableSchema(table.catalogName, table.dbSchemaName, table.tableName)
        .catch(() => emptySchemaHeader);
      found.push({ ...table, schema: encapsulate(header) });
    }
    return found;
  },
  async primaryKeys(connection, wanted) {
    const rows = await constraints(connection, wanted);
    return rows.flatMap(({ constraint, table, ...names }): SqlPrimaryKeyColumn[] => {
      if (textOf(constraint['constraint_type'])?.toUpperCase() !== 'PRIMARY KEY') return [];
      return textsOf(constraint['constraint_column_names']).map((columnName, i) => ({
        ...names,
        tableName: textOf(table['table_name']) ?? '',
        columnName,
        keySequence: i + 1,
        keyName: textOf(constraint['constraint_name']),
      }));
    });
  },
  foreignKeys,
};

/** The database's own tables are called `table`, `TABLE`, or `BASE TABLE`. */
function toStandardType(type: string): string {
  const upper = type.toUpperCase();
  return upper === 'TABLE' ? 'BASE TABLE' : upper;
}

async function driverTableTypes(connection: EngineConnection): Promise<string[]> {
  const result = await connection.getTableTypes();
  try {
    return (await readRows(result)).map((row) => textOf(row['table_type']) ?? '');
  } finally {
    await result.close();
  }
}

async function objects(connection: EngineConnection, filter: EngineObjectsFilter): Promise<Row[]> {
  const result = await connection.getObjects(filter);
  try {
    return await readRows(result);
  } finally {
    await result.close();
  }
}

function structs(cell: Cell | undefined): Row[] {
  const cells: readonly Cell[] = Array.isArray(cell) ? cell : [];
  return cells.flatMap((each) => (each instanceof CellRecord ? [Object.fromEntries(each.entries)] : []));
}

function* schemasOf(rows: readonly Row[]): Generator<{ catalogName: string | undefined; schema: Row }> {
  for (const row of rows) {
    const catalogName = textOf(row['catalog_name']);
    for (const schema of structs(row['catalog_db_schemas'])) yield { catalogName, schema };
  }
}

/** A table and where it is. */
interface FoundTable {
  readonly catalogName: string | undefined;
  readonly dbSchemaName: string | undefined;
  readonly table: Row;
}

function* tablesOf(rows: readonly Row[]): Generator<FoundTable> {
  for (const { catalogName, schema } of schemasOf(rows)) {
    const dbSchemaName = textOf(schema['db_schema_name']);
    for (const table of structs(schema['db_schema_tables'])) yield { catalogName, dbSchemaName, table };
  }
}

/** A constraint of a table. */
interface FoundConstraint extends FoundTable {
  readonly constraint: Row;
}

async function constraints(
  connection: EngineConnection,
  { catalog, schema, table }: Partial<TableName>,
): Promise<FoundConstraint[]> {
  const rows = await objects(connection, { depth: 'all', catalog, schema, table });
  return [...tablesOf(rows)]
    .filter((found) => table === undefined || textOf(found.table['table_name']) === table)
    .flatMap((found) =>
      structs(found.table['table_constraints']).map((constraint) => ({ ...found, constraint })),
    );
}

async function foreignKeys(
  connection: EngineConnection,
  { pk, fk }: ForeignKeyFilter,
): Promise<SqlForeignKeyColumn[]> {
  const found = await constraints(connection, fk ?? {});
  return found.flatMap(({ constraint, table, catalogName, dbSchemaName }): SqlForeignKeyColumn[] => {
    if (textOf(constraint['constraint_type'])?.toUpperCase() !== 'FOREIGN KEY') return [];
    const usages = structs(constraint['constraint_column_usage']);
    return textsOf(constraint['constraint_column_names']).flatMap((fkColumnName, i) => {
      const usage = usages[i];
      if (usage === undefined || !refersTo(usage, pk)) return [];
      return [
        {
          pkCatalogName: textOf(usage['fk_catalog']),
          pkDbSchemaName: textOf(usage['fk_db_schema']),
          pkTableName: textOf(usage['fk_table']) ?? '',
          pkColumnName: textOf(usage['fk_column_name']) ?? '',
          fkCatalogName: catalogName,
          fkDbSchemaName: dbSchemaName,
          fkTableName: textOf(table['table_name']) ?? '',
          fkColumnName,
          keySequence: i + 1,
          fkKeyName: textOf(constraint['constraint_name']),
          pkKeyName: undefined,
          // ADBC does not tell the rules.
          updateRule: 'NO_ACTION',
          deleteRule: 'NO_ACTION',
        },
      ];
    });
  });
}

function refersTo(usage: Row, pk: TableName | undefined): boolean {
  if (pk === undefined) return true;
  const matches = (wanted: string | undefined, cell: Cell | undefined): boolean =>
    wanted === undefined || wanted === (textOf(cell) ?? '');
  return (
    pk.table === textOf(usage['fk_table']) &&
    matches(pk.catalog, usage['fk_catalog']) &&
    matches(pk.schema, usage['fk_db_schema'])
  );
}
