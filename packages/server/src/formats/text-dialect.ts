import { Buffer } from 'node:buffer';
import { bytesOf } from './byte-sink.ts';
import type { Cell } from './cell-record.ts';
import { type JsonStyle, cellToJson, cellToText } from './json.ts';

/** How a text format writes its fields: see `column-writer.ts`. */
export interface TextDialect {
  readonly null: Uint8Array;
  /** Stands around texts, and around numbers and dates that are texts in this format; 0 for nothing. */
  readonly quote: number;
  /** 1 for each byte that a text cannot have as it is. */
  readonly special: Uint8Array;
  /** What stands for the empty text. */
  readonly empty: Uint8Array;
  /** Whether an integer outside ±2^53 is written as digits without more ado. Inside they always are, but for `text`. */
  readonly integers: 'safe' | 'text' | 'number';
  /** Any cell, as a whole field. */
  field(cell: Cell): string;
}

/** JSON, see {@link cellToJson}. */
export function jsonDialect(style: JsonStyle = {}): TextDialect {
  return {
    null: bytesOf('null'),
    quote: 0x22,
    special: table((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c),
    empty: bytesOf('""'),
    integers: style.bigIntegers ?? 'safe',
    field: (cell) => cellToJson(cell, style),
  };
}

/** CSV (RFC 4180): fields are quoted where they must be; the empty text is `""`, null is nothing. */
export function csvDialect(separator: string): TextDialect {
  const special = new Set([...Buffer.from(separator), 0x22, 0x0a, 0x0d]);
  return {
    null: new Uint8Array(0),
    quote: 0,
    integers: 'number',
    special: table((byte) => special.has(byte)),
    empty: bytesOf('""'),
    field(cell) {
      const text = cellToText(cell);
      return text === '' && cell !== null ? '""' : quoteCsv(text, separator);
    },
  };
}

/** Tab-separated values as databases exchange them: see `tsvHeader` in `rows.ts`. */
export const tsvDialect: TextDialect = {
  quote: 0,
  integers: 'number',
  null: bytesOf('\\N'),
  special: table((byte) => byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x5c),
  empty: new Uint8Array(0),
  field: (cell) => (cell === null ? '\\N' : escapeTab(cellToText(cell))),
};

/** A field of CSV, in quotes where it needs them. */
export function quoteCsv(text: string, separator: string): string {
  if (!text.includes('"') && !text.includes(separator) && !text.includes('\n') && !text.includes('\r'))
    return text;
  return `"${text.replaceAll('"', '""')}"`;
}

const tabEscapes: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\' };

/** A field of tab-separated values. */
export function escapeTab(text: string): string {
  return /[\t\n\r\\]/.test(text) ? text.replace(/[\t\n\r\\]/g, (found) => tabEscapes[found] ?? found) : text;
}

function table(isSpecial: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isSpecial(byte) ? 1 : 0));
}
