/**
 * Endpoints of one FlightInfo have one schema, and yet their batches may not fit into one table of apache-arrow: the
 * ids of dictionaries, which it compares, are made up by each stream, and some servers say `nullable` for one
 * endpoint and not for the other.
 */

import { Data, type DataType, type RecordBatch, type Schema, Struct, util } from 'apache-arrow';
import { FlightDataError } from '../errors.ts';
import { createRecordBatch } from '../ipc/create-batch.ts';
import type { FlightStreamChunk } from '../stream/types.ts';
import type { EndpointStream } from './endpoint-stream.ts';

/**
 * All endpoints of a FlightInfo have one schema, says Flight; a table of several would give wrong values.
 *
 * @throws FlightDataError when names or types differ
 */
export function checkSameSchema(expected: Schema, actual: Schema): void {
  if (expected === actual || util.compareSchemas(expected, actual)) return;
  const [first, second] = [describe(expected), describe(actual)];
  if (first !== second) {
    throw new FlightDataError(
      `the endpoints of one FlightInfo have different schemas: ${first} and ${second}`,
    );
  }
}

/** The batch under a schema that {@link checkSameSchema} found to be the same; the memory of its values is shared. */
export function adoptSchema(batch: RecordBatch, schema: Schema): RecordBatch {
  if (batch.schema === schema || util.compareSchemas(schema, batch.schema)) return batch;
  const columns = schema.fields.map((field, index) => retype(batch.data.children[index], field.type));
  return createRecordBatch(schema, new Struct(schema.fields), batch.numRows, columns, batch.metadata);
}

/** A stream whose chunks have another schema, that is the same but for what does not matter. */
export function adoptStream(stream: EndpointStream, schema: Schema): EndpointStream {
  if (stream.schema === schema || util.compareSchemas(schema, stream.schema)) return stream;
  return {
    schema,
    async next(): Promise<FlightStreamChunk | undefined> {
      const chunk = await stream.next();
      return chunk === undefined ? undefined : adoptChunk(chunk, schema);
    },
    close: () => stream.close(),
  };
}

/** A chunk under another schema; see {@link adoptSchema}. */
export function adoptChunk(chunk: FlightStreamChunk, schema: Schema): FlightStreamChunk {
  if (chunk.data === undefined) return chunk;
  const data = adoptSchema(chunk.data, schema);
  if (data === chunk.data) return chunk;
  return {
    data,
    appMetadata: chunk.appMetadata,
    release: () => chunk.release(),
    [Symbol.dispose]: () => chunk.release(),
  };
}

function retype(data: Data | undefined, type: DataType): Data {
  if (data === undefined) throw new FlightDataError('a batch has fewer columns than its schema');
  const children = data.children.map((child, index) =>
    retype(child, type.children?.[index]?.type ?? child.type),
  );
  return new Data(type, data.offset, data.length, data.nullCount, data, children, data.dictionary);
}

function describe(schema: Schema): string {
  return schema.fields.map((field) => `${field.name}: ${String(field.type)}`).join(', ');
}
