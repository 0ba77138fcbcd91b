import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Binary,
  Bool,
  Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  Field,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  RecordBatch,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint32,
  Uint64,
  Utf8,
  makeData,
  vectorFromArray,
} from 'apache-arrow';
import { ByteSink } from '../../src/formats/byte-sink.ts';
import { cellReader } from '../../src/formats/cell.ts';
import { writeColumn } from '../../src/formats/column-writer.ts';
import { batchToJsonRows, batchToNdjson } from '../../src/formats/rows.ts';
import { type TextDialect, csvDialect, jsonDialect, tsvDialect } from '../../src/formats/text-dialect.ts';

const dialects: Readonly<Record<string, TextDialect>> = {
  JSON: jsonDialect(),
  'JSON with integers as text': jsonDialect({ bigIntegers: 'text' }),
  'JSON with integers as numbers': jsonDialect({ bigIntegers: 'number' }),
  CSV: csvDialect(','),
  TSV: tsvDialect,
};

let seed = 7;
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return seed % below;
}

/** Integers around every power of two and ten, and some between. */
function integers(bits: number, isSigned: boolean): bigint[] {
  const found = new Set<bigint>([0n]);
  for (let bit = 0n; bit <= BigInt(bits); bit++) for (const d of [-1n, 0n, 1n]) found.add((1n << bit) + d);
  for (let power = 1n; power < 1n << BigInt(bits); power *= 10n) {
    for (const d of [-1n, 0n, 1n]) found.add(power + d);
    found.add(power * BigInt(random(1000)) + BigInt(random(1000)));
  }
  const all = isSigned ? [...found].flatMap((value) => [value, -value]) : [...found];
  const fits = isSigned
    ? (value: bigint): boolean => BigInt.asIntN(bits, value) === value
    : (value: bigint): boolean => BigInt.asUintN(bits, value) === value;
  return all.filter(fits);
}

/** A chunk whose every fifth row is null. */
function chunk(type: DataType, values: readonly bigint[], bytesEach: number): Data {
  const memory = new Uint8Array(values.length * bytesEach);
  const view = new DataView(memory.buffer);
  for (const [row, value] of values.entries()) {
    for (let i = 0; i < bytesEach; i++)
      view.setUint8(row * bytesEach + i, Number((value >> BigInt(8 * i)) & 255n));
  }
  const data =
    bytesEach === 8
      ? new BigInt64Array(memory.buffer)
      : bytesEach === 16 || bytesEach === 32
        ? new Uint32Array(memory.buffer)
        : bytesEach === 4
          ? new Int32Array(memory.buffer)
          : bytesEach === 2
            ? new Int16Array(memory.buffer)
            : new Int8Array(memory.buffer);
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 8)).fill(255);
  for (let row = 0; row < values.length; row += 5)
    nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) & ~(1 << (row & 7));
  return new Data(type, 0, values.length, Math.ceil(values.length / 5), [undefined, data, nullBitmap]);
}

function check(data: Data, what: string): void {
  for (const [name, dialect] of Object.entries(dialects)) {
    for (const part of [data, data.slice(3, Math.max(0, data.length - 3))]) {
      const sink = new ByteSink(0);
      const ends = new Int32Array(part.length);
      writeColumn(part, sink, dialect, ends);
      const read = cellReader(part);
      for (let row = 0; row < part.length; row++) {
        const written = Buffer.from(sink.bytes.subarray(ends[row - 1] ?? 0, ends[row]));
        const expected = dialect.field(read(row));
        // Bytes, since bytes that are no UTF-8 look like others as text.
        const message = `${what} as ${name}, row ${row}: ${written.toString()} and not ${expected}`;
        assert.ok(written.equals(Buffer.from(expected)), message);
      }
    }
  }
}

describe('writeColumn() writes what a cell is as text', () => {
  it('integers', () => {
    check(chunk(new Int8(), integers(8, true), 1), 'int8');
    check(chunk(new Int16(), integers(16, true), 2), 'int16');
    check(chunk(new Int32(), integers(32, true), 4), 'int32');
    check(chunk(new Int64(), integers(64, true), 8), 'int64');
    const unsigned = BigUint64Array.from(integers(64, false));
    check(makeData({ type: new Uint64(), length: unsigned.length, data: unsigned }), 'uint64');
    check(
      makeData({ type: new Uint32(), length: 3, data: Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1) }),
      'uint32',
    );
  });

  it('decimals of each width and scale', () => {
    for (const scale of [-2, 0, 1, 2, 9, 10, 15, 16, 30]) {
      for (const bits of [32, 64, 128, 256]) {
        const type = new Decimal(scale, bits === 256 ? 76 : 38, bits);
        const values = integers(bits, true);
        const words = new Uint32Array((values.length * bits) / 32);
        for (const [row, value] of values.entries()) {
          for (let i = 0; i < bits / 32; i++) {
            words[(row * bits) / 32 + i] = Number((value >> BigInt(32 * i)) & 0xffff_ffffn);
          }
        }
        check(makeData({ type, length: values.length, data: words }), `decimal${bits} of scale ${scale}`);
        if (scale !== 2) continue;
        const nullBitmap = Uint8Array.from({ length: Math.ceil(values.length / 8) }, () => random(256));
        const nullable = makeData({ type, length: values.length, nullBitmap, data: words });
        check(nullable, `nullable decimal${bits} of scale ${scale}`);
      }
    }
  });

  it('dates, also before year 0 and after 9999', () => {
    const days = [-719_529, -719_528, -719_527, 2_932_896, 2_932_897, -1, 0, 59, 60, 10_956, 11_016, 18_262];
    for (let i = 0; i < 2000; i++) days.push(random(3_700_000) - 725_000);
    check(chunk(new DateDay(), days.map(BigInt), 4), 'date32');
    check(
      chunk(
        new DateMillisecond(),
        days.map((day) => BigInt(day) * 86_400_000n),
        8,
      ),
      'date64',
    );
  });

  it('timestamps and times of each unit', () => {
    const values = integers(64, true);
    for (const [type, perDay] of [
      [new TimestampSecond(), 86_400n],
      [new TimestampMillisecond('UTC'), 86_400_000n],
      [new TimestampMicrosecond(), 86_400_000_000n],
      [new TimestampMicrosecond('Europe/Berlin'), 86_400_000_000n],
      [new TimestampNanosecond('UTC'), 86_400_000_000_000n],
    ] as const) {
      const near = [-719_528n, 2_932_897n, 0n, 19_000n].flatMap((day) =>
        [-1n, 0n, 1n].map((delta) => BigInt.asIntN(64, day * perDay + delta)),
      );
      check(chunk(type, [...values, ...near], 8), String(type));
    }
    check(chunk(new TimeSecond(), [-1n, 0n, 1n, 3599n, 86_399n, 86_400n, 9n], 4), 'time32 s');
    check(chunk(new TimeMillisecond(), [-1n, 0n, 1n, 86_399_999n, 86_400_000n, 5n, 61_001n], 4), 'time32 ms');
    check(chunk(new TimeMicrosecond(), values, 8), 'time64 µs');
    check(chunk(new TimeNanosecond(), values, 8), 'time64 ns');
  });

  it('floating point numbers', () => {
    const values = [
      0,
      -0,
      1,
      -1,
      1.5,
      1e21,
      1e-7,
      2 ** 31,
      -(2 ** 31),
      2 ** 53,
      NaN,
      Infinity,
      -Infinity,
      0.1,
    ];
    check(
      makeData({ type: new Float64(), length: values.length, data: Float64Array.from(values) }),
      'float64',
    );
    check(
      makeData({ type: new Float32(), length: values.length, data: Float32Array.from(values) }),
      'float32',
    );
    const halves = Uint16Array.of(0x3c00, 0x3e00, 0, 0x8000, 0x7c00, 0x7e00, 0xfbff, 1);
    check(makeData({ type: new Float16(), length: 8, data: halves }), 'float16');
    check(
      makeData({ type: new Float16(), length: 8, nullBitmap: Uint8Array.of(0xaa), data: halves }),
      'nulls',
    );
  });

  it('texts with everything that a format escapes', () => {
    const texts = [
      '',
      'a',
      'a,b',
      '"',
      'two\nlines',
      'tab\t',
      '\\',
      '\r',
      '\u0000',
      '\u001f',
      'ü€😀',
      'ü"',
      '\u2028',
      'x'.repeat(5000),
    ];
    for (let i = 0; i < 500; i++) {
      texts.push(Array.from({ length: random(40) }, () => String.fromCodePoint(random(300))).join(''));
    }
    const nullable = texts.map((text, row) => (row % 5 === 4 ? null : text));
    const vector = vectorFromArray(nullable, new Utf8());
    check(vector.data[0] ?? assert.fail(), 'utf8');
    const dictionary = vectorFromArray(nullable, new Dictionary(new Utf8(), new Int32()));
    check(dictionary.data[0] ?? assert.fail(), 'dictionary');
  });

  it('texts that are not UTF-8, or are so only together', () => {
    for (const bytes of [
      [0x61, 0xff, 0x62, 0xc3],
      [0x61, 0xc3, 0xa4, 0x62],
    ]) {
      const data = makeData({
        type: new Utf8(),
        length: 3,
        valueOffsets: Int32Array.of(0, 2, 3, 4),
        data: Uint8Array.from(bytes),
      });
      check(data, `bytes ${bytes.join()}`);
    }
  });

  it('booleans, bytes, lists and structs', () => {
    const booleans = vectorFromArray([true, false, null, true, false, true, false, true, true], new Bool());
    check(booleans.data[0] ?? assert.fail(), 'bool');
    const bytes = vectorFromArray([Uint8Array.of(1, 255), null, Uint8Array.of()], new Binary());
    check(bytes.data[0] ?? assert.fail(), 'binary');
    const lists = vectorFromArray([[1, 2], null, [], [3]], new List(new Field('item', new Int32())));
    check(lists.data[0] ?? assert.fail(), 'list');
  });
});

describe('rows', () => {
  const schema = new Schema([new Field('a"b', new Int32()), new Field('c', new Utf8())]);
  const children = [
    makeData({ type: new Int32(), length: 2, nullCount: 0, data: Int32Array.of(1, -2) }),
    vectorFromArray(['x', 'y'], new Utf8()).data[0] ?? assert.fail(),
  ];
  const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: 2, children }));
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

  it('are objects or arrays behind a comma each', () => {
    assert.equal(text(batchToJsonRows(batch, 'objects')), ',\n{"a\\"b":1,"c":"x"},\n{"a\\"b":-2,"c":"y"}');
    assert.equal(text(batchToJsonRows(batch, 'arrays')), ',\n[1,"x"],\n[-2,"y"]');
  });

  it('may have no columns', () => {
    const none = new Schema([]);
    const rows = new RecordBatch(
      none,
      makeData({ type: new Struct([]), length: 2, nullCount: 0, children: [] }),
    );
    assert.equal(text(batchToNdjson(rows)), '{}\n{}\n');
    assert.equal(text(batchToJsonRows(rows, 'arrays')), ',\n[],\n[]');
  });
});
