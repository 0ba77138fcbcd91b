// A server is killed at random moments of puts and transactions, again and again over the same store and database.
// After each start everything that was acknowledged is whole, nothing is there in part, and no temporary file stays.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, it } from 'node:test';
import { startPeer } from './peers.ts';
import { type Node, startNode } from './store/node.ts';

const kills = Number(process.env['PEREGRINE_KILLS'] ?? 50);
/** The longest that a server lives after it is ready, in milliseconds: several puts, so that most kills hit one. */
const longestLifeMs = 700;

/** What the server said of one put or transaction. */
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

async function killOnce(first: number): Promise<Attempt[]> {
  const program = fileURLToPath(new URL('store/kill-victim.js', import.meta.url));
  const victim = startPeer(process.execPath, [
    program,
    join(folder, 'store'),
    join(folder, 'main.duckdb'),
    String(first),
  ]);
  await victim.line(/^ready$/);
  await new Promise((resolve) => {
    setTimeout(resolve, Math.random() * longestLifeMs);
  });
  victim.process.kill('SIGKILL');
  assert.equal(await victim.exit, 'SIGKILL', victim.output());
  const attempts = new Map<number, Attempt>();
  // A line that is cut off was not said.
  for (const line of victim.output().split('\n').slice(0, -1)) {
    const [word, ...rest] = line.split(' ');
    if (word === 'try') {
      const [kind = '', id, rows] = rest;
      attempts.set(Number(id), { kind, id: Number(id), rows: Number(rows), acknowledged: false });
    } else if (word === 'ack') {
      const attempt = attempts.get(Number(rest[0]));
      assert.ok(attempt);
      attempt.acknowledged = true;
    }
  }
  return [...attempts.values()];
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
