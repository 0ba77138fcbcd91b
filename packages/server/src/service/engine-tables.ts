import type { ServerCallContext } from '@peregrine/flight';
import type { SqlTable } from '@peregrine/flight/sql';
import { memoryDatabase } from '../datasets/database-name.ts';
import type { EngineConnection, EngineIngestOptions } from '../engine/types.ts';
import { catalogOf } from '../sql/metadata.ts';
import { readTableRows } from '../sql/parameters.ts';
import { numberOf, queryRows, querySchema } from '../engine/rows.ts';
import { currentNames } from '../sql/session-settings.ts';
import type { SqlService } from '../sql/service.ts';
import { quotePath } from '../engine/sql-text.ts';
import { patternEscape } from '../sql/sql-text.ts';
import { loadedSchema } from '../store/engine-tables.ts';
import type { PutMode } from './command.ts';
import { dottedPath } from './names.ts';
import type { PutRequest, ServedTable } from './served-table.ts';

/** The engine's own tables and views. */
export async function listEngineTables(
  service: SqlService,
  context: ServerCallContext,
): Promise<ServedTable[]> {
  const lane = await service.clients.lane(context, {});
  return lane.run(async (connection) => {
    const tables = await catalogOf(service.engine).tables(connection, { types: [] });
    const home = await homeOf(service, connection);
    return (
      tables
        // What datasets in memory and files are behind their views is served as these.
        .filter((table) => table.catalogName !== memoryDatabase && table.dbSchemaName !== loadedSchema)
        .map((table) => served(service, table, shortPath(table, home), context))
    );
  });
}

/**
 * One of them, by its name in the current schema, by schema and name, or by catalog, schema and name: as a path, or as
 * one name with dots, which is how `list_tables` tells them.
 */
export async function findEngineTable(
  service: SqlService,
  path: readonly string[],
  context: ServerCallContext,
): Promise<ServedTable | undefined> {
  const lane = await service.clients.lane(context, {});
  return lane.run(async (connection) => {
    const home = await homeOf(service, connection);
    const dotted = path.length === 1 ? dottedPath(path[0] ?? '') : undefined;
    for (const names of dotted === undefined ? [path] : [path, dotted]) {
      const [found] = await catalogOf(service.engine).tables(connection, {
        catalog: names.length === 3 ? names[0] : home.catalog,
        schemaPattern: escapePattern(names.length > 1 ? names.at(-2) : home.schema),
        tablePattern: escapePattern(names.at(-1)),
        types: [],
      });
      if (found !== undefined) return served(service, found, names, context);
    }
    return undefined;
  });
}

/** Drops a table or view; false when there is none. */
export async function dropEngineTable(
  service: SqlService,
  path: readonly string[],
  context: ServerCallContext,
): Promise<boolean> {
  const table = await findEngineTable(service, path, context);
  if (table?.sqlName === undefined) return false;
  const kind = table.origin.endsWith('VIEW') ? 'VIEW' : 'TABLE';
  const lane = await service.clients.lane(context, { sql: table.sqlName });
  await lane.run((connection) => connection.execute(`DROP ${kind} ${table.sqlName}`));
  return true;
}

/** Puts rows into a table of the engine: how many. */
export async function ingestTable(
  { clients }: SqlService,
  path: readonly string[],
  { context, mode, onBatch, rows }: PutRequest,
): Promise<number> {
  const table = path.at(-1) ?? '';
  let taken = 0;
  const incoming = await readTableRows(table, rows, (count) => onBatch((taken += count)));
  const options: EngineIngestOptions = {
    table,
    schema: path.length > 1 ? path.at(-2) : undefined,
    catalog: path.length > 2 ? path[0] : undefined,
    ...ingestModes[mode],
    signal: context.signal,
  };
  const lane = await clients.lane(context, {});
  return Number(
    await lane.run((connection) => connection.ingest(options, incoming.schema, incoming.batches)),
  );
}

const ingestModes: Readonly<Record<PutMode, Pick<EngineIngestOptions, 'ifMissing' | 'ifExists'>>> = {
  create: { ifMissing: 'create', ifExists: 'fail' },
  append: { ifMissing: 'fail', ifExists: 'append' },
  create_append: { ifMissing: 'create', ifExists: 'append' },
  replace: { ifMissing: 'create', ifExists: 'replace' },
};

interface Home {
  readonly catalog: string | undefined;
  readonly schema: string | undefined;
}

async function homeOf({ engine }: SqlService, connection: EngineConnection): Promise<Home> {
  const names = await currentNames(connection, engine.info.dialect);
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return { catalog: text(names.get('catalog')), schema: text(names.get('schema')) };
}

/** A table of the current schema is called by its name alone. */
function shortPath(table: SqlTable, home: Home): string[] {
  const { catalogName, dbSchemaName, tableName } = table;
  if (catalogName !== home.catalog && catalogName !== undefined) {
    return [catalogName, dbSchemaName ?? '', tableName];
  }
  return dbSchemaName === home.schema || dbSchemaName === undefined ? [tableName] : [dbSchemaName, tableName];
}

function served(
  { clients }: SqlService,
  table: SqlTable,
  path: readonly string[],
  context: ServerCallContext,
): ServedTable {
  const sqlName = quotePath(table.catalogName, table.dbSchemaName, table.tableName);
  return {
    name: path.join('.'),
    path,
    origin: table.tableType,
    sqlName,
    stream: undefined,
    async describe() {
      const lane = await clients.lane(context, { sql: sqlName });
      return lane.run(async (connection) => {
        const schema = (await querySchema(connection, `SELECT * FROM ${sqlName}`)) ?? new Uint8Array(0);
        // Counting a table's rows takes no time, counting those of a view may take any.
        if (table.tableType.endsWith('VIEW')) return { schema, rows: undefined, bytes: undefined };
        const [row] = await queryRows(connection, `SELECT count(*) AS n FROM ${sqlName}`);
        return { schema, rows: numberOf(row?.['n']), bytes: undefined };
      });
    },
  };
}

function escapePattern(name: string | undefined): string | undefined {
  return name?.replace(/[\\%_]/g, (char) => patternEscape + char);
}
