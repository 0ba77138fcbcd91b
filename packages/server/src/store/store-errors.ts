import {
  FlightError,
  FlightResourceExhaustedError,
  FlightServerError,
  FlightUnavailableError,
  messageOf,
} from '@peregrine/flight/errors';

/** How systems say that a disk or a quota is full; the engine passes their words on. */
const noRoom = /ENOSPC|EDQUOT|no space left on device|not enough space on the disk|disk quota exceeded/i;

/** How they say that this user may not write. */
const noRight: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Says what a disk or a share that fails means for a put. Errors that say it themselves stay as they are.
 *
 * @param root - where the store is
 * @param mayBeThere - the version's file was being made: the disk may have it all the same
 */
export function explainStorageError(
  error: unknown,
  name: string,
  root: string,
  mayBeThere: boolean,
): unknown {
  const outcome = mayBeThere
    ? 'whether it was stored is not known: look before you put it again'
    : 'nothing was stored';
  if (saysNoRoom(error)) {
    return new FlightResourceExhaustedError(
      `there is no room left for ${name} where it would lie, ${root}, or in the server's --temp-dir; ${outcome}`,
      { cause: error },
    );
  }
  const code = codeOf(error);
  if (error instanceof FlightError || code === '') return error;
  if (noRight.has(code)) {
    return new FlightServerError(
      `the server may not write ${name} to ${root} (${messageOf(error)}): give its user the right to; ${outcome}`,
      { code: 'FAILED_PRECONDITION', cause: error },
    );
  }
  return new FlightUnavailableError(
    `${root} failed when ${name} was stored (${messageOf(error)}); ${outcome}`,
    {
      cause: error,
    },
  );
}

/** Whether the system, or the engine in its words, says that a disk or a quota is full. */
export function saysNoRoom(error: unknown): boolean {
  return noRoom.test(messageOf(error));
}

/** The system's name of an error; empty for errors that are not the system's. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : '';
}
