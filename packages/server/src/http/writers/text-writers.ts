import {
  batchToCsv,
  batchToMarkdown,
  batchToTsv,
  csvHeader,
  markdownHeader,
  tsvHeader,
} from '../../formats/rows.ts';
import { createRowsDecoder } from './rows-decoder.ts';
import type { ResultWriter } from './writer.ts';

/** CSV. A result that breaks off ends with a line `error: …` after an empty one. */
export function createCsvWriter(schemaHeader: Uint8Array, names: boolean): ResultWriter {
  return lines(schemaHeader, names ? csvHeader : undefined, batchToCsv);
}

/** TSV as ClickHouse and PostgreSQL write it. It breaks off as CSV does. */
export function createTsvWriter(schemaHeader: Uint8Array, names: boolean): ResultWriter {
  return lines(schemaHeader, names ? tsvHeader : undefined, batchToTsv);
}

/** A table of Markdown (GitHub's). It breaks off as CSV does. */
export function createMarkdownWriter(schemaHeader: Uint8Array): ResultWriter {
  return lines(schemaHeader, markdownHeader, batchToMarkdown);
}

type RowsDecoder = ReturnType<typeof createRowsDecoder>;

function lines(
  schemaHeader: Uint8Array,
  header: ((schema: RowsDecoder['schema']) => string) | undefined,
  body: (batch: NonNullable<ReturnType<RowsDecoder['decode']>>) => Uint8Array | string,
): ResultWriter {
  const rows = createRowsDecoder(schemaHeader);
  return {
    begin: () => (header === undefined ? [] : [Buffer.from(header(rows.schema))]),
    message(batch) {
      const decoded = rows.decode(batch);
      return { pieces: decoded === undefined ? [] : [bytesOf(body(decoded))], usesBatch: false };
    },
    end: () => [],
    fail: (problem) => [Buffer.from(`\nerror: ${problem.detail.replaceAll('\n', ' ')} (${problem.code})\n`)],
  };
}

function bytesOf(text: Uint8Array | string): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text) : text;
}
