import { FlightInvalidArgumentError } from '@peregrine/flight/errors';
import type { Address } from '../c-data/native.ts';
import { isHeld } from '../c-data/structs.ts';
import type { WorkerDriver } from './driver-calls.ts';
import type { OpenedResult } from './messages.ts';
import { closeResult, newResult, readResultSchema } from './results.ts';

/**
 * A result that a driver fills; freed when that fails.
 *
 * @param unsignedLeaves - see {@link readResultSchema}
 */
export function openResult(
  fill: (result: Address) => void,
  unsignedLeaves?: () => readonly number[],
): OpenedResult {
  const result = newResult();
  try {
    fill(result);
    if (!isHeld('stream', result)) throw new FlightInvalidArgumentError('the SQL text holds no statement');
    return { result, schema: readResultSchema(result, unsignedLeaves) };
  } catch (error) {
    closeResult(result);
    throw error;
  }
}

/** The result of a statement that has all it needs to run. */
export function openStatementResult(
  { call, library }: WorkerDriver,
  connection: Address,
  statement: Address,
): OpenedResult {
  return openResult(
    (result) => call('StatementExecuteQuery', statement, result, 0),
    () => library?.unsignedLeaves(connection, statement) ?? [],
  );
}
