import { setTimeout as delay } from 'node:timers/promises';
import type { Store, StoreTable } from '../../src/store/types.ts';

/** The tables of a store, once what it finds out behind is known: the schemas of all that can be read. */
export async function completed(store: Store): Promise<readonly StoreTable[]> {
  const end = Date.now() + 300_000;
  for (;;) {
    const tables = store.tables();
    const unknown = tables.filter(({ problem, schema }) => problem === undefined && schema === undefined);
    if (unknown.length === 0) return tables;
    // What never comes is an error: a test that waited for ever would keep its process.
    if (Date.now() > end) throw new Error(`no schema of ${unknown.map(({ name }) => name).join(', ')}`);
    await delay(2);
  }
}
