import type { Field } from 'apache-arrow';
import type { JsonStyle } from '../../formats/json.ts';
import { batchToJsonRows, batchToNdjson, batchToNdjsonArrays } from '../../formats/rows.ts';
import { clickHouseType } from '../clickhouse-type.ts';
import type { Problem } from '../problem.ts';
import { createRowsDecoder } from './rows-decoder.ts';
import { writeText } from './text-pool.ts';
import type { ResultTotals, ResultWriter } from './writer.ts';

/**
 * ```
 * { "meta": [ { "name": …, "type": … } ], "data": [ row, … ], "rows": n,
 *   "statistics": { "elapsed": seconds, "rows_read": n, "bytes_read": n } }
 * row = { name: value, … }    JSON
 *     | [ value, … ]          JSONCompact
 * ```
 * A result that breaks off has `"exception"` and `"problem"` and is left open at its end, so that no parser takes it.
 */
export function createJsonWriter(schemaHeader: Uint8Array, compact: boolean, style: JsonStyle): ResultWriter {
  const rows = createRowsDecoder(schemaHeader);
  let isFirst = true;
  return {
    begin: () => [text(`{"meta":${JSON.stringify(rows.schema.fields.map(metaOf))},"data":[`)],
    message(batch) {
      const decoded = rows.decode(batch);
      if (decoded === undefined || decoded.numRows === 0) return { pieces: [], usesBatch: false };
      const skip = isFirst ? 1 : 0;
      isFirst = false;
      // Each row stands behind a comma, but for the first of all.
      return writeText(
        (memory) => batchToJsonRows(decoded, compact ? 'arrays' : 'objects', style, memory),
        skip,
      );
    },
    end: (totals) => [text(`\n],${jsonTotals(totals)}}\n`)],
    fail: (problem, totals) => [
      text(
        `\n],${jsonTotals(totals)},"exception":${JSON.stringify(problem.detail)},"problem":${JSON.stringify(problem)}\n`,
      ),
    ],
  };
}

/** The members behind the rows, without the brace. */
export function jsonTotals({ rows, elapsed, bytes }: ResultTotals): string {
  const statistics = { elapsed: Number(elapsed.toFixed(6)), rows_read: rows, bytes_read: bytes };
  return `"rows":${rows},"statistics":${JSON.stringify(statistics)}`;
}

/** An object a line, or an array. A result that breaks off ends with the line `{"error":{…}}`. */
export function createNdjsonWriter(
  schemaHeader: Uint8Array,
  compact: boolean,
  style: JsonStyle,
): ResultWriter {
  const write = compact ? batchToNdjsonArrays : batchToNdjson;
  const rows = createRowsDecoder(schemaHeader);
  return {
    begin: () => [],
    message(batch) {
      const decoded = rows.decode(batch);
      if (decoded === undefined) return { pieces: [], usesBatch: false };
      return writeText((memory) => write(decoded, style, memory));
    },
    end: () => [],
    fail: (problem: Problem) => [text(`${JSON.stringify({ error: problem })}\n`)],
  };
}

function metaOf(field: Field): { name: string; type: string } {
  return { name: field.name, type: clickHouseType(field) };
}

function text(content: string): Uint8Array {
  return Buffer.from(content);
}
