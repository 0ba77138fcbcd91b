import { open } from 'node:fs/promises';
import {
  FlightDataError,
  FlightError,
  FlightNotFoundError,
  FlightUnavailableError,
  messageOf,
} from '@peregrine/flight/errors';

/** Bytes that are read in ranges and stay what they are: a file that is open, or an object of a bucket. */
export interface RangeSource {
  /** In bytes. */
  readonly size: number;
  /** Changes with the content. */
  readonly tag: string;
  /**
   * Reads exactly so many bytes, into memory of their own.
   *
   * @throws FlightDataError when it ends before; FlightError when it was replaced or cannot be read any more
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens a file. One that is replaced by a rename is read to its end as it was.
 *
 * @param name - how errors call it
 * @throws FlightNotFoundError when it is not there, FlightError FAILED_PRECONDITION when it may not be read,
 *   FlightUnavailableError when the disk or the system fails
 */
export async function openFileRange(path: string, name: string): Promise<RangeSource> {
  const file = await open(path).catch((cause: unknown) => {
    throw explainReadError(cause, name);
  });
  try {
    const { ino, mtimeMs, size } = await file.stat();
    return {
      size,
      tag: `${mtimeMs}-${size}-${ino}`,
      async read(offset, length) {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file
            .read(bytes, done, length - done, offset + done)
            .catch((cause: unknown) => {
              throw explainReadError(cause, name);
            });
          if (bytesRead === 0) {
            throw new FlightDataError(
              `${name} ends at byte ${offset + done}, where ${length - done} more bytes belong`,
            );
          }
          done += bytesRead;
        }
        return bytes;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Says whose trouble it is that a file cannot be read. */
export function explainReadError(cause: unknown, name: string): FlightError {
  const reason = messageOf(cause);
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FlightNotFoundError(`${name} is no longer there: ${reason}`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new FlightError(
        'FAILED_PRECONDITION',
        `${name} may not be read by the server (${reason}): give its user the right to`,
        { cause },
      );
    default:
      // Such as too many open files, an error of the disk, or a share that went away.
      return new FlightUnavailableError(`${name} cannot be read: ${reason}`, { cause });
  }
}
