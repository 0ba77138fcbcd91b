import type { RecordBatch, Schema } from 'apache-arrow';
import { IpcDecoder } from '../ipc/decode/decoder.ts';
import { decodeMessageHeader } from '../ipc/decode/message.ts';
import { type FlightStreamStats, StatsCounter } from './stats.ts';
import type { FlightData, FlightReadOptions } from './types.ts';

/** What one FlightData was. */
export type DecodedFlightData =
  /** The schema; later ones are refused. */
  | {
      readonly kind: 'schema';
      readonly schema: Schema;
      readonly appMetadata: Uint8Array | undefined;
      readonly descriptor: Uint8Array | undefined;
    }
  /** A batch, whose vectors are views on the message's body. */
  | {
      readonly kind: 'batch';
      readonly data: RecordBatch;
      readonly appMetadata: Uint8Array | undefined;
      readonly descriptor: Uint8Array | undefined;
    }
  /** No IPC message: bytes of the application, or only a descriptor. */
  | {
      readonly kind: 'metadata';
      readonly appMetadata: Uint8Array | undefined;
      readonly descriptor: Uint8Array | undefined;
    }
  /** A dictionary, which the decoder keeps, with the message's body. */
  | {
      readonly kind: 'dictionary';
      readonly appMetadata: Uint8Array | undefined;
      readonly descriptor: Uint8Array | undefined;
    };

/**
 * Turns the FlightData messages of one stream into batches. Of the bodies, those of batches may be released once their
 * batch is not used any more; those of dictionaries belong to the decoder and are never released, since any later batch
 * may look into them.
 */
export class FlightBatchDecoder {
  readonly #decoder: IpcDecoder;
  readonly #stats = new StatsCounter();

  /** @param options - how batches are read. Default: their lengths are checked (`validate: 'lengths'`) */
  constructor(options: FlightReadOptions = {}) {
    this.#decoder = new IpcDecoder(options);
  }

  /** The schema; undefined before its message came. */
  get schema(): Schema | undefined {
    return this.#decoder.schema;
  }

  /** What has been decoded until now. */
  get stats(): FlightStreamStats {
    return this.#stats.value;
  }

  /**
   * Decodes the next message.
   *
   * @throws FlightDataError when it is no valid Arrow message, or out of order
   * @throws FlightUnimplementedError naming the field for a type that apache-arrow cannot hold
   */
  decode(message: FlightData): DecodedFlightData {
    const { appMetadata, dataBody, dataHeader, descriptor } = message;
    if (dataHeader.byteLength === 0) return { kind: 'metadata', appMetadata, descriptor };
    const header = decodeMessageHeader(dataHeader);
    const data = this.#decoder.decode(header, dataBody);
    this.#stats.count(header);
    if (data !== undefined) return { kind: 'batch', data, appMetadata, descriptor };
    const schema = this.#decoder.schema;
    if (header.kind === 'schema' && schema !== undefined) {
      return { kind: 'schema', schema, appMetadata, descriptor };
    }
    return { kind: 'dictionary', appMetadata, descriptor };
  }
}
