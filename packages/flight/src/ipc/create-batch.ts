import { BufferType, Data, RecordBatch, Schema, Struct } from 'apache-arrow';
import { emptyBytes } from './empty.ts';

/**
 * Makes a RecordBatch of columns that all have `length` rows, with exactly this schema object.
 *
 * apache-arrow's constructor is for columns that may differ in length: it merges the schema with itself by field name,
 * which costs the square of the number of columns, makes every batch's schema another object, loses the metadata
 * version, and gives two columns of one name the same type. A batch that was checked column by column needs none of
 * it, so its three properties are set directly (2.2 µs less for 8 columns, milliseconds for 1,000). Should another
 * version of apache-arrow keep other properties, its constructor is used.
 *
 * @param schema - kept as it is
 * @param struct - `new Struct(schema.fields)`, made once a schema
 * @param length - rows; also of a batch without columns
 * @param columns - one a field, each with `length` rows
 * @param metadata - custom metadata of the batch
 */
export function createRecordBatch(
  schema: Schema,
  struct: Struct,
  length: number,
  columns: Data[],
  metadata: Map<string, string> = new Map(),
): RecordBatch {
  const data = new Data(struct, 0, length, 0, { [BufferType.VALIDITY]: emptyBytes }, columns);
  if (!knownProperties) return new RecordBatch(schema, data, metadata);
  const batch: RecordBatch = Object.create(RecordBatch.prototype);
  return Object.assign(batch, { schema, data, _metadata: metadata });
}

const knownProperties: boolean =
  Object.keys(new RecordBatch(new Schema([]), new Data(new Struct([]), 0, 0, 0))).join() ===
  'schema,data,_metadata';
