import { quoteLiteral } from '../engine/sql-text.ts';
import type { FileFormat } from './formats.ts';

/** A path that names itself in DuckDB's globs, whatever characters are in it. */
export function escapeGlob(path: string): string {
  return path.replaceAll(/[[*?]/g, (character) => `[${character}]`);
}

/** What a scan reads and how. */
export interface ScanText {
  readonly format: Exclude<FileFormat, 'arrow' | 'duckdb'>;
  /** Paths or globs as DuckDB takes them: names of single files have to be escaped already. */
  readonly paths: readonly string[];
  /** `key=value` folders become columns. */
  readonly hive: boolean;
  /** Files may differ in their columns: they are matched by name, and what a file lacks is null. */
  readonly union: boolean;
}

const functions: Readonly<Record<ScanText['format'], readonly [name: string, options: string]>> = {
  parquet: ['read_parquet', ''],
  csv: ['read_csv', ''],
  tsv: ['read_csv', ", delim = '\t'"],
  json: ['read_json', ''],
  ndjson: ['read_json', ", format = 'newline_delimited'"],
};

/** The table function that reads files. */
export function scanSql({ format, paths, hive, union }: ScanText): string {
  const [name, options] = functions[format];
  const list =
    paths.length === 1
      ? quoteLiteral(paths[0] ?? '')
      : `[${paths.map((path) => quoteLiteral(path)).join(', ')}]`;
  // Said in either case: DuckDB would else take any path with a = in it for partitions.
  return `${name}(${list}${options}, hive_partitioning = ${hive}${union ? ', union_by_name = true' : ''})`;
}
