// A server is killed at random moments of puts and transactions, again and again over the same store and database.
// After each start everything that was acknowledged is whole, nothing is there in part, and no temporary file stays.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { FlightDescriptor } from '@peregrine/flight';
import { type FlightSqlClient, connectSql } from '@peregrine/flight/sql';
import { ownCommand, startPeer } from './peers.ts';
import { type Node, startNode } from './store/node.ts';
import { numbersTable } from './store/numbers.ts';

const kills = Number(process.env['PEREGRINE_KILLS'] ?? 50);
/** The longest that a server lives after it is ready, in milliseconds: several puts, so that most kills hit one. */
const longestLifeMs = 1_500;

/** What became of one put or transaction. */
interface Attempt {
  readonly kind: string;
  readonly id: number;
  readonly rows: number;
  acknowledged: boolean;
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'peregrine-kill-'));
});
after(() => rm(folder, { recursive: true }));

/** Starts a server, lets clients store and commit as fast as they can, and kills it. */
async function killOnce(first: number): Promise<Attempt[]> {
  const paths = {
    writable: join(folder, 'store'),
    database: join(folder, 'main.duckdb'),
    temp: join(folder, 'temp'),
  };
  const flags = Object.entries({ ...paths, 'temp-dir': paths.temp, 'flight-port': '0', 'http-port': 'off' })
    .filter(([name]) => name !== 'temp')
    .flatMap(([name, value]) => [`--${name}`, value]);
  const server = startPeer(process.execPath, [ownCommand(), 'serve', ...flags, '--json']);
  const [, location = ''] = await server.line(/"flight":"([^"]+)"/);
  const client = connectSql(location);
  await client.executeUpdate('CREATE TABLE IF NOT EXISTS a (id INTEGER)');
  await client.executeUpdate('CREATE TABLE IF NOT EXISTS b (id INTEGER)');
  const attempts: Attempt[] = [];
  let last = first;
  const begin = (kind: string, rows: number): Attempt => {
    last += 1;
    const attempt = { kind, id: last, rows, acknowledged: false };
    attempts.push(attempt);
    return attempt;
  };
  const ended = Promise.allSettled([putUntilKilled(client, begin), commitUntilKilled(client, begin)]);
  await new Promise((resolve) => {
    setTimeout(resolve, Math.random() * longestLifeMs);
  });
  server.process.kill('SIGKILL');
  assert.equal(await server.exit, 'SIGKILL', server.output());
  for (const result of await ended) {
    // Nothing but the kill may end them.
    assert.ok(result.status === 'rejected');
    assert.match(String(result.reason), /UNAVAILABLE|CANCELLED/, server.output());
  }
  await client.close();
  return attempts;
}

type Begin = (kind: string, rows: number) => Attempt;

async function putUntilKilled(client: FlightSqlClient, begin: Begin): Promise<never> {
  const put = async (
    dataset: string | undefined,
    kind: string,
    mode: string,
    rows: number,
  ): Promise<void> => {
    const attempt = begin(kind, rows);
    const command = JSON.stringify({ dataset: dataset ?? `d${attempt.id}`, mode });
    const { writer } = client.flight.doPut(FlightDescriptor.forCommand(command));
    await writer.writeTable(numbersTable(0, rows, attempt.id), { maxChunksize: 10_000 });
    await writer.close();
    attempt.acknowledged = true;
  };
  for (;;) {
    const rows = 1 + Math.floor(Math.random() * 60_000);
    await put(undefined, 'create', 'create', rows);
    await put('current', 'replace', 'replace', rows);
    await put('log', 'append', 'create_append', 100);
  }
}

async function commitUntilKilled(client: FlightSqlClient, begin: Begin): Promise<never> {
  for (;;) {
    const attempt = begin('commit', 10);
    const transaction = await client.beginTransaction();
    await client.executeUpdate(`INSERT INTO a SELECT ${attempt.id} FROM range(10)`, { transaction });
    await client.executeUpdate(`INSERT INTO b SELECT ${attempt.id} FROM range(10)`, { transaction });
    await transaction.commit();
    attempt.acknowledged = true;
  }
}

/** Rows of a put that are there. */
async function rowsOf(node: Node, table: string, id: number): Promise<number> {
  if (node.store.get(table) === undefined) return 0;
  const sql = `SELECT count(*), count(DISTINCT n), coalesce(max(n), -1) FROM files.${table} WHERE put = ${id}`;
  const [count, distinct, last] = (await node.one(sql)).map(Number);
  assert.equal(distinct, count, `${table} has rows twice`);
  assert.equal(last, (count ?? 0) - 1, `${table} has gaps`);
  return count ?? 0;
}

/** @returns how many came to be without having been acknowledged: the kill fell between the commit and the answer */
async function verify(node: Node, attempts: readonly Attempt[], known: Attempt[]): Promise<number> {
  let unanswered = 0;
  assert.deepEqual(node.store.problems(), []);
  for (const attempt of attempts) {
    const { kind, id, rows, acknowledged } = attempt;
    if (kind === 'replace') continue;
    let found: number;
    if (kind === 'commit') {
      const [a, b] = (
        await node.one(
          `SELECT (SELECT count(*) FROM a WHERE id = ${id}), (SELECT count(*) FROM b WHERE id = ${id})`,
        )
      ).map(Number);
      assert.equal(a, b, `transaction ${id} is there in part`);
      found = a ?? 0;
    } else found = await rowsOf(node, kind === 'create' ? `d${id}` : 'log', id);
    if (found !== 0 || acknowledged) assert.equal(found, rows, `${kind} ${id} is there in part`);
    if (found === 0) continue;
    if (!acknowledged) unanswered += 1;
    if (kind !== 'create') known.push(attempt);
  }
  // The one that was replaced last, or the one that was being put.
  const replaces = attempts.filter(({ kind }) => kind === 'replace');
  const last = replaces.findLast(({ acknowledged }) => acknowledged);
  const open = replaces.find(({ acknowledged }) => !acknowledged);
  if (last !== undefined || open !== undefined) {
    const before = last ?? known.findLast(({ kind }) => kind === 'replace');
    const openRows = open === undefined ? 0 : await rowsOf(node, 'current', open.id);
    if (open !== undefined && openRows !== 0) {
      assert.equal(openRows, open.rows, 'a replace is there in part');
      known.push(open);
      unanswered += 1;
    } else if (before !== undefined) {
      assert.equal(await rowsOf(node, 'current', before.id), before.rows, 'a replace was lost');
      known.push(before);
    }
    const current = known.findLast(({ kind }) => kind === 'replace');
    if (current !== undefined) {
      assert.deepEqual((await node.one('SELECT count(*) FROM files.current')).map(Number), [current.rows]);
    }
  }
  // Everything of before is still there.
  const logged = known.filter(({ kind }) => kind === 'append').length;
  if (logged > 0) {
    assert.deepEqual((await node.one('SELECT count(*), count(DISTINCT put) FROM files.log')).map(Number), [
      logged * 100,
      logged,
    ]);
  }
  const committed = known.filter(({ kind }) => kind === 'commit').length;
  assert.deepEqual((await node.one('SELECT count(*), count(DISTINCT id) FROM a')).map(Number), [
    committed * 10,
    committed,
  ]);
  return unanswered;
}

/** Every file is a version, or a part that the newest version names. */
async function assertNothingLeft(): Promise<void> {
  const store = join(folder, 'store');
  for (const entry of await readdir(store)) {
    assert.match(entry, /\.peregrine$/, `${entry} was left`);
    const files = await readdir(join(store, entry));
    const newest = files
      .filter((name) => /^v\d+\.json$/.test(name))
      .sort()
      .at(-1);
    const text = newest === undefined ? '' : await readFile(join(store, entry, newest), 'utf8');
    for (const name of files) {
      assert.ok(name === newest || text.includes(JSON.stringify(name)), `${entry}/${name} was left`);
    }
  }
}

it(`loses nothing acknowledged in ${kills} kills`, async () => {
  await mkdir(join(folder, 'store'));
  const known: Attempt[] = [];
  let unanswered = 0;
  let acknowledged = 0;
  let cut = 0;
  let first = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const attempts = await killOnce(first);
    first = attempts.reduce((largest, { id }) => Math.max(largest, id), first);
    acknowledged += attempts.filter((attempt) => attempt.acknowledged).length;
    cut += attempts.filter((attempt) => !attempt.acknowledged).length;
    const node = await startNode(
      { writable: join(folder, 'store'), catalog: 'files', pollMs: Infinity, retainMs: -1 },
      join(folder, 'main.duckdb'),
    );
    try {
      unanswered += await verify(node, attempts, known);
      await assertNothingLeft();
      for (const { name } of node.store.tables()) if (name.startsWith('d')) await node.store.drop(name);
    } finally {
      await node.close();
    }
  }
  console.log(
    `${kills} kills: ${acknowledged} puts and transactions acknowledged, all whole; ${cut} cut off, of which ` +
      `${unanswered} had been committed before their answer went out, whole`,
  );
});
