import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Bool,
  Data,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationMillisecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int32,
  Int64,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  List,
  Null,
  SparseUnion,
  Struct,
  TimeMicrosecond,
  TimeSecond,
  TimestampNanosecond,
  Uint8,
  Utf8,
  makeData,
  makeVector,
  vectorFromArray,
} from 'apache-arrow';
import { type Cell, CellRecord } from '../../src/formats/cell-record.ts';
import { cellReader, vectorReader } from '../../src/formats/cell.ts';
import { cellToJson, cellToText } from '../../src/formats/json.ts';

/** The cells of a column: of all of it, and of a part that does not begin with its memory. */
function reads(data: Data | undefined, wanted: readonly unknown[]): void {
  assert.ok(data);
  const read = cellReader(data);
  assert.deepEqual(
    Array.from(wanted, (_, row) => comparable(read(row))),
    wanted,
  );
  for (const from of [1, 2]) {
    const part: Data = data.slice(from, wanted.length - from);
    const readPart = cellReader(part);
    const found: unknown[] = Array.from({ length: part.length }, (_, row) => comparable(readPart(row)));
    assert.deepEqual(found, wanted.slice(from), `from row ${from}`);
  }
}

function comparable(cell: Cell): unknown {
  if (cell instanceof CellRecord) return cell.entries.map(([name, value]) => [name, comparable(value)]);
  return Array.isArray(cell) ? cell.map(comparable) : cell;
}

/** Every third row is null. */
function nullable<T extends DataType>(type: T, length: number, buffer: Data<T>['values']): Data<T> {
  const bits = new Uint8Array(Math.ceil(length / 8)).fill(0b1101_1011);
  return new Data(type, 0, length, -1, [undefined, buffer, bits]);
}

describe('cells', () => {
  it('of no type are null', () => {
    reads(makeData({ type: new Null(), length: 3 }), [null, null, null]);
  });

  it('of booleans are bits', () => {
    const rows = [true, false, null, true, true, false, null, false, true, true];
    reads(vectorFromArray(rows, new Bool()).data[0], rows);
    reads(makeData({ type: new Bool(), length: 10, data: Uint8Array.of(0b0101_1001, 0b10) }), [
      true,
      false,
      false,
      true,
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('of numbers are exact', () => {
    reads(
      makeData({ type: new Float16(), length: 4, data: Uint16Array.of(0x3e00, 0xbc00, 0x7bff, 0x0001) }),
      [1.5, -1, 65_504, 2 ** -24],
    );
    reads(makeData({ type: new Float32(), length: 3, data: Float32Array.of(1.5, -0, Number.NaN) }), [
      1.5,
      -0,
      Number.NaN,
    ]);
    reads(nullable(new Float64(), 4, Float64Array.of(1, 2, 3, 0.1)), [1, 2, null, 0.1]);
    reads(makeData({ type: new Uint8(), length: 3, data: Uint8Array.of(0, 255, 7) }), [0, 255, 7]);
    reads(makeData({ type: new Int64(), length: 3, data: BigInt64Array.of(-1n, 2n ** 62n, 7n) }), [
      -1n,
      2n ** 62n,
      7n,
    ]);
    const words = Uint32Array.of(5, 0, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 1, 0, 0);
    reads(makeData({ type: new Decimal(1, 38, 128), length: 3, data: words }), [
      '0.5',
      '-0.1',
      '429496729.6',
    ]);
    reads(nullable(new Decimal(1, 38, 128), 3, words), ['0.5', '-0.1', null]);
  });

  it('of dates and times are text', () => {
    reads(makeData({ type: new DateDay(), length: 3, data: Int32Array.of(0, -1, 19_000) }), [
      '1970-01-01',
      '1969-12-31',
      '2022-01-08',
    ]);
    reads(
      makeData({ type: new DateMillisecond(), length: 3, data: BigInt64Array.of(0n, -1n, 86_400_000n) }),
      ['1970-01-01', '1969-12-31', '1970-01-02'],
    );
    reads(makeData({ type: new TimeSecond(), length: 3, data: Int32Array.of(0, 3661, 86_399) }), [
      '00:00:00',
      '01:01:01',
      '23:59:59',
    ]);
    reads(
      makeData({ type: new TimeMicrosecond(), length: 3, data: BigInt64Array.of(0n, 1n, 3_661_000_000n) }),
      ['00:00:00.000000', '00:00:00.000001', '01:01:01.000000'],
    );
    reads(
      makeData({ type: new TimestampNanosecond('UTC'), length: 3, data: BigInt64Array.of(0n, -1n, 1n) }),
      ['1970-01-01T00:00:00.000000000Z', '1969-12-31T23:59:59.999999999Z', '1970-01-01T00:00:00.000000001Z'],
    );
    reads(makeData({ type: new DurationMillisecond(), length: 3, data: BigInt64Array.of(0n, -1500n, 1n) }), [
      'PT0S',
      '-PT1.5S',
      'PT0.001S',
    ]);
  });

  it('of intervals have months, days and nanoseconds', () => {
    reads(makeData({ type: new IntervalYearMonth(), length: 3, data: Int32Array.of(0, 14, 25) }), [
      'P0Y0M',
      'P1Y2M',
      'P2Y1M',
    ]);
    reads(makeData({ type: new IntervalDayTime(), length: 3, data: Int32Array.of(1, 2, 3, 4500, -5, -6) }), [
      'P1DT0.002S',
      'P3DT4.5S',
      'P-5DT-0.006S',
    ]);
    const nanos = [1n, -1n, 2n ** 40n + 5n];
    const words = nanos.flatMap((value, i) => [
      i + 1,
      10 * i,
      Number(BigInt.asIntN(32, value)),
      Number(value >> 32n),
    ]);
    reads(makeData({ type: new IntervalMonthDayNano(), length: 3, data: Int32Array.from(words) }), [
      'P1MT0.000000001S',
      'P2M10DT-0.000000001S',
      'P3M20DT1099.511627781S',
    ]);
    reads(nullable(new IntervalYearMonth(), 3, Int32Array.of(1, 2, 3)), ['P0Y1M', 'P0Y2M', null]);
  });

  it('of texts and bytes are those', () => {
    reads(vectorFromArray(['a', '', null, 'ü'], new Utf8()).data[0], ['a', '', null, 'ü']);
    reads(makeData({ type: new FixedSizeBinary(2), length: 3, data: Uint8Array.of(1, 2, 3, 4, 5, 6) }), [
      Uint8Array.of(1, 2),
      Uint8Array.of(3, 4),
      Uint8Array.of(5, 6),
    ]);
  });

  it('of lists are lists', () => {
    const items = new Field('item', new Int32(), true);
    reads(vectorFromArray([[1, null], [], null, [2], [3, 4]], new List(items)).data[0], [
      [1, null],
      [],
      null,
      [2],
      [3, 4],
    ]);
    const child = makeData({ type: new Int32(), length: 8, data: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    reads(makeData({ type: new FixedSizeList(2, items), length: 4, child }), [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
  });

  it('of structs have all fields, null ones too', () => {
    const type = new Struct([new Field('b', new Int32(), true), new Field('10', new Utf8(), true)]);
    reads(vectorFromArray([{ b: 1, 10: 'x' }, null, { b: null, 10: 'y' }], type).data[0], [
      [
        ['b', 1],
        ['10', 'x'],
      ],
      null,
      [
        ['b', null],
        ['10', 'y'],
      ],
    ]);
  });

  it('of unions are those of the type that the row has', () => {
    const fields = [new Field('i', new Int32(), true), new Field('t', new Utf8(), true)];
    const typeIds = Int8Array.of(7, 3, 7, 3);
    const sparse = [
      makeData({ type: new Int32(), length: 4, data: Int32Array.of(1, 2, 3, 4) }),
      vectorFromArray(['a', 'b', 'c', null], new Utf8()).data[0] ?? assert.fail(),
    ];
    reads(makeData({ type: new SparseUnion([7, 3], fields), length: 4, typeIds, children: sparse }), [
      1,
      'b',
      3,
      null,
    ]);
    const valueOffsets = Int32Array.of(1, 0, 0, 1);
    const dense = [
      makeData({ type: new Int32(), length: 2, data: Int32Array.of(1, 2) }),
      vectorFromArray(['a', 'b'], new Utf8()).data[0] ?? assert.fail(),
    ];
    reads(
      makeData({ type: new DenseUnion([7, 3], fields), length: 4, typeIds, valueOffsets, children: dense }),
      [2, 'a', 1, 'b'],
    );
  });

  it('of dictionaries are their values, also where these came in several pieces', () => {
    const type = new Dictionary(new Utf8(), new Int32(), 5);
    const pieces = [['a', 'b'], ['c'], [null, 'd', 'e']].map((texts) => vectorFromArray(texts, new Utf8()));
    const [first, ...more] = pieces;
    const dictionary = first?.concat(...more) ?? assert.fail();
    const data = Int32Array.of(5, 4, 3, 2, 1, 0);
    reads(new Data(type, 0, 6, 0, [undefined, data], [], dictionary), ['e', 'd', null, 'c', 'b', 'a']);
    reads(new Data(type, 0, 2, 0, [undefined, Int32Array.of(1, 0)], [], first), ['b', 'a']);
    const numbers = makeVector(Int32Array.of(1, 2)).concat(makeVector(Int32Array.of(3)));
    const read = vectorReader(numbers);
    assert.deepEqual([0, 1, 2].map(read), [1, 2, 3]);
  });

  it('of records are found by name, the last of several', () => {
    const record = new CellRecord([
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]);
    assert.deepEqual([record.get('a'), record.get('b'), record.get('c')], [3, 2, null]);
    assert.equal(cellToText(record), '{"a":1,"b":2,"a":3}');
  });
});

describe('cells as JSON', () => {
  it('have integers bare up to 2^53 - 1, or as the style says', () => {
    const most = 2n ** 53n - 1n;
    const written = (style?: 'safe' | 'text' | 'number'): string =>
      cellToJson([most, most + 1n, -most, -most - 1n, 0n], { bigIntegers: style });
    const bare = ['9007199254740991', '9007199254740992', '-9007199254740991', '-9007199254740992', '0'];
    const safe = '[9007199254740991,"9007199254740992",-9007199254740991,"-9007199254740992",0]';
    assert.equal(written(), safe);
    assert.equal(written('safe'), safe);
    assert.equal(written('number'), `[${bare.join()}]`);
    assert.equal(written('text'), `[${bare.map((text) => `"${text}"`).join()}]`);
  });

  it('have every value in its form, at any depth', () => {
    const values = [null, true, 'a"\n', 1.5, -0, Number.NaN, -Infinity, Uint8Array.of(255, 0), [], [[null]]];
    assert.equal(cellToJson(values), '[null,true,"a\\"\\n",1.5,-0.0,null,null,"/wA=",[],[[null]]]');
    assert.equal(cellToJson([Number.NaN, Infinity], { nonFinite: 'text' }), '["NaN","Infinity"]');
    assert.equal(cellToJson(new CellRecord([['a"', [1n]]])), '{"a\\"":[1]}');
  });

  it('are bare where people read them', () => {
    const texts = [null, '', 'a"', true, 1.5, -0, Number.NaN, 2n ** 60n, Uint8Array.of(255, 0)].map(
      cellToText,
    );
    assert.deepEqual(texts, ['', '', 'a"', 'true', '1.5', '-0.0', 'NaN', '1152921504606846976', 'ff00']);
    assert.equal(cellToText(['a', Number.NaN, 2n ** 60n]), '["a","NaN","1152921504606846976"]');
  });
});
