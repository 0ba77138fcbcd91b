import {
  FlightCancelledError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightServerError,
} from '@peregrine/flight/errors';
import type { EngineInput } from '../engine/types.ts';
import { partBytes } from './limits.ts';
import { NotCommittedError, commitVersion, readCurrent } from './commit.ts';
import { mergeColumns, textType } from './enum-columns.ts';
import { folderOfDataset } from './names.ts';
import { groupBatches } from './part-groups.ts';
import type { Column, PartWriter } from './part-writer.ts';
import { escapeGlob } from './sql-text.ts';
import type { Storage, StoredFile } from './storage.ts';
import { explainStorageError } from './store-errors.ts';
import type { StorePutMode, StorePutOptions } from './types.ts';
import type { Part, Version } from './versions.ts';
import { writeParts } from './write-parts.ts';
import { beginWriting, newPartName } from './writer-id.ts';

/** Files that somebody laid there under a dataset's name, as the store last saw them. */
export interface PlainTable {
  readonly format: string;
  readonly files: readonly StoredFile[];
  /** Rows, for tables that parts can be added to. */
  readonly rows: bigint | undefined;
}

/** Options of {@link writeDataset}. */
export interface WriteOptions extends StorePutOptions {
  /** Arrow bytes of one part. Default: {@link partBytes}. */
  readonly partBytes?: number | undefined;
}

/**
 * Stores rows as a dataset's next version. The order is what makes it safe:
 *
 * 1. parts are written under temporary names, synced, and get names that no version tells of yet;
 * 2. the version's file appears, whole and synced, under a number that nobody else has taken: now they are there;
 * 3. only then the caller is told.
 *
 * Whatever ends it before 2 leaves nothing that a reader takes for data; {@link sweep} removes the rest.
 *
 * @param plain - a table of the name that is no dataset
 * @returns rows stored
 */
export async function writeDataset(
  storage: Storage,
  writer: PartWriter,
  name: string,
  mode: StorePutMode,
  plain: PlainTable | undefined,
  schema: Uint8Array,
  batches: AsyncIterable<EngineInput>,
  options: WriteOptions = {},
): Promise<bigint> {
  const folder = folderOfDataset(name);
  const end = beginWriting();
  const stop = stopWith(options.signal);
  const stored: Part[] = [];
  let attempted = false;
  try {
    const current = await readCurrent(storage, folder);
    // Asked again when it is committed; asked now, so that nobody sends gigabytes in vain.
    nextVersion(name, mode, current?.version, plain, [], []);
    const wanted = await columnsToKeep(storage, writer, mode, current?.version, plain);
    const incoming = watched(batches, { ...options, signal: stop.controller.signal });
    const parts = await writeParts(
      groupBatches(incoming, options.partBytes ?? partBytes),
      async (group, signal) => {
        const path = newPartName('.parquet');
        const staged = await storage.stage(`${folder}/${path}`);
        try {
          const written = await writer.write(staged.url, schema, group, wanted, signal);
          const part = { path, rows: written.rows, bytes: await staged.publish() };
          stored.push(part);
          return { part, columns: written.columns };
        } catch (error) {
          await staged.discard();
          throw error;
        }
      },
      stop.controller,
    );
    const columns = parts.map((part) => part.columns).reduce(mergeColumns);
    throwIfAborted(options.signal);
    attempted = true;
    const added = parts.map(({ part }) => part);
    await commitVersion(
      storage,
      folder,
      (version) => nextVersion(name, mode, version, plain, columns, added),
      added.map(({ path }) => path),
    );
    return parts.reduce((sum, { part }) => sum + part.rows, 0n);
  } catch (error) {
    if (!(error instanceof NotCommittedError))
      throw explainStorageError(error, name, storage.root, attempted);
    attempted = false;
    throw explainStorageError(error.cause, name, storage.root, false);
  } finally {
    // A commit that fails may have been seen all the same: then only the sweep can tell.
    if (!attempted) {
      await Promise.all(stored.map(({ path }) => storage.remove(`${folder}/${path}`).catch(() => undefined)));
    }
    stop.forget();
    end();
  }
}

/** Ends what is on its way when the caller has had enough. */
function stopWith(signal: AbortSignal | undefined): {
  readonly controller: AbortController;
  readonly forget: () => void;
} {
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal?.reason);
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop);
  return { controller, forget: () => signal?.removeEventListener('abort', stop) };
}

/**
 * Says that a dataset is no more. Its files go when nobody can be reading them.
 *
 * @returns false when there is none
 */
export async function dropDataset(
  storage: Storage,
  name: string,
  plain: PlainTable | undefined,
): Promise<boolean> {
  const folder = folderOfDataset(name);
  const end = beginWriting();
  try {
    await commitVersion(storage, folder, (current) => {
      if (!isThere(current) && plain === undefined) throw new MissingError();
      const replaced = replacedBy(current, plain);
      return { name, dropped: true, columns: [], parts: [], replaced };
    });
    return true;
  } catch (error) {
    const cause = error instanceof NotCommittedError ? error.cause : error;
    if (cause instanceof MissingError) return false;
    throw explainStorageError(cause, name, storage.root, cause === error);
  } finally {
    end();
  }
}

/** Nothing to drop: ends the commit. */
class MissingError extends Error {}

function nextVersion(
  name: string,
  mode: StorePutMode,
  current: Version | undefined,
  plain: PlainTable | undefined,
  columns: readonly Column[],
  parts: readonly Part[],
): Version {
  const there = isThere(current);
  const appends = mode === 'append' || mode === 'create_append';
  if (mode === 'create' && (there || plain !== undefined)) {
    throw new FlightServerError(`there is a dataset ${name} already; append to it, replace or drop it`, {
      code: 'ALREADY_EXISTS',
    });
  }
  if (mode === 'append' && !there && plain === undefined) {
    throw new FlightNotFoundError(`there is no dataset ${name} to append to; create it`);
  }
  if (appends && there && parts.length > 0 && !sameTypes(current?.columns ?? [], columns)) {
    throw new FlightServerError(`${name} was replaced by other columns meanwhile; try again`, {
      code: 'ABORTED',
    });
  }
  const replaced = replacedBy(current, plain);
  const base = there
    ? (current?.parts ?? [])
    : plain === undefined
      ? []
      : appends
        ? plainParts(name, plain)
        : [];
  return {
    name: there ? (current?.name ?? name) : name,
    dropped: false,
    columns: appends && there ? mergeColumns(current?.columns ?? [], columns) : columns,
    parts: appends ? [...base, ...parts] : parts,
    replaced,
  };
}

/** Columns that the rows of an append are converted to; undefined where the put decides. */
async function columnsToKeep(
  storage: Storage,
  writer: PartWriter,
  mode: StorePutMode,
  current: Version | undefined,
  plain: PlainTable | undefined,
): Promise<readonly Column[] | undefined> {
  if (mode !== 'append' && mode !== 'create_append') return undefined;
  if (current !== undefined && isThere(current)) return current.columns;
  const [file] = plain?.files ?? [];
  return file === undefined ? undefined : writer.columnsOf(escapeGlob(storage.url(file.path)));
}

function sameTypes(a: readonly Column[], b: readonly Column[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, type }, i) => name === b[i]?.name && textType(type) === textType(b[i]?.type ?? ''))
  );
}

function isThere(version: Version | undefined): boolean {
  return version !== undefined && !version.dropped;
}

function replacedBy(current: Version | undefined, plain: PlainTable | undefined): Version['replaced'] {
  const now = (plain?.files ?? []).map(({ path, tag }) => ({ path, tag }));
  return [...(current?.replaced ?? []).filter((each) => !now.some(({ path }) => path === each.path)), ...now];
}

/** A Parquet file that was there before becomes the first part, where it lies. */
function plainParts(name: string, { format, files, rows }: PlainTable): Part[] {
  const [file] = files;
  if (
    format !== 'parquet' ||
    files.length !== 1 ||
    file === undefined ||
    rows === undefined ||
    file.path.includes('/')
  ) {
    throw new FlightInvalidArgumentError(
      `${name} is ${format === 'parquet' ? 'a folder' : `a ${format} file`} that was not written by this server, and cannot be appended to; replace it`,
    );
  }
  return [{ path: `../${file.path}`, rows, bytes: file.size }];
}

/** Counts what comes, and ends when the caller has had enough. */
async function* watched(
  batches: AsyncIterable<EngineInput>,
  { signal, onProgress }: StorePutOptions,
): AsyncGenerator<EngineInput, void, undefined> {
  let bytes = 0;
  for await (const batch of batches) {
    throwIfAborted(signal);
    yield batch;
    bytes += batch.body.length;
    onProgress?.(bytes);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new FlightCancelledError('the put was cancelled; nothing was stored', { cause: signal.reason });
  }
}
