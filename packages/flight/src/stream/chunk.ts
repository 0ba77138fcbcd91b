import type { RecordBatch } from 'apache-arrow';
import type { FlightDataBody, FlightStreamChunk } from './types.ts';

/** A chunk of a stream and the memory that its batch lies in. */
export class StreamChunk implements FlightStreamChunk {
  readonly data: RecordBatch | undefined;
  readonly appMetadata: Uint8Array | undefined;
  #body: FlightDataBody | undefined;

  constructor(
    data: RecordBatch | undefined,
    appMetadata: Uint8Array | undefined,
    body: FlightDataBody | undefined,
  ) {
    this.data = data;
    this.appMetadata = appMetadata;
    this.#body = body;
  }

  release(): void {
    const body = this.#body;
    this.#body = undefined;
    body?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
