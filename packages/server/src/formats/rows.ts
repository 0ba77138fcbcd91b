import { DataType, type RecordBatch, type Schema } from 'apache-arrow';
import { ByteSink, bytesOf } from './byte-sink.ts';
import { cellReaders } from './cell.ts';
import { writeColumn } from './column-writer.ts';
import { type JsonStyle, cellToText } from './json.ts';
import { type TextMemory, freshMemory } from './text-memory.ts';
import {
  type TextDialect,
  csvDialect,
  escapeTab,
  jsonDialect,
  quoteCsv,
  tsvDialect,
} from './text-dialect.ts';

/** Rows as newline-delimited JSON, one object a line. */
export function batchToNdjson(batch: RecordBatch, style?: JsonStyle, memory?: TextMemory): Uint8Array {
  return writeRows(batch, jsonDialect(style), objectFrame(batch.schema, '{', '}\n'), memory);
}

/** Rows as newline-delimited JSON, an array of values a line. */
export function batchToNdjsonArrays(batch: RecordBatch, style?: JsonStyle, memory?: TextMemory): Uint8Array {
  const frame = { begin: '[', names: commas(batch.schema), end: ']\n' };
  return writeRows(batch, jsonDialect(style), frame, memory);
}

/** Rows as JSON, each after a comma and a line feed: an object of names and values, or an array of values. */
export function batchToJsonRows(
  batch: RecordBatch,
  shape: 'objects' | 'arrays',
  style?: JsonStyle,
  memory?: TextMemory,
): Uint8Array {
  const frame =
    shape === 'objects'
      ? objectFrame(batch.schema, ',\n{', '}')
      : { begin: ',\n[', names: commas(batch.schema), end: ']' };
  return writeRows(batch, jsonDialect(style), frame, memory);
}

/** What stands before each value of an array. */
function commas(schema: Schema): string[] {
  return schema.fields.map((_, i) => (i === 0 ? '' : ','));
}

/** The header line of a CSV file (RFC 4180, lines end in LF). */
export function csvHeader(schema: Schema, separator: string = ','): string {
  return `${schema.fields.map((field) => quoteCsv(field.name, separator)).join(separator)}\n`;
}

/**
 * Rows as CSV (RFC 4180, lines end in LF); null is an empty field, the empty string `""`.
 *
 * @param separator - no character that stands in numbers and dates
 */
export function batchToCsv(batch: RecordBatch, separator: string = ',', memory?: TextMemory): Uint8Array {
  return writeRows(batch, csvDialect(separator), lineFrame(batch.schema, separator), memory);
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
export function batchToTsv(batch: RecordBatch, memory?: TextMemory): Uint8Array {
  return writeRows(batch, tsvDialect, lineFrame(batch.schema, '\t'), memory);
}

/** What stands around the fields of a row. */
interface RowFrame {
  readonly begin: string;
  /** What stands before each field. */
  readonly names: readonly string[];
  readonly end: string;
}

function objectFrame({ fields }: Schema, begin: string, end: string): RowFrame {
  return {
    begin,
    names: fields.map(({ name }, i) => `${i === 0 ? '' : ','}${JSON.stringify(name)}:`),
    end,
  };
}

function lineFrame({ fields }: Schema, separator: string): RowFrame {
  return { begin: '', names: fields.map((_, i) => (i === 0 ? '' : separator)), end: '\n' };
}

/** Scratch memory above this is not kept. */
const mostScratchBytes = 8 * 1024 * 1024;

/** Fields of a batch, and where each ends: used again by the next batch, since nothing comes in between. */
let scratch = new ByteSink(1024 * 1024);
let scratchEnds = new Int32Array(65_536);

/** Writes column after column, then puts the fields of each row together. */
function writeRows(
  batch: RecordBatch,
  dialect: TextDialect,
  { begin, names, end }: RowFrame,
  memory: TextMemory = freshMemory,
): Uint8Array {
  const rows = batch.numRows;
  const columns = batch.data.children;
  const fields = scratch;
  fields.at = 0;
  if (scratchEnds.length < rows * columns.length) scratchEnds = new Int32Array(rows * columns.length);
  const ends = columns.map((column, i) => {
    const columnEnds = scratchEnds.subarray(i * rows, (i + 1) * rows);
    writeColumn(column, fields, dialect, columnEnds);
    return columnEnds;
  });
  const before = names.map((name, i) => bytesOf(i === 0 ? begin + name : name));
  const after = bytesOf(names.length === 0 ? begin + end : end);
  const frameBytes = after.length + before.reduce((sum, { length }) => sum + length, 0);
  const length = fields.at + rows * frameBytes;
  const { buffer, byteOffset } = memory.take(length);
  const result = new Uint8Array(buffer, byteOffset, length);
  joinRows(fields, ends, before, after, result, rows);
  if (scratch.bytes.length > mostScratchBytes) scratch = new ByteSink(1024 * 1024);
  if (scratchEnds.byteLength > mostScratchBytes) scratchEnds = new Int32Array(0);
  return result;
}

function joinRows(
  fields: ByteSink,
  ends: readonly Int32Array[],
  before: readonly Uint8Array[],
  after: Uint8Array,
  target: Uint8Array,
  rows: number,
): void {
  const { bytes } = fields;
  // Where the field of the next row begins, of each column.
  const places = Int32Array.from(ends, (_, i) => (i === 0 ? 0 : (ends[i - 1]?.[rows - 1] ?? 0)));
  let to = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < ends.length; i++) {
      const name = before[i];
      if (name !== undefined) for (let from = 0; from < name.length; from++) target[to++] = name[from] ?? 0;
      const stop = ends[i]?.[row] ?? 0;
      for (let from = places[i] ?? 0; from < stop; from++) target[to++] = bytes[from] ?? 0;
      places[i] = stop;
    }
    for (let from = 0; from < after.length; from++) target[to++] = after[from] ?? 0;
  }
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
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll(/\r\n|\r|\n/g, '<br>');
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
