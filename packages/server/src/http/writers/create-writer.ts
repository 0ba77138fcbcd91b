import type { JsonStyle } from '../../formats/json.ts';
import type { HttpFormatName } from '../formats.ts';
import { createArrowFileWriter, createArrowStreamWriter } from './arrow-writers.ts';
import { createJsonWriter, createNdjsonWriter } from './json-writer.ts';
import { createCsvWriter, createMarkdownWriter, createTsvWriter } from './text-writers.ts';
import type { ResultWriter } from './writer.ts';

/**
 * Makes the writer of a format. Parquet has none: the engine writes it.
 *
 * @param schemaHeader - see `EngineResult.schema`
 */
export function createResultWriter(
  format: Exclude<HttpFormatName, 'parquet'>,
  schemaHeader: Uint8Array,
  style: JsonStyle,
): ResultWriter {
  switch (format) {
    case 'json':
    case 'json-compact':
      return createJsonWriter(schemaHeader, format === 'json-compact', style);
    case 'ndjson':
    case 'ndjson-compact':
      return createNdjsonWriter(schemaHeader, format === 'ndjson-compact', style);
    case 'csv':
    case 'csv-bare':
      return createCsvWriter(schemaHeader, format === 'csv');
    case 'tsv':
    case 'tsv-bare':
      return createTsvWriter(schemaHeader, format === 'tsv');
    case 'markdown':
      return createMarkdownWriter(schemaHeader);
    case 'arrow':
      return createArrowStreamWriter(schemaHeader);
    case 'arrow-file':
      return createArrowFileWriter(schemaHeader);
  }
}

/** Whether a format is made of rows on the event loop, and not of messages as they are. */
export function isTextFormat(format: HttpFormatName): boolean {
  return format !== 'arrow' && format !== 'arrow-file' && format !== 'parquet';
}
