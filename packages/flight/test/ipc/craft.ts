import assert from 'node:assert/strict';
import { type Data, type DataType, Field, Schema } from 'apache-arrow';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import type { RecordBatchMessageHeader } from '../../src/ipc/message.ts';
import type { IpcReadOptions } from '../../src/ipc/options.ts';

/** A body of these buffers, each at a multiple of 8, and where they lie. */
export function bodyOf(parts: readonly ArrayBufferView[]): { body: Uint8Array; buffers: number[] } {
  const buffers: number[] = [];
  let end = 0;
  for (const part of parts) {
    buffers.push(end, part.byteLength);
    end = (end + part.byteLength + 7) & ~7;
  }
  const body = new Uint8Array(end);
  parts.forEach((part, index) => {
    body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), buffers[2 * index]);
  });
  return { body, buffers };
}

/** A header of a record batch, of nothing but what is given. */
export function header(parts: Partial<RecordBatchMessageHeader>): RecordBatchMessageHeader {
  return {
    kind: 'batch',
    version: 'V5',
    bodyLength: 0,
    customMetadata: new Map(),
    length: 0,
    nodes: [],
    buffers: [],
    variadicBufferCounts: [],
    compression: undefined,
    ...parts,
  };
}

/** Decodes one column of `length` rows from these nodes and buffers. */
export function column(
  type: DataType,
  length: number,
  nodes: readonly number[],
  parts: readonly ArrayBufferView[],
  options: IpcReadOptions = {},
  more: Partial<RecordBatchMessageHeader> = {},
  memo: DictionaryMemo = new DictionaryMemo(),
): Data {
  const { body, buffers } = bodyOf(parts);
  const schema = new Schema([new Field('c', type, true)]);
  const batch = decodeRecordBatch(schema, header({ length, nodes, buffers, ...more }), body, memo, options);
  const data = batch.data.children[0];
  assert.ok(data);
  return data;
}

/** No bytes, as of an absent bitmap. */
export const none: Uint8Array = new Uint8Array(0);
/** Full validation. */
export const full: IpcReadOptions = { validate: 'full' };
export const i32 = (...values: number[]): Int32Array => Int32Array.from(values);
export const i64 = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);
