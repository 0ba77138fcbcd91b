import { messageOf } from '@peregrine/flight/errors';
import { createHash } from 'node:crypto';
import { quoteIdentifier } from '../engine/sql-text.ts';
import { readCurrent } from './commit.ts';
import { nameKey, nameOfFolder } from './names.ts';
import { selectColumns } from './part-writer.ts';
import { type FoundTable, type Scan, assignNames } from './scan.ts';
import { escapeGlob, scanSql } from './sql-text.ts';
import type { Source } from './sources.ts';
import type { StoredFile } from './storage.ts';
import type { StoreFormat } from './types.ts';
import { type Version, partPath } from './versions.ts';

/** A table before the engine knows it: where its data is and how it is read. */
export interface Entry {
  readonly name: string;
  readonly origin: string;
  readonly format: StoreFormat;
  readonly source: Source;
  readonly version: string;
  readonly files: readonly StoredFile[];
  readonly rows: bigint | undefined;
  readonly bytes: bigint;
  readonly modifiedMs: number;
  /** The table function that reads it; undefined for Arrow and DuckDB files. */
  readonly scan: string | undefined;
  /** Why it cannot be read, where that is known already. */
  readonly problem: string | undefined;
}

/** Remembers versions that were read: their files never change. */
export type VersionCache = Map<string, Version>;

/** Names everything that was found. */
export async function entriesOf(
  looked: readonly { readonly source: Source; readonly scan: Scan }[],
  cache: VersionCache,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  const taken = new Set<string>();
  const plain: (FoundTable & { readonly source: Source })[] = [];
  for (const { source, scan } of looked) {
    const hidden = new Map<string, string>();
    for (const [folder, files] of scan.datasets) {
      const found = await datasetEntry(source, folder, files, cache);
      if (found === undefined) continue;
      for (const { path, tag } of found.replaced) hidden.set(path, tag);
      if (found.entry === undefined || taken.has(nameKey(found.entry.name))) continue;
      taken.add(nameKey(found.entry.name));
      entries.push(found.entry);
    }
    for (const table of scan.tables) {
      const files = table.files.filter(({ path, tag }) => hidden.get(path) !== tag);
      if (files.length > 0) plain.push({ ...table, files, source });
    }
  }
  for (const { name, table } of assignNames(plain, taken)) entries.push(plainEntry(name, table));
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function datasetEntry(
  source: Source,
  folder: string,
  files: readonly StoredFile[],
  cache: VersionCache,
): Promise<{ entry: Entry | undefined; replaced: Version['replaced'] } | undefined> {
  const { storage } = source;
  const newest = files.at(-1);
  const key = `${storage.root}/${newest?.path}-${newest?.tag}`;
  let version = cache.get(key);
  let modifiedMs = newest?.modifiedMs ?? 0;
  try {
    if (version === undefined) {
      const current = await readCurrent(storage, folder, files);
      if (current === undefined) return undefined;
      ({ version } = current);
      ({ modifiedMs } = current.file);
      if (current.file === newest) cache.set(key, version);
    }
    const { replaced } = version;
    if (version.dropped) return { entry: undefined, replaced };
    return { entry: versionEntry(source, folder, version, modifiedMs), replaced };
  } catch (error) {
    // It harms nobody else.
    return { entry: brokenEntry(source, folder, files, error), replaced: [] };
  }
}

function versionEntry(source: Source, folder: string, version: Version, modifiedMs: number): Entry {
  const { storage } = source;
  const paths = version.parts.map(({ path }) => partPath(folder, path));
  // A name that was not made by a store, and that no SQL can say, is refused here.
  quoteIdentifier(version.name);
  return {
    name: version.name,
    origin: folder,
    format: 'dataset',
    source,
    version: hash(paths),
    files: paths.map((path, i) => ({ path, size: version.parts[i]?.bytes ?? 0, modifiedMs, tag: path })),
    rows: version.parts.reduce((sum, { rows }) => sum + rows, 0n),
    bytes: BigInt(version.parts.reduce((sum, { bytes }) => sum + bytes, 0)),
    modifiedMs,
    scan: `(SELECT ${selectColumns(version.columns)} FROM ${scanSql({
      format: 'parquet',
      paths: paths.map((path) => escapeGlob(storage.url(path))),
      hive: false,
      union: paths.length > 1,
    })})`,
    problem: undefined,
  };
}

function brokenEntry(source: Source, folder: string, files: readonly StoredFile[], error: unknown): Entry {
  const name = nameOfFolder(folder);
  return {
    name,
    origin: folder,
    format: 'dataset',
    source,
    version: hash(files.map(({ tag }) => tag)),
    files,
    rows: undefined,
    bytes: sizeOf(files),
    modifiedMs: newestOf(files),
    scan: undefined,
    problem: messageOf(error),
  };
}

function plainEntry(name: string, table: FoundTable & { readonly source: Source }): Entry {
  const { source, format, files } = table;
  const { storage } = source;
  const base = {
    name,
    origin: source.isFolder ? table.path : source.given,
    format,
    source,
    version: hash(files.map(({ path, tag }) => `${path} ${tag}`)),
    files,
    rows: undefined,
    bytes: sizeOf(files),
    modifiedMs: newestOf(files),
  };
  if (format === 'arrow' || format === 'duckdb') {
    const problem =
      files.length > 1
        ? `${files.length} ${format} files in one folder or glob: files of this kind are a table each`
        : undefined;
    return { ...base, scan: undefined, problem };
  }
  const isBucket = storage.root.startsWith('s3://');
  const unreadable = isBucket ? files.find(({ path }) => /[?\\]/.test(path)) : undefined;
  if (unreadable !== undefined) {
    const problem = `${storage.url(unreadable.path)} has a ? or a backslash in its key, which the engine cannot ask for`;
    return { ...base, scan: undefined, problem };
  }
  const exact = files.map(({ path }) => escapeGlob(storage.url(path)));
  const folder = table.path === '.' ? '' : `${table.path}/`;
  const paths =
    // Not all buckets encode percent signs when they list keys, and the engine decodes them in any case.
    table.pattern === undefined || (isBucket && files.some(({ path }) => path.includes('%')))
      ? exact
      : [
          (source.isFolder ? escapeGlob(storage.url(folder)) : escapeGlob(storage.url(''))).replace(
            /\/?$/,
            '/',
          ) + table.pattern,
        ];
  return {
    ...base,
    scan: scanSql({ format, paths, hive: table.hive, union: files.length > 1 }),
    problem: undefined,
  };
}

function sizeOf(files: readonly StoredFile[]): bigint {
  return files.reduce((sum, { size }) => sum + BigInt(size), 0n);
}

function newestOf(files: readonly StoredFile[]): number {
  return files.reduce((newest, { modifiedMs }) => Math.max(newest, modifiedMs), 0);
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}
