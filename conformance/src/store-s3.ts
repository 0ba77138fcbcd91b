// The dataset store over a real S3 server: reading with pruning, writing, replacing, two servers over one bucket.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import type { StoreOptions } from '@peregrine/server';
import { pythonPath } from './peers.ts';
import { type Node, startNode } from './store/node.ts';
import { numbers } from './store/numbers.ts';
import { type S3Server, startS3Server } from './store/s3-server.ts';

let s3: S3Server;
let extensions: string;

before(async () => {
  s3 = await startS3Server();
  extensions = execFileSync(
    pythonPath(),
    [
      '-c',
      'import importlib.util as u; print(u.find_spec("duckdb_extension_httpfs").submodule_search_locations[0])',
    ],
    { encoding: 'utf8' },
  ).trim();
});
after(() => s3.stop());

function openNode(paths: readonly string[], options: StoreOptions = {}): Promise<Node> {
  return startNode({
    paths,
    extensions,
    s3: { ...s3.keys, endpoint: s3.endpoint },
    pollMs: Infinity,
    ...options,
  });
}

describe('Reading from a bucket', () => {
  it('asks the S3 server for the columns and row groups that a query needs, and no more', async () => {
    const writer = await openNode(['s3://data/read']);
    await writer.one(
      "COPY (SELECT range AS id, range % 7 AS k, random() AS a, random() AS b, random() AS c, random() AS d, md5(range::VARCHAR) AS text FROM range(1000000)) TO 's3://data/read/wide.parquet' (ROW_GROUP_SIZE 50000)",
    );
    await writer.one(
      "COPY (SELECT range AS v, (range % 4) + 2021 AS year FROM range(400000)) TO 's3://data/read/sales' (FORMAT parquet, PARTITION_BY (year))",
    );
    await writer.one("COPY (SELECT 1 AS a) TO 's3://data/read/small.csv' (HEADER)");
    await writer.close();

    const node = await openNode(['s3://data/read']);
    try {
      assert.deepEqual(node.store.problems(), []);
      assert.deepEqual(
        node.store.tables().map(({ name, format, rows }) => [name, format, rows]),
        [
          ['sales', 'parquet', 400_000n],
          ['small', 'csv', undefined],
          ['wide', 'parquet', 1_000_000n],
        ],
      );
      const size = Number(node.store.get('wide')?.bytes);
      const readBytes = (): number =>
        s3.requests.filter(({ method }) => method === 'GET').reduce((sum, { bytes }) => sum + bytes, 0);

      s3.forget();
      assert.deepEqual(
        await node.one('SELECT count(*), sum(id)::BIGINT FROM wide WHERE id BETWEEN 420000 AND 420010'),
        ['11', '4620055'],
      );
      const pruned = readBytes();
      s3.forget();
      await node.one('SELECT sum(a) FROM wide');
      const column = readBytes();
      s3.forget();
      await node.one('SELECT max(text), sum(a), sum(b), sum(c), sum(d), sum(id)::BIGINT, sum(k) FROM wide');
      const all = readBytes();
      console.log(
        `wide.parquet has ${size} bytes: read ${pruned} by a filter, ${column} for a column, ${all} for all`,
      );
      assert.ok(pruned < size / 20, `a filter read ${pruned} of ${size} bytes`);
      assert.ok(column < size / 4, `a column read ${column} of ${size} bytes`);
      assert.ok(all > size / 2, `all columns read ${all} of ${size} bytes`);

      s3.forget();
      assert.deepEqual(await node.one('SELECT count(*) FROM sales WHERE year = 2023 AND v >= 0'), ['100000']);
      const touched = new Set(
        s3.requests
          .filter(({ method, path }) => method === 'GET' && path.endsWith('.parquet'))
          .map(({ path }) => path),
      );
      assert.ok(
        [...touched].every((path) => path.includes('year=2023')),
        [...touched].join(', '),
      );
    } finally {
      await node.close();
    }
  });

  it('reads one object, and a glob of objects', async () => {
    const node = await openNode(['s3://data/read/small.csv', 's3://data/read/sales/**/*.parquet']);
    try {
      assert.deepEqual(node.store.problems(), []);
      assert.deepEqual(await node.one('SELECT a FROM small'), ['1']);
      assert.deepEqual(await node.one('SELECT count(*) FROM sales'), ['400000']);
    } finally {
      await node.close();
    }
  });

  it('tells of a missing bucket, wrong keys and a corrupt object, and serves what is there', async () => {
    const node = await openNode(['s3://nothing/x', 's3://data/read/small.csv', 's3://data/bad']);
    assert.match(node.store.problems()[0]?.message ?? '', /there is no bucket nothing/);
    assert.deepEqual(await node.one('SELECT a FROM small'), ['1']);
    await node.one("COPY (SELECT 'not Parquet' AS a) TO 's3://data/bad/broken.parquet' (FORMAT csv)");
    await node.one("COPY (SELECT 5 AS a) TO 's3://data/bad/whole.parquet'");
    await node.close();

    const bad = await openNode(['s3://data/bad']);
    assert.match(bad.store.get('broken')?.problem ?? '', /broken\.parquet/);
    assert.deepEqual(await bad.one('SELECT a FROM whole'), ['5']);
    await bad.close();

    const wrong = await openNode(['s3://data/read'], {
      s3: { accessKeyId: 'peregrine', secretAccessKey: 'wrong', endpoint: s3.endpoint },
    });
    assert.match(wrong.store.problems()[0]?.message ?? '', /check keys/);
    await wrong.close();
  });
});

describe('Writing to a bucket', () => {
  it('creates, appends, replaces and drops, and a second server sees it', async () => {
    const writable = 's3://data/store';
    const first = await openNode([], { writable });
    const second = await openNode([], { writable });
    try {
      const { schema, batches } = numbers(0, 100_000, 1);
      await first.store.put('Trades', 'create', schema, batches);
      assert.deepEqual(await first.one('SELECT count(*), sum(n)::BIGINT FROM trades'), [
        '100000',
        '4999950000',
      ]);
      assert.deepEqual(await second.store.refresh(), { added: ['Trades'], changed: [], removed: [] });
      assert.deepEqual(await second.one('SELECT count(*), sum(n)::BIGINT FROM trades'), [
        '100000',
        '4999950000',
      ]);

      await assert.rejects(second.store.put('trades', 'create', schema, numbers(0, 1, 1).batches), {
        code: 'ALREADY_EXISTS',
      });
      await Promise.all([
        first.store.put('trades', 'append', schema, numbers(100_000, 150_000, 2).batches),
        second.store.put('trades', 'append', schema, numbers(150_000, 200_000, 3).batches),
      ]);
      await first.store.refresh();
      assert.deepEqual(await first.one('SELECT count(*), count(DISTINCT n), max(put) FROM trades'), [
        '200000',
        '200000',
        '3',
      ]);

      await second.store.refresh();
      // A reader in the middle of the old version reads it to its end.
      const connection = await second.engine.connect();
      const result = await connection.query('SELECT n FROM trades', { batchRows: 1000 });
      let rows = 0;
      let replaced = false;
      for await (const batch of result) {
        rows += batch.rows;
        batch.release();
        if (replaced) continue;
        replaced = true;
        await first.store.put('trades', 'replace', schema, numbers(0, 10, 4).batches);
      }
      await connection.close();
      assert.equal(rows, 200_000);
      await second.store.refresh();
      assert.deepEqual(await second.one('SELECT count(*), max(put) FROM trades'), ['10', '4']);

      assert.equal(await second.store.drop('trades'), true);
      assert.deepEqual((await first.store.refresh()).removed, ['Trades']);
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('leaves nothing of a put that fails, and sweeps what was dropped', async () => {
    const node = await openNode([], { writable: 's3://data/store' });
    const { schema, batches } = numbers(0, 20_000, 1);
    async function* failing(): AsyncGenerator<{ header: Uint8Array; body: Uint8Array }, void, undefined> {
      yield* batches;
      throw new Error('the client is gone');
    }
    await assert.rejects(node.store.put('half', 'create', schema, failing()), /the client is gone/);
    assert.deepEqual(node.store.tables(), []);
    await node.close();
    const later = await openNode([], { writable: 's3://data/store', retainMs: -1 });
    assert.deepEqual(later.store.tables(), []);
    await later.close();
    const left = await readdir(s3.folder, { recursive: true });
    assert.deepEqual(
      left.filter((path) => path.startsWith('store') && /\.(?:parquet|json)$/.test(path)),
      [],
    );
  });
});
