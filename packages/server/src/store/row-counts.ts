import { sep } from 'node:path';
import { countedAtOnce, maxCountedFiles } from './limits.ts';
import type { Entry } from './entries.ts';
import { nameKey } from './names.ts';

/** Rows of files, by the paths that the engine was given. */
export type CountRows = (paths: readonly string[]) => Promise<ReadonlyMap<string, bigint>>;

/**
 * Rows of tables of Parquet files, out of the files' footers. A footer is small, but it is a request to a bucket: a file
 * is counted once, as long as it looks the same.
 */
export interface RowCounts {
  /** Rows of a table, where few of its files have to be counted for it; undefined otherwise. */
  first(entry: Entry): Promise<bigint | undefined>;
  /**
   * Counts some more of its files.
   *
   * @returns its rows when all are counted; undefined when it is not to be counted: it is not of Parquet, has very many
   *   files, or one of them cannot be read
   */
  more(entry: Entry): Promise<bigint | 'more' | undefined>;
  /** Forgets what belongs to no table any more. */
  keep(entries: readonly Entry[]): void;
}

/** What is known of a table's files. */
interface Known {
  /** By path; the tag is the file's look. */
  readonly files: Map<string, { readonly tag: string; readonly rows: bigint }>;
  /** The version of the table that could not be counted. */
  failed: string | undefined;
}

/** @param countRows - asks the engine; rejects when one of the files cannot be read */
export function createRowCounts(countRows: CountRows): RowCounts {
  const tables = new Map<string, Known>();

  /** @returns whether all of its files are counted then */
  async function countSome(entry: Entry, known: Known): Promise<boolean> {
    const uncounted = uncountedOf(entry, known);
    const next = uncounted.slice(0, countedAtOnce);
    const paths = next.map((file) => entry.source.storage.url(file.path));
    const byName = new Map(next.map((file, i) => [slashes(paths[i] ?? ''), file] as const));
    for (const [path, rows] of next.length === 0 ? [] : await countRows(paths)) {
      const file = byName.get(slashes(path));
      if (file !== undefined) known.files.set(file.path, { tag: file.tag, rows });
    }
    const left = uncountedOf(entry, known).length;
    // The engine calls them otherwise: asking again would not help.
    if (next.length > 0 && left === uncounted.length) known.failed = entry.version;
    return left === 0;
  }

  function knownOf(entry: Entry): Known {
    const key = nameKey(entry.name);
    const known = tables.get(key) ?? { files: new Map(), failed: undefined };
    tables.set(key, known);
    return known;
  }

  return {
    async first(entry) {
      if (!isCounted(entry)) return undefined;
      const known = knownOf(entry);
      if (uncountedOf(entry, known).length > countedAtOnce) return undefined;
      return (await countSome(entry, known)) ? sumOf(entry, known) : undefined;
    },
    async more(entry) {
      if (!isCounted(entry)) return undefined;
      const known = knownOf(entry);
      if (known.failed === entry.version) return undefined;
      try {
        if (await countSome(entry, known)) return sumOf(entry, known);
      } catch {
        // Who reads the table is told which file it is.
        known.failed = entry.version;
      }
      return known.failed === entry.version ? undefined : 'more';
    },
    keep(entries) {
      const wanted = new Map(entries.map((entry) => [nameKey(entry.name), entry] as const));
      for (const [key, { files }] of tables) {
        const entry = wanted.get(key);
        if (entry === undefined) tables.delete(key);
        else if (files.size > entry.files.length) {
          const paths = new Set(entry.files.map(({ path }) => path));
          for (const path of files.keys()) if (!paths.has(path)) files.delete(path);
        }
      }
    },
  };
}

/** Windows has two separators, and the engine gives back either. */
function slashes(path: string): string {
  return sep === '\\' ? path.replaceAll(sep, '/') : path;
}

function isCounted({ files, format }: Entry): boolean {
  return format === 'parquet' && files.length <= maxCountedFiles;
}

function uncountedOf({ files }: Entry, known: Known): Entry['files'] {
  return files.filter(({ path, tag }) => known.files.get(path)?.tag !== tag);
}

function sumOf({ files }: Entry, known: Known): bigint {
  return files.reduce((sum, { path }) => sum + (known.files.get(path)?.rows ?? 0n), 0n);
}
