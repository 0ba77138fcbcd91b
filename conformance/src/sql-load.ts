// 64 clients at once run queries of every kind, each checked: no error, none is starved, and the server's memory stays
// below a bound. In a run that is long enough for all threads to have warmed up it is flat over the rounds, too.
//   PEREGRINE_LOAD_SECONDS   length of all rounds together; 16 by default, 150 and more for the figures in docs/server.md
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { connectSql, type FlightSqlClient } from '@peregrine/flight/sql';
import { tableFromArrays } from 'apache-arrow';
import { ownCommand, type Peer, startPeer } from './peers.ts';
import { watchLeastResidentMb } from './resident-memory.ts';

const seconds = Number(process.env['PEREGRINE_LOAD_SECONDS'] ?? 16);
const clients = 64;
const rounds = 8;

/**
 * What memory may grow by in the second half of the rounds, in MB: from one round to the next it differs by as much with
 * where the garbage collectors of 19 threads are.
 */
const noise = 32;

/** Operations after which a server counts as warm: threads, their heaps and the engine's caches are there. */
const warmOperations = 20_000;

/** What an operation may take in MB while the server warms up, and what it may take in all then and later. */
const warmUp = { perOperation: 0.03, fixed: 50, most: 900 } as const;

/** Tickets are kept for a second fetch, so many at most (`maxFetchedTickets`), and take so much each, in MB. */
const tickets = { most: 10_000, mb: 0.0025 } as const;

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
    const least = watchLeastResidentMb(server.process.pid);
    const until = performance.now() + (seconds * 1_000) / rounds;
    await Promise.all(
      open.map(async (client, index) => {
        for (let turn = index; performance.now() < until; turn += 1) {
          await works[turn % works.length]?.(client, index, turn);
          counts[index] = (counts[index] ?? 0) + 1;
        }
      }),
    );
    memory.push(await least());
    done.push(counts.reduce((sum, count) => sum + count, 0));
  }
  await Promise.all(open.map((client) => client.close()));
  const sorted = counts.toSorted((a, b) => a - b);
  const [least = 0, middle = 0, most = 0] = [0, clients / 2, clients - 1].map((place) => sorted[place]);
  console.log(
    `${done.at(-1)} operations; of a client ${least} at least, ${middle} in the middle, ` +
      `${most} at most; server ${memory.map((mb) => mb?.toFixed(0)).join(', ')} MB, the least of each round`,
  );
  // a few operations more or less say nothing where a busy machine does few
  assert.ok((least + 3) * 3 >= most, 'a client was starved');
  const half = rounds / 2;
  const operations = (done.at(-1) ?? 0) - (done[half - 1] ?? 0);
  const before = done[half - 1] ?? 0;
  const newTickets = Math.min(operations, Math.max(0, tickets.most - before));
  const mayGrow =
    before < warmOperations
      ? warmUp.fixed + operations * warmUp.perOperation
      : noise + newTickets * tickets.mb;
  for (const mb of memory) assert.ok((mb ?? 0) < warmUp.most, `the server took ${mb?.toFixed(0)} MB`);
  const grown = slope(memory.slice(half)) * (half - 1);
  assert.ok(
    grown < mayGrow,
    `the server took ${grown.toFixed(0)} MB more in the last ${operations} operations, and ${mayGrow.toFixed(0)} were to be expected`,
  );
});

/** By how much the values grow from one to the next, by the line that fits them best. */
function slope(values: readonly (number | undefined)[]): number {
  const middle = (values.length - 1) / 2;
  let sum = 0;
  let squares = 0;
  for (const [i, value = 0] of values.entries()) {
    sum += (i - middle) * value;
    squares += (i - middle) ** 2;
  }
  return sum / squares;
}
