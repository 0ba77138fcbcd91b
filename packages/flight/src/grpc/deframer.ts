/**
 * Cuts the payload of a stream into messages, however it arrives:
 *
 *     Length-Prefixed-Message → Compressed-Flag Message-Length Message
 *     Compressed-Flag         → 1 byte: 0, or 1 for a message compressed as grpc-encoding says
 *     Message-Length          → 4 bytes, unsigned, big endian
 *
 * (gRPC over HTTP/2, section Requests.) Payload is handed to the decoder as it arrives and is not kept here, unless
 * the message is compressed.
 */

import { noBytes } from '../bytes/empty.ts';
import { type FlightError, FlightInternalError, FlightResourceExhaustedError } from '../errors.ts';
import { readUint32 } from '../http2/frames.ts';
import { decompressMessage } from './gzip.ts';
import type { MessageDecoder } from './message.ts';
import type { GrpcCompression } from './types.ts';

/** Takes the messages of a {@link Deframer}. */
export interface DeframerSink<T> {
  /**
   * @param message - what the decoder made
   * @param byteLength - what it took on the wire, prefix included
   * @returns false to take no more for now
   */
  onMessage(message: T, byteLength: number): boolean;
}

const prefixBytes = 5;

/** The parser of one stream; see the top of this file. */
export class Deframer<T> {
  /** How compressed messages are. Set from the headers, before the first message. */
  compression: GrpcCompression = 'identity';

  readonly #decoder: MessageDecoder<T>;
  readonly #maxBytes: number;
  readonly #sink: DeframerSink<T>;
  /** Bytes of the prefix that were read; 5 inside a message. */
  #prefixRead = 0;
  #flag = 0;
  #length = 0;
  /** Bytes of the message that are still to come. */
  #missing = 0;
  /** A compressed message is collected here. */
  #compressed: Uint8Array = noBytes;

  /** @param maxBytes - the largest message that is taken, before and after decompression */
  constructor(decoder: MessageDecoder<T>, maxBytes: number, sink: DeframerSink<T>) {
    this.#decoder = decoder;
    this.#maxBytes = maxBytes;
    this.#sink = sink;
  }

  /** Whether a message has begun and not ended. */
  get insideMessage(): boolean {
    return this.#prefixRead > 0;
  }

  /**
   * Takes the bytes `[start, end)`.
   *
   * @returns where it stopped: `end`, or behind the message for which the sink returned false
   * @throws FlightError for a broken prefix, a message above the limit, or what the decoder threw
   */
  push(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (this.#prefixRead < prefixBytes) {
        at = this.#readPrefix(buffer, at, end);
        if (this.#prefixRead < prefixBytes) return at;
        this.#begin();
      }
      const until = Math.min(end, at + this.#missing);
      if (until > at) {
        this.#missing -= until - at;
        if (this.#flag === 0) this.#decoder.push(buffer, at, until);
        else this.#collect(buffer, at, until);
        at = until;
      }
      if (this.#missing === 0 && !this.#finish()) return at;
    }
    return at;
  }

  /** Lets the decoder know that a message which has begun will not end. */
  abort(): void {
    if (this.#prefixRead === prefixBytes && this.#flag === 0) this.#decoder.abort();
    this.#prefixRead = 0;
    this.#compressed = noBytes;
  }

  #readPrefix(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#prefixRead === 0 && end - start >= prefixBytes) {
      this.#flag = buffer[at] ?? 0;
      this.#length = readUint32(buffer, at + 1);
      this.#prefixRead = prefixBytes;
      return start + prefixBytes;
    }
    while (at < end && this.#prefixRead < prefixBytes) {
      const byte = buffer[at] ?? 0;
      if (this.#prefixRead === 0) {
        this.#flag = byte;
        this.#length = 0;
      } else {
        this.#length = this.#length * 256 + byte;
      }
      this.#prefixRead += 1;
      at += 1;
    }
    return at;
  }

  #begin(): void {
    const length = this.#length;
    if (this.#flag > 1) {
      throw this.#broken(`a message begins with the byte ${this.#flag} where 0 or 1 is expected`);
    }
    if (this.#flag === 1 && this.compression === 'identity') {
      throw this.#broken('a message says that it is compressed, but grpc-encoding does not say how');
    }
    if (length > this.#maxBytes) {
      this.#prefixRead = 0;
      throw tooLarge(length, this.#maxBytes);
    }
    this.#missing = length;
    if (this.#flag === 0) this.#decoder.begin(length);
    else this.#compressed = new Uint8Array(length);
  }

  #collect(buffer: Uint8Array, start: number, end: number): void {
    const at = this.#length - this.#missing - (end - start);
    this.#compressed.set(buffer.subarray(start, end), at);
  }

  #finish(): boolean {
    this.#prefixRead = 0;
    if (this.#flag === 1) {
      const bytes = decompressMessage(this.#compressed, this.#maxBytes);
      this.#compressed = noBytes;
      this.#decoder.begin(bytes.byteLength);
      if (bytes.byteLength > 0) this.#decoder.push(bytes, 0, bytes.byteLength);
    }
    return this.#sink.onMessage(this.#decoder.finish(), prefixBytes + this.#length);
  }

  #broken(what: string): FlightError {
    this.#prefixRead = 0;
    return new FlightInternalError(`the stream is not gRPC: ${what}`);
  }
}

/** The error for a message above the limit. */
export function tooLarge(byteLength: number, maxBytes: number): FlightError {
  return new FlightResourceExhaustedError(
    `a message of ${byteLength} bytes is above the limit of ${maxBytes} bytes for received messages; send smaller ones or raise maxReceiveBytes`,
  );
}
