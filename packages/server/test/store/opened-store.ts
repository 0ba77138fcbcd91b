import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { createDuckDbEngine } from '../../src/engine/duckdb.ts';
import { queryRows } from '../../src/engine/rows.ts';
import type { Engine, EngineConnection } from '../../src/engine/types.ts';
import { type StoreOptions, openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store/types.ts';

/** The engine of the tests of a file. */
export let engine: Engine;
export let connection: EngineConnection;
/** An empty folder for each test. */
export let folder: string;

let store: Store | undefined;

/** To be called once in a file: an engine for all of its tests, a folder for each, and nothing left behind. */
export function useStore(): void {
  before(async () => {
    engine = await createDuckDbEngine();
    connection = await engine.connect();
  });
  after(async () => {
    await connection.close();
    await engine.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'peregrine-store-'));
  });
  afterEach(async () => {
    await closeStore();
    for (const { view_name: name } of await queryRows(
      connection,
      'SELECT view_name FROM duckdb_views() WHERE NOT internal',
    )) {
      await connection.execute(`DROP VIEW IF EXISTS "${String(name).replaceAll('"', '""')}"`);
    }
    await rm(folder, { recursive: true });
  });
}

/** Opens a store over the folder, which looks only when it is asked to; closed behind the test. */
export async function open(options: StoreOptions = {}): Promise<Store> {
  store = await openStore({ paths: [folder], engine, pollMs: Infinity, ...options });
  return store;
}

/** Closes the store before its test has ended. */
export async function closeStore(): Promise<void> {
  await store?.close();
  store = undefined;
}

/** The first row of a query, as texts. */
export async function one(sql: string): Promise<unknown[]> {
  return Object.values((await queryRows(connection, sql))[0] ?? {}).map(String);
}

/** Writes what a query gives into a file of the folder. */
export async function copy(select: string, path: string, options = ''): Promise<void> {
  await connection.execute(`COPY (${select}) TO '${join(folder, path).replaceAll("'", "''")}' ${options}`);
}
