import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ArrowField, decodeMessageHeader } from '@peregrine/flight/ipc';
import { type FlightSqlClient, SqlInfo } from '@peregrine/flight/sql';
import type { EngineConnection } from '../../src/engine/types.ts';
import { duckdbCatalog } from '../../src/sql/catalog/duckdb.ts';
import { duckdbTableSchemas } from '../../src/sql/catalog/duckdb-columns.ts';
import { type RunningServer, startServer } from './running-server.ts';

/** Columns as they lie: names, types, dictionaries. */
function shapes(header: Uint8Array): unknown {
  const shape = ({ children, dictionary, name, type }: ArrowField): unknown => [
    name,
    type,
    dictionary,
    children.map(shape),
  ];
  const message = decodeMessageHeader(header);
  return message.kind === 'schema' ? message.schema.fields.map(shape) : [];
}

describe('the catalog of DuckDB', () => {
  let server: RunningServer;
  let sql: FlightSqlClient;
  before(async () => {
    server = await startServer();
    sql = server.sql();
    await sql.query('CREATE TABLE parent (id INTEGER, part VARCHAR, note VARCHAR, PRIMARY KEY (id, part))');
    await sql.query(
      'CREATE TABLE child (c BIGINT PRIMARY KEY, pid INTEGER NOT NULL, ppart VARCHAR, d DECIMAL(9,2) DEFAULT 1, ' +
        'FOREIGN KEY (pid, ppart) REFERENCES parent (id, part))',
    );
    await sql.query('CREATE VIEW seen AS SELECT id FROM parent');
    await sql.query("COMMENT ON COLUMN parent.note IS 'a remark'");
    await sql.query("ATTACH ':memory:' AS other");
    await sql.query('CREATE TABLE other.main.elsewhere (i INTEGER)');
  });
  after(() => server.stop());

  it('lists catalogs, schemas and tables of all databases, by filters', async () => {
    assert.deepEqual(await sql.getCatalogs(), ['memory', 'other']);
    assert.deepEqual(await sql.getDbSchemas({ catalog: 'other' }), [
      { catalogName: 'other', dbSchemaName: 'main' },
    ]);
    assert.deepEqual(await sql.getDbSchemas({ catalog: '' }), []);
    const names = async (filter: Parameters<FlightSqlClient['getTables']>[0]): Promise<string[]> =>
      (await sql.getTables(filter)).map(
        (table) => `${table.catalogName}.${table.tableName}:${table.tableType}`,
      );
    assert.deepEqual(await names({}), [
      'memory.child:BASE TABLE',
      'memory.parent:BASE TABLE',
      'memory.seen:VIEW',
      'other.elsewhere:BASE TABLE',
    ]);
    assert.deepEqual(await names({ tableTypes: ['TABLE'], catalog: 'memory' }), [
      'memory.child:BASE TABLE',
      'memory.parent:BASE TABLE',
    ]);
    assert.deepEqual(await names({ tableNameFilterPattern: 'se_n' }), ['memory.seen:VIEW']);
    assert.deepEqual(await names({ tableNameFilterPattern: 'se\\_n' }), []);
    assert.deepEqual(await names({ dbSchemaFilterPattern: 'nope%' }), []);
    assert.deepEqual(await sql.getTableTypes(), ['BASE TABLE', 'LOCAL TEMPORARY', 'VIEW']);
  });

  it('calls ordinary tables TABLE for who wants that, by header or session', async () => {
    const headers = { 'x-peregrine-table-type': 'TABLE' };
    assert.deepEqual(await sql.getTableTypes({ headers }), ['LOCAL TEMPORARY', 'TABLE', 'VIEW']);
    const client = server.sql(true);
    assert.equal(
      (await client.setSessionOptions({ table_type: 'odd' })).errors.get('table_type'),
      'INVALID_VALUE',
    );
    await client.setSessionOptions({ table_type: 'TABLE' });
    const [table] = await client.getTables({ tableNameFilterPattern: 'child' });
    assert.equal(table?.tableType, 'TABLE');
  });

  it('tells columns with real nullability and all that is known of them', async () => {
    const [table] = await sql.getTables({ tableNameFilterPattern: 'child', includeSchema: true });
    const schema = table?.schema;
    assert.ok(schema !== undefined);
    assert.deepEqual(
      schema.fields.map((field) => [field.name, String(field.type), field.nullable]),
      [
        ['c', 'Int64', false],
        ['pid', 'Int32', false],
        ['ppart', 'Utf8', true],
        ['d', 'Decimal[9e+2]', true],
      ],
    );
    const key = (name: string): string => `ARROW:FLIGHT:SQL:${name}`;
    const decimal = schema.fields[3]?.metadata;
    assert.equal(decimal?.get(key('TYPE_NAME')), 'DECIMAL');
    assert.equal(decimal?.get(key('PRECISION')), '9');
    assert.equal(decimal?.get(key('SCALE')), '2');
    assert.equal(decimal?.get(key('TABLE_NAME')), 'child');
    assert.equal(decimal?.get(key('IS_AUTO_INCREMENT')), '0');
    // Drivers fill in a limit of their own where none is told.
    assert.equal(schema.fields[2]?.metadata.get(key('PRECISION')), '2147483647');
    const [parent] = await sql.getTables({ tableNameFilterPattern: 'parent', includeSchema: true });
    assert.equal(parent?.schema?.fields[2]?.metadata.get(key('REMARKS')), 'a remark');
  });

  it('tells of every type what a query streams, without a statement for each table', async () => {
    const connection = await server.engine.connect();
    let prepared = 0;
    const counting: EngineConnection = {
      ...connection,
      inTransaction: false,
      prepare(text, options) {
        prepared++;
        return connection.prepare(text, options);
      },
    };
    try {
      await connection.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE every_type AS FROM test_all_types(); " +
          'CREATE TABLE moods (m mood, l mood[], s STRUCT("a b" mood, j JSON)[2], u UNION(i INTEGER, e ENUM(\'x\')))',
      );
      // What DuckDB has no Arrow type for.
      await connection.execute('ALTER TABLE every_type DROP COLUMN IF EXISTS "variant"');
      const tables = ['every_type', 'moods', 'parent', 'child'].map((tableName) => ({
        catalogName: 'memory',
        dbSchemaName: 'main',
        tableName,
        tableType: 'BASE TABLE',
      }));
      const described = await duckdbTableSchemas(counting, tables);
      assert.equal(prepared, 1);
      for (const { schema, tableName } of described) {
        assert.ok(schema instanceof Uint8Array);
        const statement = await connection.prepare(`FROM ${tableName}`);
        assert.deepEqual(shapes(schema.subarray(8)), shapes(statement.resultSchema ?? schema), tableName);
        await statement.close();
      }
    } finally {
      await connection.execute(
        'DROP TABLE IF EXISTS every_type; DROP TABLE IF EXISTS moods; DROP TYPE IF EXISTS mood',
      );
      await connection.close();
    }
  });

  it('describes views as they are now, many by one statement, and broken ones without columns', async () => {
    const connection = await server.engine.connect();
    const texts: string[] = [];
    const counting: EngineConnection = {
      ...connection,
      inTransaction: false,
      prepare(text, options) {
        texts.push(text);
        return connection.prepare(text, options);
      },
      query(text, options) {
        texts.push(text);
        return connection.query(text, options);
      },
    };
    try {
      await connection.execute(
        `CREATE SCHEMA seen; CREATE TABLE seen.base AS SELECT 1 AS i, 'a'::ENUM('a', 'b') AS e;
        CREATE TABLE seen.gone (i INTEGER); CREATE VIEW seen.broken AS FROM seen.gone; DROP TABLE seen.gone;
        CREATE VIEW seen."odd "" name" AS SELECT i AS "a ""b""", e, [e] AS l, {'x': 1.5::DECIMAL(4,1)} AS s FROM seen.base;
        CREATE VIEW seen.changed AS FROM seen.base;
        ${Array.from({ length: 130 }, (_, i) => `CREATE VIEW seen.v${i} AS SELECT ${i}::BIGINT AS n, e FROM seen.base`).join(';')};
        DROP TABLE seen.base;
        CREATE TABLE seen.base AS SELECT 1::UBIGINT AS i, 'x'::ENUM('x', 'y', 'z') AS e, 2.5 AS more`,
      );
      const found = await duckdbCatalog.tables(connection, { schemaPattern: 'seen', types: ['VIEW'] });
      assert.equal(found.length, 133);
      const described = await duckdbTableSchemas(counting, found);
      // What a broken one is among is halved until it is alone.
      assert.ok(texts.length < 30, `${texts.length} statements`);
      for (const { schema, tableName } of described) {
        assert.ok(schema instanceof Uint8Array);
        if (tableName === 'broken') {
          assert.deepEqual(shapes(schema.subarray(8)), []);
          continue;
        }
        const statement = await connection.prepare(`FROM seen."${tableName.replaceAll('"', '""')}"`);
        assert.deepEqual(shapes(schema.subarray(8)), shapes(statement.resultSchema ?? schema), tableName);
        await statement.close();
      }
    } finally {
      await connection.execute('DROP SCHEMA IF EXISTS seen CASCADE');
      await connection.close();
    }
  });

  it('tells the schemas of tables whose types have no name here, or no Arrow type', async () => {
    const connection = await server.engine.connect();
    try {
      await connection.execute(
        "CREATE SCHEMA other.far; CREATE TYPE other.far.near AS ENUM ('a', 'b'); " +
          'CREATE TABLE other.far.typed (n other.far.near, i INTEGER); CREATE TABLE untyped (v VARIANT, i INTEGER)',
      );
      const told = async (tableNameFilterPattern: string): Promise<string[] | undefined> =>
        (await sql.getTables({ tableNameFilterPattern, includeSchema: true }))[0]?.schema?.fields.map(String);
      assert.deepEqual((await told('typed'))?.length, 2);
      assert.deepEqual(await told('untyped'), []);
      assert.deepEqual(
        (await sql.getTables({ includeSchema: true })).find(({ tableName }) => tableName === 'child')?.schema
          ?.fields.length,
        4,
      );
    } finally {
      await connection.execute('DROP TABLE IF EXISTS untyped; DROP SCHEMA other.far CASCADE');
      await connection.close();
    }
  });

  it('tells keys', async () => {
    const primary = await sql.getPrimaryKeys({ table: 'parent' });
    assert.deepEqual(
      primary.map((row) => [row.columnName, row.keySequence]),
      [
        ['id', 1],
        ['part', 2],
      ],
    );
    const imported = await sql.getImportedKeys({ table: 'child' });
    assert.deepEqual(
      imported.map((row) => [
        row.pkTableName,
        row.pkColumnName,
        row.fkColumnName,
        row.keySequence,
        row.updateRule,
      ]),
      [
        ['parent', 'id', 'pid', 1, 'NO_ACTION'],
        ['parent', 'part', 'ppart', 2, 'NO_ACTION'],
      ],
    );
    assert.ok(imported[0]?.pkKeyName !== undefined && imported[0].fkKeyName !== undefined);
    assert.equal((await sql.getExportedKeys({ table: 'parent' })).length, 2);
    assert.equal((await sql.getExportedKeys({ table: 'child' })).length, 0);
    assert.equal((await sql.getCrossReference({ pkTable: 'parent', fkTable: 'child' })).length, 2);
    assert.equal((await sql.getPrimaryKeys({ table: 'parent', catalog: 'other' })).length, 0);
  });

  it('finds names in any case, as DuckDB does', async () => {
    await sql.query('CREATE TABLE "Mixed ""Case_%" (Id INTEGER UNIQUE, i INTEGER)');
    await sql.query('CREATE TABLE refers (r INTEGER REFERENCES "MIXED ""CASE_%" (ID))');
    const [found, ...others] = await sql.getTables({
      catalog: 'MEMORY',
      dbSchemaFilterPattern: 'MA%',
      tableNameFilterPattern: 'MIXED "CASE\\_\\%',
    });
    assert.deepEqual([found?.tableName, others.length], ['Mixed "Case_%', 0]);
    assert.deepEqual(
      (await sql.getTables({ tableNameFilterPattern: 'mixed_"case__' })).map(({ tableName }) => tableName),
      ['Mixed "Case_%'],
    );
    assert.equal(
      (await sql.getPrimaryKeys({ catalog: 'Memory', dbSchema: 'MAIN', table: 'PARENT' })).length,
      2,
    );
    const [reference] = await sql.getImportedKeys({ table: 'REFERS' });
    assert.deepEqual(
      [reference?.pkTableName, reference?.pkColumnName, reference?.pkKeyName !== undefined],
      ['Mixed "Case_%', 'Id', true],
    );
    assert.equal((await sql.getExportedKeys({ table: 'mixed "case_%' })).length, 1);
    await sql.query('DROP TABLE refers');
    await sql.query('DROP TABLE "Mixed ""Case_%"');
  });

  it('finds what has odd names, by patterns and as it is called', async () => {
    const names = ['a"b', "it's", '100%', 'back\\slash', 'ünï_çödé 東京', ' spaces ', 'SELECT', 'x;--'];
    const escaped = (name: string): string => name.replaceAll(/[\\%_]/g, '\\$&');
    const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
    const client = server.sql(true);
    for (const name of names) {
      const connection = await server.engine.connect();
      const schema = `${quoted(name)}.${quoted(name)}`;
      await connection.execute(
        `ATTACH ':memory:' AS ${quoted(name)}; CREATE SCHEMA ${schema}; USE ${schema}`,
      );
      await connection.execute(`CREATE TABLE ${quoted(name)} (${quoted(name)} INTEGER PRIMARY KEY)`);
      await connection.execute(
        `CREATE TABLE refers (i INTEGER REFERENCES ${quoted(name)} (${quoted(name)}))`,
      );
      await connection.close();
    }
    for (const name of names) {
      assert.ok((await sql.getCatalogs()).includes(name), name);
      const filter = { catalog: name, dbSchemaFilterPattern: escaped(name) };
      assert.deepEqual(await sql.getDbSchemas(filter), [{ catalogName: name, dbSchemaName: name }]);
      const [table, ...others] = await sql.getTables({
        ...filter,
        tableNameFilterPattern: escaped(name),
        includeSchema: true,
      });
      assert.deepEqual([table?.tableName, table?.schema?.names, others.length], [name, [name], 0]);
      const named = { catalog: name, dbSchema: name, table: name };
      assert.deepEqual(
        (await sql.getPrimaryKeys(named)).map(({ columnName }) => columnName),
        [name],
      );
      assert.deepEqual(
        (await sql.getExportedKeys(named)).map(({ fkTableName }) => fkTableName),
        ['refers'],
      );
      const set = await client.setSessionOptions({ catalog: name, schema: name });
      assert.equal(set.errors.size, 0, name);
      assert.equal((await client.query(`SELECT * FROM ${quoted(name)}`)).schema.names[0], name);
      assert.equal((await client.getSessionOptions()).get('schema'), name);
    }
    await client.closeSession();
    for (const name of names) await sql.query(`DETACH ${quoted(name)}`);
  });

  it('tells what the server is and can', async () => {
    const info = await sql.getSqlInfo();
    assert.equal(info.get(SqlInfo.FLIGHT_SQL_SERVER_NAME), 'DuckDB');
    for (const [code, word] of [
      [SqlInfo.SQL_KEYWORDS, 'qualify'],
      [SqlInfo.SQL_NUMERIC_FUNCTIONS, 'sqrt'],
      [SqlInfo.SQL_STRING_FUNCTIONS, 'upper'],
      [SqlInfo.SQL_DATETIME_FUNCTIONS, 'date_trunc'],
      [SqlInfo.SQL_SYSTEM_FUNCTIONS, 'version'],
    ] as const) {
      const list = info.get(code);
      assert.ok(Array.isArray(list) && list.includes(word), `${code} has ${word}`);
    }
    assert.ok((await sql.getXdbcTypeInfo()).length > 20);
  });

  it('shows schemas that a query then streams, bit for bit', async () => {
    const info = await sql.execute('SELECT * FROM child');
    assert.ok(info.schema !== undefined);
    assert.deepEqual(String((await sql.readAll(info)).schema), String(info.schema));
  });
});
