/**
 * The sending side of a call: messages get their prefix and go to the stream. While there is no stream yet they are
 * kept; those sent are kept a little longer, as long as the call may have to begin anew because the server did not
 * process it.
 *
 *     Length-Prefixed-Message → Compressed-Flag(1 byte) Message-Length(4 bytes, big endian) Message
 */

import { type FlightError, FlightInternalError, FlightResourceExhaustedError } from '../errors.ts';
import type { HeaderList, Http2Stream } from '../http2/types.ts';
import { maxHeldBytes, maxMessageBytes, maxSmallWriteBytes, minCompressedBytes } from '../limits/grpc.ts';
import { createDeferred, type Deferred } from './deferred.ts';
import { compressMessage } from './gzip.ts';
import type { OutgoingMessage } from './message.ts';
import { SmallWrites } from './small-writes.ts';
import type { GrpcCompression, GrpcMessageSink } from './types.ts';

/** See the top of this file. */
export class Outbox implements GrpcMessageSink {
  /** How messages are sent from now on. */
  compression: GrpcCompression = 'identity';

  #stream: Http2Stream | undefined;
  /** Messages with their prefix, in case they are needed (again); undefined when they are not. */
  #held: OutgoingMessage[] | undefined;
  #heldBytes = 0;
  /** Whether a message went to the stream. */
  #begun = false;
  #small: SmallWrites | undefined;
  #ended = false;
  #full = false;
  #waiting: Deferred<void> | undefined;
  /** Makes what writes throw once the call is over. */
  #error: (() => FlightError) | undefined;

  /** @param hold - whether messages are kept for {@link Outbox.attach} */
  constructor(hold: boolean) {
    if (hold) this.#held = [];
  }

  /** Whether everything that was written is still there, so that the call can begin anew. */
  get replayable(): boolean {
    return this.#held !== undefined;
  }

  /** Sends on a stream what is held, and from now on what is written. */
  attach(stream: Http2Stream): void {
    this.#stream = stream;
    let room = true;
    let pooled = false;
    for (const { pieces, byteLength, onFlushed } of this.#held ?? []) {
      room = stream.write(pieces, byteLength, onFlushed);
      pooled ||= onFlushed !== undefined;
    }
    // memory that is used again after the first flush cannot be sent a second time
    if (pooled || this.#heldBytes > maxHeldBytes) this.commit();
    if (this.#ended) stream.end();
    this.#full = !room;
    if (room) this.onDrain();
  }

  /** The stream is gone and another one will come. Only while {@link Outbox.replayable}. */
  detach(): void {
    this.#stream = undefined;
  }

  /** The server has begun to answer: nothing has to be sent again. */
  commit(): void {
    this.#held = undefined;
    this.#heldBytes = 0;
  }

  write(message: OutgoingMessage): boolean {
    if (this.#error !== undefined) throw this.#error();
    if (this.#ended) throw new FlightInternalError('a message was written after the end of this side');
    const stream = this.#stream;
    if (stream !== undefined && this.#begun && this.#held === undefined && this.#isSmall(message)) {
      this.#small ??= new SmallWrites((bytes) => this.#send(stream, [bytes], bytes.byteLength));
      this.#small.append(message);
      return !this.#full;
    }
    this.#small?.flush();
    const framed = frame(message, this.compression);
    const { pieces, byteLength, onFlushed } = framed;
    if (this.#held !== undefined) {
      this.#held.push(framed);
      this.#heldBytes += byteLength;
      if (stream !== undefined && (onFlushed !== undefined || this.#heldBytes > maxHeldBytes)) this.commit();
    }
    if (stream !== undefined) {
      this.#begun = true;
      const kept = this.#held !== undefined;
      this.#send(stream, pieces, byteLength, kept ? onFlushed : afterFlush(message));
    } else if (this.#heldBytes >= maxHeldBytes) {
      this.#full = true;
    }
    return !this.#full;
  }

  drained(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error());
    if (!this.#full) return Promise.resolve();
    this.#waiting ??= createDeferred<void>();
    return this.#waiting.promise;
  }

  /** Ends this side. */
  end(trailers?: HeaderList): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#ended = true;
    this.#small?.flush();
    this.#stream?.end(trailers);
  }

  /**
   * The call is over.
   *
   * @param error - makes what is thrown from now on; an error costs more than a small call, and is seldom needed
   */
  close(error: () => FlightError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    // what went to a stream is flushed by it
    if (this.#stream === undefined) for (const { onFlushed } of this.#held ?? []) onFlushed?.();
    this.commit();
    this.#small?.drop();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error());
  }

  /** The stream has room again. */
  onDrain(): void {
    this.#full = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }

  #isSmall({ byteLength, onFlushed }: OutgoingMessage): boolean {
    return byteLength <= maxSmallWriteBytes && onFlushed === undefined && this.compression === 'identity';
  }

  #send(
    stream: Http2Stream,
    pieces: readonly Uint8Array[],
    byteLength: number,
    onFlushed?: () => void,
  ): void {
    if (!stream.write(pieces, byteLength, onFlushed)) this.#full = true;
  }
}

/** What is to be done once a message that is not sent again was handed to the system. */
function afterFlush({ memory, onFlushed }: OutgoingMessage): (() => void) | undefined {
  if (memory === undefined) return onFlushed;
  return () => {
    memory.release();
    onFlushed?.();
  };
}

const prefixBytes = 5;

/** Puts the prefix before a message, compressed if that is asked for and worth it. */
export function frame(message: OutgoingMessage, compression: GrpcCompression): OutgoingMessage {
  if (compression === 'identity' || message.byteLength < minCompressedBytes) {
    return prefixed(message, 0);
  }
  const bytes = compressMessage(message);
  // Nothing refers to the memory of this message any more, but to that of short ones before it, which may be the same.
  return prefixed({ pieces: [bytes], byteLength: bytes.byteLength, onFlushed: message.onFlushed }, 1);
}

function prefixed({ pieces, byteLength, onFlushed }: OutgoingMessage, flag: 0 | 1): OutgoingMessage {
  if (byteLength > maxMessageBytes) {
    throw new FlightResourceExhaustedError(
      `a message of ${byteLength} bytes is above the ${maxMessageBytes} bytes that a message can have; send smaller ones`,
    );
  }
  const prefix = new Uint8Array(prefixBytes);
  prefix[0] = flag;
  prefix[1] = byteLength >>> 24;
  prefix[2] = byteLength >>> 16;
  prefix[3] = byteLength >>> 8;
  prefix[4] = byteLength;
  return { pieces: [prefix, ...pieces], byteLength: prefixBytes + byteLength, onFlushed };
}
