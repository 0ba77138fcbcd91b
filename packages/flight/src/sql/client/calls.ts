/** What all calls of Flight SQL are made of: an action with one result, and a DoPut with one answer. */

import { isArrowRecordBatch, Schema } from 'apache-arrow';
import type { FlightCallOptions, FlightClient } from '../../client/index.ts';
import { FlightDataError, FlightError } from '../../errors.ts';
import { encodeSqlAction } from '../actions/codec.ts';
import { decodeUpdateResult } from '../actions/results.ts';
import type { SqlAction } from '../actions/types.ts';
import { sqlDescriptor } from '../commands/codec.ts';
import type { SqlPutCommand } from '../commands/types.ts';
import type { SqlRows } from './options.ts';

/** Does an action that gives nothing. */
export async function runAction(
  flight: FlightClient,
  request: SqlAction,
  options: FlightCallOptions,
): Promise<void> {
  await flight.doAction(encodeSqlAction(request), options).toArray();
}

/**
 * Does an action that gives one result.
 *
 * @param decode - reads the result's body
 * @throws FlightDataError when there is another number of results, or one that cannot be read
 */
export async function askAction<T>(
  flight: FlightClient,
  request: SqlAction,
  decode: (body: Uint8Array) => T,
  options: FlightCallOptions,
): Promise<T> {
  const results = await flight.doAction(encodeSqlAction(request), options).toArray();
  const [result] = results;
  if (result === undefined || results.length > 1) {
    throw new FlightDataError(
      `the action ${request.kind} gave ${results.length} results, and there must be one`,
    );
  }
  return readAnswer(() => decode(result.body));
}

/**
 * Sends rows with a command, and gives the first answer; undefined when the server gave none.
 *
 * @param rows - undefined for commands without any: an empty schema goes alone
 */
export async function putRows(
  flight: FlightClient,
  command: SqlPutCommand,
  rows: SqlRows | undefined,
  options: FlightCallOptions,
): Promise<Uint8Array | undefined> {
  // when anything fails, leaving cancels the call: half of the rows must not look like all of them
  await using call = flight.doPut(sqlDescriptor(command), options);
  const { writer, reader } = call;
  if (rows === undefined) await writer.begin(new Schema([]));
  else if (isArrowRecordBatch(rows)) await writer.writeBatch(rows);
  else if ('readNext' in rows) {
    await writer.begin(await rows.schema);
    for await (const chunk of rows) await writer.writeChunk(chunk);
  } else {
    if ('open' in rows && typeof rows.open === 'function') await rows.open();
    await writer.begin(rows.schema);
    const batches = 'batches' in rows ? rows.batches : rows;
    for await (const batch of batches) await writer.writeBatch(batch);
  }
  await writer.close();
  return await reader.read();
}

/**
 * Sends rows with a command that changes some: their number, -1n where the server does not know it.
 *
 * @throws FlightDataError when the server does not answer with a number
 */
export async function putUpdate(
  flight: FlightClient,
  command: SqlPutCommand,
  rows: SqlRows | undefined,
  options: FlightCallOptions,
): Promise<bigint> {
  const answer = await putRows(flight, command, rows, options);
  if (answer === undefined) {
    throw new FlightDataError(`the server did not say how many rows the ${command.kind} changed`);
  }
  return readAnswer(() => decodeUpdateResult(answer));
}

/** What a server answered is data, not an argument of the caller. */
export function readAnswer<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!(error instanceof FlightError) || error.code !== 'INVALID_ARGUMENT') throw error;
    throw new FlightDataError(error.rawMessage, { cause: error });
  }
}
