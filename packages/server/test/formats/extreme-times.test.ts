import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Data,
  type DataType,
  DateMillisecond,
  Dictionary,
  DurationNanosecond,
  DurationSecond,
  Field,
  Int8,
  List,
  RecordBatch,
  Schema,
  Struct,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  TimeNanosecond,
  Vector,
} from 'apache-arrow';
import {
  batchToCsv,
  batchToMarkdown,
  batchToNdjson,
  batchToText,
  batchToTsv,
} from '../../src/formats/rows.ts';

const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];

/** Types whose largest values apache-arrow cannot give ("… is not safe to convert to a number"), and what they are. */
const types: readonly [DataType, least: string, most: string][] = [
  [new DateMillisecond(), '-292275055-05-16', '+292278994-08-17'],
  [new TimestampSecond(), '-292277022657-01-27T08:29:52', '+292277026596-12-04T15:30:07'],
  [new TimestampMillisecond(), '-292275055-05-16T16:47:04.192', '+292278994-08-17T07:12:55.807'],
  [new TimestampMicrosecond('UTC'), '-290308-12-21T19:59:05.224192Z', '+294247-01-10T04:00:54.775807Z'],
  [new TimestampNanosecond(), '1677-09-21T00:12:43.145224192', '2262-04-11T23:47:16.854775807'],
  [new DurationSecond(), '-PT9223372036854775808S', 'PT9223372036854775807S'],
  [new DurationNanosecond(), '-PT9223372036.854775808S', 'PT9223372036.854775807S'],
  [new TimeNanosecond(), '-2562047:47:16.854775808', '2562047:47:16.854775807'],
];

function batchOf(...columns: readonly Data[]): RecordBatch {
  const schema = new Schema(columns.map((data, index) => new Field(`c${index}`, data.type, true)));
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, 2, 0, [undefined], [...columns]));
}

describe('times beyond what JavaScript can hold', () => {
  for (const [type, first, last] of types) {
    it(`are written exactly: ${String(type)}`, () => {
      const plain = new Data(type, 0, 2, 0, [undefined, BigInt64Array.of(least, most)]);
      const field = new Field('v', type);
      const coded: DataType = new Dictionary(type, new Int8(), 1);
      const batch = batchOf(
        plain,
        new Data(new List(field), 0, 2, 0, [Int32Array.of(0, 1, 2)], [plain]),
        new Data(new Struct([field]), 0, 2, 0, [undefined], [plain]),
        new Data(coded, 0, 2, 0, [undefined, Int8Array.of(1, 0)], [], new Vector([plain])),
      );
      const lines = Buffer.from(batchToNdjson(batch)).toString().trim().split('\n');
      assert.deepEqual(
        lines.map((line): unknown => JSON.parse(line)),
        [
          { c0: first, c1: [first], c2: { v: first }, c3: last },
          { c0: last, c1: [last], c2: { v: last }, c3: first },
        ],
      );
      const texts = [batchToCsv(batch), batchToTsv(batch)].map((bytes) => Buffer.from(bytes).toString());
      for (const text of [...texts, batchToMarkdown(batch), batchToText(batch).join(' ')]) {
        assert.equal(text.split(first).length, 5, text);
        assert.equal(text.split(last).length, 5, text);
      }
    });
  }
});
