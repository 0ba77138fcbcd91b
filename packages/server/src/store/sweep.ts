import { FlightDataError } from '@peregrine/flight/errors';
import { takeNextNumber } from './commit.ts';
import { datasetEnding } from './names.ts';
import type { Storage, StoredFile, StoredUpload } from './storage.ts';
import { parseVersion, partPath, versionFiles } from './versions.ts';
import { isWriterFile, writerState } from './writer-id.ts';

/** What the sweep has to know. */
export interface SweepOptions {
  /** How long versions stay after the next one is there, in milliseconds; 0 or less: not at all, whatever clocks say. */
  readonly retainMs: number;
}

/**
 * Removes what nobody needs any more: temporary files and parts of writers that are gone, versions that were followed
 * by others long ago, and files that datasets have taken the place of. Several servers may sweep at once.
 *
 * What comes to be later, because a bucket finishes what it was asked for before its writer ended, the next sweep finds.
 *
 * @returns the paths removed
 * @throws what kept a dataset from being swept, when the others are
 */
export async function sweep(storage: Storage, options: SweepOptions): Promise<readonly string[]> {
  const files = await storage.list();
  const folders = new Set(
    files.flatMap(({ path }) => {
      const [folder, , deeper] = path.split('/');
      return folder?.endsWith(datasetEnding) === true && deeper === undefined ? [folder] : [];
    }),
  );
  const removed: string[] = [];
  // Also those of datasets that have nothing else.
  await storage.endUploads((upload, time) => isAbandoned(upload, time, storage));
  // Temporary files in the root are those of the clock.
  const loose = files.filter(
    ({ path }) => !path.includes('/') && path.startsWith('.tmp-') && isWriterFile(path),
  );
  if (folders.size === 0 && loose.length === 0) return removed;
  const now = await storage.now();
  for (const file of loose) {
    if (!isAbandoned(file, now, storage)) continue;
    await storage.remove(file.path);
    removed.push(file.path);
  }
  const failures: unknown[] = [];
  for (const folder of folders) {
    // One that fails does not keep the others from being swept.
    try {
      removed.push(...(await sweepDataset(storage, folder, files, now, options)));
    } catch (error) {
      // A folder that cannot be understood is left as it is; whoever reads it is told.
      if (!(error instanceof FlightDataError)) failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return removed;
}

async function sweepDataset(
  storage: Storage,
  folder: string,
  rootFiles: readonly StoredFile[],
  now: number,
  options: SweepOptions,
): Promise<readonly string[]> {
  const removed: string[] = [];
  const remove = async (path: string): Promise<void> => {
    await storage.remove(path);
    removed.push(path);
  };
  // Whether a writer is gone is asked before the versions are read: one that is gone now asks for nothing later.
  const before = await storage.list(folder);
  const abandoned = new Set(
    before.filter((file) => isAbandoned(file, now, storage)).map((file) => file.path),
  );
  let found = await readVersions(storage, folder, now, options);
  const isUnnamed = ({ path }: StoredFile): boolean =>
    abandoned.has(path) && isPart(path) && !found.needed.has(path) && !found.retired.has(path);
  if (found.files.some(isUnnamed)) {
    // What it asked for last may be on its way to a bucket or a share: a version that names these parts.
    await takeNextNumber(storage, folder);
    found = await readVersions(storage, folder, now, options);
  }
  const { files, needed, retired, expired, replaced, newest } = found;

  // Parts before the versions that name them: a sweep that is cut short leaves something that the next one finds.
  for (const { path } of files) {
    const name = path.slice(folder.length + 1);
    if (isWriterFile(name) && !needed.has(path) && (abandoned.has(path) || retired.has(path)))
      await remove(path);
  }
  for (const file of rootFiles) {
    if (replaced.get(file.path) === file.tag && !needed.has(file.path)) await remove(file.path);
  }
  for (const path of expired) await remove(path);
  await storage.tidy(folder);

  // The last trace of a dropped dataset goes when everything else is gone.
  if (newest === undefined || !newest.dropped || !isOver(newest.modifiedMs, now, options)) return removed;
  const rest = await storage.list(folder);
  if (rest.length === 1 && rest[0]?.path === newest.path) {
    await remove(newest.path);
    await storage.tidy(folder);
  }
  return removed;
}

/** What the versions of a dataset say of its files; paths are relative to the root. */
interface VersionsRead {
  /** All that the dataset's folder has. */
  readonly files: readonly StoredFile[];
  /** Parts of versions that stay. */
  readonly needed: ReadonlySet<string>;
  /** Parts of versions that go. */
  readonly retired: ReadonlySet<string>;
  /** Version files that go. */
  readonly expired: readonly string[];
  /** Files replaced so long ago that they go, with the tag that they had. */
  readonly replaced: ReadonlyMap<string, string>;
  readonly newest:
    | { readonly path: string; readonly dropped: boolean; readonly modifiedMs: number }
    | undefined;
}

async function readVersions(
  storage: Storage,
  folder: string,
  now: number,
  options: SweepOptions,
): Promise<VersionsRead> {
  const files = await storage.list(folder);
  const needed = new Set<string>();
  const retired = new Set<string>();
  const expired: string[] = [];
  const replaced = new Map<string, string>();
  let newest: VersionsRead['newest'];
  const versions = versionFiles(files);
  for (const [at, { file }] of versions.entries()) {
    const bytes = await storage.read(file.path);
    // Another server's sweep was faster.
    if (bytes === undefined) continue;
    const version = parseVersion(bytes, file.path);
    const next = versions[at + 1];
    const goes = next !== undefined && isOver(next.file.modifiedMs, now, options);
    if (goes) expired.push(file.path);
    for (const { path } of version.parts) (goes ? retired : needed).add(partPath(folder, path));
    if (isOver(file.modifiedMs, now, options)) {
      for (const each of version.replaced) replaced.set(each.path, each.tag);
    }
    newest = { path: file.path, dropped: version.dropped, modifiedMs: file.modifiedMs };
  }
  return { files, needed, retired, expired, replaced, newest };
}

/**
 * Whether what was followed by something else has been kept for its readers long enough. The clock that a bucket tells may
 * be a second behind the one that it writes on objects: where nothing is kept, no clock is asked.
 */
function isOver(since: number, now: number, { retainMs }: SweepOptions): boolean {
  return retainMs <= 0 || now - since > retainMs;
}

function isPart(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith('part-');
}

/** Whether the writer of a file is gone for good, or has been silent for so long that it must be. */
function isAbandoned({ path, modifiedMs }: StoredUpload, now: number, storage: Storage): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!isWriterFile(name)) return false;
  const state = writerState(name);
  return state === 'dead' || (state === 'foreign' && now - modifiedMs > storage.orphanLifeMs);
}
