// The dataset store over an S3 server that fails: errors, silence, uploads that are cut off.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Action, FlightDescriptor, FlightError, Ticket } from '@peregrine/flight';
import type { Table } from 'apache-arrow';
import { type Bucket, openBucket } from './store/bucket.ts';
import { noise, numbers, numbersTable } from './store/numbers.ts';
import type { S3Fault, S3Server } from './store/s3-server.ts';

let s3: S3Server;
let openNode: Bucket['openNode'];
let serve: Bucket['serve'];

before(async () => {
  ({ s3, openNode, serve } = await openBucket());
});
after(() => s3.stop());

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
    const later = await openNode([], { writable: 's3://data/faulty', retainMs: 0 });
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
    // What shall succeed is done without that limit: a busy machine may need longer.
    const patient = await openNode([], { writable: 's3://data/hang' });
    const { schema } = numbers(0, 1, 1);
    await patient.store.put('d', 'create', schema, numbers(0, 1000, 1).batches);
    const node = await openNode([], { writable: 's3://data/hang', s3: s3Options });
    try {
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
      await patient.store.refresh();
      assert.deepEqual(await patient.one('SELECT count(*) FROM d'), ['1000']);
      assert.deepEqual(await s3.uploads(), []);
    } finally {
      s3.setFault(undefined);
      await node.close();
      await patient.close();
    }
  });

  it('that never answers keeps no other statement waiting when those that wait for it are cancelled', async () => {
    const places = 4;
    const server = await serve([], 's3://data/silent', { maxRunning: places });
    const { client } = server;
    try {
      const call = client.doPut(
        FlightDescriptor.forCommand(JSON.stringify({ dataset: 'd', mode: 'create' })),
      );
      await call.writer.writeTable(numbersTable(0, 1000, 1));
      await call.writer.close();
      s3.setFault((_method, path) => (path.endsWith('.parquet') ? 'hang' : undefined));
      // More than run at once: the engine waits for the bucket still, and they have given their places up.
      for (let cancelled = 0; cancelled < places + 2; cancelled += 1) {
        const abort = new AbortController();
        const rows = client.doGet(new Ticket('SELECT sum(n) FROM d'), { signal: abort.signal }).readAll();
        const refused = assert.rejects(rows, { code: 'CANCELLED' });
        while (s3.hanging() <= cancelled) {
          await new Promise((resolve) => {
            setTimeout(resolve, 10);
          });
        }
        abort.abort();
        await refused;
      }
      const other = await client.doGet(new Ticket('SELECT 42 AS a')).readAll();
      assert.equal(other.getChildAt(0)?.get(0), 42);
      assert.ok(s3.hanging() >= places + 2, `${s3.hanging()} wait for the bucket`);
      s3.setFault(undefined);
      const table = await client.doGet(new Ticket('SELECT count(*) AS c FROM d')).readAll();
      assert.equal(Number(table.getChildAt(0)?.get(0)), 1000);
    } finally {
      s3.setFault(undefined);
      await server.stop();
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
