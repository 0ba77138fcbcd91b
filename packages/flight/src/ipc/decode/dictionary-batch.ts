import type { Schema } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import type { MessageHeader } from '../message.ts';
import { BodyReader } from './buffers.ts';
import { ColumnLoader } from './columns.ts';
import type { DictionaryMemo } from './dictionary-memo.ts';
import type { IpcReadOptions } from '../options.ts';
import { type ColumnPlan, planOf } from './plan.ts';
import { checkBody } from './record-batch.ts';
import { depthOf, validateColumn } from './validate.ts';

/**
 * Takes a dictionary batch into the memo: a delta is added to the dictionary, any other batch replaces it. Batches that
 * were decoded before keep the dictionary they had. Where its values refer to dictionaries of their own, it is
 * kept until the next record batch, as those may come behind it.
 *
 * @param schema - the schema of the stream
 * @param header - header of a dictionary batch, from `decodeMessageHeader`
 * @param body - the body; belongs to the dictionary from now on
 * @param memo - the stream's dictionaries
 * @throws FlightDataError as `decodeRecordBatch`, later where it waits, and when no field of the schema refers to the dictionary
 */
export function decodeDictionaryBatch(
  schema: Schema,
  header: MessageHeader,
  body: Uint8Array,
  memo: DictionaryMemo,
  options: IpcReadOptions = {},
): void {
  if (header.kind !== 'dictionary') {
    throw new FlightDataError(
      `a dictionary batch message was expected, but this is a ${header.kind} message`,
    );
  }
  const plan = planOf(schema);
  const column = plan.dictionaries.get(header.id);
  if (column === undefined) {
    const known = [...plan.dictionaries.keys()];
    throw new FlightDataError(
      `a dictionary batch fills dictionary ${header.id}, but the schema has ${known.length === 0 ? 'none' : `only ${known.join(', ')}`}`,
    );
  }
  checkBody(header.bodyLength, body);
  const load = (): void => {
    const reader = new BodyReader(header, body, options.maxDecompressedBytes);
    const data = new ColumnLoader(reader, plan, memo, header.version).column(column, header.length);
    reader.finish();
    const depth = depthOf(options);
    if (depth.full || column.guarded) validateColumn(column, data, depth);
    if (header.isDelta) memo.append(header.id, data);
    else memo.replace(header.id, data);
  };
  memo.load({ id: header.id, needs: innerDictionaries(column), load });
}

/** The dictionaries that a column's values refer to. */
function innerDictionaries(column: ColumnPlan): number[] {
  if (column.layout === 'dictionary') return [column.dictionaryId];
  return column.children.flatMap(innerDictionaries);
}
