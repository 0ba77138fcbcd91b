import { FlightServerError } from '@peregrine/flight/errors';
import type { Engine, EngineConnection, EngineInput } from '../engine/types.ts';
import { queryRows, textOf } from '../engine/rows.ts';
import { quoteIdentifier, quoteLiteral } from '../engine/sql-text.ts';
import { escapeGlob } from './sql-text.ts';

/** A table of an attached database. */
export interface AttachedTable {
  readonly schemaName: string;
  readonly tableName: string;
}

/** A view of files. */
export interface FileView {
  readonly name: string;
  /** What reads them, as it stands behind FROM. */
  readonly scan: string;
}

/** The store's tables in the engine. Calls about one name come one at a time: the store sees to it. */
export interface EngineTables {
  /** Connects, and makes what tables need beside themselves. */
  ready(): Promise<void>;
  /** SQL that names a table: quoted, with the catalog where there is one of its own. */
  sqlName(name: string): string;
  /** Runs SQL once in this engine, such as what loads an extension. */
  setup(sql: string): Promise<void>;
  /** Makes or replaces views of files, in one go: why each could not be made, undefined where it was. */
  createViews(views: readonly FileView[]): Promise<readonly (Error | undefined)[]>;
  /** Rows of Parquet files by their footers. @throws FlightError when one cannot be read */
  countRows(paths: readonly string[]): Promise<ReadonlyMap<string, bigint>>;
  /** Names of the views that are there. */
  views(): Promise<readonly string[]>;
  /** Schemas of views, without a look into their files: the engine knows the columns since they were made. */
  viewSchemas(names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Makes a table that says what it is, and refuses to be read until {@link loadTable}. */
  createPending(name: string, schema: Uint8Array): Promise<void>;
  /** Makes a view that tells whoever selects from it why it cannot be read. */
  createBroken(name: string, problem: string): Promise<void>;
  /** Fills a pending table. */
  loadTable(name: string, schema: Uint8Array, batches: AsyncIterable<EngineInput>): Promise<void>;
  /** Makes a pending table that cannot be filled say why. */
  breakPending(name: string, problem: string): Promise<void>;
  dropTable(name: string): Promise<void>;
  /** Attaches a DuckDB file, read-only, and lists its tables. */
  attach(name: string, path: string): Promise<readonly AttachedTable[]>;
  detach(name: string): Promise<void>;
  /** Schemas of attached tables; undefined where the engine cannot tell. */
  describe(sqlNames: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Frees the connection; the next call opens another. */
  close(): Promise<void>;
}

/** Queries whose schemas are asked for together: other statements of the connection come in between. */
const describedAtOnce = 100;

/** Where Arrow files lie in the engine: views stand before them, so that they cannot be written to. Catalogs hide it. */
export const loadedSchema = 'peregrine_loaded';

/** @param catalog - an in-memory catalog that takes the views; undefined: the engine's own, which then has to be in memory */
export function createEngineTables(engine: Engine, catalog: string | undefined): EngineTables {
  let opened: Promise<EngineConnection> | undefined;
  const prefix = catalog === undefined ? '' : `${quoteIdentifier(catalog)}.`;
  const databaseName = catalog === undefined ? 'current_database()' : quoteLiteral(catalog);
  const viewName = (name: string): string =>
    `${prefix}${catalog === undefined ? '' : '"main".'}${quoteIdentifier(name)}`;
  const loadedName = (name: string): string =>
    `${prefix}${quoteIdentifier(loadedSchema)}.${quoteIdentifier(name)}`;

  /** What tables need beside themselves. */
  const preparing = [
    ...(catalog === undefined ? [] : [`ATTACH IF NOT EXISTS ':memory:' AS ${quoteIdentifier(catalog)}`]),
    `CREATE SCHEMA IF NOT EXISTS ${prefix}${quoteIdentifier(loadedSchema)}`,
  ];
  let isPrepared = false;

  async function connected(): Promise<EngineConnection> {
    opened ??= engine.connect();
    try {
      return await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  }

  /** Runs statements, each by itself, behind those that prepare for tables: in one message. */
  async function executeEach(statements: readonly string[]): Promise<readonly (Error | undefined)[]> {
    const first = isPrepared ? [] : preparing;
    const failures = await (await connected()).executeEach([...first, ...statements]);
    const failed = failures.slice(0, first.length).find((failure) => failure !== undefined);
    if (failed !== undefined) throw failed;
    isPrepared = true;
    return failures.slice(first.length);
  }

  async function connection(): Promise<EngineConnection> {
    if (!isPrepared) await executeEach([]);
    return connected();
  }

  async function schemasOf(queries: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const schemas: (Uint8Array | undefined)[] = [];
    for (let start = 0; start < queries.length; start += describedAtOnce) {
      schemas.push(...(await (await connection()).describe(queries.slice(start, start + describedAtOnce))));
    }
    return schemas;
  }

  async function dropAny(name: string): Promise<void> {
    await (await connection()).execute(
      `DROP VIEW IF EXISTS ${viewName(name)}; DROP TABLE IF EXISTS ${loadedName(name)}`,
    );
  }

  /** A view with the columns of what is to be loaded, that gives an error instead of rows. */
  async function refuseRows(name: string, reason: string): Promise<void> {
    await (await connection()).execute(
      `CREATE OR REPLACE VIEW ${viewName(name)} AS SELECT t.* FROM (SELECT error(${quoteLiteral(reason)}) AS refusal) r ` +
        `LEFT JOIN ${loadedName(name)} t ON true WHERE r.refusal IS NULL`,
    );
  }

  return {
    async ready() {
      await connection();
    },
    sqlName: viewName,
    async setup(sql) {
      await (await connection()).execute(sql);
    },
    createViews: (views) =>
      executeEach(
        views.map(({ name, scan }) => `CREATE OR REPLACE VIEW ${viewName(name)} AS SELECT * FROM ${scan}`),
      ),
    async countRows(paths) {
      const list = paths.map((path) => quoteLiteral(escapeGlob(path))).join(', ');
      const rows = await queryRows(
        await connection(),
        `SELECT file_name, CAST(num_rows AS VARCHAR) AS rows FROM parquet_file_metadata([${list}])`,
      );
      return new Map(
        rows.map((row) => [textOf(row['file_name']) ?? '', BigInt(textOf(row['rows']) ?? 0)] as const),
      );
    },
    async views() {
      const rows = await queryRows(
        await connection(),
        `SELECT view_name AS name FROM duckdb_views() WHERE schema_name = 'main' AND database_name = ${databaseName}`,
      );
      return rows.map((row) => textOf(row['name']) ?? '');
    },
    async viewSchemas(names) {
      const found = new Map<string, Uint8Array>();
      if (names.length === 0) return found;
      const rows = await queryRows(
        await connection(),
        `SELECT table_name AS name, 'SELECT ' || string_agg(
           'CAST(NULL AS ' || data_type || ') AS "' || replace(column_name, '"', '""') || '"', ', ' ORDER BY column_index ASC
         ) AS sql
         FROM duckdb_columns() WHERE schema_name = 'main' AND table_name IN (${names.map(quoteLiteral).join(', ')})
         AND database_name = ${databaseName} GROUP BY ALL`,
      );
      const queries = new Map(rows.map((row) => [textOf(row['name']), textOf(row['sql'])] as const));
      const told = await schemasOf(names.map((name) => queries.get(name) ?? ''));
      for (const [index, name] of names.entries()) {
        // Types that do not come back from their text are found by reading.
        const schema = told[index] ?? (await schemasOf([allOf(viewName(name))]))[0];
        if (schema !== undefined) found.set(name, schema);
      }
      return found;
    },
    async createPending(name, schema) {
      const used = await connection();
      await dropAny(name);
      await used.ingest({ ...ingestOptions(catalog, name), isNew: true }, schema, none());
      await refuseRows(name, `the dataset ${name} has not been read into the engine yet; ask for it again`);
    },
    async createBroken(name, problem) {
      await dropAny(name);
      const refusal = quoteLiteral(`${name} cannot be read: ${problem}`);
      await (await connection()).execute(
        // A filter: a column that nobody asks for, as in count(*), is not computed.
        `CREATE OR REPLACE VIEW ${viewName(name)} AS SELECT r.problem FROM (SELECT error(${refusal}) AS problem) r WHERE r.problem IS NULL`,
      );
    },
    async loadTable(name, schema, batches) {
      const used = await connection();
      await used.begin();
      try {
        await used.ingest(ingestOptions(catalog, name), schema, batches);
        await used.execute(`CREATE OR REPLACE VIEW ${viewName(name)} AS SELECT * FROM ${loadedName(name)}`);
        await used.commit();
      } catch (error) {
        await used.rollback().catch(() => undefined);
        throw error;
      }
    },
    breakPending: (name, problem) => refuseRows(name, `${name} cannot be read: ${problem}`),
    dropTable: dropAny,
    async attach(name, path) {
      const used = await connection();
      await used.execute(`ATTACH ${quoteLiteral(path)} AS ${quoteIdentifier(name)} (READ_ONLY)`);
      const rows = await queryRows(
        used,
        `SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ${quoteLiteral(name)} ORDER BY ALL ASC`,
      );
      return rows.map((row) => ({
        schemaName: textOf(row['table_schema']) ?? '',
        tableName: textOf(row['table_name']) ?? '',
      }));
    },
    async detach(name) {
      await (await connection()).execute(`DETACH DATABASE IF EXISTS ${quoteIdentifier(name)}`);
    },
    describe: (sqlNames) => schemasOf(sqlNames.map(allOf)),
    async close() {
      const used = opened;
      opened = undefined;
      isPrepared = false;
      await (await used?.catch(() => undefined))?.close();
    },
  };
}

function allOf(sqlName: string): string {
  return `SELECT * FROM ${sqlName}`;
}

function ingestOptions(
  catalog: string | undefined,
  table: string,
): { catalog: string | undefined; schema: string; table: string; ifMissing: 'create'; ifExists: 'replace' } {
  return { catalog, schema: loadedSchema, table, ifMissing: 'create', ifExists: 'replace' };
}

async function* none(): AsyncGenerator<EngineInput, void, undefined> {}

/** What stands for the engine where there is none: each of its tables says why it is not there. */
export function noEngineTables(reason: string): EngineTables {
  const refuse = async (): Promise<never> => {
    throw new FlightServerError(`there is no SQL engine: ${reason}`, { code: 'UNIMPLEMENTED' });
  };
  return {
    ready: async () => undefined,
    sqlName: quoteIdentifier,
    setup: refuse,
    createViews: refuse,
    countRows: refuse,
    views: refuse,
    viewSchemas: refuse,
    // Arrow files are served without it.
    createPending: async () => undefined,
    createBroken: async () => undefined,
    loadTable: refuse,
    breakPending: refuse,
    dropTable: async () => undefined,
    attach: refuse,
    detach: async () => undefined,
    describe: refuse,
    close: async () => undefined,
  };
}
