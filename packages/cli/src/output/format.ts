import { extname } from 'node:path';
import { UsageError } from '../exit-codes.ts';

/** How rows are written. */
export const outputFormats = ['table', 'csv', 'tsv', 'ndjson', 'arrow', 'arrow-file'] as const;

/** One of {@link outputFormats}. */
export type OutputFormat = (typeof outputFormats)[number];

const byEnding: Readonly<Record<string, OutputFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.arrows': 'arrow',
  '.arrow': 'arrow-file',
  '.feather': 'arrow-file',
  '.ipc': 'arrow-file',
};

/**
 * The format to write: as told, else by the file's ending, else a table for a person and NDJSON for a pipe or for a
 * file without an ending.
 *
 * @throws UsageError for a format that is not known, and for an ending that says none: NDJSON in `x.parquet` would be
 *   found out by whoever reads it
 */
export function chooseFormat(
  told: string | undefined,
  file: string | undefined,
  isTerminal: boolean,
): OutputFormat {
  if (told !== undefined) {
    const format = outputFormats.find((known) => known === told);
    if (format === undefined)
      throw new UsageError(`--format ${told} is not known: use ${outputFormats.join(', ')}`);
    return format;
  }
  if (file === undefined) return isTerminal ? 'table' : 'ndjson';
  const ending = extname(file).toLowerCase();
  if (ending === '') return 'ndjson';
  const format = Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined;
  if (format !== undefined) return format;
  throw new UsageError(
    `--output ${file}: ${ending} says no format that can be written: end it in ${Object.keys(byEnding).join(', ')}, ` +
      'or add --format',
  );
}
