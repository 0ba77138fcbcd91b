import { stat } from 'node:fs/promises';
import { basename, dirname, resolve, sep } from 'node:path';
import {
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightUnauthorizedError,
} from '@peregrine/flight/errors';
import { fileKind, knownEndings } from './formats.ts';
import { type Glob, isGlob, parseGlob } from './glob.ts';
import { createLocalStorage } from './local-storage.ts';
import { createS3Storage } from './s3/s3-storage.ts';
import type { S3Options } from './s3/options.ts';
import { type FoundTable, type Scan, scanFiles } from './scan.ts';
import type { Storage } from './storage.ts';

/** What one PATH stands for. */
export interface Source {
  /** As it was given. */
  readonly given: string;
  readonly storage: Storage;
  /** Looks at it now. @throws FlightError when it cannot be looked at */
  look(): Promise<Scan>;
  /** Whether datasets can be put into it: it is a whole folder or prefix. */
  readonly isFolder: boolean;
  /** Whether what lies in folders below matters. */
  readonly deep: boolean;
  /** The one file that it is, relative to the storage; undefined for folders and globs. */
  readonly file?: string | undefined;
}

/**
 * ```
 * PATH = [name "="] ( file | folder | glob | "s3://" bucket ["/" (key | prefix | glob)] )
 * ```
 * A name can be given to a glob, which is one table.
 *
 * @throws FlightNotFoundError for a local path that is not there, FlightUnauthorizedError for one that may not be looked
 *   at, FlightInvalidArgumentError for a file of no known kind
 */
export async function openSource(given: string, s3: S3Options): Promise<Source> {
  const named = /^([A-Za-z_]\w*)=(.*[*?[].*)$/.exec(given);
  const path = named?.[2] ?? given;
  const remote = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(path);
  if (remote !== null) {
    const [, bucket = '', key = ''] = remote;
    const open = (prefix: string): Storage => createS3Storage(bucket, prefix, s3);
    const clean = key.replace(/\/+$/, '');
    if (isGlob(clean)) return globSource(given, parseGlob(clean), named?.[1], open, bucket);
    const name = clean.slice(clean.lastIndexOf('/') + 1);
    if (fileKind(name) !== undefined && !key.endsWith('/'))
      return fileSource(given, open(parentOf(clean)), name);
    return folderSource(given, open(clean), clean === '' ? bucket : name);
  }
  const absolute = resolve(path);
  const stats = await stat(absolute).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM'))
      throw new FlightUnauthorizedError(`${given} cannot be read: this user has no permission`, {
        cause: error,
      });
    return undefined;
  });
  if (stats === undefined && isGlob(path)) {
    const glob = parseGlob(absolute.split(sep).join('/'));
    return globSource(given, glob, named?.[1], (base) => createLocalStorage(resolve(`${base}/`)), '');
  }
  if (stats === undefined) {
    throw new FlightNotFoundError(
      `${given} is not there: give a folder, a file, a glob or s3://bucket/prefix`,
    );
  }
  if (stats.isDirectory()) return folderSource(given, createLocalStorage(absolute), basename(absolute));
  if (fileKind(basename(absolute)) === undefined) {
    throw new FlightInvalidArgumentError(
      `${given} is of no kind that can be served: its name has to end in ${knownEndings}`,
    );
  }
  return fileSource(given, createLocalStorage(dirname(absolute)), basename(absolute));
}

function folderSource(given: string, storage: Storage, rootName: string): Source {
  return {
    given,
    storage,
    isFolder: true,
    deep: true,
    look: async () => scanFiles(await storage.list(), rootName),
  };
}

function fileSource(given: string, storage: Storage, name: string): Source {
  return {
    given,
    storage,
    isFolder: false,
    deep: false,
    file: name,
    async look() {
      const file = await storage.stat(name);
      if (file === undefined) return { tables: [], datasets: new Map(), problem: 'it is not there' };
      return scanFiles([file], '');
    },
  };
}

function globSource(
  given: string,
  glob: Glob,
  name: string | undefined,
  open: (base: string) => Storage,
  bucket: string,
): Source {
  const storage = open(glob.base);
  const depth = glob.pattern.includes('**') ? undefined : glob.pattern.split('/').length - 1;
  const hive = /(?:^|\/)[^/=]+=/.test(glob.pattern);
  return {
    given,
    storage,
    isFolder: false,
    deep: depth !== 0,
    async look() {
      const files = (await storage.list('', depth)).filter(
        ({ path }) => glob.matches(path) && !path.split('/').some((segment) => /^[._]/.test(segment)),
      );
      const kinds = new Map(
        files.flatMap((file) => {
          const kind = fileKind(file.path.slice(file.path.lastIndexOf('/') + 1));
          return kind === undefined ? [] : [[kind.format, kind] as const];
        }),
      );
      const tables = [...kinds.keys()].map((format): FoundTable => {
        const own = files.filter(
          ({ path }) => fileKind(path.slice(path.lastIndexOf('/') + 1))?.format === format,
        );
        const partitioned = hive || own.some(({ path }) => /(?:^|\/)[^/=]+=[^/]*\//.test(path));
        return {
          stem: name ?? globName(glob, bucket),
          path: glob.pattern,
          format,
          files: own,
          pattern: kinds.size === 1 ? glob.pattern : undefined,
          hive: partitioned,
        };
      });
      return {
        tables,
        datasets: new Map(),
        problem: tables.length > 0 ? undefined : whyNothing(files.length),
      };
    },
  };
}

/** Why a glob is no table. */
function whyNothing(files: number): string {
  return files === 0
    ? 'nothing matches it yet'
    : `it matches ${files === 1 ? 'a file' : `${files} files`} of no kind that can be served: names have to end in ${knownEndings}`;
}

/** What stands before the wildcard, or else the folder: `trades-*.parquet` and `trades/*.parquet` are both `trades`. */
function globName({ base, pattern }: Glob, bucket: string): string {
  const last = pattern.slice(pattern.lastIndexOf('/') + 1);
  const before = pattern.includes('/') ? '' : (/^[^*?[]*/.exec(last)?.[0] ?? '').replace(/[-_. ]+$/, '');
  const folder = base.slice(base.lastIndexOf('/') + 1);
  return before !== '' ? before : folder !== '' ? folder : bucket !== '' ? bucket : 'files';
}

function parentOf(key: string): string {
  return key.includes('/') ? key.slice(0, key.lastIndexOf('/')) : '';
}
