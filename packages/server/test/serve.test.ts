import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  FlightDescriptor,
  FlightUnauthorizedError,
  FlightUnimplementedError,
  Ticket,
  connect,
} from '@peregrine/flight';
import { connectSql } from '@peregrine/flight/sql';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { type DataServerOptions, InsecureListenerError, serveData } from '../src/serve.ts';
import { SettingsError } from '../src/settings/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'peregrine-serve-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Asked {
  readonly status: number;
  readonly text: string;
}

/** Starts a server, and ends it after what is done with it. */
async function withServer(
  options: DataServerOptions,
  run: (ask: (sql: string) => Promise<Asked>, location: string) => Promise<void>,
): Promise<void> {
  const server = await serveData({ flightPort: 0, httpPort: 0, ...options });
  try {
    await run(async (sql) => {
      const response = await fetch(server.httpUrl ?? '', { method: 'POST', body: sql });
      return { status: response.status, text: await response.text() };
    }, server.location);
  } finally {
    await server.shutdown();
  }
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('serveData()', () => {
  it('refuses settings that mean nothing before it opens anything', async () => {
    await assert.rejects(serveData({ flightPort: 0, maxRunning: 0 }), SettingsError);
    await assert.rejects(
      serveData({ flightPort: 0, host: undefined, httpPort: 1.5 }),
      /^SettingsError: httpPort: 1.5 is not a port/,
    );
  });

  it('answers the same over HTTP and over Flight', async () => {
    const path = file('numbers.csv', 'id,name\n1,a\n2,b\n');
    const writable = join(folder, 'made', 'when missing');
    await withServer({ data: [path], writable }, async (ask, location) => {
      assert.ok(existsSync(writable));
      assert.equal((await ask('SELECT sum(id) AS s FROM numbers FORMAT CSV')).text, '3\n');
      const client = connect(location);
      const table = await client.doGet(new Ticket('SELECT sum(id) AS s FROM numbers')).readAll();
      assert.equal(String(table.get(0)?.['s']), '3');
      await client.close();
    });
  });

  it('keeps SQL within what is served, unless it is told otherwise', async () => {
    const inside = file('inside.csv', 'a\n1\n');
    const secret = join(mkdtempSync(join(tmpdir(), 'peregrine-other-')), 'secret.csv');
    writeFileSync(secret, 'a\n1\n');
    const outside = `SELECT * FROM read_csv('${secret}') FORMAT CSV`;
    await withServer({ data: [inside] }, async (ask) => {
      assert.equal((await ask('FROM inside FORMAT CSV')).text, '1\n');
      assert.ok((await ask(outside)).status >= 400);
      assert.ok((await ask(`COPY inside TO '${secret}'`)).status >= 400);
      assert.ok((await ask('SET enable_external_access = true')).status >= 400);
    });
    await withServer({ externalAccess: true }, async (ask) => {
      assert.equal((await ask(outside)).text, '1\n');
    });
    rmSync(dirname(secret), { recursive: true });
  });

  it('runs an init file before anybody is served', async () => {
    const init = file('init.sql', 'CREATE TABLE made AS SELECT 42 AS x; CREATE VIEW seen AS FROM made;');
    await withServer({ init }, async (ask) => {
      assert.equal((await ask('FROM seen FORMAT CSV')).text, '42\n');
    });
    await assert.rejects(
      serveData({ flightPort: 0, httpPort: 0, init: file('bad.sql', 'SELEC 1') }),
      /SELEC/,
    );
    await assert.rejects(
      serveData({ flightPort: 0, httpPort: 0, init: join(folder, 'no.sql') }),
      SettingsError,
    );
  });

  it('takes no file of data for a database', async () => {
    const there = file('there.csv', 'a\n1\n');
    const names = ['no.parquet', 'no.TSV', 'no.json', 'no.ndjson.gz', 'no.arrow', 'no.feather'];
    for (const database of [there, ...names.map((name) => join(folder, name))]) {
      await assert.rejects(serveData({ flightPort: 0, httpPort: 0, database }), (error) => {
        assert.ok(error instanceof SettingsError, String(error));
        assert.match(error.message, /^--database .*: a file that ends in \.\S+ is no database.* as data/);
        assert.ok(error.message.includes(database));
        return true;
      });
      assert.equal(existsSync(database), database === there, database);
    }
    for (const database of [':memory:', join(folder, 'any.db'), join(folder, 'no-ending')])
      await withServer({ database }, async (ask) => assert.equal((await ask('SELECT 1')).status, 200));
  });

  it('leaves no view of a dataset in memory in a database on disk', async () => {
    const database = join(folder, 'without-views.duckdb');
    const put = async (location: string, name: string): Promise<void> => {
      await using client = connect(location);
      const { writer } = client.doPut(FlightDescriptor.forPath(name));
      await writer.writeTable(tableFromArrays({ i: Int32Array.of(1, 2) }));
      await writer.close();
    };
    await withServer({ database }, async (ask, location) => {
      await put(location, 'fleeting one');
      assert.equal((await ask('SELECT count(*) FROM files."fleeting one" FORMAT CSV')).text, '2\n');
      await ask('CREATE VIEW kept AS SELECT 1 AS i');
    });
    await withServer({ database, readOnly: true }, async (ask) => {
      const views = 'SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL FORMAT CSV';
      assert.equal((await ask(views)).text, 'kept\n');
    });
  });

  it('keeps a database file, and its tables beside those of files', async () => {
    const database = join(folder, 'kept.duckdb');
    const data = [file('beside.csv', 'a\n7\n')];
    await withServer({ database, data }, async (ask) => {
      assert.equal((await ask('CREATE TABLE kept AS SELECT 1 AS a')).status, 200);
      assert.equal((await ask('FROM files.beside FORMAT CSV')).text, '7\n');
    });
    await withServer({ database, readOnly: true }, async (ask) => {
      assert.equal((await ask('FROM kept FORMAT CSV')).text, '1\n');
      assert.equal((await ask('DROP TABLE kept')).status, 403);
    });
  });

  it('refuses every change when it is read-only', async () => {
    const data = [file('fixed.csv', 'a\n7\n')];
    await withServer({ data, readOnly: true }, async (ask, location) => {
      assert.equal((await ask('FROM fixed FORMAT CSV')).text, '7\n');
      for (const sql of [
        'CREATE TABLE t (a INTEGER)',
        "COPY fixed TO 'x.csv'",
        'INSERT INTO fixed VALUES (1) RETURNING a',
        "ATTACH ':memory:' AS other",
        'INSERT INTO fixed FORMAT CSV\n1\n',
      ]) {
        assert.ok((await ask(sql)).status >= 400, sql);
      }
      assert.equal((await ask('CREATE TABLE t (a INTEGER)')).status, 403);
      const client = connect(location);
      await assert.rejects(
        client.doGet(new Ticket('CREATE TABLE t AS SELECT 1')).readAll(),
        FlightUnauthorizedError,
      );
      await client.close();
    });
  });

  it('gives Parquet when it is read-only, of what only reads', async () => {
    const init = file(
      'parquet.sql',
      "CREATE SEQUENCE s; CREATE TABLE t AS SELECT 1 AS a; CREATE MACRO moved() AS nextval('s'); " +
        'CREATE VIEW v AS SELECT moved() AS m',
    );
    await withServer({ init, readOnly: true }, async (ask) => {
      const { status, text } = await ask('SELECT a FROM t FORMAT Parquet');
      assert.deepEqual([status, text.slice(0, 4)], [200, 'PAR1'], text);
      for (const sql of [
        'SELECT moved() FORMAT Parquet',
        'FROM v FORMAT Parquet',
        "SELECT nextval('s') FORMAT Parquet",
        'INSERT INTO t VALUES (2) RETURNING a FORMAT Parquet',
        "SELECT 1) TO 'x.parquet'; COPY (SELECT 1 FORMAT Parquet",
        "COPY t TO 'x.parquet' (RETURN_FILES) FORMAT Parquet",
        'SELECT 1; CREATE TABLE u AS SELECT 1 FORMAT Parquet',
      ]) {
        const refused = await ask(sql);
        assert.ok(refused.status >= 400, `${sql}: ${refused.status}`);
      }
      assert.equal((await ask('SELECT count(*) AS n FROM t FORMAT CSV')).text, '1\n');
      assert.equal((await ask('FROM u')).status, 404);
    });
  });

  it('refuses changes that look like queries when it is read-only', async () => {
    const init = file('init.sql', 'CREATE TABLE t (a VARCHAR, b VARCHAR); CREATE SEQUENCE s');
    await withServer({ init, readOnly: true }, async (ask, location) => {
      await using sql = connectSql(location);
      for (const text of [
        "INSERT INTO t VALUES ('a', 'b') RETURNING a",
        // a backslash before a quote hides the rest from who does not know texts with an E
        String.raw`INSERT INTO t VALUES (E'\'', 'b') RETURNING a`,
        String.raw`SET VARIABLE x = E'\'' || 'x'; CREATE TABLE u AS SELECT 1`,
        "EXPLAIN ANALYZE INSERT INTO t VALUES ('a', 'b')",
        "explain (analyze) WITH x AS (SELECT 'a', 'b') INSERT INTO t FROM x",
        "SELECT nextval('s')",
        "COPY t TO 'x.csv' (RETURN_FILES)",
      ]) {
        assert.ok((await ask(text)).status >= 400, text);
        await assert.rejects(sql.query(text), text);
        await assert.rejects(sql.executeUpdate(text), text);
      }
      for (const text of [
        'EXPLAIN SELECT * FROM t',
        '(SELECT 1) UNION (SELECT 2)',
        "SELECT 'insert', 'returning'",
        'DESCRIBE t',
        'SHOW TABLES',
        'SUMMARIZE t',
      ]) {
        assert.equal((await ask(text)).status, 200, text);
      }
      assert.equal((await ask('SELECT count(*) AS n FROM t FORMAT CSV')).text, '0\n');
      assert.equal((await ask('FROM u')).status, 404);
    });
  });

  it('lets nothing change that is called by another name when it is read-only', async () => {
    const init = file(
      'moved.sql',
      "CREATE SEQUENCE s; CREATE TABLE t AS SELECT 1 AS a; CREATE MACRO moved() AS nextval('s'); " +
        'CREATE MACRO rows_moved() AS TABLE SELECT moved() AS m; CREATE VIEW v AS SELECT moved() AS m',
    );
    await withServer({ init, readOnly: true }, async (ask, location) => {
      await using client = connectSql(location);
      const writes = [
        'SELECT moved()',
        'FROM v',
        'FROM rows_moved()',
        "FROM query('SELECT moved()')",
        'SET VARIABLE x = (SELECT moved())',
        'WITH x AS (FROM v) SELECT * FROM x',
        'EXPLAIN ANALYZE SELECT moved()',
      ];
      const refused = /read-only/;
      for (const text of writes) {
        const { status, text: answer } = await ask(text);
        assert.ok(status >= 400, text);
        assert.match(answer, refused, text);
        await assert.rejects(client.query(text), refused, text);
        await assert.rejects(client.executeUpdate(text), refused, text);
        const prepared = await client.prepare(text);
        await assert.rejects(prepared.query(), refused, text);
        await prepared.close();
      }
      const transaction = await client.beginTransaction();
      await assert.rejects(client.query('FROM v', { transaction }), refused);
      await transaction.rollback();
      for (const text of [
        'BEGIN TRANSACTION READ WRITE',
        'PREPARE p AS INSERT INTO t VALUES (2)',
        'BEGIN; INSERT INTO t VALUES (2)',
        'COMMIT; INSERT INTO t VALUES (2)',
        'CALL checkpoint(); DROP TABLE t',
        "IMPORT DATABASE 'x'",
        "EXPORT DATABASE 'x'",
        'DETACH memory',
        'CHECKPOINT',
        'LOAD parquet',
        'VACUUM t',
        "COMMENT ON TABLE t IS 'x'",
        'CREATE TEMP TABLE x AS SELECT 1',
      ]) {
        await assert.rejects(client.executeUpdate(text), text);
        await assert.rejects(client.query(text), text);
      }
      // What only reads goes on, in transactions of the client's as well, and side by side.
      await client.executeUpdate('BEGIN TRANSACTION');
      await client.executeUpdate('SET preserve_insertion_order = false');
      await assert.rejects(client.query('FROM v'), refused);
      await client.executeUpdate('ROLLBACK');
      await assert.rejects(client.query('FROM v'), refused);
      await client.executeUpdate("SET VARIABLE kept = 'x'");
      const settings = await client.query(
        "SELECT getvariable('kept'), current_setting('preserve_insertion_order')",
      );
      assert.deepEqual(
        settings.toArray().map((row) => [...row].map(([, value]) => value)),
        [['x', false]],
      );
      const counts = Array.from({ length: 8 }, () => client.query('SELECT count(*) FROM t, range(100000)'));
      for (const table of await Promise.all(counts))
        assert.equal(Number(table.getChildAt(0)?.get(0)), 100_000);
      assert.equal(
        (await ask('SELECT last_value IS NULL AS n FROM duckdb_sequences() FORMAT CSV')).text,
        'true\n',
      );
    });
  });

  it('serves Arrow files without an engine, and says that there is no SQL', async () => {
    const path = file('plain.arrow', tableToIPC(tableFromArrays({ id: Int32Array.of(1, 2, 3) }), 'file'));
    await withServer({ data: [path], engine: { kind: 'none' } }, async (ask, location) => {
      const client = connect(location);
      assert.equal((await client.doGet(new Ticket('plain')).readAll()).numRows, 3);
      await assert.rejects(client.doGet(new Ticket('SELECT 1')).readAll(), FlightUnimplementedError);
      await client.close();
      const refused = await ask('SELECT 1');
      assert.equal(refused.status, 501);
      assert.match(refused.text, /--engine none/);
    });
    const server = await serveData({ flightPort: 0, httpPort: 0, data: [path], engine: { kind: 'none' } });
    const ready = await fetch(`${server.httpUrl ?? ''}/ready`);
    assert.equal(ready.status, 200, 'it does all that it was started for');
    assert.match(await ready.text(), /"no_sql":"this server was started with --engine none"/);
    await server.shutdown();
  });

  it('gives the engine its memory, its threads and its folder, and puts their bound', async () => {
    const tempDir = join(folder, 'spill');
    await withServer(
      { memoryLimit: 128 * 1024 * 1024, threads: 2, tempDir, datasetMemory: 100_000 },
      async (ask, location) => {
        const { text } = await ask(
          `SELECT current_setting('memory_limit'), current_setting('threads'), current_setting('temp_directory') FORMAT TSV`,
        );
        const [memory, threads, temp] = text.trim().split('\t');
        assert.equal(memory, '128.0 MiB');
        assert.equal(threads, '2');
        assert.ok(temp?.startsWith(tempDir), temp);
        // larger than the limit: the sort goes to the folder, and comes back
        const sorted = await ask(
          'SELECT count(*), max(s) FROM (SELECT * FROM (SELECT hash(range) AS h, repeat(range::VARCHAR, 20) AS s FROM range(1500000)) ORDER BY h) FORMAT TSV',
        );
        assert.match(sorted.text, /^1500000\t/);
        const client = connect(location);
        const put = async (rows: number): Promise<void> => {
          await using call = client.doPut(FlightDescriptor.forPath('mine'));
          await call.writer.writeTable(tableFromArrays({ n: new Float64Array(rows) }));
          await call.writer.close();
        };
        await put(1000);
        await assert.rejects(put(20_000), /100000/);
        await client.close();
      },
    );
  });

  it('tells what it cannot listen on, and leaves nothing open then', async () => {
    await assert.rejects(serveData({ host: '0.0.0.0', flightPort: 0, httpPort: 0 }), InsecureListenerError);
    await assert.rejects(serveData({ flightPort: 0, httpPort: 0, writable: file('taken', '') }), {
      name: 'SettingsError',
      message: /^--writable: the folder .*taken cannot be made: there is a file/,
    });
    const twoMinds = { flightPort: 0, httpPort: 0, readOnly: true, writable: join(folder, 'both') };
    await assert.rejects(serveData(twoMinds), { name: 'SettingsError', message: /leave out --read-only/ });
    const first = await serveData({ flightPort: 0, httpPort: 0 });
    const port = Number(new URL(first.httpUrl ?? '').port);
    await assert.rejects(serveData({ flightPort: 0, httpPort: port }), {
      name: 'SettingsError',
      message: new RegExp(`port ${port} on 127.0.0.1 is taken.*--http-port`),
    });
    await first.shutdown();
    await first.wait();
    const off = await serveData({ flightPort: 0, httpPort: undefined });
    assert.equal(off.httpUrl, undefined);
    await off.shutdown();
  });
});
