import { FlightError } from '@peregrine/flight/errors';
import type { EngineConnection } from '../engine/types.ts';
import { bareSql } from './sql-text.ts';

/**
 * Looks, before a COMMIT, whether a statement of the open transaction has failed. DuckDB, as PostgreSQL, rolls such a
 * transaction back when it is told to commit, and answers as if it had been committed: a client would take for stored
 * what is lost. All other statements are refused by both, so that one is asked for.
 *
 * @param next - what to do, for the error
 * @throws FlightError with the code `ABORTED`
 */
export async function refuseFailedTransaction(connection: EngineConnection, next: string): Promise<void> {
  try {
    await connection.execute('SELECT 1');
  } catch (error) {
    // Anything else is for COMMIT to say.
    if (!(error instanceof FlightError) || error.code !== 'FAILED_PRECONDITION') return;
    throw new FlightError(
      'ABORTED',
      `nothing was committed, because a statement of the transaction had failed: ${next} (${error.message})`,
      { cause: error },
    );
  }
}

/** Whether SQL text commits a transaction. */
export function isCommit(sql: string): boolean {
  return /^\s*(?:commit|end)\b/i.test(bareSql(sql));
}
