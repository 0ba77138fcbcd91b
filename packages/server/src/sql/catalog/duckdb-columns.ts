import { type SqlColumnMetadata, type SqlTable, encodeColumnMetadata } from '@peregrine/flight/sql';
import { type ArrowField, decodeMessageHeader, encodeSchemaEncapsulated } from '@peregrine/flight/ipc';
import type { EngineConnection } from '../../engine/types.ts';
import { type Row, emptySchemaHeader, numberOf, queryRows, querySchema, textOf } from '../../engine/rows.ts';
import { quoteLiteral, quotePath } from '../../engine/sql-text.ts';
import { longestOf } from '../longest.ts';
import { describeViews } from './duckdb-views.ts';

/** Tables whose schemas are made before others are served: each takes some 20 µs a column. */
const tablesAtOnce = 64;

/**
 * Gives tables their Arrow schemas: types as a query would stream them, real nullability, and what the catalog says of
 * each column. A view that is broken has no columns, as in DuckDB's own catalog.
 */
export async function duckdbTableSchemas(
  connection: EngineConnection,
  tables: readonly SqlTable[],
): Promise<SqlTable[]> {
  if (tables.length === 0) return [];
  const columns = await readColumns(connection, tables);
  const keyOfTable = ({ catalogName, dbSchemaName, tableName }: SqlTable): string =>
    keyOf(catalogName, dbSchemaName, tableName);
  // What the catalog says of a view may be as old as the view.
  const views = tables.filter(({ tableType }) => tableType === 'VIEW');
  for (const [view, rows] of await describeViews(connection, views)) {
    const key = keyOfTable(view);
    const said = columns.get(key);
    columns.set(key, new Map([...rows].map(([name, row]) => [name, { ...said?.get(name), ...row }])));
  }
  const columnsOf = (table: SqlTable): Map<string, Row> | undefined => columns.get(keyOfTable(table));
  const types = new Set<string>();
  for (const table of tables) {
    for (const row of columnsOf(table)?.values() ?? []) types.add(textOf(row['data_type']) ?? '');
  }
  const fieldOfType = await fieldsOfTypes(connection, [...types]);
  const found: SqlTable[] = [];
  for (const [i, table] of tables.entries()) {
    if (i % tablesAtOnce === tablesAtOnce - 1) await new Promise((resolve) => void setImmediate(resolve));
    const described = columnsOf(table);
    const fields = fieldsOfRows(described, fieldOfType) ?? fieldsOf(await headerOf(connection, table));
    found.push({
      ...table,
      schema: encodeSchemaEncapsulated({
        fields: fields.map((field) => describe(field, table, described?.get(field.name))),
        metadata: new Map(),
        endianness: 'little',
      }),
    });
  }
  return found;
}

/**
 * Fields of types of DuckDB by what the catalog calls them, all in one statement: to prepare one for each of 10,000
 * tables takes ten times as long. Without those that DuckDB does not know by this name in this place, or that have no
 * Arrow type.
 */
async function fieldsOfTypes(
  connection: EngineConnection,
  types: readonly string[],
): Promise<ReadonlyMap<string, ArrowField>> {
  if (types.length === 0) return new Map();
  const fields = await fieldsOfNulls(connection, types);
  if (fields.length === types.length) return new Map(fields.map((field, i) => [types[i] ?? '', field]));
  if (types.length === 1) return new Map();
  const half = Math.ceil(types.length / 2);
  return new Map([
    ...(await fieldsOfTypes(connection, types.slice(0, half))),
    ...(await fieldsOfTypes(connection, types.slice(half))),
  ]);
}

async function fieldsOfNulls(
  connection: EngineConnection,
  types: readonly string[],
): Promise<readonly ArrowField[]> {
  try {
    const sql = `SELECT ${types.map((type) => `NULL::${type}`).join(', ')}`;
    return fieldsOf((await querySchema(connection, sql)) ?? emptySchemaHeader);
  } catch {
    return [];
  }
}

/** The fields of a table by its columns in the catalog; undefined where a type is not known. */
function fieldsOfRows(
  rows: ReadonlyMap<string, Row> | undefined,
  fieldOfType: ReadonlyMap<string, ArrowField>,
): ArrowField[] | undefined {
  if (rows === undefined) return undefined;
  let dictionaries = 0;
  const numbered = (field: ArrowField): ArrowField => ({
    ...field,
    dictionary: field.dictionary === undefined ? undefined : { ...field.dictionary, id: dictionaries++ },
    children: field.children.map(numbered),
  });
  const sorted = [...rows].sort(
    ([, a], [, b]) => (numberOf(a['column_index']) ?? 0) - (numberOf(b['column_index']) ?? 0),
  );
  const fields: ArrowField[] = [];
  for (const [name, row] of sorted) {
    const field = fieldOfType.get(textOf(row['data_type']) ?? '');
    if (field === undefined) return undefined;
    fields.push(numbered({ ...field, name }));
  }
  return fields;
}

async function headerOf(connection: EngineConnection, table: SqlTable): Promise<Uint8Array> {
  const path = quotePath(table.catalogName, table.dbSchemaName, table.tableName);
  try {
    return (await querySchema(connection, `SELECT * FROM ${path}`)) ?? emptySchemaHeader;
  } catch {
    // A table may be dropped meanwhile.
    return emptySchemaHeader;
  }
}

function fieldsOf(header: Uint8Array): readonly ArrowField[] {
  const decoded = decodeMessageHeader(header);
  return decoded.kind === 'schema' ? decoded.schema.fields : [];
}

function describe(field: ArrowField, table: SqlTable, row: Row | undefined): ArrowField {
  const column: SqlColumnMetadata = {
    catalogName: table.catalogName,
    dbSchemaName: table.dbSchemaName,
    tableName: table.tableName,
    ...(row === undefined ? {} : describeColumn(field, row, table.tableType)),
  };
  return {
    ...field,
    nullable: row === undefined ? field.nullable : row['is_nullable'] !== false,
    metadata: new Map([...field.metadata, ...encodeColumnMetadata(column)]),
  };
}

function describeColumn(field: ArrowField, row: Row, tableType: string): SqlColumnMetadata {
  const type = textOf(row['data_type']) ?? '';
  const typeName = baseTypeName(type);
  const size = numberSizes[typeName];
  return {
    typeName,
    precision: size?.[0] ?? sizeOf(typeName, field, row),
    scale: size?.[1] ?? (typeName === 'DECIMAL' ? numberOf(row['numeric_scale']) : undefined),
    isAutoIncrement: /^\s*nextval\s*\(/i.test(textOf(row['column_default']) ?? ''),
    isCaseSensitive: typeName === 'VARCHAR',
    isReadOnly: tableType === 'VIEW' || row['readonly'] === true,
    isSearchable: true,
    remarks: textOf(row['comment']),
  };
}

function sizeOf(typeName: string, field: ArrowField, row: Row): number | undefined {
  if (typeName === 'DECIMAL') return numberOf(row['numeric_precision']);
  return typeName === 'UUID' ? uuidLength : longestOf(field);
}

const uuidLength = 36;

/** Decimal digits and digits behind the point; DuckDB's own catalog counts the bits of integers. */
const numberSizes: Readonly<Record<string, readonly [number, number] | undefined>> = {
  TINYINT: [3, 0],
  SMALLINT: [5, 0],
  INTEGER: [10, 0],
  BIGINT: [19, 0],
  HUGEINT: [39, 0],
  UTINYINT: [3, 0],
  USMALLINT: [5, 0],
  UINTEGER: [10, 0],
  UBIGINT: [20, 0],
  UHUGEINT: [39, 0],
};

/** `DECIMAL(10,2)` is a DECIMAL, `ENUM('a', 'b')` an ENUM; lists and arrays keep their brackets. */
export function baseTypeName(type: string): string {
  const open = type.indexOf('(');
  if (open < 0) return type;
  const brackets = /(?:\[\d*\])+$/.exec(type)?.[0] ?? '';
  return type.slice(0, open).trim() + brackets;
}

async function readColumns(
  connection: EngineConnection,
  tables: readonly SqlTable[],
): Promise<Map<string, Map<string, Row>>> {
  // One table is the common case, and the whole catalog is large.
  const [only] = tables;
  const where =
    only !== undefined && tables.length === 1 ? ` where c.table_name = ${quoteLiteral(only.tableName)}` : '';
  const rows = await queryRows(
    connection,
    'select c.database_name, c.schema_name, c.table_name, c.column_name, c.column_index, c.data_type, c.is_nullable, ' +
      'c.column_default, c.comment, c.numeric_precision, c.numeric_scale, d.readonly from duckdb_columns() c ' +
      `join duckdb_databases() d on d.database_oid = c.database_oid${where}`,
  );
  const columns = new Map<string, Map<string, Row>>();
  for (const row of rows) {
    const key = keyOf(textOf(row['database_name']), textOf(row['schema_name']), textOf(row['table_name']));
    let table = columns.get(key);
    if (table === undefined) columns.set(key, (table = new Map()));
    table.set(textOf(row['column_name']) ?? '', row);
  }
  return columns;
}

function keyOf(...names: readonly (string | undefined)[]): string {
  return JSON.stringify(names);
}
