import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { decodeSchema } from '@peregrine/flight/ipc';
import { Int32, Table, Utf8, makeVector, tableFromArrays, vectorFromArray } from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineBatch, EngineConnection } from '../../src/engine/types.ts';
import { code, encodeTable, endless, readInputs, readRows, stream } from './support.ts';

const three = encodeTable(
  new Table({ a: vectorFromArray([1, 2, 3], new Int32()), b: vectorFromArray(['x', null, 'z'], new Utf8()) }),
);

describe('the DuckDB engine', () => {
  let engine: Engine;
  let connection: EngineConnection;
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
  });
  after(() => engine.close());

  const one = async (sql: string): Promise<unknown> => (await readRows(await connection.query(sql)))[0];

  it('says what it is', () => {
    assert.equal(engine.info.vendor, 'DuckDB');
    assert.match(engine.info.vendorVersion, /^1\.5\./);
    assert.deepEqual(engine.state, { kind: 'ready' });
  });

  it('gathers rows to batches of 65,536, smaller where the bytes ask for it', async () => {
    const rows: number[] = [];
    for await (const batch of await connection.query('SELECT range::INTEGER AS r FROM range(150000)')) {
      rows.push(batch.rows);
      batch.release();
    }
    assert.equal(
      rows.reduce((sum, count) => sum + count, 0),
      150_000,
    );
    assert.ok(Math.max(...rows) <= 65_536);
    const wide = await connection.query("SELECT repeat('x', 3000000) AS t FROM range(5)", {
      batchBytes: 4_000_000,
    });
    const sizes: number[] = [];
    for await (const batch of wide) {
      sizes.push(batch.rows);
      assert.ok(batch.body.byteLength < 4_100_000);
      batch.release();
    }
    assert.deepEqual(sizes, [1, 1, 1, 1, 1]);
    const few = await connection.query('FROM range(10)', { batchRows: 4 });
    const counts: number[] = [];
    for await (const batch of few) {
      counts.push(batch.rows);
      batch.release();
    }
    assert.deepEqual(counts, [4, 4, 2]);
  });

  it('tells kinds and schemas without running anything', async () => {
    await connection.execute('CREATE TABLE kinds (a INTEGER, b VARCHAR)');
    const kinds = async (sql: string): Promise<string> => {
      const statement = await connection.prepare(sql);
      await statement.close();
      return statement.kind;
    };
    assert.equal(await kinds('SELECT 1'), 'query');
    assert.equal(await kinds('INSERT INTO kinds VALUES (1, $1)'), 'update');
    assert.equal(await kinds('INSERT INTO kinds VALUES (1, $1) RETURNING a'), 'query');
    assert.equal(await kinds('DELETE FROM kinds'), 'update');
    assert.equal(await kinds('CREATE TABLE other (a INTEGER)'), 'ddl');
    assert.equal(await kinds('DROP TABLE kinds'), 'ddl');
    assert.equal(await kinds('SET threads = 2'), 'ddl');
    assert.equal(await kinds('EXPLAIN SELECT 1'), 'query');
    assert.deepEqual(await one('SELECT count(*)::INTEGER AS n FROM kinds'), { n: 0 });
  });

  it("gives errors in DuckDB's words, with the position, and a code that fits", async () => {
    await assert.rejects(
      connection.query('SELEC 1'),
      code('INVALID_ARGUMENT', /Parser Error.*LINE 1: SELEC 1/s),
    );
    await assert.rejects(
      connection.query('SELECT nope FROM range(1)'),
      code('INVALID_ARGUMENT', /Binder Error.*LINE 1/s),
    );
    await assert.rejects(connection.query('FROM nope'), code('NOT_FOUND', /Table with name nope/));
    await connection.execute('CREATE TABLE twice (a INTEGER PRIMARY KEY)');
    await assert.rejects(connection.execute('CREATE TABLE twice (a INTEGER)'), code('ALREADY_EXISTS'));
    await assert.rejects(
      connection.execute('INSERT INTO twice VALUES (1), (1)'),
      code('INVALID_ARGUMENT', /Constraint Error/),
    );
    await assert.rejects(connection.prepare('SELECT 1; SELECT 2'), code('INVALID_ARGUMENT', /one statement/));
    await assert.rejects(connection.query('SELECT \0'), code('INVALID_ARGUMENT', /NUL/));
    await assert.rejects(connection.execute(''), FlightError);
    for (const empty of ['-- nothing', ';;']) {
      await assert.rejects(connection.query(empty), code('INVALID_ARGUMENT', /no statement/));
      await assert.rejects(connection.prepare(empty), code('INVALID_ARGUMENT', /no statement/));
    }
    assert.deepEqual(await one('SELECT 1 AS a'), { a: 1 });
  });

  it('gives an error that comes after rows in the same words, and the connection goes on', async () => {
    // One thread: with several, DuckDB interrupts the others when one fails, and now and then tells of that instead.
    const single = await createDuckDbEngine({ threads: 1 });
    try {
      const failing = await single.connect();
      const late = await failing.query(
        "SELECT CASE WHEN range = 900000 THEN error('late') ELSE range END FROM range(1000000)",
      );
      await assert.rejects(readRows(late), code('INVALID_ARGUMENT', /late/));
      assert.deepEqual(await readRows(await failing.query('SELECT 1 AS a')), [{ a: 1 }]);
    } finally {
      await single.close();
    }
  });

  it('binds one row and many, and runs a query for each', async () => {
    await connection.execute('CREATE TABLE rows_bound (a INTEGER, b VARCHAR)');
    const insert = await connection.prepare('INSERT INTO rows_bound VALUES (?, ?)');
    await assert.rejects(insert.execute(), code('INVALID_ARGUMENT', /2 parameters/));
    await insert.bind(three.schema, three.batches);
    assert.equal(await insert.execute(), 3n);
    assert.equal(await insert.execute(), 3n);
    await insert.close();
    const query = await connection.prepare(
      'SELECT a + 1 AS a FROM rows_bound WHERE a = ? AND b IS NOT DISTINCT FROM ?',
    );
    await query.bind(three.schema, three.batches);
    assert.deepEqual(await readRows(await query.query()), [
      { a: 2 },
      { a: 2 },
      { a: 3 },
      { a: 3 },
      { a: 4 },
      { a: 4 },
    ]);
    await query.close();
    const narrow = await connection.prepare('SELECT ?');
    await assert.rejects(
      narrow.bind(three.schema, three.batches),
      code('INVALID_ARGUMENT', /1 param.*2 columns/),
    );
    await narrow.close();
  });

  it('runs rows that are bound all or nothing', async () => {
    await connection.execute('CREATE TABLE unique_rows (a INTEGER, b VARCHAR UNIQUE)');
    const insert = await connection.prepare(
      "INSERT INTO unique_rows SELECT ?, 'same' WHERE ? IS DISTINCT FROM 'q'",
    );
    await insert.bind(three.schema, three.batches);
    await assert.rejects(insert.execute(), code('INVALID_ARGUMENT', /Constraint/));
    await insert.close();
    assert.deepEqual(await one('SELECT count(*)::INTEGER AS n FROM unique_rows'), { n: 0 });
  });

  it('ingests in every mode', async () => {
    const ingest = (ifMissing: 'create' | 'fail', ifExists: 'append' | 'replace' | 'fail'): Promise<bigint> =>
      connection.ingest({ table: 'modes', ifMissing, ifExists }, three.schema, stream(three.batches));
    const count = async (): Promise<unknown> => one('SELECT count(*)::INTEGER AS n FROM modes');
    await assert.rejects(ingest('fail', 'append'), code('NOT_FOUND'));
    assert.equal(await ingest('create', 'fail'), 3n);
    await assert.rejects(ingest('create', 'fail'), code('ALREADY_EXISTS'));
    assert.equal(await ingest('fail', 'append'), 3n);
    assert.deepEqual(await count(), { n: 6 });
    assert.equal(await ingest('create', 'append'), 3n);
    assert.equal(await ingest('create', 'replace'), 3n);
    assert.deepEqual(await count(), { n: 3 });
    assert.equal(
      await connection.ingest(
        { table: 'modes', ifMissing: 'create', ifExists: 'replace' },
        three.schema,
        stream([]),
      ),
      0n,
    );
    assert.deepEqual(await count(), { n: 0 });
  });

  it('ingests into schemas and temporary tables, by the names of columns', async () => {
    await connection.execute('CREATE SCHEMA s; CREATE TABLE s.swapped (b VARCHAR, a BIGINT)');
    const into = { ifMissing: 'fail', ifExists: 'append' } as const;
    await connection.ingest(
      { ...into, table: 'swapped', schema: 's', catalog: 'memory' },
      three.schema,
      stream(three.batches),
    );
    assert.deepEqual(await one('SELECT * FROM s.swapped LIMIT 1'), { b: 'x', a: '1' });
    await connection.ingest(
      { table: 'passing', temporary: true, ifMissing: 'create', ifExists: 'fail' },
      three.schema,
      stream(three.batches),
    );
    assert.deepEqual(await one("SELECT temporary FROM duckdb_tables() WHERE table_name = 'passing'"), {
      temporary: true,
    });
  });

  it('ingests by the order of columns, whatever a session has queries ordered by', async () => {
    const { schema, batches } = encodeTable(tableFromArrays({ a: Int32Array.of(1), b: Int32Array.of(2) }));
    const into = { ifMissing: 'fail', ifExists: 'append' } as const;
    await connection.execute("SET default_order = 'DESC'");
    try {
      for (const table of ['ordered', 'ordered "too"']) {
        const name = `"${table.replaceAll('"', '""')}"`;
        await connection.execute(`CREATE TABLE ${name} (a INTEGER, b INTEGER)`);
        await connection.ingest({ ...into, table }, schema, stream(batches));
        assert.deepEqual(await one(`SELECT * FROM ${name}`), { a: 1, b: 2 });
      }
    } finally {
      await connection.execute('RESET default_order');
    }
  });

  it('ingests batches of any length one after the other', async () => {
    const lengths = [10, 20_000, 3, 40_000, 0, 39_999, 1, 50_000, 20_000];
    const tables = lengths.map((length, i) => {
      const numbers = Int32Array.from({ length }, (_, row) => 100_000 * i + row);
      const words = Array.from(numbers, (n) => `text ${n}`);
      return encodeTable(new Table({ n: makeVector(numbers), w: vectorFromArray(words, new Utf8()) }));
    });
    const schema = tables[0]?.schema ?? new Uint8Array(0);
    const sent = tables.flatMap(({ batches }) => batches);
    const rows = await connection.ingest(
      { table: 'lengths', ifMissing: 'create', ifExists: 'fail' },
      schema,
      stream(sent),
    );
    const total = lengths.reduce((sum, length) => sum + length, 0);
    assert.equal(rows, BigInt(total));
    const sum = lengths.reduce(
      (all, length, i) => all + length * 100_000 * i + (length * (length - 1)) / 2,
      0,
    );
    const query =
      "SELECT count(DISTINCT n)::INT AS count, sum(n)::TEXT AS sum, bool_and(w = 'text ' || n) AS same";
    assert.deepEqual(await readRows(await connection.query(`${query} FROM lengths`)), [
      { count: total, sum: String(sum), same: true },
    ]);
  });

  it('takes all of an ingest or nothing, and leaves an open transaction as it was', async () => {
    const broken = new Error('the client is gone');
    const options = { table: 'whole', ifMissing: 'create', ifExists: 'append' } as const;
    await assert.rejects(connection.ingest(options, three.schema, stream(three.batches, broken)), broken);
    await assert.rejects(connection.query('FROM whole'), code('NOT_FOUND'));
    await connection.begin();
    await connection.ingest(options, three.schema, stream(three.batches));
    await assert.rejects(connection.ingest(options, three.schema, stream(three.batches, broken)), broken);
    assert.deepEqual(await one('SELECT count(*)::INTEGER AS n FROM whole'), { n: 3 });
    await connection.rollback();
    await assert.rejects(connection.query('FROM whole'), code('NOT_FOUND'));
  });

  it('commits and rolls back', async () => {
    await connection.execute('CREATE TABLE kept (a INTEGER)');
    await connection.begin();
    assert.ok(connection.inTransaction);
    assert.equal(await connection.execute('INSERT INTO kept VALUES (1)'), 1n);
    await assert.rejects(connection.begin(), code('FAILED_PRECONDITION'));
    await connection.rollback();
    await connection.begin();
    await connection.execute('INSERT INTO kept VALUES (2)');
    await connection.commit();
    await assert.rejects(connection.commit(), code('FAILED_PRECONDITION'));
    assert.deepEqual(await readRows(await connection.query('FROM kept')), [{ a: 2 }]);
  });

  it('cancels at once, while the event loop goes on', async () => {
    const controller = new AbortController();
    const running = connection.query(endless, { signal: controller.signal });
    const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));
    while (engine.statistics.running === 0) await tick();
    for (let i = 0; i < 20; i++) await tick();
    controller.abort();
    await assert.rejects(running, code('CANCELLED'));
    assert.deepEqual(await one('SELECT 1 AS a'), { a: 1 });
  });

  it('frees results that are abandoned, and connections with something running', async () => {
    for (let i = 0; i < 20; i++) {
      const result = await connection.query('SELECT range, range::VARCHAR AS t FROM range(10000000)');
      for await (const batch of result) {
        batch.release();
        break;
      }
    }
    const unread = await connection.query('FROM range(10000000)');
    await unread.close();
    const second = await engine.connect();
    const running = second.query(endless);
    const failing = assert.rejects(running, FlightError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await second.close();
    await failing;
    assert.equal(engine.statistics.batchBytes, 0);
    assert.equal(engine.statistics.connections, 1);
  });

  it('keeps nothing of a result that was given up, though its connection stays open', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'engine-'));
    try {
      const file = join(folder, 'given-up.parquet');
      await connection.execute(
        `COPY (SELECT range AS a, md5(range::VARCHAR) AS b FROM range(300000)) TO '${file}' (ROW_GROUP_SIZE 122880)`,
      );
      const used = async (): Promise<number> =>
        Number(
          Object.values(
            (await one('SELECT sum(memory_usage_bytes)::DOUBLE AS n FROM duckdb_memory()')) ?? {},
          )[0],
        );
      const before = await used();
      const open: EngineConnection[] = [];
      for (let i = 0; i < 4; i++) {
        const reader = await engine.connect();
        open.push(reader);
        for await (const batch of await reader.query(`FROM '${file}' WHERE a >= 0`, { batchRows: 1000 })) {
          batch.release();
          if (i % 2 === 0) break;
        }
      }
      assert.ok((await used()) - before < 2e6, `${before} to ${await used()} bytes`);
      for (const each of open) await each.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('stops at the batches that are out, and goes on when one is released', async () => {
    const result = await connection.query('FROM range(10000000)', { batchRows: 1000 });
    const iterator = result[Symbol.asyncIterator]();
    const out: EngineBatch[] = [];
    for (let i = 0; i < 16; i++) {
      const { value } = await iterator.next();
      if (value !== undefined) out.push(value);
    }
    let isThere = false;
    const next = iterator.next().then((value) => {
      isThere = true;
      return value;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(isThere, false);
    out[0]?.release();
    const { value } = await next;
    value?.release();
    for (const batch of out) batch.release();
    await iterator.return?.();
    assert.equal(engine.statistics.batchBytes, 0);
  });

  it('refuses bytes that lie, whatever they say, and goes on', async () => {
    const sent = await readInputs(
      await connection.query(
        "SELECT range AS a, range::VARCHAR AS b, [range, NULL] AS c, CASE WHEN range % 2 = 0 THEN 'x'::ENUM('x', 'y') END AS d, " +
          'union_value(n := range) AS e, MAP {range: true} AS f FROM range(300)',
      ),
    );
    let seed = 7;
    const random = (limit: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % limit;
    };
    let refused = 0;
    for (let i = 0; i < 150; i++) {
      const batches = sent.batches.map(({ header, body }) => ({
        header: header.slice(),
        body: body.slice(),
      }));
      const victim = batches[random(batches.length)];
      if (victim === undefined) continue;
      const bytes = i % 2 === 0 ? victim.header : victim.body;
      for (let k = 0; k < 3; k++) bytes[random(bytes.length)] = random(256);
      try {
        await connection.ingest(
          { table: 'fuzzed', ifMissing: 'create', ifExists: 'replace' },
          sent.schema,
          stream(batches),
        );
      } catch (error) {
        assert.ok(error instanceof FlightError, String(error));
        refused++;
      }
    }
    assert.ok(refused > 10, `${refused} of 150 refused`);
    assert.deepEqual(await one('SELECT 1 AS a'), { a: 1 });
  });

  it("answers ADBC's catalog calls", async () => {
    await connection.execute('CREATE TABLE catalogued (a INTEGER, b VARCHAR)');
    const types = await readRows(await connection.getTableTypes());
    assert.deepEqual(types, [{ table_type: 'BASE TABLE' }, { table_type: 'LOCAL TEMPORARY' }]);
    const schema = decodeSchema(await connection.getTableSchema(undefined, undefined, 'catalogued'));
    assert.deepEqual(schema.names, ['a', 'b']);
    const objects = await readRows(await connection.getObjects({ depth: 'all', table: 'catalogued' }));
    assert.match(JSON.stringify(objects), /"column_name":"b"/);
    assert.equal(await connection.getOption('adbc.connection.catalog'), 'memory');
  });
});

describe('an engine in a program that is text', () => {
  it('starts its threads', async () => {
    const index = new URL('../../src/index.js', import.meta.url).href;
    const program =
      `import { createDuckDbEngine } from '${index}'; const engine = await createDuckDbEngine();` +
      "const connection = await engine.connect(); await connection.execute('SELECT 1');" +
      "await connection.close(); await engine.close(); console.log('done');";
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
    assert.equal(stdout, 'done\n');
  });
});
