import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DictionaryMemo, decodeMessageHeader, decodeRecordBatch, decodeSchema } from '@peregrine/flight/ipc';
import { cellReader } from '../../src/formats/cell.ts';
import { cellToJson } from '../../src/formats/json.ts';
import { parseLosslessJson } from '../../src/http/lossless-json.ts';
import { parameterBatch } from '../../src/http/parameter-batch.ts';

/** Type and value of each parameter, out of the messages that the engine gets. */
function bound(json: string): string[] {
  const values = parseLosslessJson(json, 'params');
  assert.ok(Array.isArray(values));
  const made = parameterBatch(values);
  const schema = decodeSchema(made.schema);
  assert.equal(made.batches.length, 1);
  const [batch = assert.fail()] = made.batches;
  const rows = decodeRecordBatch(schema, decodeMessageHeader(batch.header), batch.body, new DictionaryMemo());
  assert.equal(rows.numRows, 1);
  assert.deepEqual(
    schema.fields.map(({ name }) => name),
    values.map((_, i) => String(i + 1)),
  );
  assert.ok(schema.fields.every(({ nullable }) => nullable));
  return rows.data.children.map((data, i) => {
    const text = cellToJson(cellReader(data)(0), { bigIntegers: 'number', nonFinite: 'text' });
    return `${schema.fields[i]?.type} ${text}`;
  });
}

describe('parameters of JSON', () => {
  const cases: readonly (readonly [json: string, ...wanted: string[]])[] = [
    ['[]'],
    ['[null, true, false]', 'Null null', 'Bool true', 'Bool false'],
    ['[1, -1, 0, -0]', 'Int64 1', 'Int64 -1', 'Int64 0', 'Int64 0'],
    ['[9007199254740991, 9007199254740993]', 'Int64 9007199254740991', 'Int64 9007199254740993'],
    [
      '[9223372036854775807, -9223372036854775808]',
      'Int64 9223372036854775807',
      'Int64 -9223372036854775808',
    ],
    [
      '[9223372036854775808, 18446744073709551615]',
      'Uint64 9223372036854775808',
      'Uint64 18446744073709551615',
    ],
    [
      '[18446744073709551616, -9223372036854775809]',
      'Decimal[38e0] "18446744073709551616"',
      'Decimal[38e0] "-9223372036854775809"',
    ],
    [
      `[${'9'.repeat(38)}, -${'9'.repeat(38)}]`,
      `Decimal[38e0] "${'9'.repeat(38)}"`,
      `Decimal[38e0] "-${'9'.repeat(38)}"`,
    ],
    ['[1.5, 1e300, 1e15, 1E5]', 'Float64 1.5', 'Float64 1e+300', 'Int64 1000000000000000', 'Int64 100000'],
    ['[1e16]', 'Float64 10000000000000000'],
    // What a double cannot hold is text, which the engine casts to what it needs.
    ['[0.12345678901234567]', 'Utf8 "0.12345678901234567"'],
    ['[123456789012345678.5]', 'Utf8 "123456789012345678.5"'],
    ['[12345678901234567e2]', 'Utf8 "12345678901234567e2"'],
    ['[1e400, -1e400, 1e-400]', 'Utf8 "1e400"', 'Utf8 "-1e400"', 'Utf8 "1e-400"'],
    ['[0e400, 0.0, -0.0e-400]', 'Int64 0', 'Int64 0', 'Int64 0'],
    ['["", "ä", "1", "\\u0000n1"]', 'Utf8 ""', 'Utf8 "ä"', 'Utf8 "1"', 'Utf8 "\\u0000n1"'],
    ['[[]]', 'List<Utf8> []'],
    ['[[null, 1], [true, null]]', 'List<Int64> [null,1]', 'List<Bool> [true,null]'],
    ['[[1, 2.5, null]]', 'List<Float64> [1,2.5,null]'],
    ['[["a", null]]', 'List<Utf8> ["a",null]'],
    ['[[9007199254740993, 1]]', 'List<Int64> [9007199254740993,1]'],
    ['[[[1], [2, null]]]', 'List<List<Int64>> [[1],[2,null]]'],
    ['[{"a": 1, "b": [9007199254740993, {}]}]', 'Utf8 "{\\"a\\":1,\\"b\\":[\\"9007199254740993\\",{}]}"'],
    ['[{"\\u0000x": 1}]', 'Utf8 "{\\"\\\\u0000x\\":1}"'],
  ];
  for (const [json, ...wanted] of cases) {
    it(`are bound without loss: ${json}`, () => assert.deepEqual(bound(json), wanted));
  }

  for (const json of [`[1${'0'.repeat(38)}]`, `[0, -1${'0'.repeat(38)}]`]) {
    it(`are refused with more digits than a decimal has: ${json}`, () => {
      const message = /parameter [12] is an integer of more than 38 digits; send it as text/;
      assert.throws(() => bound(json), { code: 'INVALID_ARGUMENT', message });
    });
  }

  for (const json of [
    '[[1, "a"]]',
    '[[true, 1]]',
    '[[1, 18446744073709551615]]',
    '[[[1], [1.5]]]',
    '[[0.5, 9007199254740993]]',
    '[[1.5, [1]]]',
  ]) {
    it(`are refused as a list that no type can hold: ${json}`, () => {
      const message = /parameter 1 is a list of values of different types/;
      assert.throws(() => bound(json), { code: 'INVALID_ARGUMENT', message });
    });
  }
});
