import type { RecordBatch, Schema } from 'apache-arrow';
import {
  batchToCsv,
  batchToMarkdown,
  batchToTsv,
  csvHeader,
  markdownHeader,
  tsvHeader,
} from '../../formats/rows.ts';
import type { TextMemory } from '../../formats/text-memory.ts';
import { createRowsDecoder } from './rows-decoder.ts';
import { writeText } from './text-pool.ts';
import type { ResultWriter } from './writer.ts';

/** CSV. A result that breaks off ends with a line `error: …` after an empty one. */
export function createCsvWriter(schemaHeader: Uint8Array, names: boolean): ResultWriter {
  return lines(schemaHeader, names ? csvHeader : undefined, (batch, memory) =>
    batchToCsv(batch, ',', memory),
  );
}

/** TSV as ClickHouse and PostgreSQL write it. It breaks off as CSV does. */
export function createTsvWriter(schemaHeader: Uint8Array, names: boolean): ResultWriter {
  return lines(schemaHeader, names ? tsvHeader : undefined, batchToTsv);
}

/** A table of Markdown (GitHub's). It breaks off as CSV does. */
export function createMarkdownWriter(schemaHeader: Uint8Array): ResultWriter {
  return lines(schemaHeader, markdownHeader, (batch) => Buffer.from(batchToMarkdown(batch)));
}

function lines(
  schemaHeader: Uint8Array,
  header: ((schema: Schema) => string) | undefined,
  body: (batch: RecordBatch, memory: TextMemory) => Uint8Array,
): ResultWriter {
  const rows = createRowsDecoder(schemaHeader);
  return {
    begin: () => (header === undefined ? [] : [Buffer.from(header(rows.schema))]),
    message(batch) {
      const decoded = rows.decode(batch);
      if (decoded === undefined) return { pieces: [], usesBatch: false };
      return writeText((memory) => body(decoded, memory));
    },
    end: () => [],
    fail: (problem) => [Buffer.from(`\nerror: ${problem.detail.replaceAll('\n', ' ')} (${problem.code})\n`)],
  };
}
