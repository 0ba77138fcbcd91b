// Moments at which nothing runs: everything is looked at, each table in every way.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FlightDescriptor } from '@peregrine/flight';
import { type Content, type ModelTable, type Reader, check, forgetOld, tick, verify } from './facts.ts';
import { queryWays, rowsOf } from './reads.ts';
import { contentOfRows, contentsOf, recordsOf, summaryOf, summaryRows } from './rows.ts';
import { closeSession, type Client, type World, codeOf, end, setExists } from './world.ts';

/** The store keeps one for its views. */
const ownConnections = 1;

/** Looks at all tables while no client works. Transactions may be open. */
export async function compareAll(world: World, client: Client): Promise<void> {
  await settled(
    world,
    () => world.server.engine.statistics.running <= world.lostPolls,
    'statements run on that nobody asks for',
  );
  for (const table of world.tables) {
    const contents = new Map<string, Content | undefined>();
    const from = tick();
    for (const way of queryWays) {
      contents.set(
        way,
        await readQuietly(async () => {
          const rows = await rowsOf(client, way, summaryOf(table.sql, table.name), {});
          return contentsOf(summaryRows(rows), `${table.name} by ${way}`).get(table.name) ?? new Map();
        }),
      );
    }
    contents.set('name', await readQuietly(() => byName(client, table)));
    if (table.exists === undefined) {
      setExists(table, contents.get('query') !== undefined);
    }
    for (const [way, content] of contents) {
      const where = `at rest, ${table.name} by ${way}`;
      check(
        (content !== undefined) === table.exists,
        () => `${where}: it is ${content === undefined ? 'not ' : ''}there`,
      );
      const isOpen = [...table.chunks.values()].some((chunk) =>
        [chunk.added, ...chunk.removals].some(({ change }) => change.state === 'open'),
      );
      const reader: Reader = { from, to: tick(), isQuiet: true };
      verify(
        new Map([[table, content ?? new Map()]]),
        reader,
        `${where}${isOpen ? ', beside open transactions' : ''}`,
      );
    }
  }
}

async function byName(client: Client, table: ModelTable): Promise<Content> {
  const path = table.kind === 'stored' ? [table.name] : ['main', table.name];
  const info = await client.sql.flight.getFlightInfo(FlightDescriptor.forPath(...path));
  const rows = await client.sql.flight.readAll(info);
  check(
    info.totalRecords < 0 || Number(info.totalRecords) === rows.numRows,
    () => `${table.name} tells ${info.totalRecords} rows and gives ${rows.numRows}`,
  );
  return contentOfRows(recordsOf(rows), `${table.name} by name`);
}

async function readQuietly(work: () => Promise<Content>): Promise<Content | undefined> {
  try {
    return await work();
  } catch (error) {
    check(codeOf(error) === 'NOT_FOUND', () => `a read at rest failed: ${String(error)}`);
    return undefined;
  }
}

/** Ends everything, and looks for what was left. */
export async function endAll(
  world: World,
  clients: readonly Client[],
  folders: { readonly temp: string; readonly writable: string },
): Promise<void> {
  const [first] = clients;
  check(first !== undefined, () => 'there is no client');
  for (const client of clients) {
    if (client.open !== undefined) await end(client, client.open, 0);
  }
  for (const open of world.orphans.splice(0)) await endOrphan(first, open);
  await compareAll(world, first);
  for (const table of world.tables) forgetOld(table);
  for (const client of clients) {
    if (client.keepsCookies) await closeSession(client);
  }
  const statistics = (): string => JSON.stringify(world.server.engine.statistics);
  await settled(
    world,
    () =>
      world.server.engine.statistics.connections <= ownConnections + world.lostBegins + world.lostPolls &&
      world.server.runningCalls() === 0,
    () =>
      `connections were left: ${statistics()}, ${world.server.runningCalls()} calls, ${world.lostBegins} begins were broken off`,
  );
  await settled(
    world,
    () => world.server.engine.statistics.batchBytes === 0,
    () => `memory of batches was left: ${statistics()}`,
  );
  await assertNoFiles(folders);
}

async function endOrphan(client: Client, open: Parameters<typeof end>[1]): Promise<void> {
  try {
    await end(client, open, 0);
  } finally {
    for (const release of open.release.splice(0)) release();
  }
}

async function settled(world: World, isSo: () => boolean, what: string | (() => string)): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    check(tries < 1_000, () =>
      typeof what === 'string' ? `${what}: ${JSON.stringify(world.server.engine.statistics)}` : what(),
    );
    await wait(10);
  }
}

async function assertNoFiles({
  temp,
  writable,
}: {
  readonly temp: string;
  readonly writable: string;
}): Promise<void> {
  let left: string[] = [];
  for (let tries = 0; tries < 300; tries += 1) {
    const files = await readdir(temp, { recursive: true, withFileTypes: true });
    left = files.filter((file) => file.isFile()).map(({ name, parentPath }) => join(parentPath, name));
    if (left.length === 0) break;
    await wait(10);
  }
  check(left.length === 0, () => `temporary files were left: ${left.join(', ')}`);
  for (const entry of await readdir(writable)) {
    check(entry.endsWith('.peregrine'), () => `${entry} was left in the store`);
    const files = await readdir(join(writable, entry));
    const versions = files.filter((name) => /^v\d+\.json$/.test(name));
    const named = (
      await Promise.all(versions.map((name) => readFile(join(writable, entry, name), 'utf8')))
    ).join('');
    for (const name of files) {
      check(!name.startsWith('.tmp'), () => `${entry}/${name} was left`);
      check(
        !name.startsWith('part-') || named.includes(JSON.stringify(name)),
        () => `${entry}/${name} is a part of no version`,
      );
    }
  }
}
