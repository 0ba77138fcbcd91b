import type { SqlDbSchema, SqlForeignKeyColumn, SqlPrimaryKeyColumn, SqlTable } from '@peregrine/flight/sql';
import type { EngineConnection } from '../../engine/types.ts';

/** Which schemas. Undefined: all; '': what has no catalog; patterns are those of LIKE with `patternEscape`. */
export interface SchemaFilter {
  readonly catalog?: string | undefined;
  readonly schemaPattern?: string | undefined;
}

/** Which tables. */
export interface TableFilter extends SchemaFilter {
  readonly tablePattern?: string | undefined;
  /** `BASE TABLE`, `VIEW`…; none: all types. */
  readonly types: readonly string[];
}

/** One table by name. Undefined: in any catalog, in any schema. */
export interface TableName {
  readonly catalog?: string | undefined;
  readonly schema?: string | undefined;
  readonly table: string;
}

/** Which foreign keys: those of a table (`fk`), those that refer to a table (`pk`), or both. */
export interface ForeignKeyFilter {
  readonly pk?: TableName | undefined;
  readonly fk?: TableName | undefined;
}

/** What a database holds, asked in its own way. Tables of the database's ordinary kind are `BASE TABLE` here. */
export interface Catalog {
  tableTypes(connection: EngineConnection): Promise<string[]>;
  catalogs(connection: EngineConnection): Promise<string[]>;
  schemas(connection: EngineConnection, filter: SchemaFilter): Promise<SqlDbSchema[]>;
  tables(connection: EngineConnection, filter: TableFilter): Promise<SqlTable[]>;
  /** The tables with their schemas and the metadata of their columns. */
  withSchemas(connection: EngineConnection, tables: readonly SqlTable[]): Promise<SqlTable[]>;
  primaryKeys(connection: EngineConnection, table: TableName): Promise<SqlPrimaryKeyColumn[]>;
  foreignKeys(connection: EngineConnection, filter: ForeignKeyFilter): Promise<SqlForeignKeyColumn[]>;
}
