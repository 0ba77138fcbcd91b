// The dataset store over a real S3 server: reading with pruning, writing, replacing, two servers over one bucket.
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Action, type FlightClient, FlightDescriptor, FlightError, Ticket, connect } from '@peregrine/flight';
import { writeIpcFile, writeIpcStream } from '@peregrine/flight/ipc';
import { type StoreOptions, serveData } from '@peregrine/server';
import { type RecordBatch, Table } from 'apache-arrow';
import { httpfsFolder } from './peers.ts';
import { type Node, startNode } from './store/node.ts';
import { noise, numbers, numbersTable } from './store/numbers.ts';
import { type S3Fault, type S3Server, startS3Server } from './store/s3-server.ts';

let s3: S3Server;
let extensions: string;

before(async () => {
  s3 = await startS3Server();
  extensions = httpfsFolder();
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

/** A whole server, and a client of it. */
async function serve(
  data: readonly string[],
  writable?: string,
): Promise<{ client: FlightClient; stop(): Promise<void> }> {
  const server = await serveData({
    data,
    writable,
    extensions,
    flightPort: 0,
    httpPort: undefined,
    s3AccessKeyId: s3.keys.accessKeyId,
    s3SecretAccessKey: s3.keys.secretAccessKey,
    s3Endpoint: s3.endpoint,
  });
  const client = connect(server.location);
  return {
    client,
    async stop() {
      await client.close();
      await server.shutdown();
    },
  };
}

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

describe('A bucket that fails', () => {
  it('gives clear errors, harms nothing that is stored, and is served again when it is well', async () => {
    const server = await serve([], 's3://data/faulty');
    const { client } = server;
    const put = async (mode: string, table: Table): Promise<void> => {
      const call = client.doPut(FlightDescriptor.forCommand(JSON.stringify({ dataset: 'd', mode })));
      await call.writer.begin(table.schema);
      await call.writer.writeTable(table);
      await call.writer.close();
    };
    const count = async (): Promise<number> =>
      Number((await client.doGet(new Ticket('SELECT count(*) AS c FROM d')).readAll()).getChildAt(0)?.get(0));
    const ping = async (): Promise<string> =>
      Buffer.from((await client.doAction(new Action('ping')).toArray())[0]?.body ?? []).toString();
    try {
      await put('create', numbersTable(0, 1000, 1));
      const large = numbersTable(0, 200_000, 2);
      const faults: readonly (readonly [string, S3Fault, RegExp])[] = [
        ['all requests get 503', () => 503, /503|SlowDown|reduce your request rate/],
        ['all connections are reset', () => 'reset', /s3:\/\/data|127\.0\.0\.1/],
        [
          'uploads get 503',
          (method) => (method === 'PUT' || method === 'POST' ? 503 : undefined),
          /503|SlowDown|reduce your request rate/,
        ],
        [
          'versions cannot be written',
          (method, path) => (method === 'PUT' && path.endsWith('.json') ? 503 : undefined),
          /SlowDown|reduce your request rate/,
        ],
      ];
      for (const [name, fault, message] of faults) {
        s3.setFault(fault);
        for (const mode of ['replace', 'append']) {
          await assert.rejects(put(mode, large), (error) => {
            assert.ok(error instanceof FlightError, name);
            assert.match(error.message, message, name);
            console.log(`${name}, ${mode}: ${error.message.slice(0, 160)}`);
            return true;
          });
        }
        if (fault('GET', '', '') !== undefined) {
          await assert.rejects(client.doGet(new Ticket('SELECT sum(n) FROM d')).readAll(), (error) => {
            assert.ok(error instanceof FlightError && error.code === 'UNAVAILABLE', name);
            assert.match(error.message, message, name);
            console.log(`${name}, SELECT: ${error.message.slice(0, 160)}`);
            return true;
          });
        }
        assert.equal(await ping(), 'pong');
        s3.setFault(undefined);
        await client.doAction(new Action('refresh')).toArray();
        assert.equal(await count(), 1000, name);
      }
      await put('append', numbersTable(0, 5, 3));
      assert.equal(await count(), 1005);
    } finally {
      s3.setFault(undefined);
      await server.stop();
    }
    // What the failed puts left goes when the next server starts: their writer lives, but it is not writing.
    const later = await openNode([], { writable: 's3://data/faulty', retainMs: -1 });
    assert.deepEqual(await later.one('SELECT count(*) FROM d'), ['1005']);
    await later.close();
    const left = (await readdir(join(s3.folder, 'faulty', 'd.peregrine'))).filter((name) =>
      name.startsWith('part-'),
    );
    assert.equal(left.length, 2, left.join(', '));
  });

  it('that breaks an upload off has nothing of it left', async () => {
    const node = await openNode([], { writable: 's3://data/cut' });
    // The least that it may be: then a part has 5 MiB.
    await node.one("SET GLOBAL s3_uploader_max_filesize = '50GB'");
    await node.one('SET GLOBAL http_retries = 1');
    const rows = 1_000_000;
    const put = async (): Promise<unknown> => {
      const { batches, schema } = noise(rows);
      return node.store.put('cut', 'create', schema, batches);
    };
    // As the engine does it: an upload is begun, gets its parts, and is completed.
    const faults: readonly (readonly [string, S3Fault])[] = [
      [
        'parts',
        (method, _path, query) => (method === 'PUT' && query.includes('partNumber=2') ? 503 : undefined),
      ],
      [
        'parts',
        (method, _path, query) => (method === 'PUT' && query.includes('partNumber') ? 'reset' : undefined),
      ],
      [
        'the end',
        (method, _path, query) => (method === 'POST' && query.includes('uploadId') ? 503 : undefined),
      ],
    ];
    try {
      for (const [what, fault] of faults) {
        s3.forget();
        s3.setFault(fault);
        await assert.rejects(put(), FlightError, what);
        s3.setFault(undefined);
        assert.ok(
          s3.requests.some(({ method, query }) => method === 'POST' && query.includes('uploads')),
          'no upload was begun',
        );
        assert.deepEqual(await s3.uploads(), [], what);
      }
      await put();
      assert.deepEqual(await node.one('SELECT count(*) FROM cut'), [String(rows)]);
    } finally {
      s3.setFault(undefined);
      await node.close();
    }
  });

  it('that is busy for a while, or slow, is waited for', async () => {
    const seen = new Map<string, number>();
    const busy: S3Fault = (method, path, query) => {
      const key = `${method} ${path}${query}`;
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      return times <= 2 ? 503 : undefined;
    };
    const node = await openNode([], { writable: 's3://data/busy' });
    const { schema } = numbers(0, 1, 1);
    try {
      for (const [name, fault] of [
        ['busy', busy],
        ['slow', (): { lateMs: number } => ({ lateMs: 300 })],
      ] as const) {
        s3.setFault(fault);
        await node.store.put(name, 'create', schema, numbers(0, 1000, 1).batches);
        await node.store.put(name, 'append', schema, numbers(1000, 2000, 1).batches);
        assert.deepEqual(await node.one(`SELECT count(*), count(DISTINCT n) FROM ${name}`), ['2000', '2000']);
      }
    } finally {
      s3.setFault(undefined);
      await node.close();
    }
  });

  it('that takes requests and never answers ends puts and queries when their time is over', async () => {
    const s3Options = { ...s3.keys, endpoint: s3.endpoint, requestTimeoutMs: 1000 };
    const node = await openNode([], { writable: 's3://data/hang', s3: s3Options });
    const { schema } = numbers(0, 1, 1);
    try {
      await node.store.put('d', 'create', schema, numbers(0, 1000, 1).batches);
      s3.setFault(() => 'hang');
      await assert.rejects(node.store.put('d', 'append', schema, numbers(0, 10, 1).batches), {
        code: 'UNAVAILABLE',
      });
      s3.setFault((_method, path) => (path.endsWith('.parquet') ? 'hang' : undefined));
      for (const work of [
        () => node.one('SELECT sum(n) FROM d'),
        () => node.store.put('d', 'append', schema, numbers(0, 10, 1).batches),
      ]) {
        await assert.rejects(work(), (error) => {
          console.log(`no answer: ${String(error).slice(0, 160)}`);
          return error instanceof FlightError && error.code === 'UNAVAILABLE';
        });
      }
      s3.setFault(undefined);
      await node.store.refresh();
      assert.deepEqual(await node.one('SELECT count(*) FROM d'), ['1000']);
      assert.deepEqual(await s3.uploads(), []);
    } finally {
      s3.setFault(undefined);
      await node.close();
    }
  });

  it('that is not there when a server starts is served when it is', async () => {
    await mkdir(join(s3.folder, 'later'), { recursive: true });
    await writeFile(join(s3.folder, 'later', 'small.csv'), 'a\n1\n');
    s3.setFault(() => 503);
    const node = await openNode(['s3://data/later']);
    try {
      assert.match(node.store.problems()[0]?.message ?? '', /SlowDown|reduce your request rate/);
      s3.setFault(undefined);
      await node.store.refresh();
      assert.deepEqual(node.store.problems(), []);
      assert.deepEqual(await node.one('SELECT a FROM small'), ['1']);
    } finally {
      s3.setFault(undefined);
      await node.close();
    }
  });
});
