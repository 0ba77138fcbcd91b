import {
  Binary,
  BinaryView,
  Bool,
  Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMicrosecond,
  DurationSecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeBinary,
  LargeList,
  LargeUtf8,
  List,
  Map_,
  makeData,
  Null,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Utf8View,
  vectorFromArray,
} from 'apache-arrow';

const utf8 = new TextEncoder();

/** A bitmap of `rows` bits where each `every`-th row is null. */
export function bitmap(rows: number, every = 3): { nullBitmap: Uint8Array; nullCount: number } {
  const nullBitmap = new Uint8Array(((rows + 63) >>> 6) << 3);
  let nullCount = 0;
  for (let row = 0; row < rows; row++) {
    if (row % every === 1) nullCount += 1;
    else nullBitmap[row >>> 3] = (nullBitmap[row >>> 3] ?? 0) | (1 << (row & 7));
  }
  return { nullBitmap, nullCount };
}

/** Offsets and bytes of short texts, some of them empty. */
function texts(rows: number): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(rows + 1);
  let text = '';
  for (let row = 0; row < rows; row++) {
    text += 'añ☃z'.repeat(row % 4);
    valueOffsets[row + 1] = utf8.encode(text).byteLength;
  }
  return { valueOffsets, data: utf8.encode(text) };
}

function views(rows: number): { views: Uint8Array; variadicBuffers: Uint8Array[] } {
  const all = new Uint8Array(16 * rows);
  const view = new DataView(all.buffer);
  const buffers: Uint8Array[] = [new Uint8Array(20 * rows), new Uint8Array(20 * rows)];
  for (let row = 0; row < rows; row++) {
    const bytes = utf8.encode(row % 2 === 0 ? `r${row}` : `a longer text ${row}`);
    view.setInt32(16 * row, bytes.byteLength, true);
    if (bytes.byteLength <= 12) {
      all.set(bytes, 16 * row + 4);
    } else {
      const buffer = row % 3 === 0 ? 1 : 0;
      all.set(bytes.subarray(0, 4), 16 * row + 4);
      view.setInt32(16 * row + 8, buffer, true);
      view.setInt32(16 * row + 12, 20 * row, true);
      buffers[buffer]?.set(bytes, 20 * row);
    }
  }
  return { views: all, variadicBuffers: buffers };
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 37 + 11) & 0xff);
}

/** Decimals: numbers of some digits, little-endian, so that they fit their precision. */
function decimals(rows: number, words: number): Uint32Array {
  const values = new Uint32Array(rows * words);
  for (let row = 0; row < rows; row++) {
    const negative = row % 2 === 1;
    values[row * words] = negative ? -(row + 1) : row * 1000 + 7;
    if (negative) values.fill(0xffff_ffff, row * words + 1, (row + 1) * words);
  }
  return values;
}

function longOffsets(offsets: Int32Array): BigInt64Array {
  return BigInt64Array.from(offsets, (offset) => BigInt(offset));
}

/**
 * A batch with a column of every type that apache-arrow can hold, each with nulls where the type may have them.
 *
 * @param rows - at least 8
 */
export function everyType(rows: number): RecordBatch {
  const nulls = bitmap(rows);
  const columns: [string, Data][] = [];
  const add = (name: string, data: Data): void => {
    columns.push([name, data]);
  };
  const ints = (from: number): number[] => Array.from({ length: rows }, (_, row) => row * 3 + from);
  const longs = (): bigint[] => ints(-5).map((value) => BigInt(value) * 1_000_003n);
  add('null', makeData({ type: new Null(), length: rows }));
  add('bool', makeData({ type: new Bool(), length: rows, data: bytes((rows + 7) >>> 3), ...nulls }));
  add('int8', makeData({ type: new Int8(), data: Int8Array.from(ints(-5)), ...nulls }));
  add('int16', makeData({ type: new Int16(), data: Int16Array.from(ints(-5)), ...nulls }));
  add('int32', makeData({ type: new Int32(), data: Int32Array.from(ints(-5)) }));
  add('int64', makeData({ type: new Int64(), data: BigInt64Array.from(longs()), ...nulls }));
  add('uint8', makeData({ type: new Uint8(), data: Uint8Array.from(ints(5)), ...nulls }));
  add('uint16', makeData({ type: new Uint16(), data: Uint16Array.from(ints(5)), ...nulls }));
  add('uint32', makeData({ type: new Uint32(), data: Uint32Array.from(ints(-5)), ...nulls }));
  add('uint64', makeData({ type: new Uint64(), data: BigUint64Array.from(longs()), ...nulls }));
  const halves = Uint16Array.from(ints(0x3c00));
  add('float16', makeData({ type: new Float16(), data: halves, ...nulls }));
  add('float32', makeData({ type: new Float32(), data: Float32Array.from(ints(0.5)), ...nulls }));
  add('float64', makeData({ type: new Float64(), data: Float64Array.from(ints(0.25)), ...nulls }));
  add('decimal32', makeData({ type: new Decimal(2, 9, 32), data: decimals(rows, 1), ...nulls }));
  add('decimal64', makeData({ type: new Decimal(3, 18, 64), data: decimals(rows, 2), ...nulls }));
  add('decimal128', makeData({ type: new Decimal(4, 38, 128), data: decimals(rows, 4), ...nulls }));
  add('decimal256', makeData({ type: new Decimal(-2, 76, 256), data: decimals(rows, 8), ...nulls }));
  add('utf8', makeData({ type: new Utf8(), ...texts(rows), ...nulls }));
  const { data: letters, valueOffsets } = texts(rows);
  const large = { valueOffsets: longOffsets(valueOffsets), data: letters };
  add('large_utf8', makeData({ type: new LargeUtf8(), ...large, ...nulls }));
  add('utf8_view', makeData({ type: new Utf8View(), ...views(rows), ...nulls }));
  add('binary', makeData({ type: new Binary(), ...texts(rows), ...nulls }));
  add('large_binary', makeData({ type: new LargeBinary(), ...large, ...nulls }));
  add('binary_view', makeData({ type: new BinaryView(), ...views(rows), ...nulls }));
  add('fixed5', makeData({ type: new FixedSizeBinary(5), data: bytes(5 * rows), ...nulls }));
  add('date_day', makeData({ type: new DateDay(), data: Int32Array.from(ints(19_000)), ...nulls }));
  const days = BigInt64Array.from(ints(0), (day) => BigInt(day) * 86_400_000n);
  add('date_ms', makeData({ type: new DateMillisecond(), data: days, ...nulls }));
  const small = Int32Array.from(ints(7));
  const big = BigInt64Array.from(ints(7), (value) => BigInt(value));
  add('time_s', makeData({ type: new TimeSecond(), data: small, ...nulls }));
  add('time_ms', makeData({ type: new TimeMillisecond(), data: small, ...nulls }));
  add('time_us', makeData({ type: new TimeMicrosecond(), data: big, ...nulls }));
  add('time_ns', makeData({ type: new TimeNanosecond(), data: big, ...nulls }));
  add('timestamp_s', makeData({ type: new TimestampSecond(), data: big, ...nulls }));
  add('timestamp_ms', makeData({ type: new TimestampMillisecond('UTC'), data: big, ...nulls }));
  add('timestamp_us', makeData({ type: new TimestampMicrosecond('Europe/Berlin'), data: big, ...nulls }));
  add('timestamp_ns', makeData({ type: new TimestampNanosecond('+02:00'), data: big, ...nulls }));
  add('duration_s', makeData({ type: new DurationSecond(), data: big, ...nulls }));
  add('duration_us', makeData({ type: new DurationMicrosecond(), data: big, ...nulls }));
  add('interval_ym', makeData({ type: new IntervalYearMonth(), data: small, ...nulls }));
  const pairs = Int32Array.from({ length: 2 * rows }, (_, index) => index);
  add('interval_dt', makeData({ type: new IntervalDayTime(), data: pairs, ...nulls }));
  const quads = Int32Array.from({ length: 4 * rows }, (_, index) => (index % 4 === 3 ? 0 : index));
  add('interval_mdn', makeData({ type: new IntervalMonthDayNano(), data: quads, ...nulls }));
  addNested(rows, nulls, add);
  const fields = columns.map(([name, data]) => new Field(name, data.type, true));
  const type = new Struct(fields);
  const children = columns.map(([, data]) => data);
  return new RecordBatch(new Schema(fields), makeData({ type, length: rows, nullCount: 0, children }));
}

function addNested(
  rows: number,
  nulls: { nullBitmap: Uint8Array; nullCount: number },
  add: (name: string, data: Data) => void,
): void {
  const offsets = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) offsets[row + 1] = (offsets[row] ?? 0) + (row % 3);
  const items = offsets[rows] ?? 0;
  const item = (count: number): Data => makeData({ type: new Utf8(), ...texts(count), ...bitmap(count, 4) });
  const itemField = new Field('item', new Utf8(), true);
  const list = { valueOffsets: offsets, child: item(items), ...nulls };
  add('list', makeData({ type: new List(itemField), ...list }));
  const { nullBitmap, nullCount } = nulls;
  const largeList: DataType = new LargeList(itemField);
  const longs = longOffsets(offsets);
  add('large_list', new Data(largeList, 0, rows, nullCount, [longs, undefined, nullBitmap], [item(items)]));
  const fixedList: DataType = new FixedSizeList(3, itemField);
  const threes = [item(3 * rows)];
  add('fixed_list', new Data(fixedList, 0, rows, nullCount, [undefined, undefined, nullBitmap], threes));
  const bools = makeData({
    type: new Bool(),
    length: rows,
    data: bytes((rows + 7) >>> 3),
    ...bitmap(rows, 5),
  });
  const numbers = makeData({ type: new Int32(), data: Int32Array.from({ length: rows }, (_, row) => row) });
  const structFields: Field[] = [
    new Field('b', new Bool(), true),
    new Field('n', new Int32(), false),
    new Field('l', new List(itemField), true),
  ];
  const inner = makeData({ type: new List(itemField), ...list, ...bitmap(rows, 6) });
  const struct = { children: [bools, numbers, inner], length: rows };
  add('struct', makeData({ type: new Struct(structFields), ...struct, ...nulls }));
  const key: Field = new Field('key', new Utf8(), false);
  const value: Field = new Field('value', new Int32(), true);
  const entriesType = new Struct<{ key: Utf8; value: Int32 }>([key, value]);
  const entries = makeData({
    type: entriesType,
    length: items,
    nullCount: 0,
    children: [
      makeData({ type: new Utf8(), ...texts(items) }),
      makeData({
        type: new Int32(),
        data: Int32Array.from({ length: items }, (_, row) => row),
        ...bitmap(items),
      }),
    ],
  });
  const mapType = new Map_(new Field('entries', entriesType, false), false);
  add('map', makeData({ type: mapType, valueOffsets: offsets, child: entries, ...nulls }));
  addUnions(rows, numbers, add);
  const dictionary = vectorFromArray(['red', 'green', null, 'blue'], new Utf8());
  const keys = Int8Array.from({ length: rows }, (_, row) => row % 4);
  add(
    'dictionary',
    makeData({ type: new Dictionary(new Utf8(), new Int8(), 7), data: keys, dictionary, ...nulls }),
  );
  const wide = new Dictionary(new Utf8(), new Uint32(), 8, true);
  const wideKeys = Uint32Array.from(keys);
  add('ordered_dictionary', makeData({ type: wide, data: wideKeys, dictionary }));
}

function addUnions(rows: number, numbers: Data, add: (name: string, data: Data) => void): void {
  const fields = [new Field('i', new Int32(), true), new Field('s', new Utf8(), true)];
  const typeIds = Int8Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? 9 : 4));
  const text = makeData({ type: new Utf8(), ...texts(rows), ...bitmap(rows, 4) });
  const sparse = new SparseUnion([4, 9], fields);
  add('sparse_union', makeData({ type: sparse, typeIds, children: [numbers, text], nullCount: 0 }));
  const ends = [0, 0];
  const valueOffsets = typeIds.map(() => 0);
  const offsets = Int32Array.from(valueOffsets, (_, row) => {
    const child = typeIds[row] === 4 ? 0 : 1;
    const place = ends[child] ?? 0;
    ends[child] = place + 1;
    return place;
  });
  const children = [numbers.slice(0, ends[0] ?? 0), makeData({ type: new Utf8(), ...texts(ends[1] ?? 0) })];
  const dense = new DenseUnion([4, 9], fields);
  add('dense_union', makeData({ type: dense, typeIds, valueOffsets: offsets, children, nullCount: 0 }));
}
