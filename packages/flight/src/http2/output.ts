import { coalesceBelowBytes, hpackTableBytes, sharedFrameBytes } from '../limits/http2.ts';
import type { FloodGuard } from './flood-guard.ts';
import {
  frameFlags,
  frameHeaderLength,
  frameTypes,
  initialWindow,
  makeFrame,
  minMaxFrameSize,
  putFrameHeader,
} from './frames.ts';
import { GatherList } from './gather.ts';
import { HpackEncoder } from './hpack/index.ts';
import { ReadClock } from './read-clock.ts';
import { StreamQueue } from './stream-queue.ts';
import type { StreamState } from './stream.ts';
import type { HeaderList } from './types.ts';

/** What goes to the socket at once, and what is to be told afterwards. */
export interface OutputBatch {
  /** Bytes in the order of the wire. */
  readonly pieces: readonly Uint8Array[];
  readonly byteLength: number;
  /** To be called when the kernel has taken the bytes, or never will. */
  readonly flushed: (() => void)[];
}

const endOfStream = new Uint8Array(0);

/**
 * What a session has to send, in the order in which it goes out.
 *
 * Frames of the connection, and answers that are owed to the peer, are put in at once. What streams send is taken from
 * them when the socket has room, in turn: so it is bounded by the number of streams, a header list is encoded in the
 * order of the wire, as HPACK needs it, and no stream stands behind all of another one's payload.
 */
export class Output {
  /** SETTINGS_MAX_FRAME_SIZE of the peer. */
  maxFrameSize: number = minMaxFrameSize;
  /** How much payload the peer takes on the connection. */
  window: number = initialWindow;
  /** How much of what was sent a peer nearby has read. */
  readonly clock: ReadClock;
  readonly #encoder = new HpackEncoder({ maxTableSize: hpackTableBytes });
  readonly #gather = new GatherList();
  readonly #guard: FloodGuard;
  readonly #onEndSent: (stream: StreamState) => void;
  /** Streams with headers or an end to send, which no window holds back; and those with payload and a window. */
  readonly #urgent = new StreamQueue();
  readonly #payload = new StreamQueue();
  #drained: StreamState[] = [];
  #owed = 0;

  /**
   * @param onEndSent - END_STREAM of a stream was put out
   * @param sameMachine - the peer is a client at an address of this machine
   */
  constructor(guard: FloodGuard, onEndSent: (stream: StreamState) => void, sameMachine: boolean) {
    this.clock = new ReadClock(sameMachine, (frame) => this.#gather.push(frame));
    this.#guard = guard;
    this.#onEndSent = onEndSent;
  }

  /** Bytes of frames put in since output was last taken. */
  get owed(): number {
    return this.#owed;
  }

  /** There is something to take. */
  get any(): boolean {
    return this.#gather.byteLength > 0 || this.#urgent.length > 0 || (!this.held && this.#payload.length > 0);
  }

  /** The peer holds back payload of all streams: it gives no window, or has not read enough. */
  get held(): boolean {
    return this.window <= 0 || !this.clock.open;
  }

  /** Puts in a frame. */
  push(frame: Uint8Array): void {
    this.#owed += frame.length;
    this.#gather.push(frame);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setPeerTableSize(byteLength: number): void {
    this.#encoder.setPeerMaxTableSize(byteLength);
  }

  /**
   * Lets a stream wait for its turn, if it has anything that can be sent.
   *
   * @returns whether it has
   */
  enlist(stream: StreamState): boolean {
    if (stream.listed || stream.closed || stream.id === 0) return false;
    if (stream.urgent) this.#urgent.push(stream);
    else if (stream.queuedBytes > 0 && stream.sendWindow > 0) this.#payload.push(stream);
    else return false;
    stream.listed = true;
    return true;
  }

  /**
   * Takes what can go out now.
   *
   * @param limit - about how many bytes at the most
   */
  take(limit: number): OutputBatch {
    this.#owed = 0;
    const flushed: (() => void)[] = [];
    while (this.#gather.byteLength < limit) {
      const stream = this.#urgent.shift() ?? (this.held ? undefined : this.#payload.shift());
      if (stream === undefined) break;
      stream.listed = false;
      if (!stream.closed) this.#serve(stream, limit, flushed);
    }
    const { byteLength } = this.#gather;
    return { pieces: this.#gather.take(), byteLength, flushed };
  }

  /** The streams whose writers may go on since this was last asked. */
  takeDrained(): readonly StreamState[] {
    const drained = this.#drained;
    if (drained.length > 0) this.#drained = [];
    return drained;
  }

  /** Puts out the headers of a stream, one frame of its payload, and its end if nothing else is left. */
  #serve(stream: StreamState, limit: number, flushed: (() => void)[]): void {
    const headers = stream.outgoingHeaders;
    if (headers !== undefined) {
      stream.outgoingHeaders = undefined;
      stream.headersSent = true;
      const ends = stream.onlyEndLeft && stream.trailers === undefined;
      this.#pushHeaders(stream.id, headers, ends);
      if (ends) return this.#onEndSent(stream);
    }
    const length = this.#frameLength(stream, limit);
    if (length > 0) {
      const ends = stream.endRequested && stream.trailers === undefined && length === stream.queuedBytes;
      const room = this.#gather.reserve(frameHeaderLength);
      const at = this.#gather.offset(frameHeaderLength);
      putFrameHeader(room, at, length, frameTypes.data, ends ? frameFlags.endStream : 0, stream.id);
      stream.dequeue(length, this.#gather, flushed);
      stream.sendWindow -= length;
      this.window -= length;
      this.#guard.sent(length);
      this.clock.onSent(length);
      if (stream.drained) {
        stream.wantsDrain = false;
        this.#drained.push(stream);
      }
      if (ends) return this.#onEndSent(stream);
    }
    if (!stream.onlyEndLeft) {
      this.enlist(stream);
      return;
    }
    if (stream.trailers !== undefined) this.#pushHeaders(stream.id, stream.trailers, true);
    else this.#gather.push(makeFrame(frameTypes.data, frameFlags.endStream, stream.id, endOfStream));
    this.#onEndSent(stream);
  }

  /** How much payload of a stream goes into its next frame. */
  #frameLength(stream: StreamState, limit: number): number {
    if (!this.clock.open) return 0;
    const share = this.#payload.length === 0 ? Math.max(limit, sharedFrameBytes) : sharedFrameBytes;
    const wanted = Math.min(share, this.clock.frameLimit);
    // A short rest goes along: in a frame by itself it would be a write by itself.
    const whole = stream.queuedBytes - wanted < coalesceBelowBytes ? stream.queuedBytes : wanted;
    return Math.min(whole, stream.queuedBytes, stream.sendWindow, this.window, this.maxFrameSize);
  }

  #pushHeaders(streamId: number, headers: HeaderList, endStream: boolean): void {
    const block = this.#encoder.encode(headers);
    const limit = this.maxFrameSize;
    const end = endStream ? frameFlags.endStream : 0;
    if (block.length <= limit) {
      this.#gather.push(makeFrame(frameTypes.headers, end | frameFlags.endHeaders, streamId, block));
      return;
    }
    this.#gather.push(makeFrame(frameTypes.headers, end, streamId, block.subarray(0, limit)));
    for (let at = limit; at < block.length; at += limit) {
      const last = at + limit >= block.length ? frameFlags.endHeaders : 0;
      this.#gather.push(makeFrame(frameTypes.continuation, last, streamId, block.subarray(at, at + limit)));
    }
  }
}
