import { Http2Error } from './errors.ts';
import { frameFlags, frameHeaderLength, frameTypes } from './frames.ts';

/** What a {@link FrameReader} tells. Offsets are into the buffer of the call, valid only during it. */
export interface FrameListener {
  /**
   * A frame's header, before its payload; may refuse it by throwing an Http2Error. For frames other than DATA it gives
   * how many payload bytes to keep: less than the length when the rest is of no use.
   */
  onFrameStart(type: number, flags: number, streamId: number, length: number): number;
  /** Part of a DATA frame's payload, without padding. */
  onDataChunk(streamId: number, buffer: Uint8Array, start: number, end: number): void;
  /** A DATA frame is over. `length` is the frame's, padding included, as flow control counts it. */
  onDataEnd(flags: number, streamId: number, length: number): void;
  /** Any other frame, with the part of its payload that was asked for. */
  onFrame(type: number, flags: number, streamId: number, payload: Uint8Array): void;
}

const empty = new Uint8Array(0);

/**
 * Finds frames in bytes that come in any pieces. Payload of DATA is handed on where it lies, whole or in parts; other
 * frames are kept until they are complete, at most as much as the listener asks for.
 */
export class FrameReader {
  readonly #listener: FrameListener;
  readonly #maxFrameSize: number;
  readonly #header = new Uint8Array(frameHeaderLength);
  #headerBytes = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  #length = 0;
  /** Payload bytes of the current frame still to come; -1 between frames. */
  #left = -1;
  /** Of a DATA frame: padding at its end; -1 until its length byte was read. */
  #padding = 0;
  /** Of any other frame: where its payload is gathered, and how much of it is there. */
  #kept: Uint8Array = empty;
  #keptBytes = 0;

  constructor(listener: FrameListener, maxFrameSize: number) {
    this.#listener = listener;
    this.#maxFrameSize = maxFrameSize;
  }

  /**
   * Takes bytes in.
   *
   * @throws Http2Error when they break a rule of the connection; nothing may be read afterwards
   */
  receive(buffer: Uint8Array, start: number, end: number): void {
    let at = start;
    for (;;) {
      if (this.#left < 0) {
        const next = this.#readHeader(buffer, at, end);
        if (next < 0) return;
        at = next;
      }
      if (this.#type === frameTypes.data) at = this.#readData(buffer, at, end);
      else at = this.#readOther(buffer, at, end);
      if (this.#left >= 0 || at === end) return;
    }
  }

  /** Gives where the payload begins, or -1 when the header is not complete yet. */
  #readHeader(buffer: Uint8Array, start: number, end: number): number {
    const take = Math.min(frameHeaderLength - this.#headerBytes, end - start);
    const header = this.#header;
    for (let i = 0; i < take; i++) header[this.#headerBytes + i] = buffer[start + i] ?? 0;
    this.#headerBytes += take;
    if (this.#headerBytes < frameHeaderLength) return -1;
    this.#headerBytes = 0;
    const [l0 = 0, l1 = 0, l2 = 0, type = 0, flags = 0, s0 = 0, s1 = 0, s2 = 0, s3 = 0] = header;
    this.#length = (l0 << 16) | (l1 << 8) | l2;
    this.#type = type;
    this.#flags = flags;
    this.#streamId = ((s0 & 0x7f) << 24) | (s1 << 16) | (s2 << 8) | s3;
    if (this.#length > this.#maxFrameSize) {
      throw new Http2Error(
        'FRAME_SIZE_ERROR',
        `a frame of ${this.#length} bytes is above the ${this.#maxFrameSize} bytes that were offered`,
      );
    }
    const keep = this.#listener.onFrameStart(type, flags, this.#streamId, this.#length);
    this.#left = this.#length;
    if (type === frameTypes.data) {
      this.#padding = (flags & frameFlags.padded) === 0 ? 0 : -1;
      if (this.#padding < 0 && this.#length === 0) {
        throw new Http2Error('FRAME_SIZE_ERROR', 'a padded DATA frame has no room for its pad length');
      }
    } else {
      this.#keptBytes = 0;
      this.#kept = keep === 0 ? empty : this.#left <= end - start - take ? empty : new Uint8Array(keep);
      this.#padding = keep;
    }
    return start + take;
  }

  #readData(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#padding < 0) {
      if (at === end) return at;
      this.#padding = buffer[at] ?? 0;
      at++;
      this.#left--;
      if (this.#padding > this.#left) {
        throw new Http2Error(
          'PROTOCOL_ERROR',
          `padding of ${this.#padding} bytes is longer than its DATA frame`,
        );
      }
    }
    const data = Math.min(this.#left - this.#padding, end - at);
    if (data > 0) {
      // Counted before the listener sees it: what it throws is about its stream, and this reader stays in step.
      this.#left -= data;
      this.#listener.onDataChunk(this.#streamId, buffer, at, at + data);
      at += data;
    }
    if (this.#left <= this.#padding) {
      const skipped = Math.min(this.#left, end - at);
      this.#left -= skipped;
      this.#padding = this.#left;
      at += skipped;
    }
    if (this.#left === 0) {
      this.#left = -1;
      this.#listener.onDataEnd(this.#flags, this.#streamId, this.#length);
    }
    return at;
  }

  #readOther(buffer: Uint8Array, start: number, end: number): number {
    const keep = this.#padding;
    const take = Math.min(this.#left, end - start);
    if (take === this.#length) {
      // The whole payload lies in this buffer: no copy.
      this.#left = -1;
      this.#listener.onFrame(this.#type, this.#flags, this.#streamId, buffer.subarray(start, start + keep));
      return start + take;
    }
    const wanted = Math.min(take, keep - this.#keptBytes);
    if (wanted > 0) {
      this.#kept.set(buffer.subarray(start, start + wanted), this.#keptBytes);
      this.#keptBytes += wanted;
    }
    this.#left -= take;
    if (this.#left === 0) {
      this.#left = -1;
      const payload = this.#kept;
      this.#kept = empty;
      this.#listener.onFrame(this.#type, this.#flags, this.#streamId, payload);
    }
    return start + take;
  }
}
