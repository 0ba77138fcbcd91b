// The dataset store over a real S3 server: reading with pruning, writing, replacing, two servers over one bucket.
import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Action, FlightDescriptor, Ticket } from '@peregrine/flight';
import { writeIpcFile, writeIpcStream } from '@peregrine/flight/ipc';
import { type RecordBatch, Table } from 'apache-arrow';
import { type Bucket, openBucket } from './store/bucket.ts';
import { numbers, numbersTable } from './store/numbers.ts';
import type { S3Server } from './store/s3-server.ts';

let s3: S3Server;
let openNode: Bucket['openNode'];
let serve: Bucket['serve'];

before(async () => {
  ({ s3, openNode, serve } = await openBucket());
});
after(() => s3.stop());

/** The same rows in several batches. */
function cut(table: Table, rows: number): RecordBatch[] {
  return Array.from({ length: Math.ceil(table.numRows / rows) }, (_, i) =>
    table.slice(i * rows, (i + 1) * rows),
  ).flatMap(({ batches }) => batches);
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

  it('gives an object over HTTP as it is, and asks the S3 server for the ranges that are asked for', async () => {
    const server = await serve(['s3://data/read'], undefined, { httpPort: 0 });
    try {
      const path = `${server.httpUrl}/files/wide.parquet`;
      const object = await readFile(join(s3.folder, 'read/wide.parquet'));
      s3.forget();
      const footer = await fetch(path, { headers: { range: 'bytes=-1000' } });
      assert.equal(footer.status, 206);
      assert.equal(
        footer.headers.get('content-range'),
        `bytes ${object.length - 1000}-${object.length - 1}/${object.length}`,
      );
      assert.ok(object.subarray(-1000).equals(Buffer.from(await footer.arrayBuffer())));
      const asked = s3.requests.filter(({ method }) => method === 'GET');
      assert.ok(asked.length > 0 && asked.every(({ bytes }) => bytes <= 1000), JSON.stringify(asked));
      const whole = await fetch(path);
      assert.ok(object.equals(Buffer.from(await whole.arrayBuffer())));
      const tag = whole.headers.get('etag') ?? '';
      assert.equal((await fetch(path, { headers: { 'if-none-match': tag } })).status, 304);
    } finally {
      await server.stop();
    }
  });

  it('gives no object that has been replaced under the name of the one that was asked for', async () => {
    const writer = await openNode(['s3://data/changing']);
    const write = (rows: number): Promise<string[]> =>
      writer.one(`COPY (SELECT range AS a FROM range(${rows})) TO 's3://data/changing/c.parquet'`);
    await write(1000);
    const server = await serve(['s3://data/changing'], undefined, { httpPort: 0 });
    try {
      const path = `${server.httpUrl}/files/c.parquet`;
      const before = await fetch(path, { headers: { range: 'bytes=0-3' } });
      assert.equal(await before.text(), 'PAR1');
      const tag = before.headers.get('etag') ?? '';
      await write(2000);
      const changed = await fetch(path, { headers: { 'if-match': tag, range: 'bytes=0-3' } });
      assert.equal(changed.status, 412, await changed.text());
    } finally {
      await server.stop();
      await writer.close();
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

  it('tells of a glob or object that gives nothing yet, until it does', async () => {
    const paths = ['read/later-*.csv', 'nowhere/*/x.parquet', 'kinds/*.txt', 'read/later.csv'].map(
      (path) => `s3://data/${path}`,
    );
    const [glob = '', nowhere = '', texts = '', object = ''] = paths;
    const writer = await openNode(['s3://data/read', 's3://data/kinds']);
    const node = await openNode(paths);
    try {
      const told = async (): Promise<string[]> => {
        await node.store.refresh();
        return node.store.problems().map(({ origin, message }) => `${origin}: ${message}`);
      };
      const nothing = [glob, nowhere, texts].map((path) => `${path}: nothing matches it yet`);
      assert.deepEqual(await told(), [...nothing, `${object}: it is not there`]);
      assert.deepEqual(node.store.tables(), []);
      for (const [i, path] of ['kinds/notes.txt', 'read/later-1.csv', 'read/later.csv'].entries())
        await writer.one(`COPY (SELECT ${i} AS a) TO 's3://data/${path}' (FORMAT csv, HEADER)`);
      const [first, second = '', ...others] = await told();
      assert.deepEqual([first, others], [nothing[1], []]);
      assert.ok(second.startsWith(`${texts}: it matches a file of no kind that can be served: `), second);
      const answers: unknown[] = [];
      for (const { name } of node.store.tables()) answers.push(await node.one(`SELECT a FROM "${name}"`));
      assert.deepEqual(answers, [['1'], ['2']]);
    } finally {
      await node.close();
      await writer.close();
    }
  });

  it('reads text of each kind, compressed, empty, and under odd names', async () => {
    const rows = [
      ['a', 'b'],
      ['1', 'x'],
      ['2', 'y'],
    ];
    const text = (separator: string): string => rows.map((row) => `${row.join(separator)}\n`).join('');
    const lines = '{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n';
    // DuckDB compresses by the name.
    const writer = await openNode([]);
    const folder = join(s3.folder, 'texts');
    await mkdir(join(folder, 'cities', 'city=S%C3%A3o Paulo'), { recursive: true });
    for (const name of ['zip.csv.zst', 'zipped.ndjson.zst'])
      await writer.one(`COPY (SELECT * FROM (VALUES (1, 'x'), (2, 'y')) t(a, b)) TO '${join(folder, name)}'`);
    await writer.close();
    const odd = [
      "o'neil",
      'a[1]',
      'a*',
      'sp ace',
      'quo"te',
      '100%',
      'a%20b',
      'plus+sign',
      'ünï日本😀',
      'a=b',
      'x'.repeat(180),
    ];
    for (const [name, content] of [
      ['tabs.tsv', text('\t')],
      ['list.json', '[{"a":1,"b":"x"},{"a":2,"b":"y"}]'],
      ['lines.ndjson', lines],
      ['more.jsonl', lines],
      ['gz.csv.gz', gzipSync(text(','))],
      ['gzipped.ndjson.gz', gzipSync(lines)],
      ['cities/city=S%C3%A3o Paulo/part.csv', text(',')],
      ['nothing.csv', ''],
      ['is it?.csv', text(',')],
      ...odd.map((name) => [`${name}.csv`, text(',')] as const),
    ] as const)
      await writeFile(join(folder, name), content);
    const node = await openNode(['s3://data/texts']);
    try {
      const problems = node.store.problems();
      assert.deepEqual(
        problems.map(({ origin }) => origin),
        ['is it?'],
      );
      assert.match(problems[0]?.message ?? '', /has a \? or a backslash/);
      await assert.rejects(node.one('SELECT count(*) FROM "is it?"'), /has a \? or a backslash/);
      for (const name of [
        'tabs',
        'list',
        'lines',
        'more',
        'gz',
        'gzipped',
        'zip',
        'zipped',
        'cities',
        ...odd,
      ]) {
        const sql = `SELECT count(*), sum(a), max(b) FROM ${node.store.get(name)?.sqlName}`;
        assert.deepEqual(await node.one(sql), ['2', '3', 'y'], name);
      }
      assert.deepEqual(await node.one('SELECT DISTINCT city FROM cities'), ['São Paulo']);
      assert.deepEqual(await node.one('SELECT count(*) FROM nothing'), ['0']);
    } finally {
      await node.close();
    }
  });

  it('serves Arrow and Feather objects as they lie, in ranges, and reads them into the engine', async () => {
    const folder = join(s3.folder, 'arrow');
    await mkdir(folder, { recursive: true });
    const table = numbersTable(0, 3_000_000, 1);
    const file = Buffer.concat(writeIpcFile(new Table(cut(table, 250_000))));
    await writeFile(join(folder, 'file.feather'), file);
    await writeFile(join(folder, 'stream.arrow'), Buffer.concat(writeIpcStream(numbersTable(0, 1000, 2))));
    const node = await openNode(['s3://data/arrow']);
    try {
      assert.deepEqual(node.store.problems(), []);
      assert.deepEqual(
        node.store.tables().map(({ name, format, rows }) => [name, format, rows]),
        [
          ['file', 'arrow', 3_000_000n],
          ['stream', 'arrow', 1000n],
        ],
      );
      const described = s3.requests.filter(
        ({ method, path }) => method === 'GET' && path.endsWith('.feather'),
      );
      const bytes = described.reduce((sum, request) => sum + request.bytes, 0);
      assert.ok(bytes < file.length / 20, `the headers of ${file.length} bytes took ${bytes}`);
      // SQL first names it here.
      for (const sql of [
        'SELECT count(*), max(n), min(put) FROM file',
        'SELECT count(*), max(n), min(put) FROM stream',
      ])
        await node.store.use(sql);
      assert.deepEqual(await node.one('SELECT count(*), max(n), min(put) FROM file'), [
        '3000000',
        '2999999',
        '1',
      ]);
      assert.deepEqual(await node.one('SELECT count(*), max(n), min(put) FROM stream'), ['1000', '999', '2']);
    } finally {
      await node.close();
    }

    const server = await serve(['s3://data/arrow']);
    try {
      const { client } = server;
      const info = await client.getFlightInfo(FlightDescriptor.forPath('file'));
      assert.equal(info.totalRecords, 3_000_000n);
      s3.forget();
      const got = await client.doGet(new Ticket('file')).readAll();
      assert.equal(got.numRows, 3_000_000);
      assert.deepEqual(got.getChild('n')?.toArray(), table.getChild('n')?.toArray());
      const ranges = s3.requests.filter(({ method }) => method === 'GET');
      assert.ok(
        ranges.every(({ status, bytes: length }) => status === 206 && length <= 8 << 20),
        JSON.stringify(ranges),
      );
      assert.ok(ranges.length <= 8, `${ranges.length} requests for ${file.length} bytes`);
      // Replaced under its name: what is served next is the new one.
      await writeFile(join(folder, 'next'), Buffer.concat(writeIpcFile(numbersTable(0, 5, 3))));
      await rename(join(folder, 'next'), join(folder, 'file.feather'));
      await client.doAction(new Action('refresh')).toArray();
      assert.equal((await client.doGet(new Ticket('file')).readAll()).numRows, 5);
      assert.equal((await client.doGet(new Ticket('SELECT * FROM file')).readAll()).numRows, 5);
    } finally {
      await server.stop();
    }
  });

  it('attaches a DuckDB object, read-only, and reads no more of it than a query needs', async () => {
    const writer = await openNode(['s3://data/read']);
    const local = join(s3.folder, '..', 'shop.duckdb');
    await writer.one(`ATTACH '${local}' AS made`);
    await writer.one(
      'CREATE TABLE made.orders AS SELECT range AS id, md5(range::VARCHAR) AS text FROM range(500000)',
    );
    await writer.one('CREATE SCHEMA made.archive');
    await writer.one('CREATE TABLE made.archive.old AS SELECT 7 AS a');
    await writer.one('DETACH made');
    await writer.close();
    await mkdir(join(s3.folder, 'db'), { recursive: true });
    await rename(local, join(s3.folder, 'db', 'shop.duckdb'));

    for (const path of ['s3://data/db', 's3://data/db/shop.duckdb']) {
      const node = await openNode([path]);
      try {
        assert.deepEqual(node.store.problems(), []);
        assert.deepEqual(
          node.store.tables().map(({ name, format }) => [name, format]),
          [
            ['shop.archive.old', 'duckdb'],
            ['shop.orders', 'duckdb'],
          ],
        );
        s3.forget();
        assert.deepEqual(await node.one('SELECT sum(id)::BIGINT FROM shop.orders WHERE id < 1000'), [
          '499500',
        ]);
        const bytes = s3.requests.reduce((sum, request) => sum + request.bytes, 0);
        const size = (await stat(join(s3.folder, 'db', 'shop.duckdb'))).size;
        assert.ok(bytes < size / 2, `a part of one column took ${bytes} of ${size} bytes`);
        assert.deepEqual(await node.one('SELECT a FROM shop.archive.old'), ['7']);
        await assert.rejects(node.one('INSERT INTO shop.orders VALUES (1, $$x$$)'), /read-only/);
      } finally {
        await node.close();
      }
    }
  });

  it('answers a command with columns, filter and limit by what that takes', async () => {
    const server = await serve(['s3://data/read']);
    try {
      const { client } = server;
      const size = Number((await client.getFlightInfo(FlightDescriptor.forPath('wide'))).totalBytes);
      const bytesOf = async (command: object): Promise<{ bytes: number; rows: number; columns: number }> => {
        s3.forget();
        const info = await client.getFlightInfo(FlightDescriptor.forCommand(JSON.stringify(command)));
        const table = await client.readAll(info);
        const bytes = s3.requests
          .filter(({ method }) => method === 'GET')
          .reduce((sum, each) => sum + each.bytes, 0);
        return { bytes, rows: table.numRows, columns: table.numCols };
      };
      const some = await bytesOf({
        dataset: 'wide',
        columns: ['a', 'id'],
        filter: 'id BETWEEN 420000 AND 420009',
      });
      assert.deepEqual([some.rows, some.columns], [10, 2]);
      assert.ok(some.bytes < size / 20, `a filter read ${some.bytes} of ${size} bytes`);
      const column = await bytesOf({ dataset: 'wide', columns: ['k'] });
      assert.deepEqual([column.rows, column.columns], [1_000_000, 1]);
      assert.ok(column.bytes < size / 10, `a column read ${column.bytes} of ${size} bytes`);
      const first = await bytesOf({ dataset: 'wide', limit: 3 });
      assert.deepEqual([first.rows, first.columns], [3, 7]);
      assert.ok(first.bytes < size / 2, `three rows read ${first.bytes} of ${size} bytes`);
      console.log(`of ${size} bytes: filter ${some.bytes}, column ${column.bytes}, limit ${first.bytes}`);
    } finally {
      await server.stop();
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
    const later = await openNode([], { writable: 's3://data/store', retainMs: 0 });
    assert.deepEqual(later.store.tables(), []);
    await later.close();
    const left = await readdir(s3.folder, { recursive: true });
    assert.deepEqual(
      left.filter((path) => path.startsWith('store') && /\.(?:parquet|json)$/.test(path)),
      [],
    );
  });
});
