import { DataType, type RecordBatch, type Schema } from 'apache-arrow';
import { cellReaders } from './cell.ts';
import { type JsonStyle, cellToJson, cellToText } from './json.ts';

/** Rows as newline-delimited JSON, one object a line. */
export function batchToNdjson(batch: RecordBatch, style?: JsonStyle): string {
  return batchToJsonRows(batch, 'objects', style)
    .map((row) => `${row}\n`)
    .join('');
}

/** Rows as JSON: an object of names and values each, or an array of values. */
export function batchToJsonRows(
  batch: RecordBatch,
  shape: 'objects' | 'arrays',
  style?: JsonStyle,
): string[] {
  const prefixes = batch.schema.fields.map((field) =>
    shape === 'objects' ? `${JSON.stringify(field.name)}:` : '',
  );
  const [open, close] = shape === 'objects' ? ['{', '}'] : ['[', ']'];
  const readers = cellReaders(batch.data.children);
  const rows: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    rows.push(
      `${open}${readers.map((read, i) => `${prefixes[i]}${cellToJson(read(row), style)}`).join(',')}${close}`,
    );
  }
  return rows;
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
      const text = cellToText(cell);
      return text === '' && cell !== null ? '""' : quote(text, separator);
    });
    lines.push(`${fields.join(separator)}\n`);
  }
  return lines.join('');
}

/**
 * The header line of tab-separated values as databases exchange them.
 *
 * ```
 * line  = field *( TAB field ) LF
 * field = "\\N" (null) | characters, with TAB, LF, CR and "\\" written \\t, \\n, \\r and \\\\
 * ```
 */
export function tsvHeader(schema: Schema): string {
  return `${schema.fields.map((field) => escapeTab(field.name)).join('\t')}\n`;
}

/** Rows as tab-separated values: see {@link tsvHeader}. */
export function batchToTsv(batch: RecordBatch): string {
  const readers = cellReaders(batch.data.children);
  const lines: string[] = [];
  for (let row = 0; row < batch.numRows; row++) {
    const fields = readers.map((read) => {
      const cell = read(row);
      return cell === null ? '\\N' : escapeTab(cellToText(cell));
    });
    lines.push(`${fields.join('\t')}\n`);
  }
  return lines.join('');
}

const tabEscapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

function escapeTab(text: string): string {
  return /[\t\n\r\\]/.test(text) ? text.replace(/[\t\n\r\\]/g, (found) => tabEscapes[found] ?? found) : text;
}

/** The two lines at the head of a Markdown table (GitHub's). Numbers stand at the right. */
export function markdownHeader(schema: Schema): string {
  const names = schema.fields.map((field) => escapeMarkdown(field.name));
  const rules = schema.fields.map(({ type }) =>
    DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type) ? '---:' : '---',
  );
  return `| ${names.join(' | ')} |\n| ${rules.join(' | ')} |\n`;
}

/** Rows of a Markdown table. */
export function batchToMarkdown(batch: RecordBatch): string {
  return batchToText(batch)
    .map((row) => `| ${row.map((cell) => escapeMarkdown(cell)).join(' | ')} |\n`)
    .join('');
}

function escapeMarkdown(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\r?\n/g, '<br>');
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
