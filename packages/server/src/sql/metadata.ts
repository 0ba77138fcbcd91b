import type { ServerCallContext } from '@peregrine/flight';
import { encapsulate } from '@peregrine/flight/ipc';
import type { FlightSqlHandlers, SqlTable } from '@peregrine/flight/sql';
import type { Engine, EngineConnection } from '../engine/types.ts';
import { duckdbCatalog } from './catalog/duckdb.ts';
import { genericCatalog } from './catalog/generic.ts';
import type { Catalog } from './catalog/types.ts';
import type { Clients } from './clients.ts';
import { readLanguageLists } from './info/functions.ts';
import { type LanguageFacts, duckdbFacts, findLanguageFacts } from './info/language-facts.ts';
import { type ServerFacts, sqlInfoOf, wantsLanguageLists } from './info/sql-info.ts';
import { xdbcTypesOf } from './info/xdbc-types.ts';
import { plainSchema } from './plain/plain-result.ts';

type MetadataHandlers = Pick<
  FlightSqlHandlers,
  | 'getSqlInfo'
  | 'getXdbcTypeInfo'
  | 'getCatalogs'
  | 'getDbSchemas'
  | 'getTables'
  | 'getTableTypes'
  | 'getPrimaryKeys'
  | 'getExportedKeys'
  | 'getImportedKeys'
  | 'getCrossReference'
>;

/** The engine's catalog. */
export function catalogOf({ info }: Engine): Catalog {
  return info.dialect === 'duckdb' ? duckdbCatalog : genericCatalog;
}

/** The table as its rows are streamed to who wants plain types. */
function plainTable(table: SqlTable): SqlTable {
  if (!(table.schema instanceof Uint8Array)) return table;
  // Behind the continuation token and the length that encapsulate() wrote.
  return { ...table, schema: encapsulate(plainSchema(table.schema.subarray(8))) };
}

/** Asks the catalog as the client sees it. */
type Ask = <T>(
  context: ServerCallContext,
  question: (catalog: Catalog, connection: EngineConnection) => Promise<T>,
) => Promise<T>;

/** Serves the metadata commands. They see what the client's session sees, its temporary tables too. */
export function metadataHandlers(engine: Engine, clients: Clients, facts: ServerFacts): MetadataHandlers {
  const ask: Ask = async (context, question) => {
    const lane = await clients.lane(context, {});
    return lane.run((connection) => question(catalogOf(engine), connection));
  };

  let language: Promise<LanguageFacts> | undefined;
  /** What other engines than DuckDB do, found out once. */
  function languageFacts(context: ServerCallContext): Promise<LanguageFacts> {
    if (engine.info.dialect === 'duckdb' || engine.state.kind !== 'ready')
      return Promise.resolve(duckdbFacts);
    language ??= ask(context, (_catalog, connection) => findLanguageFacts(connection)).catch(
      (error: unknown) => {
        language = undefined;
        throw error;
      },
    );
    return language;
  }

  return {
    async getSqlInfo({ info }, context) {
      const isDuckdb = engine.state.kind === 'ready' && engine.info.dialect === 'duckdb';
      const lists =
        isDuckdb && wantsLanguageLists(info)
          ? await ask(context, (_catalog, connection) => readLanguageLists(connection))
          : undefined;
      return sqlInfoOf(engine.info, facts, lists, await languageFacts(context));
    },
    getXdbcTypeInfo: () => xdbcTypesOf(engine.info),
    getCatalogs: (_command, context) => ask(context, (catalog, connection) => catalog.catalogs(connection)),
    getDbSchemas: ({ catalog: name, dbSchemaFilterPattern: schemaPattern }, context) =>
      ask(context, (catalog, connection) => catalog.schemas(connection, { catalog: name, schemaPattern })),
    async getTables(command, context) {
      const ordinary = await clients.tableType(context);
      const filter = {
        catalog: command.catalog,
        schemaPattern: command.dbSchemaFilterPattern,
        tablePattern: command.tableNameFilterPattern,
        // Clients ask by either name.
        types: [...new Set(command.tableTypes.map((type) => (type === 'TABLE' ? 'BASE TABLE' : type)))],
      };
      const tables = await ask(context, async (catalog, connection) => {
        const found = await catalog.tables(connection, filter);
        if (!command.includeSchema) return found;
        const described = await catalog.withSchemas(connection, found);
        return (await clients.wantsPlainTypes(context)) ? described.map(plainTable) : described;
      });
      return tables.map((table) =>
        table.tableType === 'BASE TABLE' ? { ...table, tableType: ordinary } : table,
      );
    },
    async getTableTypes(_command, context) {
      const ordinary = await clients.tableType(context);
      const types = await ask(context, (catalog, connection) => catalog.tableTypes(connection));
      return types.map((type) => (type === 'BASE TABLE' ? ordinary : type));
    },
    ...keyHandlers(ask),
  };
}

function keyHandlers(
  ask: Ask,
): Pick<MetadataHandlers, 'getPrimaryKeys' | 'getExportedKeys' | 'getImportedKeys' | 'getCrossReference'> {
  return {
    getPrimaryKeys: ({ catalog: name, dbSchema: schema, table }, context) =>
      ask(context, (catalog, connection) =>
        catalog.primaryKeys(connection, { catalog: name, schema, table }),
      ),
    getExportedKeys: ({ catalog: name, dbSchema: schema, table }, context) =>
      ask(context, (catalog, connection) =>
        catalog.foreignKeys(connection, { pk: { catalog: name, schema, table } }),
      ),
    getImportedKeys: ({ catalog: name, dbSchema: schema, table }, context) =>
      ask(context, (catalog, connection) =>
        catalog.foreignKeys(connection, { fk: { catalog: name, schema, table } }),
      ),
    getCrossReference: (command, context) =>
      ask(context, (catalog, connection) =>
        catalog.foreignKeys(connection, {
          pk: { catalog: command.pkCatalog, schema: command.pkDbSchema, table: command.pkTable },
          fk: { catalog: command.fkCatalog, schema: command.fkDbSchema, table: command.fkTable },
        }),
      ),
  };
}
