// A server is killed at random moments of puts and transactions, again and again over the same store and database.
// After each start everything that was acknowledged is whole, nothing is there in part, and no temporary file stays. The
// same with the store in a bucket, where no upload that was cut off stays either.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, it } from 'node:test';
import { FlightDescriptor } from '@peregrine/flight';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { type Node, startNode } from './store/node.ts';
import { numbersTable } from './store/numbers.ts';
import { type Place, assertNothingLeft, bucketPlace, folderPlace, startServer } from './store/places.ts';
import { startS3Server } from './store/s3-server.ts';
import { killBothAgainAndAgain } from './store/two-writers.ts';

// 50 of each take some minutes on a quiet machine:
//   PEREGRINE_KILLS=50 PEREGRINE_BUCKET_KILLS=50 PEREGRINE_BOTH_KILLS=50 npm run conformance -- store-kill
const kills = Number(process.env['PEREGRINE_KILLS'] ?? 15);
const bucketKills = Number(process.env['PEREGRINE_BUCKET_KILLS'] ?? 4);
const bothKills = Number(process.env['PEREGRINE_BOTH_KILLS'] ?? 4);
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

/**
 * Starts a server, lets clients store and commit as fast as they can, and kills it.
 *
 * @param waitForOne - not before a put is acknowledged: on a machine that is busy the first one may take long
 */
async function killOnce(
  place: Place,
  database: string,
  first: number,
  waitForOne: boolean,
): Promise<Attempt[]> {
  const { client, server } = await startServer(place, { database, 'temp-dir': join(folder, 'temp') });
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
  const isStored = (): boolean =>
    attempts.some(({ kind, acknowledged }) => kind !== 'commit' && acknowledged);
  const isTime = (): boolean => !waitForOne || isStored();
  while (!isTime()) {
    const early = await Promise.race([new Promise((resolve) => setTimeout(resolve, 10)), ended]);
    assert.equal(early, undefined, server.output());
  }
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

async function killAgainAndAgain(place: Place, times: number): Promise<void> {
  const database = join(folder, `${basename(place.folder)}.duckdb`);
  const known: Attempt[] = [];
  let unanswered = 0;
  let acknowledged = 0;
  let cut = 0;
  let first = 0;
  for (let kill = 0; kill < times; kill += 1) {
    const attempts = await killOnce(place, database, first, kill % 2 === 1);
    await place.quiet();
    first = attempts.reduce((largest, { id }) => Math.max(largest, id), first);
    acknowledged += attempts.filter((attempt) => attempt.acknowledged).length;
    cut += attempts.filter((attempt) => !attempt.acknowledged).length;
    const node = await startNode({ ...place.options, catalog: 'files' }, database);
    try {
      unanswered += await verify(node, attempts, known);
      await assertNothingLeft(place);
      for (const { name } of node.store.tables()) if (name.startsWith('d')) await node.store.drop(name);
    } finally {
      await node.close();
    }
  }
  console.log(
    `${times} kills: ${acknowledged} puts and transactions acknowledged, all whole; ${cut} cut off, of which ` +
      `${unanswered} had been committed before their answer went out, whole`,
  );
}

it(`loses nothing acknowledged in ${kills} kills`, async () => {
  await killAgainAndAgain(await folderPlace(join(folder, 'store')), kills);
});

it(`loses nothing acknowledged in a bucket in ${bucketKills} kills`, async () => {
  const s3 = await startS3Server();
  try {
    await killAgainAndAgain(bucketPlace(s3, 'kill'), bucketKills);
  } finally {
    await s3.stop();
  }
});

it(`loses nothing that two servers append to one dataset, nor has it twice, in ${bothKills} kills of both`, async () => {
  await killBothAgainAndAgain(await folderPlace(join(folder, 'both')), bothKills, join(folder, 'temp'));
});

it(`loses nothing that two servers append in a bucket, nor has it twice, in ${bothKills} kills of both`, async () => {
  const s3 = await startS3Server();
  try {
    await killBothAgainAndAgain(bucketPlace(s3, 'both'), bothKills, join(folder, 'temp'));
  } finally {
    await s3.stop();
  }
});

it('has a dataset stay whole when a bucket gets to the version of a killed server after the next has swept', async () => {
  const s3 = await startS3Server();
  const place = bucketPlace(s3, 'late');
  try {
    const { client, server } = await startServer(place, {});
    const put = async (mode: string): Promise<void> => {
      const { writer } = client.flight.doPut(
        FlightDescriptor.forCommand(JSON.stringify({ dataset: 'd', mode })),
      );
      await writer.writeTable(numbersTable(0, 1000, 1));
      await writer.close();
    };
    await put('create');
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      s3.setFault((method, path) => {
        if (method !== 'PUT' || !path.endsWith('v0000000000000002.json')) return undefined;
        resolve();
        return { until };
      });
    });
    const cut = assert.rejects(put('replace'), /UNAVAILABLE|CANCELLED/);
    await reached;
    server.process.kill('SIGKILL');
    await server.exit;
    await cut;
    await client.close();
    s3.setFault(undefined);
    const node = await startNode({ ...place.options, retainMs: 3_600_000 });
    try {
      assert.deepEqual(await node.one('SELECT count(*) FROM d'), ['1000']);
      const parts = node.store.tables().map(({ files }) => files);
      release();
      await s3.quiet();
      await node.store.refresh();
      assert.deepEqual(node.store.problems(), []);
      assert.deepEqual(await node.one('SELECT count(*) FROM d'), ['1000']);
      assert.deepEqual(parts, [1]);
    } finally {
      await node.close();
    }
  } finally {
    await s3.stop();
  }
});
