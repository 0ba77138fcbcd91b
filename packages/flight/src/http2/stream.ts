import { streamHighWaterBytes, streamLowWaterBytes } from '../limits.ts';
import type { Http2Error, Http2ErrorCode } from './errors.ts';
import type { HeaderList, Http2Stream, Http2StreamHandler } from './types.ts';

/** What a stream asks of its session. */
export interface StreamOwner {
  sendHeaders(stream: StreamState, headers: HeaderList, endStream: boolean): void;
  /** The stream has payload, or an end, to send. */
  markReady(stream: StreamState): void;
  reset(stream: StreamState, code: Http2ErrorCode): void;
  consumed(stream: StreamState, byteLength: number): void;
}

/** Payload that waits in a stream, written in one call. */
interface QueuedWrite {
  readonly pieces: readonly Uint8Array[];
  readonly onFlushed: (() => void) | undefined;
}

/** Nothing to tell: the handler of a stream until it has its own, and after it is over. */
export const silentHandler: Http2StreamHandler = {
  onHeaders() {},
  onData() {},
  onTrailers() {},
  onEnd() {},
  onClose() {},
  onDrain() {},
};

/**
 * One stream: its place in the state machine of RFC 9113, section 5.1, its windows, and its queue of payload.
 *
 * The RFC's states are two flags here: idle (id 0), open (none set), half-closed (local) and (remote), closed (both,
 * or `closed` by a reset).
 */
export class StreamState implements Http2Stream {
  id = 0;
  closed = false;
  /** END_STREAM was sent. */
  localEnded = false;
  /** END_STREAM was received. */
  remoteEnded = false;
  /** The first header list of the peer's side has arrived. */
  headersSeen = false;
  /** The user has ended this side; it is sent behind the queue. */
  endRequested = false;
  trailers: HeaderList | undefined;
  /** Set while {@link Http2Stream.write} has said false and nobody was told to go on. */
  wantsDrain = false;
  /** It stands in the session's list of streams to serve. */
  listed = false;
  handler: Http2StreamHandler = silentHandler;
  /** How many payload bytes we may send, and how many the peer may. */
  sendWindow: number;
  receiveWindow: number;
  /** Consumed bytes that the peer was not told of yet. */
  unreported = 0;
  /** Bytes that arrived and were not consumed. */
  unconsumed = 0;
  /** What content-length announced, and how much has come. */
  contentLength: number | undefined;
  received = 0;
  /** {@link StreamState.received} when the current DATA frame began. */
  frameStart = 0;
  queuedBytes = 0;

  readonly #owner: StreamOwner;
  #queue: QueuedWrite[] = [];
  /** The first of the queue not yet sent, its first piece not yet sent, and where in it. */
  #first = 0;
  #piece = 0;
  #offset = 0;

  constructor(owner: StreamOwner, sendWindow: number, receiveWindow: number) {
    this.#owner = owner;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
  }

  sendHeaders(headers: HeaderList, endStream: boolean = false): void {
    if (this.closed || this.localEnded) return;
    this.#owner.sendHeaders(this, headers, endStream);
  }

  write(pieces: readonly Uint8Array[], byteLength: number, onFlushed?: () => void): boolean {
    if (this.closed || this.localEnded || this.endRequested) {
      onFlushed?.();
      return true;
    }
    this.#queue.push({ pieces, onFlushed });
    this.queuedBytes += byteLength;
    this.#owner.markReady(this);
    if (this.queuedBytes < streamHighWaterBytes) return true;
    this.wantsDrain = true;
    return false;
  }

  end(trailers?: HeaderList): void {
    if (this.closed || this.endRequested || this.localEnded) return;
    this.endRequested = true;
    this.trailers = trailers;
    this.#owner.markReady(this);
  }

  reset(code: Http2ErrorCode): void {
    if (!this.closed) this.#owner.reset(this, code);
  }

  consumed(byteLength: number): void {
    this.#owner.consumed(this, byteLength);
  }

  /** The end, and nothing before it, is left to send. */
  get onlyEndLeft(): boolean {
    return this.endRequested && !this.localEnded && this.queuedBytes === 0;
  }

  /** A waiting writer may go on. */
  get drained(): boolean {
    return this.wantsDrain && this.queuedBytes <= streamLowWaterBytes;
  }

  /**
   * Takes payload out of the queue.
   *
   * @param limit - bytes at the most
   * @param take - called with each part, in order
   * @param flushed - gets the callbacks of writes whose last byte was taken
   * @returns how many bytes were taken
   */
  dequeue(limit: number, take: (bytes: Uint8Array) => void, flushed: (() => void)[]): number {
    let taken = 0;
    for (let write = this.#queue[this.#first]; write !== undefined; write = this.#queue[this.#first]) {
      const piece = write.pieces[this.#piece];
      if (piece === undefined) {
        if (write.onFlushed !== undefined) flushed.push(write.onFlushed);
        this.#first++;
        this.#piece = 0;
        continue;
      }
      if (taken === limit) break;
      const left = piece.length - this.#offset;
      const part = Math.min(left, limit - taken);
      take(part === piece.length ? piece : piece.subarray(this.#offset, this.#offset + part));
      taken += part;
      if (part === left) {
        this.#piece++;
        this.#offset = 0;
      } else {
        this.#offset += part;
      }
    }
    this.queuedBytes -= taken;
    if (this.#first > 64 && this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    } else if (this.#first === this.#queue.length) {
      this.#queue.length = 0;
      this.#first = 0;
    }
    return taken;
  }

  /** Ends the stream for its user; the queue's memory is free. */
  finish(error: Http2Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    const waiting = this.#queue.slice(this.#first);
    this.#queue = [];
    this.#first = 0;
    this.queuedBytes = 0;
    for (const { onFlushed } of waiting) onFlushed?.();
    const { handler } = this;
    this.handler = silentHandler;
    handler.onClose(error);
  }
}
