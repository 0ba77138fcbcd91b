import type { Data, RecordBatch, Schema } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import { createRecordBatch } from '../create-batch.ts';
import type { MessageHeader } from '../message.ts';
import { BodyReader, checkRows } from './buffers.ts';
import { ColumnLoader } from './columns.ts';
import type { DictionaryMemo } from './dictionary-memo.ts';
import type { IpcReadOptions } from '../options.ts';
import { type DecodePlan, planOf } from './plan.ts';
import { depthOf, validateColumn, type ValidationDepth } from './validate.ts';

/**
 * Makes a RecordBatch over the memory of a received body: every vector is a view on `body`, which therefore belongs to
 * the batch as long as that is used. Copied are only buffers that lie misaligned for their typed array (senders align
 * to 8 bytes, so this happens when the body itself starts at an odd place), and compressed ones.
 *
 * @param schema - the schema of the stream; keep one object, what decoding needs is made once for each
 * @param header - header of a record batch, from `decodeMessageHeader`
 * @param body - the body; may be longer than the header says
 * @param memo - the stream's dictionaries
 * @throws FlightDataError naming the field when a number of the header fits neither body nor schema
 * @throws FlightUnimplementedError naming the field for what apache-arrow cannot hold
 */
export function decodeRecordBatch(
  schema: Schema,
  header: MessageHeader,
  body: Uint8Array,
  memo: DictionaryMemo,
  options: IpcReadOptions = {},
): RecordBatch {
  if (header.kind !== 'batch') {
    throw new FlightDataError(`a record batch message was expected, but this is a ${header.kind} message`);
  }
  const plan = planOf(schema);
  const rows = header.length;
  checkRows(rows, 'the batch');
  checkBody(header.bodyLength, body);
  memo.settle();
  const reader = new BodyReader(header, body, options.maxDecompressedBytes);
  const loader = new ColumnLoader(reader, plan, memo, header.version);
  const columns: Data[] = [];
  for (const column of plan.columns) columns.push(loader.column(column, rows));
  reader.finish();
  if (options.validate === 'full' || plan.guarded.length > 0)
    validateColumns(plan, columns, depthOf(options));
  return createRecordBatch(schema, plan.struct, rows, columns, new Map(header.customMetadata));
}

function validateColumns(plan: DecodePlan, columns: readonly Data[], depth: ValidationDepth): void {
  const indices = depth.full ? plan.columns.keys() : plan.guarded;
  for (const index of indices) {
    const [column, data] = [plan.columns[index], columns[index]];
    if (column !== undefined && data !== undefined) validateColumn(column, data, depth);
  }
}

/** Checks that the body that the header speaks of is there. */
export function checkBody(bodyLength: number, body: Uint8Array): void {
  if (body.byteLength < bodyLength) {
    throw new FlightDataError(`the body has ${body.byteLength} bytes, but its header says ${bodyLength}`);
  }
}
