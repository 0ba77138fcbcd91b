import { FlightServerError, FlightUnavailableError } from '@peregrine/flight/errors';
import { maxCommitTries } from './limits.ts';
import { nameOfFolder } from './names.ts';
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
 * @param own - names of the parts that were written for it
 * @throws NotCommittedError with what `next` refused by, or ABORTED when parts are not there any more
 */
export async function commitVersion(
  storage: Storage,
  folder: string,
  next: (current: Version | undefined) => Version,
  own: readonly string[] = [],
): Promise<number> {
  for (let tries = 0; tries < maxCommitTries; tries += 1) {
    const files = await storage.list(folder);
    const current = await readCurrent(storage, folder, files);
    const number = (current?.number ?? 0) + 1;
    let bytes: Uint8Array;
    try {
      await assertThere(storage, folder, own, files);
      bytes = formatVersion(next(current?.version));
    } catch (cause) {
      // What was tried before was another's to take.
      throw new NotCommittedError('the version was not asked for', { cause });
    }
    if (await publishOnce(storage, `${folder}/${versionFileName(number)}`, bytes)) return number;
  }
  throw new FlightServerError(
    `${maxCommitTries} times another server was faster to write ${folder}; try again when it is less busy`,
    { code: 'ABORTED' },
  );
}

/** A server that stood still for long, as machines do that are paused, is taken for gone, and its parts with it. */
async function assertThere(
  storage: Storage,
  folder: string,
  own: readonly string[],
  files: readonly StoredFile[],
): Promise<void> {
  const listed = new Set(files.map(({ path }) => path));
  for (const name of own) {
    const path = `${folder}/${name}`;
    if (listed.has(path) || (await storage.stat(path)) !== undefined) continue;
    throw new FlightServerError(
      `${path} was removed before it could be committed: another server took this one for gone; put it again`,
      { code: 'ABORTED' },
    );
  }
}

/**
 * Takes the number that a writer which is gone may have asked for with its last request: what of it is still on its way
 * comes too late then, and names nothing that has been removed meanwhile. The dataset stays what it is.
 *
 * A writer takes the number after the newest that it saw, and what is newest now it saw at the latest.
 */
export async function takeNextNumber(storage: Storage, folder: string): Promise<void> {
  const current = await readCurrent(storage, folder);
  // Of a dataset that was never there: one that was dropped, which goes when its time is over.
  const gone = { name: nameOfFolder(folder), dropped: true, columns: [], parts: [], replaced: [] };
  const path = `${folder}/${versionFileName((current?.number ?? 0) + 1)}`;
  // That another has taken it is as good.
  await storage.publish(path, formatVersion(current?.version ?? gone));
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
