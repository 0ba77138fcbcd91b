// A dataset of Parquet files that is many times larger than the server's memory goes to a client, which reads it as fast
// as it can, and then slowly; and a put of such size comes in: the server's memory stays within what it was given.
// For longer than ten minutes, without the limit of time that `npm run conformance` has:
//   PEREGRINE_STORE_GIB=94 PEREGRINE_STORE_PUT_GIB=16 node conformance/dist/src/store-memory.js
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { type FlightClient, FlightDescriptor, Ticket, connect } from '@peregrine/flight';
import { createDuckDbEngine } from '@peregrine/server';
import { type Table, tableFromArrays } from 'apache-arrow';
import { ownCommand, startPeer } from './peers.ts';

/** Arrow bytes of the dataset, in GiB. */
const wantedGib = Number(process.env['PEREGRINE_STORE_GIB'] ?? 8);
/** Arrow bytes of the put, in GiB. */
const putGib = Number(process.env['PEREGRINE_STORE_PUT_GIB'] ?? wantedGib / 8);
/** What the engine may take. */
const engineLimit = '1GiB';
/** What the whole process may take: the engine, Node itself, and batches on their way. */
const processLimitBytes = 2.5 * 2 ** 30;
/** Three numbers and a text of 15 characters: 43 bytes a row. One file has about 1 GiB. */
const rowsOfFile = 25_000_000;
const bytesOfRow = 43;

let folder: string;
let files: number;
let fileBytes: number;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-large-'));
  const data = join(folder, 'large');
  await mkdir(data);
  const engine = await createDuckDbEngine({ memoryLimit: engineLimit, tempDirectory: folder });
  const connection = await engine.connect();
  await connection.execute(
    `COPY (SELECT range AS id, range * 0.5::DOUBLE AS a, (range % 977)::DOUBLE AS b, 'customer-' || (100000 + range % 9000) AS name
     FROM range(${rowsOfFile})) TO '${join(data, 'part-0.parquet')}' (FORMAT parquet, COMPRESSION zstd)`,
  );
  await connection.close();
  await engine.close();
  fileBytes = (await stat(join(data, 'part-0.parquet'))).size;
  files = Math.max(1, Math.ceil((wantedGib * 2 ** 30) / (rowsOfFile * bytesOfRow)));
  // The same file under other names: what is read is as much as if each were another.
  for (let i = 1; i < files; i += 1) {
    await link(join(data, 'part-0.parquet'), join(data, `part-${i}.parquet`));
  }
});
after(() => rm(folder, { recursive: true, force: true }));

/** The most that a process has had in memory, and has now. */
function memoryOf(pid: number | undefined): { readonly most: number; readonly now: number } {
  const text = readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]) * 1024;
  return { most: bytes('VmHWM'), now: bytes('VmRSS') };
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

/** Runs work beside a server with these arguments. */
async function withServer(
  args: readonly string[],
  work: (client: FlightClient, pid: number | undefined) => Promise<void>,
): Promise<void> {
  const ports = ['--flight-port', '0', '--http-port', 'off', '--temp-dir', folder];
  const server = startPeer(process.execPath, [ownCommand(), 'serve', '--json', ...ports, ...args]);
  const [, location = ''] = await server.line(/"flight":"([^"]+)"/);
  const client = connect(location);
  try {
    await work(client, server.process.pid);
  } finally {
    await client.close();
    await server.stop();
  }
}

it('streams a dataset many times larger than its memory', async () => {
  await withServer([folder, '--memory-limit', engineLimit], async (client, pid) => {
    const atStart = memoryOf(pid).now;
    const info = await client.getFlightInfo(FlightDescriptor.forPath('large'));
    assert.equal(info.totalRecords, BigInt(files) * BigInt(rowsOfFile));
    const started = performance.now();
    let rows = 0;
    let bytes = 0;
    let sum = 0n;
    for await (const message of client.doGet(new Ticket('large')).scoped()) {
      rows += message.data?.numRows ?? 0;
      for (const column of message.data?.data.children ?? []) bytes += column.byteLength;
      const ids: unknown = message.data?.getChildAt(0)?.get(0);
      if (typeof ids === 'bigint') sum += ids;
    }
    const seconds = (performance.now() - started) / 1000;
    assert.equal(rows, files * rowsOfFile);
    assert.ok(sum > 0n);
    const fast = memoryOf(pid).most;
    console.log(
      `${gib(bytes)} of Arrow out of ${files} files of ${gib(fileBytes)}, --memory-limit ${engineLimit}: ` +
        `${seconds.toFixed(0)} s, server ${gib(atStart)} at the start and ${gib(fast)} at most, ` +
        `client ${gib(memoryOf(process.pid).most)} at most`,
    );
    assert.ok(fast < processLimitBytes, `the server took ${gib(fast)}`);

    // A client that reads a little and then nothing: what the server has read ahead stays bounded.
    const slow = client.doGet(new Ticket('large'));
    let taken = 0;
    for await (const _ of slow.scoped()) {
      taken += 1;
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
      if (taken === 200) break;
    }
    const most = memoryOf(pid).most;
    console.log(`a slow client after that: ${gib(most)} at most`);
    assert.ok(most < processLimitBytes, `the server took ${gib(most)}`);
  });
});

const pieceRows = 1 << 20;
const pieceBytes = pieceRows * 20;

/** Numbers that do not compress to nothing, 20 MiB of them. */
function piece(): Table {
  return tableFromArrays({
    id: Int32Array.from({ length: pieceRows }, (_, i) => i),
    a: Float64Array.from({ length: pieceRows }, () => Math.floor(Math.random() * 1e6)),
    b: Float64Array.from({ length: pieceRows }, (_, i) => i * 0.25),
  });
}

it('answers an exchange whose input and answer are larger than its memory', async () => {
  const limit = '512MiB';
  await withServer(['--memory-limit', limit], async (client, pid) => {
    const table = piece();
    const times = Math.ceil((putGib * 2 ** 30) / pieceBytes);
    const started = performance.now();
    const call = client.doExchange(FlightDescriptor.forCommand('SELECT * FROM input'));
    await call.writer.begin(table.schema);
    for (let i = 0; i < times; i += 1) await call.writer.writeTable(table);
    await call.writer.doneWriting();
    let rows = 0;
    let next = 0;
    for await (const { data } of call.reader.scoped()) {
      // In the order in which they were sent.
      if (data !== undefined && data.numRows > 0) assert.equal(data.getChildAt(0)?.get(0), next % pieceRows);
      rows += data?.numRows ?? 0;
      next = rows;
    }
    assert.equal(rows, times * pieceRows);
    const seconds = (performance.now() - started) / 1000;
    const { most } = memoryOf(pid);
    console.log(
      `an exchange of ${gib(times * pieceBytes)} there and back, --memory-limit ${limit}: ` +
        `${seconds.toFixed(0)} s, server ${gib(most)} at most`,
    );
    assert.ok(most < processLimitBytes / 2, `the server took ${gib(most)}`);
  });
});

it('stores a put many times larger than its memory', async () => {
  const store = join(folder, 'store');
  await mkdir(store);
  await withServer(['--writable', store, '--memory-limit', engineLimit], async (client, pid) => {
    const table = piece();
    const times = Math.ceil((putGib * 2 ** 30) / pieceBytes);
    const started = performance.now();
    const call = client.doPut(FlightDescriptor.forPath('large'));
    await call.writer.begin(table.schema);
    for (let i = 0; i < times; i += 1) await call.writer.writeTable(table);
    await call.writer.close();
    const seconds = (performance.now() - started) / 1000;
    const { most } = memoryOf(pid);
    console.log(`a put of ${gib(times * pieceBytes)}: ${seconds.toFixed(0)} s, server ${gib(most)} at most`);
    assert.ok(most < processLimitBytes, `the server took ${gib(most)}`);
    const info = await client.getFlightInfo(FlightDescriptor.forPath('large'));
    assert.equal(info.totalRecords, BigInt(times) * BigInt(pieceRows));
  });
});
