import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import { Table } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../../src/errors.ts';
import { readIpcStreamSync, writeIpcStream } from '../../../src/ipc/index.ts';
import { readSqlInfo } from '../../../src/sql/client/metadata.ts';
import { createSqlInfo, SqlInfo, sqlInfoKind, type SqlInfoValue } from '../../../src/sql/index.ts';
import { stream } from '../foreign.ts';

const values: Readonly<Record<number, SqlInfoValue>> = {
  0: 'arrow-go',
  3: true,
  555: 2n ** 40n,
  8: 2,
  508: ['A', '', 'ä'],
  517: new Map([[7, [0, 3]]]),
};

describe('SqlInfo', () => {
  it('is read as arrow-go writes it', () => {
    const read = readSqlInfo(new Table([...readIpcStreamSync(stream('sqlInfo'))]));
    assert.deepEqual(new Map([...read].sort(([a], [b]) => a - b)), new Map(numbered(values)));
  });

  it('comes back as it went, by code or in the order asked for', () => {
    const all = createSqlInfo(values);
    assert.deepEqual([...(all.getChildAt(0) ?? [])].map(Number), [0, 3, 8, 508, 517, 555]);
    assert.deepEqual(readSqlInfo(new Table([all])), new Map(numbered(values)));
    const some = readSqlInfo(new Table([createSqlInfo(new Map(numbered(values)), [555, 9, 0, 555])]));
    assert.deepEqual(
      [...some],
      [
        [555, 2n ** 40n],
        [0, 'arrow-go'],
      ],
    );
    assert.equal(createSqlInfo(values, [9]).numRows, 0);
  });

  it('takes numbers for lengths, and leaves out what is undefined', () => {
    const batch = createSqlInfo({ [SqlInfo.SQL_MAX_ROW_SIZE]: 5, [SqlInfo.SQL_MAX_CONNECTIONS]: undefined });
    assert.deepEqual([...readSqlInfo(new Table([batch]))], [[555, 5n]]);
  });

  it('refuses values of another kind than the format gives the code', () => {
    assert.throws(() => createSqlInfo({ 0: true }), /SqlInfo 0 must be of kind string, not bool/);
    assert.throws(() => createSqlInfo({ 8: 2n }), FlightInvalidArgumentError);
    assert.throws(() => createSqlInfo({ 10_000: 1.5 }), /does not fit the 32 bits/);
    assert.throws(() => createSqlInfo({ [-1]: 'x' }), /no code/);
  });

  it('has the kind of the format for every code', () => {
    const kinds = new Map<string, number[]>();
    for (const code of Object.values(SqlInfo)) {
      const kind = sqlInfoKind(code) ?? 'none';
      kinds.set(kind, [...(kinds.get(kind) ?? []), code]);
    }
    const range = (first: number, last: number): number[] =>
      Array.from({ length: last - first + 1 }, (_item, index) => first + index);
    assert.deepEqual(Object.fromEntries(kinds), {
      string: [0, 1, 2, 6, 7, 504, 513, 514, 529, 530, 531],
      bool: [
        ...range(3, 5),
        9,
        10,
        11,
        500,
        501,
        502,
        506,
        515,
        516,
        518,
        519,
        520,
        521,
        523,
        524,
        527,
        532,
        536,
        537,
        539,
        556,
        563,
        565,
        566,
        ...range(572, 576),
      ],
      int32: [
        8,
        100,
        101,
        503,
        505,
        507,
        522,
        525,
        526,
        528,
        533,
        534,
        535,
        538,
        540,
        564,
        ...range(567, 571),
      ],
      'string-list': range(508, 512),
      'int32-map': [517],
      int64: [...range(541, 555), ...range(557, 562)],
    });
    assert.deepEqual([sqlInfoKind(10_000), sqlInfoKind(577)], [undefined, undefined]);
  });

  it('can be written as IPC', () => {
    const pieces = writeIpcStream(new Table([createSqlInfo(values)]));
    const read = readSqlInfo(new Table([...readIpcStreamSync(Buffer.concat(pieces))]));
    assert.deepEqual(read, new Map(numbered(values)));
  });
});

function numbered(record: Readonly<Record<number, SqlInfoValue>>): [number, SqlInfoValue][] {
  return Object.entries(record).map(([code, value]) => [Number(code), value]);
}
