import { FlightDataError } from '@peregrine/flight/errors';
import type { Column } from './part-writer.ts';
import type { StoredFile } from './storage.ts';

/** A data file of a version. */
export interface Part {
  /** Relative to the dataset's folder. `../` leads to a file that was there before the dataset. */
  readonly path: string;
  readonly rows: bigint;
  readonly bytes: number;
}

/** A file of the same name that a dataset has taken the place of. */
export interface Replaced {
  /** Relative to the storage's root. */
  readonly path: string;
  /** As it was: a file that somebody writes there later is a new one. */
  readonly tag: string;
}

/** What a dataset is at one moment. Written once, never changed. */
export interface Version {
  /** As it was given, with its case. */
  readonly name: string;
  readonly dropped: boolean;
  readonly columns: readonly Column[];
  readonly parts: readonly Part[];
  readonly replaced: readonly Replaced[];
}

const fileName = /^v(\d{16})\.json$/;

/** `v` and 16 digits, so that names sort as numbers do. */
export function versionFileName(number: number): string {
  return `v${String(number).padStart(16, '0')}.json`;
}

/** The number of a version's file; undefined for other files. */
export function versionNumber(name: string): number | undefined {
  const found = fileName.exec(name);
  return found === null ? undefined : Number(found[1]);
}

/** A part's path relative to the storage's root. */
export function partPath(folder: string, path: string): string {
  return path.startsWith('../') ? path.slice(3) : `${folder}/${path}`;
}

/** The version files among a folder's files, the newest last. */
export function versionFiles(
  files: readonly StoredFile[],
): { readonly number: number; readonly file: StoredFile }[] {
  return files
    .flatMap((file) => {
      const number = versionNumber(file.path.slice(file.path.lastIndexOf('/') + 1));
      return number === undefined ? [] : [{ number, file }];
    })
    .sort((a, b) => a.number - b.number);
}

/**
 * ```
 * version  = {"peregrine": 1, "name": text, "dropped": boolean, "columns": [column*], "parts": [part*],
 *             "replaced": [replaced*]}
 * column   = {"name": text, "type": type, "stored": type}
 * part     = {"path": text, "rows": digits as text, "bytes": number}
 * replaced = {"path": text, "tag": text}
 * ```
 */
export function formatVersion({ name, dropped, columns, parts, replaced }: Version): Uint8Array {
  const json = {
    peregrine: 1,
    name,
    dropped,
    columns,
    parts: parts.map((part) => ({ path: part.path, rows: part.rows.toString(), bytes: part.bytes })),
    replaced,
  };
  return new TextEncoder().encode(`${JSON.stringify(json, undefined, 1)}\n`);
}

/** @throws FlightDataError for anything that {@link formatVersion} does not write */
export function parseVersion(bytes: Uint8Array, path: string): Version {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new FlightDataError(`${path} is not a version of a dataset: it is no JSON`, { cause });
  }
  const fail = (what: string): never => {
    throw new FlightDataError(`${path} is not a version of a dataset that this server knows: ${what}`);
  };
  if (!isRecord(json) || json['peregrine'] !== 1) return fail('it does not say "peregrine": 1');
  const { name, dropped, columns, parts, replaced } = json;
  if (typeof name !== 'string' || typeof dropped !== 'boolean') return fail('name or dropped is missing');
  if (!Array.isArray(columns) || !Array.isArray(parts) || !Array.isArray(replaced)) {
    return fail('columns, parts or replaced is missing');
  }
  return {
    name,
    dropped,
    columns: columns.map((column: unknown) => {
      if (!isRecord(column)) return fail('a column is no object');
      const { name: columnName, type, stored } = column;
      if (typeof columnName !== 'string' || typeof type !== 'string' || typeof stored !== 'string') {
        return fail('a column has no name or type');
      }
      // It becomes part of SQL.
      if (!isType(type)) return fail(`column ${columnName} has a type that is none`);
      return { name: columnName, type, stored };
    }),
    parts: parts.map((part: unknown) => {
      if (!isRecord(part)) return fail('a part is no object');
      const { path: partPath, rows, bytes: length } = part;
      if (typeof partPath !== 'string' || !/^(?:\.\.\/)?(?!\.\.?$)[^/\\]+$/.test(partPath)) {
        return fail('a part leads out of the store');
      }
      if (typeof rows !== 'string' || !/^\d{1,19}$/.test(rows) || typeof length !== 'number') {
        return fail(`the part ${partPath} has no rows or bytes`);
      }
      return { path: partPath, rows: BigInt(rows), bytes: length };
    }),
    replaced: replaced.map((file: unknown) => {
      if (!isRecord(file)) return fail('a replaced file is no object');
      const { path: filePath, tag } = file;
      if (
        typeof filePath !== 'string' ||
        typeof tag !== 'string' ||
        /^\/|(?:^|\/)\.\.(?:\/|$)|\\/.test(filePath)
      ) {
        return fail('a replaced file has no path inside of the store');
      }
      return { path: filePath, tag };
    }),
  };
}

/**
 * Whether a text is a type and nothing else: words, numbers, quoted names and texts, and parentheses, brackets and
 * commas between them.
 */
function isType(text: string): boolean {
  if (!/^(?:[A-Za-z0-9_ ,()[\]]|"(?:[^"]|"")*"|'(?:[^']|'')*')+$/.test(text)) return false;
  // Nothing in it ends the CAST in which it stands.
  let depth = 0;
  for (const character of text.replaceAll(/"[^"]*"|'[^']*'/g, '')) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
