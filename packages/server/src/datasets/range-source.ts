import { open } from 'node:fs/promises';
import { FlightDataError, FlightNotFoundError, messageOf } from '@peregrine/flight/errors';

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
 * @throws FlightNotFoundError when it cannot be opened
 */
export async function openFileRange(path: string, name: string): Promise<RangeSource> {
  const file = await open(path).catch((cause: unknown) => {
    throw new FlightNotFoundError(`${name} cannot be opened: ${messageOf(cause)}`, { cause });
  });
  try {
    const { ino, mtimeMs, size } = await file.stat();
    return {
      size,
      tag: `${mtimeMs}-${size}-${ino}`,
      async read(offset, length) {
        const bytes = new Uint8Array(length);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
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
