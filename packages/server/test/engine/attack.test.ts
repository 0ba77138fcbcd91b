import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FlightError } from '@peregrine/flight';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import type { Engine, EngineConnection, EngineInput } from '../../src/engine/types.ts';
import { endless, readInputs, readRows, stream } from './support.ts';

/** Columns of what drivers find hard. */
const columns = [
  'range::VARCHAR',
  "CASE WHEN range % 3 = 0 THEN NULL ELSE {'a': range, 'b': [range::VARCHAR, NULL]} END",
  'MAP {range::VARCHAR: [range]}',
  'union_value(n := range)::UNION(n BIGINT, s VARCHAR)',
  'range::HUGEINT * 99999999999999999999999999::HUGEINT',
  "CASE WHEN range % 2 = 0 THEN 'x'::ENUM('x', 'y') END",
  "repeat('é', (range % 90 * 10)::INTEGER)",
  '[[[[[[range]]]]]]',
  '[range, range, NULL]::BIGINT[3]',
  'NULL',
  "[{'a': NULL::INTEGER, 'b': MAP {1: true}}, NULL]",
];

/** Numbers that are the same in every run: a failure can be looked at again. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

type Random = ReturnType<typeof generator>;
type Attack = (on: EngineConnection, table: string, random: Random) => Promise<unknown>;

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[random(list.length)];

async function someRows(
  on: EngineConnection,
  random: Random,
): Promise<{ schema: Uint8Array; batches: EngineInput[] }> {
  const rows = pick([0, 1, 3, 7, 64, 2_048, 2_049, 5_003], random);
  const batchRows = pick([50, 100, 2_048, 65_536], random);
  const sql = `SELECT ${pick(columns, random)} AS x, range AS i FROM range(${rows})`;
  return readInputs(await on.query(sql, { batchRows }));
}

const anyMode = { ifMissing: 'create', ifExists: 'replace' } as const;

const attacks: readonly Attack[] = [
  async function breaksOff(on, table, random) {
    const { schema, batches } = await someRows(on, random);
    const gone = random(2) === 0 ? new FlightError('CANCELLED', 'the client is gone') : undefined;
    await on.ingest({ table, ...anyMode }, schema, stream(batches, gone));
  },
  async function lies(on, table, random) {
    const { schema, batches } = await someRows(on, random);
    const victim = pick(batches, random);
    const bytes = random(2) === 0 ? victim?.header : victim?.body;
    if (bytes !== undefined && bytes.length > 0) {
      for (let i = 0; i < 3; i++) bytes[random(bytes.length)] = random(256);
    }
    await on.ingest({ table, ...anyMode }, schema, stream(batches));
  },
  async function mixesSchemas(on, table, random) {
    const { schema } = await someRows(on, random);
    const { batches } = await someRows(on, random);
    await on.ingest({ table, ...anyMode }, schema, stream(batches));
  },
  async function bindsAndLeaves(on, _, random) {
    const { schema, batches } = await someRows(on, random);
    const statement = await on.prepare('SELECT ? AS a, ? AS b');
    try {
      await statement.bind(schema, batches);
      for await (const batch of await statement.query()) {
        batch.release();
        if (random(2) === 0) break;
      }
    } finally {
      await statement.close();
    }
  },
  async function cancels(on, _, random) {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), random(20));
    await readRows(await on.query(endless, { signal: abort.signal }));
  },
  async function cancelsWhileItReads(on, _, random) {
    const abort = new AbortController();
    let batches = 0;
    const sql = "SELECT range, repeat('x', 100) FROM range(300000)";
    for await (const batch of await on.query(sql, { signal: abort.signal })) {
      batch.release();
      if (++batches > random(5)) abort.abort();
    }
  },
  async function closesWhileItReads(on, _, random) {
    const reading = (async (): Promise<void> => {
      for await (const batch of await on.query('FROM range(1000000)')) batch.release();
    })();
    // Told below, whichever of both is first.
    reading.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, random(5)));
    await on.close();
    await reading;
  },
  async function nests(on, _, random) {
    const statement = await on.prepare(`SELECT ${'('.repeat(random(300))}1`);
    await statement.close();
  },
  async function failsInATransaction(on) {
    await on.begin();
    await on.execute('INSERT INTO nowhere VALUES (1)');
  },
];

async function client(engine: Engine, index: number, turns: number): Promise<number> {
  const random = generator(7 * index + 1);
  let refused = 0;
  for (let turn = 0; turn < turns; turn++) {
    const on = await engine.connect();
    const attack = attacks[(index + turn) % attacks.length];
    try {
      await attack?.(on, `t${index}`, random);
    } catch (error) {
      assert.ok(error instanceof FlightError, `${attack?.name}: ${String(error)}`);
      refused++;
    } finally {
      await on.close();
    }
  }
  return refused;
}

it('outlives clients that lie, leave, cancel and break off, all at once, and keeps nothing of them', async () => {
  const engine = await createDuckDbEngine({ maxRunningStatements: 4 });
  try {
    const refused = await Promise.all(
      Array.from({ length: 6 }, (_, index) => client(engine, index, 2 * attacks.length)),
    );
    assert.ok(refused.every((count) => count > 0));
    const { batchBytes, connections, queued } = engine.statistics;
    assert.deepEqual({ batchBytes, connections, queued }, { batchBytes: 0, connections: 0, queued: 0 });
    const last = await engine.connect();
    assert.deepEqual(await readRows(await last.query('SELECT 1 AS a')), [{ a: 1 }]);
    await last.close();
  } finally {
    await engine.close();
  }
});
