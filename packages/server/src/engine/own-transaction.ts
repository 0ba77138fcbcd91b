import type { ConnectionCore } from './connection.ts';

/** ADBC's name of the option that begins and ends transactions. */
export const autocommit = 'adbc.connection.autocommit';

/**
 * Runs work that takes several calls of a driver, all or nothing: in a transaction of its own, unless one is open. A driver
 * that has no transactions does it without.
 */
export async function inOwnTransaction<T>(
  connection: Pick<ConnectionCore, 'core' | 'address' | 'inTransaction'>,
  work: () => Promise<T>,
): Promise<T> {
  if (await connection.inTransaction()) return work();
  const { address } = connection;
  const { pool } = connection.core;
  const setAutocommit = (value: 'true' | 'false'): Promise<unknown> =>
    pool.run('setOption', { connection: address, key: autocommit, value }, { kind: 'continue' });
  const end = (commit: boolean): Promise<unknown> =>
    pool.run('endTransaction', { connection: address, commit }, { kind: 'continue' });
  const hasBegun = await setAutocommit('false').then(
    () => true,
    () => false,
  );
  if (!hasBegun) return work();
  try {
    const done = await work();
    await end(true);
    return done;
  } catch (error) {
    await end(false).catch(() => undefined);
    throw error;
  } finally {
    await setAutocommit('true').catch(() => undefined);
  }
}
