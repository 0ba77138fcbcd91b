import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { EngineInput } from '../../src/engine/types.ts';
import { confineEngine } from '../../src/serve/confine.ts';
import { queryRows } from '../../src/engine/rows.ts';
import { openStore } from '../../src/store/store.ts';
import { completed } from './completed.ts';
import { each, numbers } from './numbers.ts';
import { closeStore, connection, copy, engine, folder, one, open, useStore } from './opened-store.ts';

useStore();

describe('Files as tables', () => {
  it('reads each kind of file', async () => {
    await copy("SELECT 1 AS a, 'x' AS b", 'p.parquet');
    await copy("SELECT 2 AS a, 'x' AS b", 'c.csv', '(HEADER)');
    await copy("SELECT 3 AS a, 'x' AS b", 't.tsv', "(HEADER, DELIMITER '\t')");
    await copy("SELECT 4 AS a, 'x' AS b", 'j.json', '(ARRAY)');
    await copy("SELECT 5 AS a, 'x' AS b", 'n.ndjson');
    await copy("SELECT 6 AS a, 'x' AS b", 'z.csv.gz', '(HEADER)');
    await writeFile(join(folder, 'f.arrow'), tableToIPC(tableFromArrays({ a: [7], b: ['x'] }), 'file'));
    const opened = await open();
    assert.deepEqual(opened.problems(), []);
    assert.deepEqual(
      opened.tables().map(({ name, format, rows }) => [name, format, rows]),
      [
        ['c', 'csv', undefined],
        ['f', 'arrow', 1n],
        ['j', 'json', undefined],
        ['n', 'ndjson', undefined],
        ['p', 'parquet', 1n],
        ['t', 'tsv', undefined],
        ['z', 'csv', undefined],
      ],
    );
    await opened.use('SELECT * FROM F');
    await completed(opened);
    for (const [name, value] of Object.entries({ p: 1, c: 2, t: 3, j: 4, n: 5, z: 6, f: 7 })) {
      assert.deepEqual(await one(`SELECT a, b FROM ${name}`), [String(value), 'x'], name);
      assert.ok(opened.get(name.toUpperCase())?.schema, name);
    }
  });

  it('reads files whatever they are called', async () => {
    const names = ["o'neil", 'a[1]', 'a*', 'sp ace', 'quo"te', 'semi;colon--', 'ünï', 'year=2024'];
    for (const [i, name] of names.entries()) await copy(`SELECT ${i} AS i`, `${name}.parquet`);
    await copy('SELECT 99 AS i', 'a1.parquet');
    const opened = await open();
    assert.deepEqual(opened.problems(), []);
    for (const [i, name] of names.entries()) {
      assert.deepEqual(await one(`SELECT * FROM ${opened.get(name)?.sqlName}`), [String(i)], name);
    }
  });

  it('makes one table of partitions, of parts and of a glob', async () => {
    await copy(
      'SELECT range AS v, range % 2 AS year FROM range(10)',
      'sales',
      '(FORMAT parquet, PARTITION_BY (year))',
    );
    await mkdir(join(folder, 'parts'));
    await copy('SELECT 1 AS a', 'parts/part-1.parquet');
    await copy('SELECT 2 AS a, 3 AS b', 'parts/part-2.parquet');
    await copy('SELECT 1 AS a', 'g-1.csv', '(HEADER)');
    await copy('SELECT 2 AS a', 'g-2.csv', '(HEADER)');
    const opened = await open({
      paths: [folder, join(folder, 'g-*.csv'), `named=${join(folder, '*-*.csv')}`],
    });
    assert.deepEqual(opened.problems(), []);
    assert.deepEqual(await one('SELECT sum(v), count(DISTINCT year) FROM sales'), ['45', '2']);
    assert.equal(opened.get('sales')?.rows, 10n);
    assert.deepEqual(await one('SELECT sum(a), sum(b) FROM parts'), ['3', '3']);
    assert.deepEqual(await one('SELECT sum(a) FROM g'), ['3']);
    assert.deepEqual(await one('SELECT sum(a) FROM named'), ['3']);
  });

  it('counts the rows of very many Parquet files in the background, and each only once', async () => {
    await copy(
      'SELECT range AS v, range % 300 AS k FROM range(900)',
      'many',
      '(FORMAT parquet, PARTITION_BY (k))',
    );
    const opened = await open();
    while (opened.get('many')?.rows === undefined) {
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
    assert.equal(opened.get('many')?.rows, 900n);
    assert.equal(opened.get('many')?.files, 300);
    // The others are known: these few are counted at once.
    await copy('SELECT 1 AS v', 'many/k=7/more.parquet');
    await rm(join(folder, 'many', 'k=8'), { recursive: true });
    await opened.refresh();
    assert.equal(opened.get('many')?.rows, 898n);
    assert.deepEqual(await one('SELECT count(*) FROM many'), ['898']);
  });

  it('attaches DuckDB files, read-only', async () => {
    const path = join(folder, 'shop.duckdb');
    await connection.execute(
      `ATTACH '${path}' AS w; CREATE TABLE w.orders AS SELECT 42 AS id; CREATE SCHEMA w.s; CREATE TABLE w.s.t AS SELECT 1 AS x; DETACH w`,
    );
    const opened = await open();
    assert.deepEqual(opened.problems(), []);
    assert.deepEqual(
      opened.tables().map(({ name }) => name),
      ['shop.orders', 'shop.s.t'],
    );
    assert.deepEqual(await one(`SELECT * FROM ${opened.get('shop.orders')?.sqlName}`), ['42']);
    await assert.rejects(connection.execute('INSERT INTO shop.orders VALUES (1)'), /read-only/);
    await unlink(path);
    await opened.refresh();
    await assert.rejects(one('SELECT * FROM shop.orders'));
  });

  it('says what is wrong with a file and serves the others', async () => {
    await copy('SELECT 1 AS a', 'good.parquet');
    await writeFile(join(folder, 'bad.parquet'), 'PAR1 this is not Parquet at all PAR1');
    await writeFile(join(folder, 'bad.arrow'), 'ARROW1 nor is this Arrow');
    await writeFile(join(folder, 'empty.parquet'), '');
    const opened = await open();
    assert.deepEqual(
      opened.problems().map(({ origin }) => origin),
      ['bad', 'bad_arrow', 'empty'],
    );
    assert.match(opened.get('bad')?.problem ?? '', /bad\.parquet'?$/);
    await assert.rejects(one('SELECT * FROM bad'), /bad cannot be read: .*bad\.parquet/);
    // Not a row of the refusal.
    await assert.rejects(one('SELECT count(*) FROM bad'), /bad cannot be read: .*bad\.parquet/);
    await assert.rejects(one('SELECT * FROM bad_arrow'), /bad_arrow cannot be read: .*is it complete/);
    assert.deepEqual(await one('SELECT a FROM good'), ['1']);
    await copy('SELECT 5 AS a', 'bad.parquet');
    const change = await opened.refresh();
    assert.deepEqual(change, { added: [], changed: ['bad'], removed: [] });
    assert.deepEqual(await one('SELECT a FROM bad'), ['5']);
  });

  it('says that a path is not there, and what may stand there', async () => {
    await assert.rejects(open({ paths: [join(folder, 'nothing')] }), { code: 'NOT_FOUND' });
    await writeFile(join(folder, 'x.txt'), '');
    await assert.rejects(open({ paths: [join(folder, 'x.txt')] }), /\.parquet, \.csv/);
  });

  it('serves Arrow files without an engine', async () => {
    await writeFile(join(folder, 'f.arrow'), tableToIPC(tableFromArrays({ a: [7] }), 'file'));
    await writeFile(join(folder, 'c.csv'), 'a\n1\n');
    const opened = await open({ engine: undefined });
    assert.equal(opened.get('f')?.rows, 1n);
    assert.ok(opened.get('f')?.dataset);
    assert.match(opened.get('c')?.problem ?? '', /no SQL engine/);
  });

  it('refuses SQL over an Arrow file that is not loaded, instead of giving nothing', async () => {
    await writeFile(join(folder, 'f.arrow'), tableToIPC(tableFromArrays({ a: [7, 8] }), 'file'));
    const opened = await open();
    await assert.rejects(one('SELECT count(*) FROM f'), /not been read/);
    await opened.use('select count(*) from "F"');
    assert.deepEqual(await one('SELECT count(*) FROM f'), ['2']);
    await assert.rejects(connection.execute('INSERT INTO f VALUES (1)'));
    await writeFile(join(folder, 'f.arrow'), tableToIPC(tableFromArrays({ b: [1, 2, 3] }), 'stream'));
    await opened.refresh();
    await opened.use('from f');
    assert.deepEqual(await one('SELECT sum(b) FROM f'), ['6']);
  });
});

it('makes a view anew at a refresh that a client has dropped', async () => {
  await copy('SELECT 1 AS a', 'dropped.csv');
  await copy('SELECT 2 AS a', 'stays.parquet');
  const opened = await open({ paths: [folder] });
  await one('DROP VIEW "dropped"').catch(() => undefined);
  await assert.rejects(one('SELECT a FROM dropped'), /does not exist/);
  assert.deepEqual(await opened.refresh(), { added: [], changed: ['dropped'], removed: [] });
  assert.deepEqual(await one('SELECT a FROM dropped'), ['1']);
  assert.deepEqual(await opened.refresh(), { added: [], changed: [], removed: [] });
});

describe('Putting', () => {
  it('creates, appends, replaces and drops', async () => {
    const opened = await open({ writable: folder });
    const first = numbers(0, 1000);
    const { rows, table } = await opened.put('Nums', 'create', first.schema, each(first.batches));
    assert.deepEqual([rows, table.name, table.rows], [1000n, 'Nums', 1000n]);
    assert.deepEqual(await one('SELECT count(*), sum(n) FROM nums'), ['1000', '499500']);
    await assert.rejects(opened.put('nums', 'create', first.schema, each(first.batches)), {
      code: 'ALREADY_EXISTS',
    });
    await opened.put('nums', 'append', first.schema, each(numbers(1000, 2000).batches));
    assert.deepEqual(await one('SELECT count(*), sum(n) FROM nums'), ['2000', '1999000']);
    await opened.put('nums', 'replace', first.schema, each(numbers(5, 6).batches));
    assert.deepEqual(await one('SELECT count(*), sum(n) FROM nums'), ['1', '5']);
    assert.equal(await opened.drop('NUMS'), true);
    assert.equal(await opened.drop('nums'), false);
    await assert.rejects(one('SELECT * FROM nums'), /does not exist/);
    assert.deepEqual(opened.tables(), []);
  });

  it('cuts large puts into parts, in order', async () => {
    const opened = await open({ writable: folder, partBytes: 1000 });
    const { schema, batches } = numbers(0, 5000);
    const { table } = await opened.put('n', 'create', schema, each(batches));
    assert.equal(table.files, 2);
    assert.deepEqual(await one('SELECT count(*), sum(n) FROM n'), ['5000', '12497500']);
    assert.deepEqual(
      await one('SELECT bool_and(n = i) FROM (SELECT n, row_number() OVER () - 1 AS i FROM n)'),
      ['true'],
    );
  });

  it('stores a put without rows', async () => {
    const opened = await open({ writable: folder });
    const { table } = await opened.put('n', 'create', numbers(0, 2).schema, each([]));
    assert.equal(table.rows, 0n);
    assert.deepEqual(await one('SELECT count(*) FROM n'), ['0']);
  });

  it('refuses a name that no SQL can say, and lets one that is there harm nobody else', async () => {
    const { batches, schema } = numbers(0, 3);
    const opened = await open({ writable: folder });
    await assert.rejects(opened.put('a\0b', 'create', schema, each(batches)), /U\+0000/);
    assert.deepEqual(await readdir(folder), []);
    await assert.rejects(opened.drop('a\0b'), /U\+0000/);

    // As a program may have written it that knows no such rule.
    await opened.put('odd', 'create', schema, each(batches));
    const version = join(folder, 'odd.peregrine', 'v0000000000000001.json');
    const told = (await readFile(version, 'utf8')).replace('"odd"', String.raw`"a\u0000b"`);
    await writeFile(version, told);
    await rename(join(folder, 'odd.peregrine'), join(folder, 'a%00b.peregrine'));
    await opened.put('good', 'create', schema, each(batches));
    assert.deepEqual(await one('SELECT count(*) FROM good'), ['3']);
    assert.deepEqual(
      opened.tables().map(({ name, problem }) => [name, /U\+0000/.test(problem ?? '')]),
      [
        ['a%00b', true],
        ['good', false],
      ],
    );
  });

  it('keeps nothing of a put that fails or is cancelled', async () => {
    const opened = await open({ writable: folder });
    const { schema, batches } = numbers(0, 10);
    async function* failing(): AsyncGenerator<EngineInput, void, undefined> {
      yield* batches;
      throw new Error('gone');
    }
    await assert.rejects(opened.put('n', 'create', schema, failing()), /gone/);
    const cancel = new AbortController();
    async function* cancelled(): AsyncGenerator<EngineInput, void, undefined> {
      yield* batches.slice(0, 1);
      cancel.abort();
      yield* batches.slice(1);
    }
    await assert.rejects(opened.put('n', 'create', schema, cancelled(), { signal: cancel.signal }), {
      code: 'CANCELLED',
    });
    assert.deepEqual(opened.tables(), []);
    assert.deepEqual(await readdir(join(folder, 'n.peregrine')), []);
  });

  it('keeps every type, also those that Parquet has not', async () => {
    const opened = await open({ writable: folder });
    const select = `SELECT * FROM (VALUES
      (170141183460469231731687303715884105727::HUGEINT, 5::UHUGEINT, 1::UTINYINT, 1.5::DECIMAL(4,1), 1.25::FLOAT,
       TIMESTAMP_S '2020-01-01', TIMESTAMP_MS '2020-01-01', TIMESTAMP_NS '2020-01-01', TIMESTAMPTZ '2020-01-01',
       TIME '01:02:03', DATE '2020-01-01', INTERVAL '1 year 3 days', 'x'::BLOB, UUID '00000000-0000-0000-0000-000000000001',
       [1, 2]::INT[2], [1], {'a': 1, 'b': 2::HUGEINT}, MAP {'k': 1}, true, 'text', '0101'::BIT),
      (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    ) t(h, uh, ut, de, f, ts, tms, tns, tz, ti, d, i, bl, u, ar, l, s, m, bo, v, bi)`;
    const result = await connection.query(select);
    const other = await engine.connect();
    const { schema } = result;
    const copies: EngineInput[] = [];
    for await (const { header, body } of result) copies.push({ header: header.slice(), body: body.slice() });
    await other.ingest(
      { table: 'given', temporary: true, ifMissing: 'create', ifExists: 'fail' },
      schema,
      each(copies),
    );
    await opened.put('types', 'create', schema, each(copies));
    await opened.put('types', 'append', schema, each(copies));
    assert.deepEqual(
      (await queryRows(other, 'DESCRIBE types')).map((row) => [row['column_name'], row['column_type']]),
      (await queryRows(other, 'DESCRIBE given')).map((row) => [row['column_name'], row['column_type']]),
    );
    assert.deepEqual(
      Object.values(
        (await queryRows(other, 'SELECT count(*) FROM (FROM types EXCEPT FROM given)'))[0] ?? {},
      ).map(Number),
      [0],
    );
    assert.deepEqual(await one('SELECT count(*), max(h)::VARCHAR FROM types'), [
      '4',
      '170141183460469231731687303715884105727',
    ]);
    await other.close();
  });

  it('converts what is appended to the columns that are there, and refuses others', async () => {
    const opened = await open({ writable: folder });
    const { schema, batches } = numbers(0, 10);
    await opened.put('n', 'create', schema, each(batches));
    const query = async (sql: string): Promise<{ schema: Uint8Array; batches: EngineInput[] }> => {
      const result = await connection.query(sql);
      const copies: EngineInput[] = [];
      for await (const { header, body } of result)
        copies.push({ header: header.slice(), body: body.slice() });
      return { schema: result.schema, batches: copies };
    };
    const wide = await query('SELECT 10::BIGINT AS N');
    await opened.put('n', 'append', wide.schema, each(wide.batches));
    assert.deepEqual(await one('SELECT count(*), sum(n), any_value(typeof(n)) FROM n'), [
      '11',
      '55',
      'INTEGER',
    ]);
    const large = await query('SELECT 10000000000 AS n');
    await assert.rejects(
      opened.put('n', 'append', large.schema, each(large.batches)),
      /out of range|Conversion/,
    );
    const unknown = await query('SELECT 1 AS n, 2 AS extra');
    await assert.rejects(opened.put('n', 'append', unknown.schema, each(unknown.batches)), /no column extra/);
    assert.deepEqual(await one('SELECT count(*) FROM n'), ['11']);
  });

  it('replaces a file that lay there, and appends to Parquet', async () => {
    await copy('SELECT 7::INTEGER AS n', 'p.parquet');
    await writeFile(join(folder, 'c.csv'), 'n\n1\n');
    const opened = await open({ writable: folder, retainMs: 0 });
    const { schema, batches } = numbers(0, 10);
    await opened.put('p', 'append', schema, each(batches));
    assert.deepEqual(await one('SELECT count(*), sum(n) FROM p'), ['11', '52']);
    assert.equal(opened.get('p')?.rows, 11n);
    await opened.put('c', 'replace', schema, each(batches));
    assert.deepEqual(
      opened.tables().map(({ name, rows }) => [name, rows]),
      [
        ['c', 10n],
        ['p', 11n],
      ],
    );
  });

  it('refuses when it is read-only, or the table lies elsewhere', async () => {
    const opened = await open();
    const { schema, batches } = numbers(0, 10);
    await assert.rejects(opened.put('n', 'create', schema, each(batches)), { code: 'UNAUTHORIZED' });
    await assert.rejects(opened.drop('n'), { code: 'UNAUTHORIZED' });
    await opened.close();
    await writeFile(join(folder, 'c.csv'), 'n\n1\n');
    const other = await mkdtemp(join(tmpdir(), 'peregrine-store-'));
    const writable = await open({ writable: other });
    await assert.rejects(writable.put('c', 'replace', schema, each(batches)), /only reads/);
    await rm(other, { recursive: true });
  });

  it('lets who reads the old version read it to its end', async () => {
    const opened = await open({ writable: folder });
    const { schema, batches } = numbers(0, 400_000);
    await opened.put('n', 'create', schema, each(batches));
    const result = await connection.query('SELECT n FROM n', { batchRows: 1000 });
    const iterator = result[Symbol.asyncIterator]();
    let rows = 0;
    const first = await iterator.next();
    assert.ok(first.done !== true);
    rows += first.value.rows;
    first.value.release();
    await opened.put('n', 'replace', schema, each(numbers(0, 10).batches));
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      rows += next.value.rows;
      next.value.release();
    }
    await result.close();
    assert.equal(rows, 400_000);
    assert.deepEqual(await one('SELECT count(*) FROM n'), ['10']);
  });

  it('is seen by a second server over the same folder', async () => {
    const opened = await open({ writable: folder });
    const engine2 = await createDuckDbEngine();
    const second = await openStore({ writable: folder, engine: engine2, pollMs: Infinity });
    try {
      const { schema, batches } = numbers(0, 100);
      await opened.put('n', 'create', schema, each(batches));
      // Whether this look finds it, or the one that the folder has told to make.
      await second.refresh();
      assert.equal(second.get('n')?.rows, 100n);
      await second.put('n', 'append', schema, each(batches));
      await Promise.all([
        opened.put('n', 'append', schema, each(batches)),
        second.put('n', 'append', schema, each(batches)),
      ]);
      await opened.refresh();
      assert.deepEqual(await one('SELECT count(*) FROM n'), ['400']);
      await second.drop('n');
      await opened.refresh();
      assert.equal(opened.get('n'), undefined);
    } finally {
      await second.close();
      await engine2.close();
    }
  });
});

describe('An engine that reaches nothing but the store', () => {
  it('serves, notices and stores, and no file beside a single file is read', async () => {
    const own = await createDuckDbEngine();
    await copy('SELECT 1 AS a', 'one.parquet');
    await writeFile(join(folder, 'secret.csv'), 'a\n1\n');
    await connection.execute(
      `ATTACH '${join(folder, 'db.duckdb')}' AS w; CREATE TABLE w.t AS SELECT 1 AS x; DETACH w`,
    );
    const writable = join(folder, 'put');
    await mkdir(writable);
    const opened = await open({
      engine: own,
      paths: [join(folder, 'one.parquet'), join(folder, 'db.duckdb')],
      writable,
    });
    await confineEngine(own, opened.roots, opened.singleFiles);
    const used = await own.connect();
    try {
      const count = async (from: string): Promise<unknown> =>
        Number((await queryRows(used, `SELECT count(*) AS c FROM ${from}`))[0]?.['c']);
      await assert.rejects(count(`'${join(folder, 'secret.csv')}'`), /disabled|Permission|not allowed/i);
      assert.equal(await count('one'), 1);
      const { schema, batches } = numbers(0, 10);
      await opened.put('n', 'create', schema, each(batches));
      await opened.put('n', 'append', schema, each(batches));
      assert.equal(await count('n'), 20);
      await connection.execute(
        `ATTACH '${join(folder, 'next.duckdb')}' AS w; CREATE TABLE w.t AS SELECT * FROM range(5); DETACH w`,
      );
      await rename(join(folder, 'next.duckdb'), join(folder, 'db.duckdb'));
      await copy('SELECT * FROM range(3)', 'one.parquet');
      await copy('SELECT * FROM range(4)', 'put/new.csv');
      await opened.refresh();
      assert.deepEqual(opened.problems(), []);
      assert.deepEqual([await count('one'), await count('new'), await count('db.t')], [3, 4, 5]);
    } finally {
      await used.close();
      await closeStore();
      await own.close();
    }
  });
});
