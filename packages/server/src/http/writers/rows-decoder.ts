import { IpcDecoder, decodeMessageHeader, decodeSchema } from '@peregrine/flight/ipc';
import type { RecordBatch, Schema } from 'apache-arrow';
import type { EngineBatch } from '../../engine/types.ts';

/** Makes record batches of a result, for the formats that are text. */
export interface RowsDecoder {
  readonly schema: Schema;
  /** The rows; undefined for a dictionary. They are views on the message, which must stay until they are used. */
  decode(batch: EngineBatch): RecordBatch | undefined;
}

/**
 * Begins to decode a result.
 *
 * @param schemaHeader - see `EngineResult.schema`
 */
export function createRowsDecoder(schemaHeader: Uint8Array): RowsDecoder {
  const header = decodeMessageHeader(schemaHeader);
  const schema = decodeSchema(header);
  const decoder = new IpcDecoder({}, schema);
  return {
    schema,
    // A dictionary is used by the batches that follow: it cannot stay in memory that is given back.
    decode: ({ kind, header, body }) =>
      decoder.decode(header, kind === 'dictionary' ? new Uint8Array(body) : body),
  };
}
