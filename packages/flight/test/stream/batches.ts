import assert from 'node:assert/strict';
import {
  Dictionary,
  Int32,
  makeData,
  type RecordBatch,
  Table,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';

/** A batch of numbers from `from` on, texts of them, and colors with a dictionary. */
export function numbers(
  rows: number,
  from = 0,
  textBytes = 3,
  colors: readonly string[] = ['red', 'green'],
): RecordBatch {
  const values = Array.from({ length: rows }, (_, row) => from + row);
  const type = new Dictionary(new Utf8(), new Int32(), 5);
  const [batch] = new Table({
    n: new Vector([makeData({ type: new Int32(), data: Int32Array.from(values) })]),
    t: vectorFromArray(
      values.map((value) => String(value).padEnd(textBytes, 'x')),
      new Utf8(),
    ),
    c: new Vector([
      makeData({
        type,
        data: Int32Array.from(values, (value) => value % colors.length),
        dictionary: vectorFromArray(colors, new Utf8()),
      }),
    ]),
  }).batches;
  assert.ok(batch !== undefined);
  return batch;
}
