import { FlightResourceExhaustedError } from '../errors.ts';
import { BytesDecoder, type MessageDecoder } from '../grpc/index.ts';

/**
 * Takes requests that are small by nature, and refuses large ones before memory is taken for them: who calls may not
 * be known yet.
 */
export class RequestDecoder implements MessageDecoder<Uint8Array> {
  readonly #bytes = new BytesDecoder();
  readonly #method: string;
  readonly #maxBytes: number;

  /**
   * @param method - for the message of the error
   * @param maxBytes - bytes of a request at most
   */
  constructor(method: string, maxBytes: number) {
    this.#method = method;
    this.#maxBytes = maxBytes;
  }

  /** @throws FlightResourceExhaustedError for a request above the limit */
  begin(byteLength: number): void {
    if (byteLength > this.#maxBytes) {
      throw new FlightResourceExhaustedError(
        `a ${this.#method} request of ${byteLength} bytes is above the limit of ${this.#maxBytes} bytes`,
      );
    }
    this.#bytes.begin(byteLength);
  }

  push(buffer: Uint8Array, start: number, end: number): void {
    this.#bytes.push(buffer, start, end);
  }

  finish(): Uint8Array {
    return this.#bytes.finish();
  }

  abort(): void {
    this.#bytes.abort();
  }
}
