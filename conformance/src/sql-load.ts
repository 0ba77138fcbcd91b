// 64 clients at once run queries of every kind, each checked: no error, none is starved, and the server's memory stays
// below a bound. After each repeat the server has a rest: what it takes then is what it keeps, below a bound of its own, and
// flat once it is warm.
//   PEREGRINE_LOAD_SECONDS   length of a repeat; 8 by default, 75 for the figures in docs/server.md
//   PEREGRINE_LOAD_REPEATS   2 by default, 4 for the figures
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { FlightError } from '@peregrine/flight';
import { connectSql, type FlightSqlClient } from '@peregrine/flight/sql';
import { tableFromArrays } from 'apache-arrow';
import { ownCommand, type Peer, startPeer } from './peers.ts';
import { residentMb, watchResidentMb } from './resident-memory.ts';

const seconds = Number(process.env['PEREGRINE_LOAD_SECONDS'] ?? 8);
const repeats = Number(process.env['PEREGRINE_LOAD_REPEATS'] ?? 2);
const clients = 64;

/** What the server may take at any time, and at rest, in MB. */
const bounds = { most: 900, rested: 340 } as const;

/**
 * Operations after which a server counts as warm, and what may stay from one rest to a later one then, in MB: pages that
 * are held by little. Garbage does not count, because V8 has collected it at rest, and the engine's threads have ended.
 * What is kept for clients does: tickets for a second fetch are as many by then as there may be (`maxFetchedTickets`).
 */
const warm = { operations: 25_000, noiseMb: 32 } as const;

/**
 * The engine's threads end 30 s after their last statement, and V8 collects what a process that is at rest left behind
 * some time later; in milliseconds. Settled: what so many looks in a row saw differs by no more.
 */
const rest = { least: 40_000, most: 90_000, look: 5_000, settledLooks: 4, settledMb: 4 } as const;

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

it(`serves ${clients} clients ${repeats} times for ${seconds} s`, async () => {
  const open = Array.from({ length: clients }, () => connectSql(location));
  const [first] = open;
  assert.ok(first !== undefined);
  await first.executeUpdate(
    "CREATE TABLE facts AS SELECT range::INTEGER AS id, range * 2 AS v, range % 10 AS k, 'text ' || range AS t FROM range(100000)",
  );
  for (const index of open.keys()) await first.executeUpdate(`CREATE TABLE log_${index} (n BIGINT)`);
  const turns = open.map((_, index) => index);
  const most: (number | undefined)[] = [];
  const rested: (number | undefined)[] = [];
  const done: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const counts = open.map(() => 0);
    const mostOf = watchResidentMb(server.process.pid);
    const until = performance.now() + seconds * 1_000;
    await Promise.all(
      open.map(async (client, index) => {
        while (performance.now() < until) {
          const turn = turns[index] ?? 0;
          await works[turn % works.length]?.(client, index, turn);
          turns[index] = turn + 1;
          counts[index] = (counts[index] ?? 0) + 1;
        }
      }),
    );
    most.push(await mostOf());
    rested.push(await restedMb());
    const sorted = counts.toSorted((a, b) => a - b);
    const [least = 0, middle = 0, mostOfAll = 0] = [0, clients / 2, clients - 1].map(
      (place) => sorted[place],
    );
    done.push(sum(counts));
    console.log(
      `${done.at(-1)} operations; of a client ${least} at least, ${middle} in the middle, ${mostOfAll} at most; ` +
        `server ${most.at(-1)?.toFixed(0)} MB at most, ${rested.at(-1)?.toFixed(0)} MB at rest`,
    );
    // a few operations more or less say nothing where a busy machine does few
    assert.ok((least + 3) * 3 >= mostOfAll, 'a client was starved');
  }
  await Promise.all(open.map((client) => client.close()));
  for (const mb of most) assert.ok((mb ?? 0) < bounds.most, `the server took ${mb?.toFixed(0)} MB`);
  for (const mb of rested) assert.ok((mb ?? 0) < bounds.rested, `the server kept ${mb?.toFixed(0)} MB`);
  const warmed = rested.filter((_, repeat) => sum(done.slice(0, repeat + 1)) >= warm.operations);
  const grown = (warmed.at(-1) ?? 0) - (warmed[0] ?? 0);
  assert.ok(grown < warm.noiseMb, `the server kept ${grown.toFixed(0)} MB more, repeat after repeat`);
});

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** What the server takes when it has had nothing to do for a while. */
async function restedMb(): Promise<number | undefined> {
  const begin = performance.now();
  const seen: number[] = [];
  for (;;) {
    await wait(rest.look);
    const now = await residentMb(server.process.pid);
    if (now === undefined) return undefined;
    seen.push(now);
    const passed = performance.now() - begin;
    const last = seen.slice(-rest.settledLooks);
    const isSettled = Math.max(...last) - Math.min(...last) <= rest.settledMb;
    if (passed >= rest.most || (passed >= rest.least && isSettled)) return Math.min(...seen);
  }
}
