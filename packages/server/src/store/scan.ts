import { type FileFormat, fileKind } from './formats.ts';
import { datasetEnding, nameKey } from './names.ts';
import type { StoredFile } from './storage.ts';

/** A table made of files that somebody laid there. */
export interface FoundTable {
  /** The name that it would like to have. */
  readonly stem: string;
  /** Unique; a file's or folder's path relative to the root. */
  readonly path: string;
  readonly format: FileFormat;
  readonly files: readonly StoredFile[];
  /** A folder whose files are one table: what they are called, relative to the root, as a glob. */
  readonly pattern: string | undefined;
  /** Whether `key=value` folders are in it. */
  readonly hive: boolean;
}

/** What a folder or prefix holds. */
export interface Scan {
  readonly tables: readonly FoundTable[];
  /** Folders of datasets that a store has written, with their files. */
  readonly datasets: ReadonlyMap<string, readonly StoredFile[]>;
  /** Why there is nothing, where something was to be expected. */
  readonly problem?: string | undefined;
}

/** A partition's folder. */
const partition = /^[^=]+=/;

/** What frameworks that write many files for a table leave beside them. */
const partFile = /^(?:_SUCCESS$|_metadata$|part-)/;

/**
 * Finds tables among files:
 * - a file of a known ending directly in the root is a table;
 * - a folder with `key=value` folders in it is a table of all the files below;
 * - a folder with files `part-…` or `_SUCCESS` is a table of all files in it;
 * - names that begin with a dot or an underscore are left alone, and so are other files in folders.
 *
 * @param files - relative to the root
 * @param rootName - name of the table when the root itself is partitioned
 */
export function scanFiles(files: readonly StoredFile[], rootName: string): Scan {
  const datasets = new Map<string, StoredFile[]>();
  const tables: FoundTable[] = [];
  const groups = new Map<string, StoredFile[]>();
  const partFolders = new Set<string>();
  for (const { path } of files) {
    const cut = path.lastIndexOf('/');
    if (cut > 0 && partFile.test(path.slice(cut + 1))) partFolders.add(path.slice(0, cut));
  }
  for (const file of files) {
    const segments = file.path.split('/');
    const name = segments.at(-1) ?? '';
    const dataset = segments.findIndex((segment) => segment.endsWith(datasetEnding));
    if (dataset >= 0) {
      // Datasets stand directly in the root; what lies deeper belongs to somebody else.
      if (dataset === 0 && segments.length === 2) addTo(datasets, segments[0] ?? '', file);
      continue;
    }
    const kind = fileKind(name);
    if (kind === undefined || segments.some((segment) => /^[._]/.test(segment))) continue;
    const first = segments.slice(0, -1).findIndex((segment) => partition.test(segment));
    const folder = segments.slice(0, -1).join('/');
    if (first >= 0) addTo(groups, `hive\n${segments.slice(0, first).join('/')}\n${kind.format}`, file);
    else if (partFolders.has(folder)) addTo(groups, `parts\n${folder}\n${kind.format}`, file);
    else if (segments.length === 1) {
      tables.push({
        stem: kind.stem,
        path: file.path,
        format: kind.format,
        files: [file],
        pattern: undefined,
        hive: false,
      });
    }
  }
  for (const [key, members] of groups) {
    const [how, folder = ''] = key.split('\n');
    const kind = fileKind(members[0]?.path ?? '');
    if (kind === undefined) continue;
    tables.push(folderTable(folder, rootName, kind.format, members, how === 'hive'));
  }
  return { tables: tables.sort((a, b) => (a.path < b.path ? -1 : 1)), datasets };
}

function folderTable(
  folder: string,
  rootName: string,
  format: FileFormat,
  files: readonly StoredFile[],
  hive: boolean,
): FoundTable {
  const stem = folder === '' ? rootName : folder.slice(folder.lastIndexOf('/') + 1);
  const endings = new Set(
    files.map((file) => fileKind(file.path.slice(file.path.lastIndexOf('/') + 1))?.ending),
  );
  const [ending] = endings;
  // One glob says it in the fewest words; files of several endings are named each.
  const pattern = endings.size === 1 ? `${hive ? '**/' : ''}*${ending}` : undefined;
  return { stem, path: folder === '' ? '.' : folder, format, files, pattern, hive };
}

/** Which of several tables that would like one name gets it. */
const rank: readonly FileFormat[] = ['parquet', 'arrow', 'duckdb', 'ndjson', 'json', 'csv', 'tsv'];

/**
 * Gives each table a name of its own: the first by format and path gets the name that it would like, the others the
 * name with their format, `trades_csv`, and then a number. The same files give the same names, whoever looks.
 *
 * @param taken - names that are in use already; those given are added
 */
export function assignNames<
  T extends { readonly stem: string; readonly path: string; readonly format: FileFormat },
>(tables: readonly T[], taken: Set<string>): { readonly name: string; readonly table: T }[] {
  const ordered = [...tables].sort(
    (a, b) => rank.indexOf(a.format) - rank.indexOf(b.format) || (a.path < b.path ? -1 : 1),
  );
  return ordered.map((table) => {
    let name = table.stem;
    for (let count = 1; taken.has(nameKey(name)); count += 1) {
      name = count === 1 ? `${table.stem}_${table.format}` : `${table.stem}_${table.format}_${count}`;
    }
    taken.add(nameKey(name));
    return { name, table };
  });
}

function addTo(map: Map<string, StoredFile[]>, key: string, file: StoredFile): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [file]);
  else list.push(file);
}
