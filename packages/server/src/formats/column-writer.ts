import { isUtf8 } from 'node:buffer';
import { type Data, DataType, DateUnit } from 'apache-arrow';
import { type ByteSink, bytesOf } from './byte-sink.ts';
import { type CellReader, cellReader, vectorReader } from './cell.ts';
import type { TextDialect } from './text-dialect.ts';
import {
  firstPlainDay,
  lastPlainDay,
  writeDay,
  writeDecimal,
  writeInteger,
  writeTimeOfDay,
} from './write-numbers.ts';

/*
 * The types that tables are mostly made of go from Arrow's memory to text without a string between; the others, and
 * values that are out of the ordinary, go through `cellReader`, with the same text.
 *
 * Column by column, with a loop for each kind of column: the same code row by row, where each call goes to another
 * function than the one before, takes three times as long.
 */

/** One column chunk that is being written. */
interface Job {
  readonly data: Data;
  readonly sink: ByteSink;
  readonly dialect: TextDialect;
  /** Where the field of each row ends. */
  readonly ends: Int32Array;
  /** Validity bits, for columns that have nulls. */
  readonly valid: Uint8Array | undefined;
  /** The cell of a row that is not null. */
  readonly read: CellReader;
}

/**
 * Writes the fields of a column chunk one after the other.
 *
 * @param data - the memory of one column of one record batch
 * @param ends - is filled with where the field of each row ends in the sink
 */
export function writeColumn(data: Data, sink: ByteSink, dialect: TextDialect, ends: Int32Array): void {
  const { type } = data;
  const hasNulls = !DataType.isUnion(type) && data.nullCount > 0;
  const job: Job = {
    data,
    sink,
    dialect,
    ends,
    valid: hasNulls ? data.nullBitmap : undefined,
    read: cellReader(data),
  };
  if (DataType.isFloat(type) && type.precision !== 0) writeFloats(job);
  else if (DataType.isInt(type) && type.bitWidth < 64) writeIntegers(job);
  else if (DataType.isInt(type) && dialect.integers !== 'text') writeLongs(job, type.isSigned);
  else if (DataType.isDecimal(type) && type.scale >= 0 && type.scale <= 15) writeDecimals(job, type.scale);
  else if (DataType.isDate(type) && type.unit === DateUnit.DAY) writeDays(job);
  else if (DataType.isTime(type) && type.bitWidth === 64) writeTimes(job, type.unit * 3);
  else if (DataType.isTimestamp(type)) {
    writeTimestamps(job, type.unit * 3, (type.timezone ?? '') !== '');
  } else if (DataType.isUtf8(type) && isWholeUtf8(data)) writeTexts(job);
  else if (DataType.isDictionary(type)) writeDictionary(job);
  else writeCells(job);
}

function isNull({ data, valid }: Job, row: number): boolean {
  if (valid === undefined) return false;
  const bit = data.offset + row;
  return (((valid[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 0;
}

/** What has no way of its own, at the place where its field begins. */
function writeCell({ sink, dialect, read }: Job, row: number, begin: number): void {
  sink.at = begin;
  sink.text(dialect.field(read(row)));
}

function writeCells(job: Job): void {
  const { data, sink, dialect, ends } = job;
  for (let row = 0; row < data.length; row++) {
    if (isNull(job, row)) sink.raw(dialect.null);
    else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

function writeIntegers(job: Job): void {
  const { data, sink, dialect, ends } = job;
  const values: ArrayLike<number> = data.values;
  for (let row = 0; row < data.length; row++) {
    if (isNull(job, row)) sink.raw(dialect.null);
    else writeInteger(sink, values[row] ?? 0);
    ends[row] = sink.at;
  }
}

/** Numbers that are whole and small, as measures often are, have no need of the shortest text that is read back as them. */
function writeFloats(job: Job): void {
  const { data, sink, dialect, ends } = job;
  const values: ArrayLike<number> = data.values;
  for (let row = 0; row < data.length; row++) {
    const value = values[row] ?? 0;
    if (isNull(job, row)) sink.raw(dialect.null);
    else if ((value | 0) === value && !Object.is(value, -0)) writeInteger(sink, value | 0);
    else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

/** The 32-bit halves of 64-bit values. */
function halves(data: Data): { readonly low: Uint32Array; readonly high: Int32Array } {
  const { buffer, byteOffset, length }: BigInt64Array | BigUint64Array = data.values;
  return {
    low: new Uint32Array(buffer, byteOffset, 2 * length),
    high: new Int32Array(buffer, byteOffset, 2 * length),
  };
}

function writeLongs(job: Job, isSigned: boolean): void {
  const { data, sink, dialect, ends } = job;
  const { low, high } = halves(data);
  for (let row = 0; row < data.length; row++) {
    const upper = high[2 * row + 1] ?? 0;
    const value = (isSigned ? upper : upper >>> 0) * 0x1_0000_0000 + (low[2 * row] ?? 0);
    if (isNull(job, row)) sink.raw(dialect.null);
    else if (Number.isSafeInteger(value)) writeInteger(sink, value);
    else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

function writeDecimals(job: Job, scale: number): void {
  const { data, sink, dialect, ends } = job;
  const { quote } = dialect;
  const words: Uint32Array = data.values;
  const width = data.stride;
  for (let row = 0; row < data.length; row++) {
    const first = row * width;
    const low = words[first] ?? 0;
    const high = width === 1 ? (low | 0) >> 31 : (words[first + 1] ?? 0) | 0;
    const value = high * 0x1_0000_0000 + low;
    let isPlain = Number.isSafeInteger(value);
    for (let i = 2; i < width; i++) if (((words[first + i] ?? 0) | 0) !== high >> 31) isPlain = false;
    if (isNull(job, row)) sink.raw(dialect.null);
    else if (isPlain) {
      writeByte(sink, quote);
      writeDecimal(sink, value, scale);
      writeByte(sink, quote);
    } else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

/** One byte where there is one. */
function writeByte(sink: ByteSink, byte: number): void {
  if (byte === 0) return;
  sink.reserve(1);
  sink.byte(byte);
}

function writeDays(job: Job): void {
  const { data, sink, dialect, ends } = job;
  const { quote } = dialect;
  const values: Int32Array = data.values;
  for (let row = 0; row < data.length; row++) {
    const day = values[row] ?? 0;
    if (isNull(job, row)) sink.raw(dialect.null);
    else if (day >= firstPlainDay && day <= lastPlainDay) {
      writeByte(sink, quote);
      writeDay(sink, day);
      writeByte(sink, quote);
    } else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

function writeTimes(job: Job, digits: number): void {
  const { data, sink, dialect, ends } = job;
  const { quote } = dialect;
  const { low, high } = halves(data);
  const perDay = 86_400 * 10 ** digits;
  for (let row = 0; row < data.length; row++) {
    const value = (high[2 * row + 1] ?? 0) * 0x1_0000_0000 + (low[2 * row] ?? 0);
    if (isNull(job, row)) sink.raw(dialect.null);
    else if (value >= 0 && value < perDay) {
      writeByte(sink, quote);
      writeTimeOfDay(sink, value, digits);
      writeByte(sink, quote);
    } else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

function writeTimestamps(job: Job, digits: number, hasZone: boolean): void {
  const { data, sink, dialect, ends } = job;
  const { quote } = dialect;
  const { low, high } = halves(data);
  const perDay = 86_400 * 10 ** digits;
  for (let row = 0; row < data.length; row++) {
    const value = (high[2 * row + 1] ?? 0) * 0x1_0000_0000 + (low[2 * row] ?? 0);
    const day = Math.floor(value / perDay);
    if (isNull(job, row)) sink.raw(dialect.null);
    else if (Number.isSafeInteger(value) && day >= firstPlainDay && day <= lastPlainDay) {
      writeByte(sink, quote);
      writeDay(sink, day);
      writeByte(sink, 0x54);
      writeTimeOfDay(sink, value - day * perDay, digits);
      writeByte(sink, hasZone ? 0x5a : 0);
      writeByte(sink, quote);
    } else writeCell(job, row, sink.at);
    ends[row] = sink.at;
  }
}

/** Whether the texts are valid together. Each is, too, if neither it nor the one behind it begins within a character. */
function isWholeUtf8({ values, valueOffsets, length }: Data): boolean {
  const bytes: Uint8Array = values;
  const offsets: Int32Array = valueOffsets;
  return isUtf8(bytes.subarray(offsets[0] ?? 0, offsets[length] ?? 0));
}

/** Whether a character goes on at this byte. */
function isWithin(values: Uint8Array, at: number): boolean {
  return ((values[at] ?? 0) & 0xc0) === 0x80;
}

function writeTexts(job: Job): void {
  const { data, sink, dialect, ends } = job;
  const { quote, special, empty } = dialect;
  const values: Uint8Array = data.values;
  const offsets: Int32Array = data.valueOffsets;
  for (let row = 0; row < data.length; row++) {
    const begin = offsets[row] ?? 0;
    const end = offsets[row + 1] ?? 0;
    if (isNull(job, row)) sink.raw(dialect.null);
    else if (begin === end) sink.raw(empty);
    else {
      sink.reserve(end - begin + 2);
      const { bytes, at } = sink;
      let to = at;
      if (quote !== 0) bytes[to++] = quote;
      let from = isWithin(values, begin) || isWithin(values, end) ? end + 1 : begin;
      for (; from < end; from++) {
        const byte = values[from] ?? 0;
        if (special[byte] === 1) break;
        bytes[to++] = byte;
      }
      if (quote !== 0) bytes[to++] = quote;
      if (from === end) sink.at = to;
      else writeCell(job, row, at);
    }
    ends[row] = sink.at;
  }
}

/** Each value of a dictionary is made into text once. */
function writeDictionary(job: Job): void {
  const { data, sink, dialect, ends } = job;
  const { dictionary } = data;
  const read: CellReader = dictionary === undefined ? () => null : vectorReader(dictionary);
  const indices: ArrayLike<number | bigint> = data.values;
  const known = new Map<number, Uint8Array>();
  for (let row = 0; row < data.length; row++) {
    if (isNull(job, row)) sink.raw(dialect.null);
    else {
      const index = Number(indices[row] ?? 0);
      let field = known.get(index);
      if (field === undefined) {
        field = bytesOf(dialect.field(read(index)));
        known.set(index, field);
      }
      sink.raw(field);
    }
    ends[row] = sink.at;
  }
}
