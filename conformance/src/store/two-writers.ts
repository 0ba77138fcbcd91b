// Two servers append to one dataset as fast as they can, and are killed.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { FlightDescriptor } from '@peregrine/flight';
import type { FlightSqlClient } from '@peregrine/flight/sql';
import { startNode } from './node.ts';
import { numbersTable } from './numbers.ts';
import { type Place, assertNothingLeft, startServer } from './places.ts';

/** Rows of an append. */
const rows = 100;
/** The longest that both live after they are ready, and that one outlives the other, in milliseconds. */
const longestLifeMs = 1_500;
const longestWidowhoodMs = 400;

/** What became of appends, by their number. */
interface Appends {
  readonly all: Set<number>;
  readonly acknowledged: Set<number>;
}

async function appendUntilKilled(
  client: FlightSqlClient,
  dataset: string,
  appends: Appends,
  next: () => number,
): Promise<never> {
  for (;;) {
    const id = next();
    appends.all.add(id);
    const command = JSON.stringify({ dataset, mode: 'create_append' });
    const { writer } = client.flight.doPut(FlightDescriptor.forCommand(command));
    await writer.writeTable(numbersTable(0, rows, id));
    await writer.close();
    appends.acknowledged.add(id);
  }
}

function pause(longestMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.random() * longestMs);
  });
}

/**
 * Kills both.
 *
 * @param apart - whether one after the other
 * @param waitFor - appends that are acknowledged before
 */
async function killBoth(
  place: Place,
  dataset: string,
  { apart, waitFor, temp }: { readonly apart: boolean; readonly waitFor: number; readonly temp: string },
): Promise<Appends> {
  const servers = await Promise.all(
    [0, 1].map((i) => startServer(place, { 'temp-dir': join(temp, String(i)) })),
  );
  const appends: Appends = { all: new Set(), acknowledged: new Set() };
  let last = 0;
  const next = (): number => {
    last += 1;
    return last;
  };
  const ended = Promise.allSettled(
    servers.map(({ client }) => appendUntilKilled(client, dataset, appends, next)),
  );
  // On a machine that is busy the first one may take long.
  while (appends.acknowledged.size < waitFor) {
    const early = await Promise.race([pause(20), ended]);
    assert.equal(early, undefined, servers.map(({ server }) => server.output()).join('\n'));
  }
  await pause(longestLifeMs);
  for (const { server } of Math.random() < 0.5 ? servers : servers.toReversed()) {
    server.process.kill('SIGKILL');
    if (apart) await pause(longestWidowhoodMs);
  }
  for (const { server, client } of servers) {
    assert.equal(await server.exit, 'SIGKILL', server.output());
    await client.close();
  }
  for (const result of await ended) {
    assert.ok(result.status === 'rejected');
    assert.match(String(result.reason), /UNAVAILABLE|CANCELLED/);
  }
  return appends;
}

/**
 * Kills two servers over one store again and again. What either has acknowledged is there whole and once, what it has not
 * is there whole or not at all, and nothing else stays.
 *
 * @param temp - folder for what the servers themselves need
 */
export async function killBothAgainAndAgain(place: Place, times: number, temp: string): Promise<void> {
  let acknowledged = 0;
  let cut = 0;
  let unanswered = 0;
  for (let kill = 0; kill < times; kill += 1) {
    const dataset = `log${kill}`;
    const appends = await killBoth(place, dataset, {
      apart: kill % 2 === 1,
      waitFor: kill % 4 < 2 ? 2 : 0,
      temp,
    });
    await place.quiet();
    const node = await startNode(place.options);
    try {
      assert.deepEqual(node.store.problems(), []);
      const there = new Set<number>();
      if (node.store.get(dataset) !== undefined) {
        const [ids, count] = await node.one(
          `SELECT string_agg(put, ',') AS ids, CAST(sum(c) AS BIGINT) AS rows FROM (
             SELECT put, count(*) AS c FROM ${dataset} GROUP BY put
             HAVING count(*) = ${rows} AND count(DISTINCT n) = ${rows})`,
        );
        for (const id of (ids ?? '').split(',')) there.add(Number(id));
        const [all] = await node.one(`SELECT count(*) FROM ${dataset}`);
        assert.equal(count, all, `${dataset} has appends in part or twice`);
      }
      for (const id of appends.acknowledged) assert.ok(there.has(id), `append ${id} of ${dataset} was lost`);
      for (const id of there) assert.ok(appends.all.has(id), `append ${id} of ${dataset} came from nowhere`);
      await assertNothingLeft(place);
      acknowledged += appends.acknowledged.size;
      cut += appends.all.size - appends.acknowledged.size;
      unanswered += there.size - appends.acknowledged.size;
      await node.store.drop(dataset);
    } finally {
      await node.close();
    }
  }
  console.log(
    `${times} kills of two servers: ${acknowledged} appends acknowledged, all whole and once; ${cut} cut off, of which ` +
      `${unanswered} had been committed before their answer went out, whole`,
  );
}
