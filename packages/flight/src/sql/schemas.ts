/**
 * Schemas of the answers that the format fixes: names, types, nullability and the names of children, as Arrow's C++,
 * Go and Java implementations have them, which compare all of it. Where comments of format/FlightSql.proto say
 * something else (primary keys, the children of SqlInfo's union) the implementations agree with each other.
 */

import {
  Binary,
  Bool,
  type DataType,
  DenseUnion,
  Field,
  Int32,
  Int64,
  List,
  Map_,
  Schema,
  Struct,
  Uint8,
  Uint32,
  Utf8,
} from 'apache-arrow';
import type { SqlCommand, SqlMetadataCommand } from './commands/types.ts';

const required = <T extends DataType>(name: string, type: T): Field<T> => new Field(name, type, false);
const optional = <T extends DataType>(name: string, type: T): Field<T> => new Field(name, type, true);

const tableFields: readonly Field[] = [
  optional('catalog_name', new Utf8()),
  optional('db_schema_name', new Utf8()),
  required('table_name', new Utf8()),
  required('table_type', new Utf8()),
];

const foreignKeySchema: Schema = new Schema([
  optional('pk_catalog_name', new Utf8()),
  optional('pk_db_schema_name', new Utf8()),
  required('pk_table_name', new Utf8()),
  required('pk_column_name', new Utf8()),
  optional('fk_catalog_name', new Utf8()),
  optional('fk_db_schema_name', new Utf8()),
  required('fk_table_name', new Utf8()),
  required('fk_column_name', new Utf8()),
  required('key_sequence', new Int32()),
  optional('fk_key_name', new Utf8()),
  optional('pk_key_name', new Utf8()),
  required('update_rule', new Uint8()),
  required('delete_rule', new Uint8()),
]);

const sqlInfoUnionFields: Field[] = [
  required('string_value', new Utf8()),
  required('bool_value', new Bool()),
  required('bigint_value', new Int64()),
  required('int32_bitmask', new Int32()),
  required('string_list', new List(optional('item', new Utf8()))),
  required(
    'int32_to_int32_list_map',
    new Map_(
      required(
        'entries',
        new Struct<{ key: Int32; value: List<Int32> }>([
          required('key', new Int32()),
          optional('value', new List(optional('item', new Int32()))),
        ]),
      ),
    ),
  ),
];

/** Type of SqlInfo's column `value`; the type ids are 0 to 5, in the order of the children. */
export const sqlInfoUnion: DenseUnion = new DenseUnion(Int32Array.of(0, 1, 2, 3, 4, 5), sqlInfoUnionFields);

/** The schemas of all answers to metadata commands. */
export const sqlSchemas: {
  readonly catalogs: Schema;
  readonly dbSchemas: Schema;
  readonly tables: Schema;
  /** With `include_schema`: a last column `table_schema`, IPC-encapsulated. */
  readonly tablesWithSchema: Schema;
  readonly tableTypes: Schema;
  readonly primaryKeys: Schema;
  readonly exportedKeys: Schema;
  readonly importedKeys: Schema;
  readonly crossReference: Schema;
  readonly sqlInfo: Schema;
  readonly xdbcTypeInfo: Schema;
} = {
  catalogs: new Schema([required('catalog_name', new Utf8())]),
  dbSchemas: new Schema([optional('catalog_name', new Utf8()), required('db_schema_name', new Utf8())]),
  tables: new Schema([...tableFields]),
  tablesWithSchema: new Schema([...tableFields, required('table_schema', new Binary())]),
  tableTypes: new Schema([required('table_type', new Utf8())]),
  primaryKeys: new Schema([
    optional('catalog_name', new Utf8()),
    optional('db_schema_name', new Utf8()),
    required('table_name', new Utf8()),
    required('column_name', new Utf8()),
    required('key_sequence', new Int32()),
    optional('key_name', new Utf8()),
  ]),
  exportedKeys: foreignKeySchema,
  importedKeys: foreignKeySchema,
  crossReference: foreignKeySchema,
  sqlInfo: new Schema([required('info_name', new Uint32()), required('value', sqlInfoUnion)]),
  xdbcTypeInfo: new Schema([
    required('type_name', new Utf8()),
    required('data_type', new Int32()),
    optional('column_size', new Int32()),
    optional('literal_prefix', new Utf8()),
    optional('literal_suffix', new Utf8()),
    optional('create_params', new List(required('item', new Utf8()))),
    required('nullable', new Int32()),
    required('case_sensitive', new Bool()),
    required('searchable', new Int32()),
    optional('unsigned_attribute', new Bool()),
    required('fixed_prec_scale', new Bool()),
    optional('auto_increment', new Bool()),
    optional('local_type_name', new Utf8()),
    optional('minimum_scale', new Int32()),
    optional('maximum_scale', new Int32()),
    required('sql_data_type', new Int32()),
    optional('datetime_subcode', new Int32()),
    optional('num_prec_radix', new Int32()),
    optional('interval_precision', new Int32()),
  ]),
};

/** Whether a command asks for metadata, whose answer has a schema that the format fixes. */
export function isMetadataCommand(command: SqlCommand): command is SqlMetadataCommand {
  return command.kind.startsWith('CommandGet');
}

/** The schema of the answer to a metadata command. */
export function metadataSchema(command: SqlMetadataCommand): Schema {
  switch (command.kind) {
    case 'CommandGetCatalogs':
      return sqlSchemas.catalogs;
    case 'CommandGetDbSchemas':
      return sqlSchemas.dbSchemas;
    case 'CommandGetTables':
      return command.includeSchema ? sqlSchemas.tablesWithSchema : sqlSchemas.tables;
    case 'CommandGetTableTypes':
      return sqlSchemas.tableTypes;
    case 'CommandGetPrimaryKeys':
      return sqlSchemas.primaryKeys;
    case 'CommandGetExportedKeys':
      return sqlSchemas.exportedKeys;
    case 'CommandGetImportedKeys':
      return sqlSchemas.importedKeys;
    case 'CommandGetCrossReference':
      return sqlSchemas.crossReference;
    case 'CommandGetSqlInfo':
      return sqlSchemas.sqlInfo;
    case 'CommandGetXdbcTypeInfo':
      return sqlSchemas.xdbcTypeInfo;
  }
}
