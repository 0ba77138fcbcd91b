import { type Data, DataType, DateUnit, IntervalUnit, type TimeUnit, Vector } from 'apache-arrow';
import { type Cell, CellRecord } from './cell-record.ts';
import { cellToText } from './json.ts';
import {
  formatDate,
  formatDecimal,
  formatDuration,
  formatMonthDayNano,
  formatTime,
  formatTimestamp,
  formatYearMonth,
} from './temporal.ts';

/** Reads row after row of one column chunk. */
export type CellReader = (row: number) => Cell;

/**
 * Decides once, by type, how the cells of a column chunk are read.
 *
 * apache-arrow's own accessors turn timestamps of every unit into milliseconds and decimals into an object, which
 * loses what the column holds; these do not.
 *
 * @param data - the memory of one column of one record batch; null rows give null
 */
export function cellReader(data: Data): CellReader {
  const read = valueReader(data);
  if (DataType.isUnion(data.type) || data.nullCount === 0) return read;
  return (row) => (data.getValid(row) ? read(row) : null);
}

/** One reader a column of a batch or struct: see {@link cellReader}. */
export function cellReaders(children: readonly Data[]): CellReader[] {
  return children.map((child) => cellReader(child));
}

function valueReader(data: Data): CellReader {
  const { type } = data;
  if (DataType.isNull(type)) return () => null;
  if (DataType.isBool(type)) return bitReader(data);
  if (DataType.isFloat(type)) return floatReader(data);
  if (DataType.isInt(type)) return (row) => data.values[row];
  if (DataType.isDecimal(type)) {
    const words = data.stride;
    return (row) => formatDecimal(data.values.subarray(words * row, words * (row + 1)), type.scale);
  }
  if (DataType.isDate(type)) {
    if (type.unit === DateUnit.DAY) return (row) => formatDate(BigInt(data.values[row]) * 86_400_000n);
    return (row) => formatDate(BigInt(data.values[row]));
  }
  if (DataType.isTime(type)) return (row) => formatTime(BigInt(data.values[row]), unitOf(type.unit));
  if (DataType.isTimestamp(type)) {
    return (row) => formatTimestamp(BigInt(data.values[row]), unitOf(type.unit), type.timezone ?? undefined);
  }
  if (DataType.isDuration(type)) return (row) => formatDuration(BigInt(data.values[row]), unitOf(type.unit));
  if (DataType.isInterval(type)) return intervalReader(data, type.unit);
  if (DataType.isDictionary(type)) return dictionaryReader(data);
  if (DataType.isStruct(type)) return structReader(data);
  if (DataType.isMap(type)) return mapReader(data);
  if (DataType.isList(type) || DataType.isLargeList(type)) return listReader(data);
  if (DataType.isFixedSizeList(type)) return fixedListReader(data, type.listSize);
  if (DataType.isUnion(type)) return unionReader(data);
  return throughVector(data);
}

/** Arrow's TimeUnit as the exponent of ten of its fraction of a second. */
function unitOf(unit: TimeUnit): number {
  return unit * 3;
}

function bitReader(data: Data): CellReader {
  const bits: Uint8Array = data.values;
  return (row) => {
    const bit = data.offset + row;
    return (((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
  };
}

function floatReader(data: Data): CellReader {
  if (DataType.isFloat(data.type) && data.type.precision !== 0) return (row) => data.values[row];
  return throughVector(data);
}

function intervalReader(data: Data, unit: IntervalUnit): CellReader {
  const values: Int32Array = data.values;
  if (unit === IntervalUnit.YEAR_MONTH) return (row) => formatYearMonth(values[row] ?? 0);
  if (unit === IntervalUnit.DAY_TIME) {
    return (row) =>
      formatMonthDayNano(0, values[2 * row] ?? 0, BigInt(values[2 * row + 1] ?? 0) * 1_000_000n);
  }
  return (row) => {
    const low = BigInt((values[4 * row + 2] ?? 0) >>> 0);
    const high = BigInt(values[4 * row + 3] ?? 0);
    return formatMonthDayNano(values[4 * row] ?? 0, values[4 * row + 1] ?? 0, (high << 32n) | low);
  };
}

function dictionaryReader(data: Data): CellReader {
  const { dictionary } = data;
  if (dictionary === undefined) return () => null;
  const read = vectorReader(dictionary);
  return (row) => read(Number(data.values[row]));
}

/** Reads a vector of one or several chunks by row number. */
export function vectorReader(vector: Vector): CellReader {
  const readers = vector.data.map((chunk) => cellReader(chunk));
  const [only] = readers;
  if (readers.length === 1 && only !== undefined) return only;
  const starts: number[] = [];
  let rows = 0;
  for (const chunk of vector.data) {
    starts.push(rows);
    rows += chunk.length;
  }
  return (row) => {
    let chunk = starts.length - 1;
    while (chunk > 0 && (starts[chunk] ?? 0) > row) chunk--;
    return readers[chunk]?.(row - (starts[chunk] ?? 0)) ?? null;
  };
}

function structReader(data: Data): CellReader {
  const names = DataType.isStruct(data.type) ? data.type.children.map((field) => field.name) : [];
  const readers = cellReaders(data.children);
  return (row) => new CellRecord(names.map((name, i) => [name, readers[i]?.(row) ?? null]));
}

/** A map becomes a record, whatever its keys are: their text is what JSON can name a value by. */
function mapReader(data: Data): CellReader {
  const [entries] = data.children;
  const [keys, values] = entries === undefined ? [] : cellReaders(entries.children);
  if (keys === undefined || values === undefined) return () => null;
  const offsets: Int32Array = data.valueOffsets;
  return (row) => {
    const pairs: [string, Cell][] = [];
    for (let i = offsets[row] ?? 0; i < (offsets[row + 1] ?? 0); i++) {
      pairs.push([cellToText(keys(i)), values(i)]);
    }
    return new CellRecord(pairs);
  };
}

function listReader(data: Data): CellReader {
  const [child] = data.children;
  if (child === undefined) return () => [];
  const read = cellReader(child);
  const offsets: Int32Array | BigInt64Array = data.valueOffsets;
  return (row) => range(read, Number(offsets[row] ?? 0), Number(offsets[row + 1] ?? 0));
}

function fixedListReader(data: Data, size: number): CellReader {
  const [child] = data.children;
  if (child === undefined) return () => [];
  const read = cellReader(child);
  return (row) => range(read, row * size, (row + 1) * size);
}

function range(read: CellReader, begin: number, end: number): Cell[] {
  const cells: Cell[] = [];
  for (let i = begin; i < end; i++) cells.push(read(i));
  return cells;
}

function unionReader(data: Data): CellReader {
  const readers = cellReaders(data.children);
  const dense = DataType.isDenseUnion(data.type);
  const childOf: Record<number, number> = DataType.isUnion(data.type) ? data.type.typeIdToChildIndex : {};
  const offsets: Int32Array = data.valueOffsets;
  return (row) => {
    const child = childOf[data.typeIds[row] ?? 0];
    if (child === undefined) return null;
    return readers[child]?.(dense ? (offsets[row] ?? 0) : row) ?? null;
  };
}

/** Text, bytes and half floats: what apache-arrow gives is already exact. */
function throughVector(data: Data): CellReader {
  const vector: Vector = new Vector([data]);
  return (row) => {
    const value: unknown = vector.get(row);
    if (value === null || typeof value === 'number' || typeof value === 'string') return value;
    if (value instanceof Uint8Array || typeof value === 'bigint' || typeof value === 'boolean') return value;
    return String(value);
  };
}
