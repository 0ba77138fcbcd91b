import { Data, Field, Schema } from 'apache-arrow';
import { FlightInternalError } from '../../errors.ts';
import { DictionaryMemo } from '../decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../decode/record-batch.ts';
import { BodyWriter, bytesOf, join } from './buffers.ts';
import { type Chunk, writeChunks } from './chunks.ts';
import type { DictionaryState } from './dictionary-batch.ts';
import { offsetRange } from './measure.ts';
import type { ColumnPlan } from './plan.ts';

type Dictionaries = ReadonlyMap<number, DictionaryState>;

const schemas = new WeakMap<ColumnPlan, Schema>();

/** Copies rows of columns of one type into a column of their own: nothing else is in its memory, nor in its children's. */
export function takeRows(plan: ColumnPlan, chunks: readonly Chunk[], dictionaries: Dictionaries): Data {
  const body = new BodyWriter();
  writeChunks(body, plan, chunks);
  let schema = schemas.get(plan);
  if (schema === undefined) {
    schema = new Schema([new Field(plan.path, plan.type, true)]);
    schemas.set(plan, schema);
  }
  const memo = new DictionaryMemo();
  if (plan.hasDictionaries) {
    for (const [id, state] of dictionaries) for (const chunk of state.chunks) memo.append(id, chunk);
  }
  const rows = chunks.reduce((sum, { length }) => sum + length, 0);
  const { children } = decodeRecordBatch(
    schema,
    {
      kind: 'batch',
      version: 'V5',
      bodyLength: body.length,
      customMetadata: new Map<string, string>(),
      ...body.layout(rows),
    },
    join(body.pieces, body.length),
    memo,
  ).data;
  const [data] = children;
  if (data === undefined) throw new FlightInternalError('rows that were copied are not there');
  return data;
}

/** The same, faster where there are many short chunks of plain values. */
export function takeValues(plan: ColumnPlan, chunks: readonly Chunk[], dictionaries: Dictionaries): Data {
  const plain = chunks.every(({ data }) => data.nullCount <= 0);
  if (plain && plan.layout === 'binary' && plan.offsetWidth === 4) return takeBytes(plan, chunks);
  if (plain && plan.layout === 'fixed' && !plan.hasDictionaries) return takeFixed(plan, chunks);
  return takeRows(plan, chunks, dictionaries);
}

function takeBytes(plan: ColumnPlan, chunks: readonly Chunk[]): Data {
  const ranges = chunks.map(({ data, start, length }) => offsetRange(data, start, length));
  const rows = chunks.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(ranges.reduce((sum, [first, last]) => sum + last - first, 0));
  const offsets = new Int32Array(rows + 1);
  let row = 0;
  let at = 0;
  chunks.forEach(({ data, start, length }, index) => {
    const [first, last] = ranges[index] ?? [0, 0];
    const values: Uint8Array | undefined = data.values;
    const from: Int32Array = data.valueOffsets;
    if (values !== undefined && last > first) bytes.set(values.subarray(first, last), at);
    for (let i = 1; i <= length; i++) offsets[row + i] = at + (from[start + i] ?? last) - first;
    row += length;
    at += last - first;
  });
  return new Data(plan.type, 0, rows, 0, [offsets, bytes]);
}

function takeFixed(plan: ColumnPlan, chunks: readonly Chunk[]): Data {
  const { byteWidth } = plan;
  const rows = chunks.reduce((sum, { length }) => sum + length, 0);
  const target = new Uint8Array(rows * byteWidth);
  let at = 0;
  for (const { data, start, length } of chunks) {
    const values: ArrayBufferView = data.values;
    target.set(bytesOf(values, start * byteWidth, length * byteWidth), at);
    at += length * byteWidth;
  }
  return new Data(plan.type, 0, rows, 0, [undefined, target]);
}
