// Several clients work on one data server by random operations of every kind, over Flight SQL, plain Flight and HTTP: broken
// off at random moments, with transactions, interrupted ingests, results read half and channels that vanish. A model says
// what each table must hold, may hold and must not hold, and everything that is read is compared with it.
//   PEREGRINE_MODEL_SEED      the first seed; 1 by default. A failure names its seed
//   PEREGRINE_MODEL_SECONDS   for how long; 16 by default, 4 for each seed
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { serveData } from '@peregrine/server';
import { Violation } from './model/facts.ts';
import { compareAll, endAll } from './model/quiet.ts';
import { createRandom } from './model/random.ts';
import { giveUp, others as lookAround, read, readByName, rowsOf } from './model/reads.ts';
import { summaryOf } from './model/rows.ts';
import { Client, World, begin, end } from './model/world.ts';
import { bulk, change, failOnPurpose, insert, makeTables } from './model/writes.ts';

const firstSeed = Number(process.env['PEREGRINE_MODEL_SEED'] ?? 1);
const seconds = Number(process.env['PEREGRINE_MODEL_SECONDS'] ?? 16);
const clientCount = 6;
/** How long clients work between two looks at everything, in milliseconds, and how often. */
const roundMs = 1_000;
const rounds = 3;
/** How much of what was done before a failure is told. */
const toldOperations = 400;

/** What a client does next. */
const operations: readonly (readonly [weight: number, (client: Client) => Promise<void>])[] = [
  [24, insert],
  [12, change],
  [5, failOnPurpose],
  [8, (client) => bulk(client, 'bulk')],
  [8, (client) => bulk(client, 'stored')],
  [20, read],
  [4, readByName],
  [5, giveUp],
  [5, lookAround],
  [16, beginOrEnd],
  [1, vanish],
  [2, adopt],
];

async function beginOrEnd(client: Client): Promise<void> {
  if (client.open === undefined) await begin(client);
  else if (client.random.chance(0.6)) await end(client, client.open);
}

async function vanish(client: Client): Promise<void> {
  client.world.note(client, 'vanishes');
  await client.vanish();
}

/** Ends the transaction of a client that has gone. */
async function adopt(client: Client): Promise<void> {
  const open = client.world.orphans.shift();
  if (open !== undefined) await end(client, open);
}

/** No operation takes this long, in milliseconds: it hangs. */
const longestMs = 60_000;

async function work(client: Client, until: number): Promise<void> {
  const { world } = client;
  while (performance.now() < until && world.violation === undefined) {
    try {
      await inTime(client, client.random.weighted(operations)?.(client));
    } catch (error) {
      world.violation ??= error instanceof Error ? error : new Error(String(error));
      world.note(client, String(error));
    }
  }
}

async function inTime(client: Client, operation: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Violation(`an operation of client ${client.index} hangs`)),
      longestMs,
    );
  });
  try {
    await Promise.race([operation, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether an answer was wrong or what is stored, that shows. */
async function held(world: World, client: Client): Promise<string> {
  const contents: string[] = [];
  for (const { name, sql } of world.of('rows')) {
    for (const row of await rowsOf(client, 'http-ndjson', summaryOf(sql, name), {}))
      contents.push(JSON.stringify(row));
  }
  return contents.join('\n');
}

async function runSeed(seed: number): Promise<string> {
  const random = createRandom(seed);
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-model-'));
  const folders = { temp: join(folder, 'temp'), writable: join(folder, 'store') };
  await mkdir(folders.temp);
  const server = await serveData({
    flightPort: 0,
    httpPort: 0,
    database: join(folder, 'model.duckdb'),
    writable: folders.writable,
    tempDir: folders.temp,
    maxRunning: random.pick([2, 4, 16]),
  });
  const world = new World(server);
  const first = new Client(world, 0, seed);
  const others = Array.from({ length: clientCount - 1 }, (_, index) => new Client(world, index + 1, seed));
  const clients = [first, ...others] as const;
  try {
    await makeTables(first);
    for (let round = 0; round < rounds; round += 1) {
      const until = performance.now() + roundMs;
      await Promise.all(clients.map((client) => work(client, until)));
      if (world.violation !== undefined) throw world.violation;
      if (round < rounds - 1) await compareAll(world, new Client(world, 90 + round, seed));
      else await endAll(world, clients, folders);
    }
    return [...world.counts.values()].reduce((sum, count) => sum + count, 0).toString();
  } catch (error) {
    console.log(`seed ${seed}: ${String(error)}\nlast operations:`);
    for (const line of world.history.slice(-toldOperations)) console.log(`  ${line}`);
    console.log(`what t0 and t1 hold then:\n${await held(world, first).catch(String)}`);
    console.log(
      `again: PEREGRINE_MODEL_SEED=${seed} PEREGRINE_MODEL_SECONDS=4 npm run conformance -- sql-model`,
    );
    throw error;
  } finally {
    await Promise.all(clients.map((client) => client.sql.close()));
    await server.shutdown();
    await rm(folder, { recursive: true, force: true });
  }
}

it(`holds what was acknowledged and nothing else, for ${seconds} s of seeds from ${firstSeed} on`, async () => {
  const end = performance.now() + seconds * 1_000;
  for (let seed = firstSeed; seed === firstSeed || performance.now() < end; seed += 1) {
    console.log(`seed ${seed}: ${await runSeed(seed)} operations`);
  }
});
