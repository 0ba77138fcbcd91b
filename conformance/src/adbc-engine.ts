/** ADBC drivers of others as the engine of our server: SQLite's, and Flight SQL's in front of a second server of ours. */

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Socket, createConnection, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FlightError } from '@peregrine/flight';
import {
  decodeMessageHeader,
  decodeRecordBatch,
  decodeSchema,
  DictionaryMemo,
  IpcEncoder,
} from '@peregrine/flight/ipc';
import { type AdbcEngineOptions, createAdbcEngine } from '@peregrine/server';
import { Int32, Table, Utf8, vectorFromArray } from 'apache-arrow';
import { adbcDriverPath } from './peers.ts';
import { type RunningSqlServer, startSqlServer } from './sql-server.ts';

type Engine = Awaited<ReturnType<typeof createAdbcEngine>>;
type Connection = Awaited<ReturnType<Engine['connect']>>;
type Result = Awaited<ReturnType<Connection['query']>>;
interface Message {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

async function rowsOf(result: Result): Promise<string[]> {
  const schema = decodeSchema(result.schema);
  const rows: string[] = [];
  for await (const batch of result) {
    if (batch.kind === 'records') {
      const header = decodeMessageHeader(batch.header);
      const body = batch.body.slice();
      for (const row of decodeRecordBatch(schema, header, body, new DictionaryMemo())) {
        rows.push(Object.values(row.toJSON()).map(String).join());
      }
    }
    batch.release();
  }
  return rows;
}

function three(): { schema: Uint8Array; batches: Message[] } {
  const a = vectorFromArray([1, 2, 3], new Int32());
  const table = new Table({ a, b: vectorFromArray(['x', null, 'z'], new Utf8()) });
  const encoder = new IpcEncoder(table.schema);
  const schema = encoder.schema().header;
  const batches = table.batches.flatMap((batch) =>
    encoder.batch(batch).map(({ header, bodyPieces }) => ({ header, body: Buffer.concat(bodyPieces) })),
  );
  return { schema, batches };
}

async function* stream(batches: readonly Message[]): AsyncIterable<Message> {
  for (const batch of batches) yield await Promise.resolve(batch);
}

const cli = fileURLToPath(new URL('../../../packages/cli/bin/peregrine.mjs', import.meta.url));

/** A way to a server that can become one on which nothing is heard any more. */
async function startSilencer(
  port: number,
): Promise<{ readonly port: number; silence(): void; close(): void }> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    if (isSilent) return;
    const onward = createConnection({ host: '127.0.0.1', port });
    sockets.add(onward);
    onward.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    port: address.port,
    silence() {
      isSilent = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Of 1,000 bytes each. */
const largeRows = 500_000;

/** What every driver must do. */
function checks(
  name: string,
  options: () => AdbcEngineOptions,
  expected: { vendor: string; tableType: RegExp; large: string },
): void {
  describe(name, () => {
    let engine: Engine;
    let connection: Connection;
    before(async () => {
      engine = await createAdbcEngine(options());
      connection = await engine.connect();
    });
    after(() => engine.close());

    it('says what it is', () => {
      assert.equal(engine.info.vendor, expected.vendor);
      assert.equal(engine.info.dialect, 'generic');
    });

    it('executes and queries', async () => {
      await connection.execute('CREATE TABLE t (a INTEGER, b TEXT)');
      assert.equal(await connection.execute("INSERT INTO t VALUES (1, 'x'), (2, NULL)"), 2n);
      assert.deepEqual(await rowsOf(await connection.query('SELECT * FROM t ORDER BY a')), ['1,x', '2,null']);
      await assert.rejects(
        connection.query('SELEC 1'),
        (error) => error instanceof FlightError && /syntax/.test(error.message),
      );
    });

    it('ingests', async () => {
      const { schema, batches } = three();
      const into = { table: 'n', ifMissing: 'create' } as const;
      assert.equal(await connection.ingest({ ...into, ifExists: 'fail' }, schema, stream(batches)), 3n);
      assert.equal(await connection.ingest({ ...into, ifExists: 'append' }, schema, stream(batches)), 3n);
      await assert.rejects(
        connection.ingest({ ...into, ifExists: 'fail' }, schema, stream(batches)),
        FlightError,
      );
      assert.deepEqual(await rowsOf(await connection.query('SELECT count(*), count(b) FROM n')), ['6,4']);
    });

    it('binds rows', async () => {
      const { schema, batches } = three();
      const insert = await connection.prepare('INSERT INTO n VALUES (?, ?)');
      assert.equal(insert.kind, 'update');
      await insert.bind(schema, batches);
      assert.equal(await insert.execute(), 3n);
      await insert.close();
      const query = await connection.prepare('SELECT ? AS x, ? AS y');
      await query.bind(schema, batches);
      assert.deepEqual(await rowsOf(await query.query()), ['1,x', '2,null', '3,z']);
      await query.close();
    });

    it('rolls back', async () => {
      await connection.begin();
      await connection.execute('DELETE FROM n');
      await connection.rollback();
      assert.deepEqual(await rowsOf(await connection.query('SELECT count(*) FROM n')), ['9']);
    });

    it('tells its catalog', async () => {
      assert.match((await rowsOf(await connection.getTableTypes())).join(), expected.tableType);
      const schema = decodeSchema(await connection.getTableSchema(undefined, undefined, 't'));
      assert.deepEqual(schema.names, ['a', 'b']);
      assert.ok((await rowsOf(await connection.getObjects({ depth: 'all' }))).length > 0);
    });

    it('frees results that are abandoned', async () => {
      const numbers =
        'WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 20000) SELECT i FROM r';
      for await (const batch of await connection.query(numbers)) {
        batch.release();
        break;
      }
      assert.equal((await rowsOf(await connection.query(numbers))).length, 20_000);
      assert.equal(engine.statistics.batchBytes, 0);
    });

    it('takes the rows of a large result as they are asked for', async () => {
      const before = process.memoryUsage.rss();
      let most = before;
      let rows = 0;
      let batches = 0;
      for await (const batch of await connection.query(expected.large)) {
        rows += batch.rows;
        batch.release();
        most = Math.max(most, process.memoryUsage.rss());
        batches += 1;
        // Whoever reads ahead without end has the time for it here.
        if (batches === 10) await sleep(1_000);
      }
      assert.equal(rows, largeRows);
      const megabytes = Math.round((most - before) / 1e6);
      console.log(`${name}: a result of 500 MB took ${megabytes} MB more`);
      assert.ok(megabytes < 300, `${megabytes} MB`);
    });
  });
}

checks("SQLite's driver as the engine", () => ({ driver: adbcDriverPath('adbc_driver_sqlite') }), {
  vendor: 'SQLite',
  tableType: /table/,
  large: `WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r LIMIT ${largeRows}) SELECT i, hex(zeroblob(496)) AS t FROM r`,
});

describe('a gateway', () => {
  let server: RunningSqlServer;
  before(async () => {
    server = await startSqlServer();
  });
  after(() => server.stop());

  const options = (): AdbcEngineOptions => ({
    driver: adbcDriverPath('adbc_driver_flightsql'),
    options: { uri: `grpc://127.0.0.1:${server.port}` },
  });
  checks("Flight SQL's driver as the engine, over our server", options, {
    vendor: 'DuckDB',
    tableType: /BASE TABLE/,
    large: `SELECT range, repeat('x', 992) AS t FROM range(${largeRows})`,
  });

  it('cancels in the server behind, and leaves nothing there', async () => {
    const engine = await createAdbcEngine(options());
    const connection = await engine.connect();
    const controller = new AbortController();
    const endless = 'SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range + b.range = -1';
    setTimeout(() => controller.abort(), 200);
    await assert.rejects(
      async () => rowsOf(await connection.query(endless, { signal: controller.signal })),
      (error) => error instanceof FlightError && error.code === 'CANCELLED',
    );
    await engine.close();
    assert.equal(server.leftovers().batchBytes, 0);
  });

  it('ends by SIGTERM though the server behind it hangs', async () => {
    const between = await startSilencer(server.port);
    const driver = adbcDriverPath('adbc_driver_flightsql');
    const settings = ['--flight-port=0', '--http-port=0', '--json', '--shutdown-grace=0'];
    const command = spawn(
      process.execPath,
      [cli, 'serve', ...settings, `--engine=adbc:${driver},uri=grpc://127.0.0.1:${between.port}`],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    try {
      const { http } = JSON.parse(String((await once(command.stdout, 'data'))[0]));
      const errors = text(command.stderr);
      between.silence();
      const asked = fetch(String(http), { method: 'POST', body: 'SELECT 1' }).catch(() => undefined);
      await sleep(200);
      const started = performance.now();
      command.kill('SIGTERM');
      const [code] = await once(command, 'exit');
      assert.equal(code, 143);
      assert.ok(performance.now() - started < 12_000);
      assert.match(await errors, /the engine does not end, and is left to the system\n$/);
      await asked;
    } finally {
      command.kill('SIGKILL');
      between.close();
    }
  });
});
