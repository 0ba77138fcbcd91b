import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Binary,
  Bool,
  DateDay,
  DateMillisecond,
  type DataType,
  Decimal,
  DenseUnion,
  Dictionary,
  DurationSecond,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Map_,
  Null,
  RecordBatch,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint64,
  Uint8,
  Utf8,
} from 'apache-arrow';
import { FlightInvalidArgumentError, FlightUnimplementedError } from '../../../src/errors.ts';
import { IpcDecoder, IpcEncoder } from '../../../src/ipc/index.ts';
import { parameterBatch } from '../../../src/sql/index.ts';

const field = (name: string, type: DataType, nullable = true): Field => new Field(name, type, nullable);

/** The raw values of the one column that these values make. */
function raw(type: DataType, ...values: readonly unknown[]): unknown {
  const batch = parameterBatch(
    values.map((value) => [value]),
    new Schema([field('p', type)]),
  );
  const [column] = batch.data.children;
  return column?.values;
}

/** The same batch after it went over the wire. */
function overTheWire(batch: RecordBatch): RecordBatch {
  const encoder = new IpcEncoder(batch.schema);
  const decoder = new IpcDecoder({ validate: 'full' });
  let last: RecordBatch | undefined;
  for (const message of [encoder.schema(), ...encoder.batch(batch)]) {
    const decoded = decoder.decode(message.header, Buffer.concat(message.bodyPieces));
    if (decoded instanceof RecordBatch) last = decoded;
  }
  assert.ok(last);
  return last;
}

const rows = (batch: RecordBatch): unknown[] =>
  batch.toArray().map((row: unknown) => JSON.parse(JSON.stringify(row, jsonValue)));

function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

describe('parameters without a schema', () => {
  it('have the types of their values', () => {
    const batch = parameterBatch([
      [true, 1, 1.5, 2n, 2n ** 80n, 'x', Uint8Array.of(1), new Date(5), [1, null], { a: 'b' }, null],
    ]);
    assert.deepEqual(
      batch.schema.fields.map(({ name, type }) => `${name} ${String(type)}`),
      [
        '1 Bool',
        '2 Int64',
        '3 Float64',
        '4 Int64',
        '5 Decimal[38e0]',
        '6 Utf8',
        '7 Binary',
        '8 Timestamp<MILLISECOND>',
        '9 List<Int64>',
        '10 Struct<{a:Utf8}>',
        '11 Null',
      ],
    );
    assert.equal(overTheWire(batch).numRows, 1);
  });

  it('take the type of all rows', () => {
    const batch = parameterBatch([
      [1, null],
      [2.5, 'x'],
      [null, null],
    ]);
    assert.deepEqual(batch.schema.fields.map(String), ['1: Float64', '2: Utf8']);
    assert.deepEqual([...(batch.getChildAt(0) ?? [])], [1, 2.5, null]);
    assert.deepEqual([...(batch.getChildAt(1) ?? [])], [null, 'x', null]);
  });

  it('have the names that they are given with', () => {
    const batch = parameterBatch([{ id: 1, name: 'x' }, { name: 'y' }]);
    assert.deepEqual(rows(overTheWire(batch)), [
      { id: '1n', name: 'x' },
      { id: null, name: 'y' },
    ]);
  });

  it('that do not go together are refused', () => {
    assert.throws(() => parameterBatch([[1], ['x']]), /kinds number and text/);
    assert.throws(() => parameterBatch([[1], [1, 2]]), /2 values were given where the first row has 1/);
    assert.throws(() => parameterBatch([[Symbol('x')]]), /no Arrow type/);
    assert.throws(() => parameterBatch([[new URL('x:y')]]), FlightInvalidArgumentError);
  });

  it('may be none, or none at all', () => {
    assert.equal(parameterBatch([[]]).numRows, 1);
    assert.equal(parameterBatch([]).numRows, 0);
  });
});

describe('parameters with a schema', () => {
  it('take its types, and those of the values where it says null', () => {
    const schema = new Schema([
      field('$1', new Int16()),
      field('$2', new Null()),
      field('$3', new Utf8(), false),
    ]);
    const batch = parameterBatch(
      [
        [1, 'x', 'y'],
        [null, null, 'z'],
      ],
      schema,
    );
    assert.deepEqual(batch.schema.fields.map(String), ['$1: Int16', '$2: Utf8', '$3: Utf8']);
    assert.deepEqual(
      batch.schema.fields.map(({ nullable }) => nullable),
      [true, true, false],
    );
    assert.deepEqual(rows(overTheWire(batch)), [
      { $1: 1, $2: 'x', $3: 'y' },
      { $1: null, $2: null, $3: 'z' },
    ]);
  });

  it('are found by name, with the sign of the engine or without it', () => {
    const schema = new Schema([field('$id', new Int32()), field(':name', new Utf8())]);
    assert.deepEqual(rows(parameterBatch([{ id: 1, ':name': 'x' }], schema)), [{ $id: 1, ':name': 'x' }]);
    assert.throws(() => parameterBatch([{ idd: 1 }], schema), /no parameter idd; there are: \$id, :name/);
    assert.throws(() => parameterBatch([[1]], schema), /1 values were given where the statement has 2/);
    // a value that was forgotten is no NULL
    assert.throws(() => parameterBatch([{ id: 1 }], schema), /there is no value for the parameter :name/);
    assert.deepEqual(rows(parameterBatch([{ id: 1, name: undefined }], schema)), [{ $id: 1, ':name': null }]);
    assert.throws(() => raw(new Utf8(), Object.create(null)), /Object cannot be a value of type Utf8/);
  });

  it('are exact whole numbers, or refused', () => {
    assert.deepEqual(raw(new Int8(), -128, 127), Int8Array.of(-128, 127));
    assert.deepEqual(raw(new Uint8(), 255), Uint8Array.of(255));
    assert.deepEqual(raw(new Int64(), 1, 2n, '-9223372036854775808'), BigInt64Array.of(1n, 2n, -(2n ** 63n)));
    assert.deepEqual(raw(new Uint64(), 2n ** 64n - 1n), BigUint64Array.of(2n ** 64n - 1n));
    for (const [type, value] of [
      [new Int8(), 128],
      [new Uint8(), -1],
      [new Int64(), 2n ** 63n],
      [new Int32(), 1.5],
      [new Int32(), 'x'],
      [new Int32(), true],
    ] as const) {
      assert.throws(() => raw(type, value), /parameter 1 \(p\): .* cannot be a value of type/);
    }
  });

  it('are exact decimals, or refused', () => {
    assert.deepEqual(raw(new Decimal(2, 10, 128), '12.3'), Uint32Array.of(1230, 0, 0, 0));
    assert.deepEqual(
      raw(new Decimal(2, 10, 128), -1),
      Uint32Array.of(2 ** 32 - 100, ...Array(3).fill(2 ** 32 - 1)),
    );
    assert.deepEqual(raw(new Decimal(0, 38, 128), 2n ** 64n + 5n), Uint32Array.of(5, 0, 1, 0));
    assert.deepEqual(
      raw(new Decimal(3, 10, 128), '1.5e2', 0.25),
      Uint32Array.of(150_000, 0, 0, 0, 250, 0, 0, 0),
    );
    assert.deepEqual(raw(new Decimal(0, 76, 256), 1), Uint32Array.of(1, 0, 0, 0, 0, 0, 0, 0));
    assert.throws(() => raw(new Decimal(2, 10, 128), '1.234'), /more than the 2 digits/);
    assert.throws(() => raw(new Decimal(2, 4, 128), 100), /does not fit decimal\(4, 2\)/);
    assert.throws(() => raw(new Decimal(2, 4, 128), 'x'), /no decimal number/);
    assert.throws(() => raw(new Decimal(2, 4, 128), true), /not boolean/);
    assert.throws(() => raw(new Decimal(2, 4, 128), Number.NaN), /no decimal number/);
  });

  it('are times without loss, or refused', () => {
    const date = new Date('2026-03-01T12:30:00.5Z');
    const ms = BigInt(date.getTime());
    assert.deepEqual(raw(new TimestampMillisecond(), date, 7n, 8), BigInt64Array.of(ms, 7n, 8n));
    assert.deepEqual(raw(new TimestampMicrosecond(), date), BigInt64Array.of(ms * 1000n));
    assert.deepEqual(
      raw(new TimestampNanosecond(), '2026-03-01 12:30:00.500000001', '2026-03-01T13:30+01:00', '2026-03-01'),
      BigInt64Array.of(
        ms * 1_000_000n + 1n,
        (ms - 500n) * 1_000_000n,
        BigInt(Date.UTC(2026, 2, 1)) * 1_000_000n,
      ),
    );
    assert.throws(() => raw(new TimestampSecond(), date), /smaller fraction/);
    assert.throws(() => raw(new TimestampSecond(), 'soon'), /no ISO 8601 timestamp/);
    assert.throws(() => raw(new TimestampSecond(), '2026-13-01'), /no ISO 8601 timestamp/);
    assert.throws(() => raw(new TimestampSecond(), new Date(Number.NaN)), /invalid Date/);
    assert.deepEqual(raw(new DateDay(), '1969-12-31', new Date(-1), 3), Int32Array.of(-1, -1, 3));
    assert.deepEqual(raw(new DateMillisecond(), '1970-01-02'), BigInt64Array.of(86_400_000n));
    assert.throws(() => raw(new DateDay(), '1.1.2026'), /no ISO 8601 date/);
    assert.deepEqual(raw(new TimeMicrosecond(), '01:00:00.000001'), BigInt64Array.of(3_600_000_001n));
    assert.deepEqual(raw(new TimeSecond(), '23:59', 5), Int32Array.of(86_340, 5));
    assert.throws(() => raw(new TimeSecond(), '25:00'), /no time of day/);
    // JavaScript's Date takes these for days of the next month
    for (const day of ['2026-02-29', '2026-04-31', '2100-02-29']) {
      assert.throws(() => raw(new DateDay(), day), /no ISO 8601 date/, day);
      assert.throws(() => raw(new TimestampSecond(), `${day}T10:00:00Z`), /no ISO 8601 timestamp/, day);
    }
    assert.deepEqual(raw(new DateDay(), '1972-02-29', '2000-02-29'), Int32Array.of(789, 11_016));
    assert.deepEqual(raw(new TimeSecond(), '24:00:00'), Int32Array.of(86_400));
    assert.throws(() => raw(new TimeSecond(), '24:00:01'), /no time of day/);
    assert.deepEqual(raw(new DurationSecond(), 5, 6n), BigInt64Array.of(5n, 6n));
  });

  it('are nested', () => {
    const entries = new Struct<{ key: Utf8; value: Int32 }>([
      field('key', new Utf8(), false),
      field('value', new Int32()),
    ]);
    const schema = new Schema([
      field('list', new List(field('item', new Int64()))),
      field('fixed', new FixedSizeList(2, field('item', new Float32()))),
      field('struct', new Struct([field('a', new Bool()), field('b', new List(field('item', new Utf8())))])),
      field('map', new Map_(field('entries', entries, false))),
    ]);
    const batch = parameterBatch(
      [
        [[1, null, 3n], [1, 2], { a: true, b: ['x'] }, new Map([['k', 1]])],
        [null, null, null, null],
        [[], Float32Array.of(3, 4), { a: null }, { k: 2, l: null }],
      ],
      schema,
    );
    assert.deepEqual(rows(overTheWire(batch)), [
      {
        list: ['1n', null, '3n'],
        fixed: [1, 2],
        struct: { a: true, b: ['x'] },
        map: { k: 1 },
      },
      { list: null, fixed: null, struct: null, map: null },
      { list: [], fixed: [3, 4], struct: { a: null, b: null }, map: { k: 2, l: null } },
    ]);
    const of = (type: DataType, value: unknown) => parameterBatch([[value]], new Schema([field('p', type)]));
    assert.throws(() => of(new FixedSizeList(2, field('item', new Int8())), [1]), /takes 2 items, got 1/);
    assert.throws(() => of(new List(field('item', new Int8())), 1), /cannot be a value of type List/);
    assert.throws(() => of(new Struct([field('a', new Bool())]), [1]), /cannot be a value of type Struct/);
  });

  it('are text, bytes, flags and numbers as they are, or refused', () => {
    const of = (type: DataType, ...values: readonly unknown[]) =>
      overTheWire(
        parameterBatch(
          values.map((value) => [value]),
          new Schema([field('p', type)]),
        ),
      ).getChildAt(0);
    assert.deepEqual([...(of(new Utf8(), 'ä', null, '') ?? [])], ['ä', null, '']);
    assert.deepEqual([...(of(new Bool(), true, null, false) ?? [])], [true, null, false]);
    assert.deepEqual([...(of(new Float64(), 1.5, -0) ?? [])], [1.5, -0]);
    assert.deepEqual([...(of(new Binary(), Uint8Array.of(1, 2)) ?? [])], [Uint8Array.of(1, 2)]);
    assert.deepEqual([...(of(new FixedSizeBinary(2), Uint8Array.of(1, 2)) ?? [])], [Uint8Array.of(1, 2)]);
    assert.deepEqual(
      [...(of(new Dictionary(new Utf8(), new Int8()), 'a', 'b', 'a', null) ?? [])],
      ['a', 'b', 'a', null],
    );
    for (const [type, value] of [
      [new Utf8(), 1],
      [new Bool(), 1],
      [new Float64(), '1'],
      [new Binary(), 'x'],
      [new Null(), Symbol('x')],
    ] as const) {
      assert.throws(() => of(type, value), FlightInvalidArgumentError);
    }
    assert.throws(() => of(new FixedSizeBinary(2), Uint8Array.of(1)), /takes 2 bytes, got 1/);
    const union = new DenseUnion(Int32Array.of(0), [field('a', new Int8())]);
    assert.throws(() => of(union, 1), FlightUnimplementedError);
  });
});
