import type { StoreFormat } from './types.ts';

/** Formats that single files have. */
export type FileFormat = Exclude<StoreFormat, 'dataset'>;

/** Endings, the one that a table's name loses. */
const endings: Readonly<Record<string, FileFormat>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.json': 'json',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.arrow': 'arrow',
  '.arrows': 'arrow',
  '.feather': 'arrow',
  '.ipc': 'arrow',
  '.duckdb': 'duckdb',
};

/** Text files are read compressed too; DuckDB knows how from the ending. */
const compressions: readonly string[] = ['.gz', '.zst'];
const compressible: ReadonlySet<FileFormat> = new Set(['csv', 'tsv', 'json', 'ndjson']);

/** What a file's name tells. */
export interface FileKind {
  readonly format: FileFormat;
  /** The name without its endings. */
  readonly stem: string;
  /** All endings together: `.csv.gz`. */
  readonly ending: string;
}

/** What a file is by its name; undefined for a file that is no table. */
export function fileKind(fileName: string): FileKind | undefined {
  const lower = fileName.toLowerCase();
  const compression = compressions.find((each) => lower.endsWith(each)) ?? '';
  const plain = lower.slice(0, lower.length - compression.length);
  const dot = plain.lastIndexOf('.');
  const ending = dot < 0 ? '' : plain.slice(dot);
  const format = Object.hasOwn(endings, ending) ? endings[ending] : undefined;
  if (format === undefined || (compression !== '' && !compressible.has(format))) return undefined;
  const stem = fileName.slice(0, dot);
  return stem === '' ? undefined : { format, stem, ending: fileName.slice(dot) };
}

/** All endings that make a file a table, for messages. */
export const knownEndings: string = Object.keys(endings).join(', ');
