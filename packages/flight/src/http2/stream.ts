import { streamHighWaterBytes, streamLowWaterBytes } from '../limits/http2.ts';
import { Http2Error, type Http2ErrorCode } from './errors.ts';
import { checkOutgoingList } from './header-rules.ts';
import type { HeaderList, Http2Stream, Http2StreamHandler } from './types.ts';

/** What a stream asks of its session. */
export interface StreamOwner {
  /** The stream has headers, payload or an end to send. */
  markReady(stream: StreamState): void;
  reset(stream: StreamState, code: Http2ErrorCode): void;
  consumed(stream: StreamState, byteLength: number): void;
  /** Calls back when none of what was taken out of streams until now is on its way to the kernel any more. */
  whenFlushed(callback: () => void): void;
  /** Code of the application threw where nobody waits for it. */
  onApplicationError(where: string, error: unknown): void;
}

/** Takes payload that goes out. */
export interface PayloadSink {
  push(bytes: Uint8Array): void;
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
 * One stream: its place in the state machine of RFC 9113, section 5.1, its windows, and what it has to send: headers,
 * then payload, then the end.
 *
 * The RFC's states are two flags here: idle (id 0), open (none set), half-closed (local) and (remote), closed (both,
 * or `closed` by a reset).
 */
export class StreamState implements Http2Stream {
  id = 0;
  closed = false;
  /** What the stream ended with, once it is closed. */
  closeError: Http2Error | undefined;
  /** END_STREAM was put out. */
  localEnded = false;
  /** END_STREAM was received. */
  remoteEnded = false;
  /** The first header list of the peer's side has arrived. */
  headersSeen = false;
  /** The first header list of our side has been put out. */
  headersSent = false;
  /** The first header list of our side, until it is put out. */
  outgoingHeaders: HeaderList | undefined;
  /** The user has ended this side; it is sent behind the queue. */
  endRequested = false;
  trailers: HeaderList | undefined;
  /** {@link Http2Stream.write} has said false and nobody was told to go on. */
  wantsDrain = false;
  /** It stands in a list of streams to serve. */
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
  /** The answer to a HEAD request has no payload, whatever its content-length says. */
  isHead = false;
  queuedBytes = 0;
  /** Payload put out until now, and when it was last looked at for a stall, how often without a change. */
  sent = 0;
  sentWhenLooked = 0;
  looksWithoutProgress = 0;

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
    if (this.closed) return;
    if (this.headersSent || this.outgoingHeaders !== undefined) {
      throw new Http2Error('INTERNAL_ERROR', `headers of stream ${this.id} were sent twice`);
    }
    checkOutgoingList(headers);
    this.outgoingHeaders = headers;
    if (endStream) this.endRequested = true;
    this.#owner.markReady(this);
  }

  write(pieces: readonly Uint8Array[], byteLength: number, onFlushed?: () => void): boolean {
    if (this.closed || this.endRequested) {
      // Writes before this one may share its memory, and be on their way still.
      if (onFlushed !== undefined) queueMicrotask(() => this.#owner.whenFlushed(onFlushed));
      return true;
    }
    this.#checkHeadersFirst();
    let sum = 0;
    for (const piece of pieces) sum += piece.length;
    if (sum !== byteLength) {
      // A frame's length would be wrong, and with it everything behind it on the connection.
      throw new Http2Error('INTERNAL_ERROR', `pieces of ${sum} bytes were announced as ${byteLength}`);
    }
    if (byteLength === 0 && this.queuedBytes === 0) {
      if (onFlushed !== undefined) queueMicrotask(onFlushed);
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
    if (this.closed || this.endRequested) return;
    this.#checkHeadersFirst();
    if (trailers !== undefined) checkOutgoingList(trailers);
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

  /** The end, and nothing before it but headers, is left to send. */
  get onlyEndLeft(): boolean {
    return this.endRequested && !this.localEnded && this.queuedBytes === 0;
  }

  /** There is something to send that no window holds back. */
  get urgent(): boolean {
    return this.outgoingHeaders !== undefined || this.onlyEndLeft;
  }

  /** A waiting writer may go on. */
  get drained(): boolean {
    return this.wantsDrain && this.queuedBytes <= streamLowWaterBytes;
  }

  /**
   * Takes payload out of the queue, and the callbacks of writes whose last byte was taken.
   *
   * @param byteLength - at most {@link StreamState.queuedBytes}
   */
  dequeue(byteLength: number, sink: PayloadSink, flushed: (() => void)[]): void {
    let left = byteLength;
    for (let write = this.#queue[this.#first]; write !== undefined; write = this.#queue[this.#first]) {
      const piece = write.pieces[this.#piece];
      if (piece === undefined) {
        if (write.onFlushed !== undefined) flushed.push(write.onFlushed);
        this.#first++;
        this.#piece = 0;
        continue;
      }
      const rest = piece.length - this.#offset;
      if (left === 0 && rest > 0) break;
      const part = Math.min(rest, left);
      sink.push(part === piece.length ? piece : piece.subarray(this.#offset, this.#offset + part));
      left -= part;
      if (part === rest) {
        this.#piece++;
        this.#offset = 0;
      } else {
        this.#offset += part;
      }
    }
    this.queuedBytes -= byteLength;
    this.sent += byteLength;
    if (this.#first === this.#queue.length) {
      this.#queue.length = 0;
      this.#first = 0;
    } else if (this.#first > 64 && this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Ends the stream for its user; the queue's memory is free as soon as what was taken out of it has left. */
  finish(error: Http2Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.closeError = error;
    const waiting = this.#queue.slice(this.#first);
    this.#queue = [];
    this.#first = 0;
    this.queuedBytes = 0;
    const { handler } = this;
    this.handler = silentHandler;
    for (const { onFlushed } of waiting) if (onFlushed !== undefined) this.#owner.whenFlushed(onFlushed);
    try {
      handler.onClose(error);
    } catch (cause) {
      this.#owner.onApplicationError('onClose', cause);
    }
  }

  #checkHeadersFirst(): void {
    if (this.headersSent || this.outgoingHeaders !== undefined) return;
    throw new Http2Error('INTERNAL_ERROR', `stream ${this.id} has to send its headers first`);
  }
}
