import type { RecordBatch, Schema } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import type { MessageHeader } from '../message.ts';
import type { IpcReadOptions } from '../options.ts';
import { decodeDictionaryBatch } from './dictionary-batch.ts';
import { DictionaryMemo } from './dictionary-memo.ts';
import { decodeMessageHeader } from './message.ts';
import { decodeRecordBatch } from './record-batch.ts';
import { decodeSchema } from './schema.ts';

/**
 * Decodes the messages of one stream in their order: a schema, then dictionary and record batches. It keeps what the
 * order gives a meaning to, the schema and the dictionaries.
 */
export class IpcDecoder {
  readonly #options: IpcReadOptions;
  readonly #memo = new DictionaryMemo();
  #schema: Schema | undefined;

  /**
   * @param options - how much is validated
   * @param schema - when it is known from elsewhere (the footer of a file); then no schema message is expected
   */
  constructor(options: IpcReadOptions = {}, schema?: Schema) {
    this.#options = options;
    this.#schema = schema;
  }

  /** The schema; undefined before its message came. */
  get schema(): Schema | undefined {
    return this.#schema;
  }

  /**
   * Takes the next message.
   *
   * @param header - the flatbuffer, or what `decodeMessageHeader` made of it
   * @param body - its body; a batch keeps it, and so do the dictionaries
   * @returns the batch of a record batch message; undefined for a schema and for a dictionary
   * @throws FlightDataError and FlightUnimplementedError as `decodeSchema` and `decodeRecordBatch`, and for messages out
   * of order
   */
  decode(header: Uint8Array | MessageHeader, body: Uint8Array): RecordBatch | undefined {
    const message = header instanceof Uint8Array ? decodeMessageHeader(header) : header;
    const schema = this.#schema;
    if (message.kind === 'schema') {
      if (schema !== undefined) {
        throw new FlightDataError('a second schema message came; a stream has one schema, at its start');
      }
      this.#schema = decodeSchema(message);
      return undefined;
    }
    if (schema === undefined) {
      throw new FlightDataError(
        `a ${message.kind} message came before the schema; the schema must be the first message`,
      );
    }
    if (message.kind === 'batch') return decodeRecordBatch(schema, message, body, this.#memo, this.#options);
    decodeDictionaryBatch(schema, message, body, this.#memo, this.#options);
    return undefined;
  }

  /**
   * Says that the stream has ended: dictionaries that waited for others, and that no batch needed, are looked at.
   *
   * @throws FlightDataError as `decode` for a batch behind them
   */
  end(): void {
    this.#memo.settle();
  }
}
