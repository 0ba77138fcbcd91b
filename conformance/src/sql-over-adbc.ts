/**
 * Flight SQL over the ADBC drivers of others: our server over SQLite, and as a gateway in front of a second server of
 * ours, asked by our client and by ADBC's Flight SQL driver.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlightError } from '@peregrine/flight';
import { type FlightSqlClient, SqlInfo, SqlNullOrdering, connectSql } from '@peregrine/flight/sql';
import { createAdbcEngine } from '@peregrine/server';
import { type Table, tableFromArrays } from 'apache-arrow';
import { adbcDriverPath } from './peers.ts';
import { pythonChecks } from './python-checks.ts';
import { type RunningSqlServer, serveEngine, startSqlServer } from './sql-server.ts';

function rowsOf(table: Table): unknown[][] {
  return table
    .toArray()
    .map((row: Iterable<[string, unknown]>) =>
      [...row].map(([, value]) => (typeof value === 'bigint' ? Number(value) : value)),
    );
}

function hasCode(...codes: readonly string[]): (error: unknown) => boolean {
  return (error) => error instanceof FlightError && codes.includes(error.code);
}

/** A server over SQLite, in a file: each statement has a connection of its own. */
async function startSqlite(statementTimeoutMs?: number): Promise<RunningSqlServer> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-sqlite-'));
  const server = await serveEngine(
    await createAdbcEngine({
      driver: adbcDriverPath('adbc_driver_sqlite'),
      options: { uri: join(folder, 'a.db') },
      statementTimeoutMs,
    }),
  );
  return {
    ...server,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A server whose engine is Flight SQL's driver, with another server of ours behind it. */
async function startGateway(): Promise<RunningSqlServer> {
  const behind = await startSqlServer();
  const server = await serveEngine(
    await createAdbcEngine({
      driver: adbcDriverPath('adbc_driver_flightsql'),
      options: { uri: `grpc://127.0.0.1:${behind.port}` },
    }),
  );
  return {
    ...server,
    async stop() {
      await server.stop();
      assert.equal(behind.leftovers().batchBytes, 0);
      await behind.stop();
    },
  };
}

function checks(name: string, vendor: string, start: () => Promise<RunningSqlServer>): void {
  describe(`our client, over ${name}`, () => {
    let server: RunningSqlServer;
    let sql: FlightSqlClient;
    before(async () => {
      server = await start();
      sql = connectSql(`grpc+tcp://127.0.0.1:${server.port}`);
      await sql.executeUpdate('CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT)');
      await sql.executeUpdate(
        'CREATE TABLE child (c INTEGER PRIMARY KEY, pid INTEGER NOT NULL REFERENCES parent (id))',
      );
      await sql.executeUpdate('CREATE VIEW seen AS SELECT id FROM parent');
    });
    after(async () => {
      await sql.close();
      await server.stop();
    });

    it('tells what it is', async () => {
      const info = await sql.getSqlInfo();
      assert.equal(info.get(SqlInfo.FLIGHT_SQL_SERVER_NAME), vendor);
      assert.equal(info.size, Object.values(SqlInfo).length);
      assert.equal(info.get(SqlInfo.SQL_SAVEPOINTS_SUPPORTED), false);
      // found out by statements: SQLite has nulls below all values, and no x > ALL (SELECT …)
      const isSqlite = vendor === 'SQLite';
      assert.equal(
        info.get(SqlInfo.SQL_NULL_ORDERING),
        isSqlite ? SqlNullOrdering.SQL_NULLS_SORTED_LOW : SqlNullOrdering.SQL_NULLS_SORTED_AT_END,
      );
      assert.equal(info.get(SqlInfo.SQL_SUPPORTED_SUBQUERIES), isSqlite ? 0b0111 : 0b1111);
      assert.equal(info.get(SqlInfo.SQL_CORRELATED_SUBQUERIES_SUPPORTED), true);
      assert.equal(info.get(SqlInfo.SQL_OUTER_JOINS_SUPPORT_LEVEL), 0b110);
      assert.ok(Array.isArray(await sql.getXdbcTypeInfo()));
    });

    it('lists catalogs, schemas, tables and their columns', async () => {
      assert.equal((await sql.getCatalogs()).length > 0, true);
      assert.ok(Array.isArray(await sql.getDbSchemas()));
      const tables = await sql.getTables({ includeSchema: true });
      const found = tables.map(({ tableName, tableType }) => `${tableName}:${tableType}`);
      assert.deepEqual(
        found.filter((each) => !each.startsWith('sqlite')),
        ['child:BASE TABLE', 'parent:BASE TABLE', 'seen:VIEW'].sort(),
      );
      const parent = tables.find(({ tableName }) => tableName === 'parent');
      assert.deepEqual(parent?.schema?.names, ['id', 'name']);
      const [only, ...others] = await sql.getTables({
        tableNameFilterPattern: 'chi%',
        tableTypes: ['TABLE'],
      });
      assert.deepEqual([only?.tableName, others.length], ['child', 0]);
      assert.deepEqual(await sql.getTables({ tableNameFilterPattern: 'no such' }), []);
      const types = await sql.getTableTypes();
      assert.ok(types.includes('BASE TABLE') && types.includes('VIEW'), types.join());
    });

    it('tells keys as far as the driver does, and never fails', async () => {
      for (const { columnName, keySequence, tableName } of await sql.getPrimaryKeys({ table: 'parent' })) {
        assert.deepEqual([tableName, columnName, keySequence], ['parent', 'id', 1]);
      }
      for (const keys of [
        await sql.getImportedKeys({ table: 'child' }),
        await sql.getExportedKeys({ table: 'parent' }),
        await sql.getCrossReference({ pkTable: 'parent', fkTable: 'child' }),
      ]) {
        for (const key of keys) assert.deepEqual([key.pkTableName, key.fkColumnName], ['parent', 'pid']);
      }
      assert.deepEqual(await sql.getImportedKeys({ table: 'nowhere' }), []);
    });

    it('queries, and streams the schema that it tells', async () => {
      const text = "SELECT 42 AS answer, 'x' AS t";
      const info = await sql.execute(text);
      const table = await sql.readAll(info);
      assert.deepEqual(rowsOf(table), [[42, 'x']]);
      assert.equal(String(table.schema), String(info.schema));
      assert.equal(String(await sql.executeSchema(text)), String(info.schema));
      assert.deepEqual(rowsOf(await sql.readAll(await sql.execute('SELECT 7 AS a'))), [[7]]);
      const polled = await sql.executePolled('SELECT 8 AS a');
      assert.deepEqual(rowsOf(await sql.readAll(polled)), [[8]]);
    });

    it('runs DDL and DML of the query path once', async () => {
      await sql.query('CREATE TABLE once (i INTEGER)');
      const info = await sql.execute('INSERT INTO once VALUES (1), (2)');
      await sql.readAll(info);
      await sql.readAll(info);
      assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM once')), [[2]]);
      assert.equal(await sql.executeUpdate('UPDATE once SET i = i + 1'), 2n);
      await sql.executeSchema('DELETE FROM once').catch(() => undefined);
      assert.deepEqual(rowsOf(await sql.query('SELECT max(i) FROM once')), [[3]]);
      await sql.executeUpdate('DROP TABLE once');
    });

    it('prepares, and binds one row and many', async () => {
      await sql.executeUpdate('CREATE TABLE bound (i INTEGER, s TEXT)');
      {
        await using insert = await sql.prepare('INSERT INTO bound VALUES (?, ?)');
        insert.bindRows([
          [1, 'a'],
          [2, null],
          [3, 'c'],
        ]);
        assert.equal(await insert.executeUpdate(), 3n);
        assert.equal(insert.isUpdate, true);
        await using select = await sql.prepare('SELECT s FROM bound WHERE i = ?');
        assert.equal(select.isUpdate, false);
        assert.deepEqual(rowsOf(await select.bind([3]).query()), [['c']]);
        assert.deepEqual(rowsOf(await select.bind([2]).query()), [[null]]);
      }
      await sql.executeUpdate('DROP TABLE bound');
    });

    it('commits and rolls back, and refuses savepoints', async () => {
      await sql.executeUpdate('CREATE TABLE txn (i INTEGER)');
      const undone = await sql.beginTransaction();
      await sql.executeUpdate('INSERT INTO txn VALUES (1)', { transaction: undone });
      assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn', { transaction: undone })), [[1]]);
      await assert.rejects(undone.beginSavepoint('a'), hasCode('UNIMPLEMENTED'));
      await undone.rollback();
      assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn')), [[0]]);
      const done = await sql.beginTransaction();
      await sql.executeUpdate('INSERT INTO txn VALUES (2)', { transaction: done });
      await sql.executeIngest(tableFromArrays({ i: Int32Array.of(7, 8) }), {
        table: 'txn',
        transaction: done,
      });
      await done.commit();
      assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM txn')), [[3]]);
      await assert.rejects(sql.query('SELECT 1', { transaction: done }), hasCode('NOT_FOUND'));
      await sql.executeUpdate('DROP TABLE txn');
    });

    it('ingests in each mode', async () => {
      const rows = tableFromArrays({ i: Int32Array.of(1, 2, 3), s: ['a', 'b', 'c'] });
      assert.equal(await sql.executeIngest(rows, { table: 'taken', ifExists: 'fail' }), 3n);
      await assert.rejects(sql.executeIngest(rows, { table: 'taken', ifExists: 'fail' }), FlightError);
      assert.equal(await sql.executeIngest(rows, { table: 'taken', ifExists: 'append' }), 3n);
      assert.deepEqual(rowsOf(await sql.query('SELECT count(*) FROM taken')), [[6]]);
      assert.equal(await sql.executeIngest(rows, { table: 'taken', ifExists: 'replace' }), 3n);
      await assert.rejects(sql.executeIngest(rows, { table: 'missing', ifMissing: 'fail' }), FlightError);
      assert.deepEqual(rowsOf(await sql.query('SELECT i, s FROM taken ORDER BY i')), [
        [1, 'a'],
        [2, 'b'],
        [3, 'c'],
      ]);
      await sql.executeUpdate('DROP TABLE taken');
    });

    it('tells errors in the words of the engine, and goes on', async () => {
      await assert.rejects(sql.query('SELEC 1'), /syntax/);
      await assert.rejects(sql.query('SELECT * FROM nowhere'), /nowhere/);
      await assert.rejects(sql.executeUpdate('INSERT INTO nowhere VALUES (1)'), /nowhere/);
      await assert.rejects(sql.prepare('SELEC 1'), /syntax/);
      const plan = { plan: new Uint8Array(1), version: '1' };
      await assert.rejects(sql.executeSubstrait(plan), hasCode('UNIMPLEMENTED'));
      assert.deepEqual(rowsOf(await sql.query('SELECT 1')), [[1]]);
    });

    it('cancels what was not fetched yet', async () => {
      const info = await sql.execute('SELECT 1 AS a');
      assert.equal(await sql.cancelQuery(info), 'CANCELLED');
      await assert.rejects(sql.readAll(info), hasCode('CANCELLED'));
    });

    // SQLite's driver has no cancel: see below.
    if (vendor === 'DuckDB')
      it('cancels a query that runs', async () => {
        const endless =
          'WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 1000000000000) SELECT count(*) FROM r';
        const info = await sql.execute(endless);
        const reading = assert.rejects(sql.readAll(info), hasCode('CANCELLED'));
        assert.equal((await sql.cancelFlightInfo(info)).status, 'CANCELLED');
        await reading;
        assert.deepEqual(rowsOf(await sql.query('SELECT 1')), [[1]]);
      });

    it('leaves no batch behind', () => {
      assert.equal(server.leftovers().batchBytes, 0);
    });
  });

  pythonChecks(`ADBC's driver, over ${name}`, 'adbc_generic_checks.py', start);
}

describe('a statement that the driver cannot stop', () => {
  /** Some seconds of SQLite's, which it does before it tells the schema. */
  const long =
    'WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 25000000) SELECT count(*) FROM r';
  /** Less than that on every machine, and far more than a small statement takes on a busy one, in milliseconds. */
  const timeLimit = 1_000;

  async function freed(server: RunningSqlServer): Promise<void> {
    while (server.leftovers().connections > 0) await sleep(20);
    assert.equal(server.leftovers().batchBytes, 0);
  }

  /** Small statements have the same limit, and a very busy machine may need longer even for them. */
  async function inTime<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!hasCode('TIMED_OUT')(error)) throw error;
      }
    }
  }

  it('is answered when it is cancelled, and freed when it has ended', async (t) => {
    const server = await startSqlite();
    t.after(() => server.stop());
    await using sql = connectSql(`grpc+tcp://127.0.0.1:${server.port}`);
    const { descriptor, info } = await sql.pollExecute(long);
    assert.ok(descriptor !== undefined && info !== undefined, 'it runs');
    assert.equal((await sql.cancelFlightInfo(info)).status, 'CANCELLED');
    assert.equal(server.leftovers().connections, 1, 'it goes on');
    await assert.rejects(sql.poll(descriptor), hasCode('NOT_FOUND'));
    assert.deepEqual(rowsOf(await sql.query('SELECT 1')), [[1]]);
    const abort = new AbortController();
    const refused = assert.rejects(sql.query(long, { signal: abort.signal }), hasCode('CANCELLED'));
    await sleep(50);
    abort.abort();
    await refused;
    await freed(server);
  });

  it('is answered at the time-out, and its transaction can be rolled back', async (t) => {
    const server = await startSqlite(timeLimit);
    t.after(() => server.stop());
    await using sql = connectSql(`grpc+tcp://127.0.0.1:${server.port}`);
    const transaction = await inTime(() => sql.beginTransaction());
    await assert.rejects(sql.query(long, { transaction }), hasCode('TIMED_OUT'));
    assert.equal(server.leftovers().connections, 1, 'it goes on');
    await assert.rejects(sql.query('SELECT 1', { transaction }), hasCode('ABORTED'));
    await transaction.rollback();
    assert.equal(server.leftovers().connections, 1, 'and on');
    assert.deepEqual(rowsOf(await inTime(() => sql.query('SELECT 1'))), [[1]]);
    await freed(server);
  });
});

checks("SQLite's driver", 'SQLite', startSqlite);
checks("Flight SQL's driver", 'DuckDB', startGateway);
