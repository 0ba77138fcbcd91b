import { type Stats, watch } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rmdir,
  stat,
  unlink,
  utimes,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { FlightResourceExhaustedError, FlightUnavailableError, messageOf } from '@peregrine/flight/errors';
import { openFileRange } from '../datasets/range-source.ts';
import { localOrphanLifeMs, maxStoreFiles, maxStoreFolderDepth, stagedHeartbeatMs } from './limits.ts';
import type { StagedFile, Storage, StoredFile } from './storage.ts';
import { codeOf } from './store-errors.ts';
import { newTemporaryName } from './writer-id.ts';

/** What writing needs of the system. */
export interface LocalFiles {
  readonly link: (existing: string, added: string) => Promise<void>;
  readonly mkdir: (path: string, options: { readonly recursive: true }) => Promise<string | undefined>;
  readonly open: (path: string, flags: string) => Promise<FileHandle>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
}

/**
 * A folder on a local disk or a mounted share.
 *
 * What it relies on: a rename within a folder puts one file in the place of a name at once; `link` fails with EEXIST
 * where there is a file of the name; what `fsync` of a file and then of its folder has returned for is there after a
 * loss of power. Shares do the same on their server.
 *
 * @param root - absolute
 * @param system - what writing goes through. Default: the system's own
 */
export function createLocalStorage(
  root: string,
  system: LocalFiles = { link, mkdir, open, rename, unlink },
): Storage {
  const at = (path: string): string => (path === '' ? root : join(root, ...path.split('/')));

  return {
    root: root.split(sep).join('/'),
    orphanLifeMs: localOrphanLifeMs,
    async list(folder = '', depth = maxStoreFolderDepth) {
      const found: StoredFile[] = [];
      await walk(at(folder), folder, { depth: 0, limit: depth }, found);
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    async stat(path) {
      const stats = await stat(at(path)).catch(nothingWhenMissing);
      return stats?.isFile() === true ? fileOf(path, stats) : undefined;
    },
    open: (path) => openFileRange(at(path), path),
    async read(path) {
      return await readFile(at(path)).catch(nothingWhenMissing);
    },
    publish: (path, bytes) => publishFile(system, at(path), bytes),
    stage: (path) => stageFile(system, at(path)),
    async remove(path) {
      await system.unlink(at(path)).catch(nothingWhenMissing);
    },
    async tidy(folder) {
      await rmdir(at(folder)).catch(() => undefined);
    },
    endUploads: async () => undefined,
    now: () => clockOf(system, root),
    url: (path) => at(path).split(sep).join('/'),
    watch: (deep, onEvent) => watchFolder(root, deep, onEvent),
  };
}

/** Writes and syncs a file under a temporary name, and links it to its own. @returns false when there is one already */
async function publishFile(system: LocalFiles, target: string, bytes: Uint8Array): Promise<boolean> {
  const folder = dirname(target);
  await makeFolder(system, folder);
  const temporary = join(folder, newTemporaryName('.json'));
  try {
    const file = await system.open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    return await giveName(system, temporary, target);
  } finally {
    // The sweep removes it otherwise.
    await system.unlink(temporary).catch(() => undefined);
    await syncFolder(system, folder);
  }
}

async function stageFile(system: LocalFiles, target: string): Promise<StagedFile> {
  const folder = dirname(target);
  await makeFolder(system, folder);
  const temporary = join(folder, newTemporaryName('.parquet'));
  // A sign of life for servers on other machines that look for what dead ones left.
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(temporary, now, now).catch(() => undefined);
  }, stagedHeartbeatMs);
  heartbeat.unref();
  return {
    url: temporary.split(sep).join('/'),
    async publish() {
      clearInterval(heartbeat);
      const file = await system.open(temporary, 'r+');
      let size: number;
      try {
        await file.sync();
        ({ size } = await file.stat());
      } finally {
        await file.close();
      }
      await system.rename(temporary, target);
      await syncFolder(system, folder);
      return size;
    },
    async discard() {
      clearInterval(heartbeat);
      await system.unlink(temporary).catch(() => undefined);
      // It has its name already when its folder cannot be synced.
      await system.unlink(target).catch(() => undefined);
    },
  };
}

/** A share has a clock of its own: what it writes on a file of this moment. */
async function clockOf(system: LocalFiles, root: string): Promise<number> {
  const path = join(root, newTemporaryName('.now'));
  let file: FileHandle | undefined;
  try {
    file = await system.open(path, 'wx');
    await file.writeFile('now');
    return (await file.stat()).mtimeMs;
  } finally {
    await file?.close();
    await system.unlink(path).catch(nothingWhenMissing);
  }
}

function watchFolder(root: string, deep: boolean, onEvent: () => void): (() => void) | undefined {
  try {
    const watcher = watch(root, { recursive: deep, persistent: false }, onEvent);
    // A watcher that fails later leaves the looking at intervals.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return undefined;
  }
}

async function walk(
  folder: string,
  path: string,
  { depth, limit }: { readonly depth: number; readonly limit: number },
  found: StoredFile[],
): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    // A folder inside that may not be read is nobody's table; the one that was asked for is an error.
    if (depth > 0) return [];
    throw new FlightUnavailableError(`the folder ${folder} cannot be read: ${messageOf(cause)}`, { cause });
  });
  await Promise.all(
    entries.map(async (entry) => {
      const inside = path === '' ? entry.name : `${path}/${entry.name}`;
      const absolute = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name.startsWith('.') || entry.name === 'node_modules' || depth >= limit) return;
        await walk(absolute, inside, { depth: depth + 1, limit }, found);
        return;
      }
      // Links to files are followed; a file that goes away meanwhile is not there.
      const stats = await stat(absolute).catch(() => undefined);
      if (stats?.isFile() !== true) return;
      if (found.length >= maxStoreFiles) {
        throw new FlightResourceExhaustedError(
          `there are more than ${maxStoreFiles} files under ${folder}: serve a smaller folder, or a glob`,
        );
      }
      found.push(fileOf(inside, stats));
    }),
  );
}

function fileOf(path: string, { size, mtimeMs, ctimeMs, ino }: Stats): StoredFile {
  return { path, size, modifiedMs: Math.max(mtimeMs, ctimeMs), tag: `${mtimeMs}-${size}-${ino}` };
}

/** Links, because a rename would replace what another server has just put there. */
async function giveName({ link, rename }: LocalFiles, temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP', 'EMLINK'].includes(codeOf(error))) throw error;
  }
  // No links on this file system: two servers that commit at the same instant are not kept apart here.
  if ((await stat(target).catch(nothingWhenMissing)) !== undefined) return false;
  await rename(temporary, target);
  return true;
}

async function makeFolder(system: LocalFiles, folder: string): Promise<void> {
  const first = await system.mkdir(folder, { recursive: true });
  if (first !== undefined) await syncFolder(system, dirname(first));
}

/** Makes names durable. Windows has no such thing for folders and does it by itself. */
async function syncFolder({ open }: LocalFiles, folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch(nothingWhenMissing);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    // Some shares refuse it: they are synchronous already.
    if (!['EINVAL', 'ENOTSUP', 'EBADF'].includes(codeOf(error))) throw error;
  } finally {
    await handle.close();
  }
}

function nothingWhenMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined;
  throw error;
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}
