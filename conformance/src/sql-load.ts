// 64 clients at once run queries of every kind, each checked: no error, none is starved, and the server's memory is flat
// over the rounds.
//   PEREGRINE_LOAD_SECONDS   length of all rounds together; 8 by default, 60 for the figures in docs/server.md
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { connectSql, type FlightSqlClient } from '@peregrine/flight/sql';
import { tableFromArrays } from 'apache-arrow';
import { ownCommand, type Peer, startPeer } from './peers.ts';
import { residentMb } from './resident-memory.ts';

const seconds = Number(process.env['PEREGRINE_LOAD_SECONDS'] ?? 8);
const clients = 64;
const rounds = 4;
/**
 * What memory may grow by for each operation after the second round, in MB: tickets are kept for ten minutes, a few KB
 * each, and threads take more until they have met everything. The smallest batch that nobody gives back is larger.
 */
const mayGrow = 0.03;

const endless = 'SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range + b.range = -1';

/** What a client does again and again, in this order from a place of its own. */
const works: readonly ((client: FlightSqlClient, index: number, turn: number) => Promise<void>)[] = [
  async function point(client, _, turn) {
    const id = (turn * 7_919) % 100_000;
    const table = await client.query(`SELECT v FROM facts WHERE id = ${id}`);
    assert.equal(Number(table.getChildAt(0)?.get(0)), id * 2);
  },
  async function bound(client, _, turn) {
    const id = (turn * 104_729) % 100_000;
    const table = await client.query('SELECT v FROM facts WHERE id = ?', { parameters: [id] });
    assert.equal(Number(table.getChildAt(0)?.get(0)), id * 2);
  },
  async function aggregate(client) {
    const table = await client.query('SELECT k, count(*) AS n FROM facts GROUP BY k ORDER BY k');
    assert.equal(table.numRows, 10);
    assert.equal(Number(table.getChildAt(1)?.get(3)), 10_000);
  },
  async function wide(client) {
    const table = await client.query('SELECT * FROM facts WHERE id < 20000');
    assert.equal(table.numRows, 20_000);
  },
  async function ingest(client, index, turn) {
    const rows = tableFromArrays({ id: Int32Array.from({ length: 1_000 }, (_, i) => i + turn) });
    const taken = await client.executeIngest(rows, { table: `taken_${index}`, ifExists: 'replace' });
    assert.equal(taken, 1_000n);
  },
  async function changed(client, index) {
    assert.equal(await client.executeUpdate(`INSERT INTO log_${index} SELECT range FROM range(10)`), 10n);
    assert.equal(await client.executeUpdate(`DELETE FROM log_${index}`), 10n);
  },
  async function cancelled(client) {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 30);
    await assert.rejects(
      client.query(endless, { signal: abort.signal }),
      (error) => error instanceof FlightError && error.code === 'CANCELLED',
    );
  },
];

let server: Peer;
let location: string;
before(async () => {
  const flags = ['--flight-port', '0', '--http-port', 'off'];
  server = startPeer(process.execPath, [ownCommand(), 'serve', '--json', ...flags]);
  [, location = ''] = await server.line(/"flight":"([^"]+)"/);
});
after(() => server.stop());

it(`serves ${clients} clients for ${seconds} s`, async () => {
  const open = Array.from({ length: clients }, () => connectSql(location));
  const [first] = open;
  assert.ok(first !== undefined);
  await first.executeUpdate(
    "CREATE TABLE facts AS SELECT range::INTEGER AS id, range * 2 AS v, range % 10 AS k, 'text ' || range AS t FROM range(100000)",
  );
  for (const index of open.keys()) await first.executeUpdate(`CREATE TABLE log_${index} (n BIGINT)`);
  const counts = open.map(() => 0);
  const memory: (number | undefined)[] = [];
  const done: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const until = performance.now() + (seconds * 1_000) / rounds;
    await Promise.all(
      open.map(async (client, index) => {
        for (let turn = index; performance.now() < until; turn += 1) {
          await works[turn % works.length]?.(client, index, turn);
          counts[index] = (counts[index] ?? 0) + 1;
        }
      }),
    );
    memory.push(await residentMb(server.process.pid));
    done.push(counts.reduce((sum, count) => sum + count, 0));
  }
  await Promise.all(open.map((client) => client.close()));
  const sorted = counts.toSorted((a, b) => a - b);
  const [least = 0, middle = 0, most = 0] = [0, clients / 2, clients - 1].map((place) => sorted[place]);
  console.log(
    `${done.at(-1)} operations; of a client ${least} at least, ${middle} in the middle, ` +
      `${most} at most; server ${memory.map((mb) => mb?.toFixed(0)).join(', ')} MB after each round`,
  );
  assert.ok(least * 3 >= most, 'a client was starved');
  const operations = (done.at(-1) ?? 0) - (done[1] ?? 0);
  const grown = (memory.at(-1) ?? 0) - (memory[1] ?? 0);
  assert.ok(
    grown < mayGrow * operations + 50,
    `the server took ${grown} MB more in ${operations} operations`,
  );
});
