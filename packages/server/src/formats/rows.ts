import type { RecordBatch, Schema } from 'apache-arrow';
import { cellReaders } from './cell.ts';
import { cellToJson, cellToText } from './json.ts';

/** Rows as newline-delimited JSON, one object a line. */
export function batchToNdjson(batch: RecordBatch): string {
  const names = batch.schema.fields.map((field) => JSON.stringify(field.name));
  const readers = cellReaders(batch.data.children);
  const lines: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    lines.push(`{${readers.map((read, i) => `${names[i]}:${cellToJson(read(row))}`).join(',')}}\n`);
  }
  return lines.join('');
}

/** The header line of a CSV file (RFC 4180, lines end in LF). */
export function csvHeader(schema: Schema, separator: string = ','): string {
  return `${schema.fields.map((field) => quote(field.name, separator)).join(separator)}\n`;
}

/** Rows as CSV (RFC 4180, lines end in LF); null is an empty field, the empty string `""`. */
export function batchToCsv(batch: RecordBatch, separator: string = ','): string {
  const readers = cellReaders(batch.data.children);
  const lines: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    const fields = readers.map((read) => {
      const cell = read(row);
      return cell === '' ? '""' : quote(cellToText(cell), separator);
    });
    lines.push(`${fields.join(separator)}\n`);
  }
  return lines.join('');
}

/** Rows as an array of texts, for tables that people read. */
export function batchToText(batch: RecordBatch, limit: number = batch.numRows): string[][] {
  const readers = cellReaders(batch.data.children);
  const rows: string[][] = [];
  for (let row = 0; row < Math.min(limit, batch.numRows); row++) {
    rows.push(
      readers.map((read) => {
        const cell = read(row);
        return cell === null ? 'null' : cellToText(cell);
      }),
    );
  }
  return rows;
}

function quote(text: string, separator: string): string {
  if (!text.includes('"') && !text.includes(separator) && !text.includes('\n') && !text.includes('\r'))
    return text;
  return `"${text.replaceAll('"', '""')}"`;
}
