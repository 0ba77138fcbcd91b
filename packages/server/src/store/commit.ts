import { FlightServerError, FlightUnavailableError } from '@peregrine/flight';
import { maxCommitTries } from './limits.ts';
import type { Storage, StoredFile } from './storage.ts';
import { type Version, formatVersion, parseVersion, versionFileName, versionFiles } from './versions.ts';

/** A version that is there. */
export interface CurrentVersion {
  readonly number: number;
  readonly version: Version;
  readonly file: StoredFile;
}

/** The newest version of a dataset's folder; undefined when there is none. */
export async function readCurrent(
  storage: Storage,
  folder: string,
  files?: readonly StoredFile[],
): Promise<CurrentVersion | undefined> {
  // Twice: between the listing and the reading the version may have become old and been removed.
  for (let tries = 0; ; tries += 1) {
    const listed = tries === 0 && files !== undefined ? files : await storage.list(folder);
    const newest = versionFiles(listed).at(-1);
    if (newest === undefined) return undefined;
    const bytes = await storage.read(newest.file.path);
    if (bytes !== undefined) {
      const version = parseVersion(bytes, newest.file.path);
      return { number: newest.number, version, file: newest.file };
    }
    if (tries === maxCommitTries) return undefined;
  }
}

/**
 * Puts the next version in place. Its file's number is the lock: of several servers that commit at once one gets the
 * number, and the others look at what it has done and try the next.
 *
 * @param next - makes the next version from the newest; may refuse by throwing
 */
export async function commitVersion(
  storage: Storage,
  folder: string,
  next: (current: Version | undefined) => Version,
): Promise<number> {
  for (let tries = 0; tries < maxCommitTries; tries += 1) {
    const current = await readCurrent(storage, folder);
    const number = (current?.number ?? 0) + 1;
    const bytes = formatVersion(next(current?.version));
    if (await publishOnce(storage, `${folder}/${versionFileName(number)}`, bytes)) return number;
  }
  throw new FlightServerError(
    `${maxCommitTries} times another server was faster to write ${folder}; try again when it is less busy`,
    { code: 'ABORTED' },
  );
}

/** A version could not be written, and is not there; why is the cause. */
export class NotCommittedError extends Error {}

/**
 * Publishes a version. An answer may be lost on its way, and the file be there all the same: then the next try finds it
 * taken, or no try is left. It is there when it has our bytes: no two versions have the same parts.
 */
async function publishOnce(storage: Storage, path: string, bytes: Uint8Array): Promise<boolean> {
  const isOurs = async (): Promise<boolean> => {
    const found = await storage.read(path);
    return found !== undefined && Buffer.compare(found, bytes) === 0;
  };
  try {
    return (await storage.publish(path, bytes)) || (await isOurs());
  } catch (error) {
    const there = await isOurs().catch(() => undefined);
    // A disk that could not keep what it shows is another matter.
    const isLost = error instanceof FlightUnavailableError;
    if (isLost && there === true) return true;
    // A request may still be on its way; a disk has done what it did.
    if (!isLost && there === false) throw new NotCommittedError('the version is not there', { cause: error });
    throw error;
  }
}
