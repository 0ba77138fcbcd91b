import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  FlightError,
  FlightResourceExhaustedError,
  FlightUnavailableError,
  messageOf,
} from '@peregrine/flight/errors';
import { saysNoRoom } from '../store/store-errors.ts';
import { withStatus } from './problem.ts';

/** A name for a file that is gone after use. */
export interface TempFile extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a name in a folder, which is made as well: cleaners of temporary folders may have removed it. Disposing removes
 * the file if it is there.
 *
 * @throws FlightError as {@link explainTempError} says
 */
export async function createTempFile(folder: string, ending: string): Promise<TempFile> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw explainTempError(error);
  }
  const path = join(folder, `peregrine-${process.pid}-${randomUUID()}${ending}`);
  return { path, [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

/** Says what it means when a temporary file cannot be written: RESOURCE_EXHAUSTED (507) or UNAVAILABLE. */
export function explainTempError(error: unknown): unknown {
  if (saysNoRoom(error)) {
    return withStatus(
      new FlightResourceExhaustedError(
        "there is no room left in the server's --temp-dir for this request; send or ask for less, or give the server a larger one",
        { cause: error },
      ),
      507,
    );
  }
  if (error instanceof FlightError) return error;
  return new FlightUnavailableError(`the server's --temp-dir cannot be written: ${messageOf(error)}`, {
    cause: error,
  });
}
