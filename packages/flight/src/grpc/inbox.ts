/**
 * The receiving side of a call: payload in, messages out, and the peer held back when nobody takes them.
 *
 * Payload is credited to the peer as it arrives, also inside of a message (which may be larger than the window), as
 * long as the messages that wait to be read are under `readAheadBytes`. Above it credit waits until some were read, so
 * what a call can hold is `readAheadBytes`, plus the stream's window, plus one message. Tiny messages cost more memory
 * than they take on the wire; so from `maxQueuedMessages` on payload is kept as it came and parsed later.
 */

import { noBytes } from '../bytes/empty.ts';
import { FlightInternalError, type FlightError, toFlightError } from '../errors.ts';
import { maxQueuedMessages, queuedMessageBytes, unparsedBlockBytes } from '../limits/grpc.ts';
import { Deframer, type DeframerSink } from './deframer.ts';
import type { MessageDecoder } from './message.ts';
import type { GrpcCompression, GrpcMessageSource } from './types.ts';

/** The call that an {@link Inbox} belongs to. */
export interface InboxOwner {
  /** The peer may send so many more bytes. */
  onInboxCredit(byteLength: number): void;
  /** What came is no valid message; the call has to end with this error. */
  onInboxError(error: FlightError): void;
}

/** Limits of an {@link Inbox}. */
export interface InboxLimits {
  readonly maxReceiveBytes: number;
  readonly readAheadBytes: number;
}

/** Slots of messages that were taken are removed when there are so many of them. */
const compactAfter = 4096;

interface Waiting<T> {
  resolve(message: T | undefined): void;
  reject(error: FlightError): void;
}

/** See the top of this file. */
export class Inbox<T> implements GrpcMessageSource<T>, DeframerSink<T> {
  readonly #createDecoder: () => MessageDecoder<T>;
  readonly #limits: InboxLimits;
  readonly #owner: InboxOwner;
  #deframer: Deframer<T> | undefined;
  #compression: GrpcCompression = 'identity';
  /** Messages and what each counts; both are read from `#head` on. */
  #messages: (T | undefined)[] = [];
  #costs: number[] = [];
  #head = 0;
  #queuedBytes = 0;
  /** Bytes that came and were not credited. */
  #owed = 0;
  /** Payload that waits to be parsed. */
  #unparsed: Uint8Array[] = [];
  #unparsedBytes = 0;
  /** What the last of these stands in, with room behind it up to the end. */
  #block: Uint8Array = noBytes;
  #waiting: Waiting<T> | undefined;
  #ended = false;
  #error: FlightError | undefined;

  constructor(createDecoder: () => MessageDecoder<T>, limits: InboxLimits, owner: InboxOwner) {
    this.#createDecoder = createDecoder;
    this.#limits = limits;
    this.#owner = owner;
  }

  /** How compressed messages are; told by the headers. */
  set compression(compression: GrpcCompression) {
    this.#compression = compression;
  }

  /** Payload has come: `[start, end)` of a buffer that is used again. */
  receive(buffer: Uint8Array, start: number, end: number): void {
    if (this.#ended) {
      this.#owner.onInboxCredit(end - start);
      return;
    }
    this.#owed += end - start;
    let at = start;
    const room = this.#messages.length - this.#head < maxQueuedMessages;
    if (room && this.#unparsed.length === 0) at = this.#parse(buffer, start, end) ?? end;
    if (at < end) this.#keep(buffer, at, end);
    this.#credit();
  }

  /**
   * No more payload comes. Messages that are there can still be read, then reads give `error`, or the clean end.
   * A message that is cut off makes an error of a clean end.
   */
  end(error: FlightError | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    if (this.#unparsed.length === 0) this.#endParsing();
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    // nobody waits while there are messages
    this.#waiting = undefined;
    if (this.#error === undefined) waiting.resolve(undefined);
    else waiting.reject(this.#error);
  }

  /** Like {@link Inbox.end}, and drops what was not read. */
  drop(error: FlightError | undefined): void {
    this.#messages = [];
    this.#costs = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.#dropUnparsed();
    if (this.#ended) this.#error = error;
    this.end(error);
  }

  tryRead(): T | undefined {
    const message = this.#messages[this.#head];
    if (message === undefined) return undefined;
    this.#queuedBytes -= this.#costs[this.#head] ?? 0;
    this.#messages[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#messages.length) {
      this.#messages = [];
      this.#costs = [];
      this.#head = 0;
      if (this.#unparsed.length > 0) this.#parseUnparsed();
    } else if (this.#head === compactAfter) {
      this.#messages = this.#messages.slice(compactAfter);
      this.#costs = this.#costs.slice(compactAfter);
      this.#head = 0;
    }
    this.#credit();
    return message;
  }

  read(): Promise<T | undefined> {
    const message = this.tryRead();
    if (message !== undefined) return Promise.resolve(message);
    if (this.#ended) {
      return this.#error === undefined ? Promise.resolve(undefined) : Promise.reject(this.#error);
    }
    if (this.#waiting !== undefined) {
      return Promise.reject(
        new FlightInternalError('read() was called while another read() waits; await one after the other'),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  onMessage(message: T, byteLength: number): boolean {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve(message);
      return true;
    }
    const cost = byteLength + queuedMessageBytes;
    this.#messages.push(message);
    this.#costs.push(cost);
    this.#queuedBytes += cost;
    return this.#messages.length - this.#head < maxQueuedMessages;
  }

  /** @returns where it stopped, or undefined when the call has failed by what came */
  #parse(buffer: Uint8Array, start: number, end: number): number | undefined {
    try {
      let deframer = this.#deframer;
      if (deframer === undefined) {
        deframer = new Deframer(this.#createDecoder(), this.#limits.maxReceiveBytes, this);
        deframer.compression = this.#compression;
        this.#deframer = deframer;
      }
      return deframer.push(buffer, start, end);
    } catch (thrown) {
      const error = toFlightError(thrown);
      this.#dropUnparsed();
      this.#deframer?.abort();
      if (this.#ended) this.#error = error;
      else this.end(error);
      this.#owner.onInboxError(error);
      return undefined;
    }
  }

  /** Keeps payload for later. */
  #keep(buffer: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#unparsedBytes += length;
    const last = this.#unparsed.at(-1);
    const used = last === undefined ? 0 : last.byteOffset + last.byteLength;
    if (last !== undefined && length <= this.#block.byteLength - used) {
      this.#block.set(buffer.subarray(start, end), used);
      this.#unparsed[this.#unparsed.length - 1] = this.#block.subarray(last.byteOffset, used + length);
      return;
    }
    this.#block = new Uint8Array(Math.max(length, unparsedBlockBytes));
    this.#block.set(buffer.subarray(start, end));
    this.#unparsed.push(this.#block.subarray(0, length));
  }

  #parseUnparsed(): void {
    const pieces = this.#unparsed;
    this.#dropUnparsed();
    for (const [index, bytes] of pieces.entries()) {
      const at = this.#parse(bytes, 0, bytes.byteLength);
      // what stands behind something broken is nothing that anybody sent
      if (at === undefined) return;
      if (at < bytes.byteLength) {
        this.#unparsed = [bytes.subarray(at), ...pieces.slice(index + 1)];
        this.#unparsedBytes = this.#unparsed.reduce((sum, { byteLength }) => sum + byteLength, 0);
        return;
      }
    }
    if (this.#ended) this.#endParsing();
  }

  #dropUnparsed(): void {
    this.#unparsed = [];
    this.#unparsedBytes = 0;
    this.#block = noBytes;
  }

  #endParsing(): void {
    if (this.#deframer?.insideMessage !== true) return;
    this.#deframer.abort();
    this.#error ??= new FlightInternalError('the stream ended inside a message');
  }

  #credit(): void {
    const { readAheadBytes } = this.#limits;
    if (this.#owed === 0 || this.#queuedBytes + this.#unparsedBytes >= readAheadBytes) return;
    const owed = this.#owed;
    this.#owed = 0;
    this.#owner.onInboxCredit(owed);
  }
}
