import { Http2Error } from './errors.ts';
import { frameFlags, frameHeaderLength, frameTypes, maxWindow, readUint32 } from './frames.ts';

/** What a {@link FrameReader} tells. Offsets are into the buffer of the call, valid only during it. */
export interface FrameListener {
  /**
   * A frame's header, before its payload; may refuse it by throwing an Http2Error. For frames other than DATA it gives
   * how many payload bytes to keep: less than the length when the rest is of no use.
   */
  onFrameStart(type: number, flags: number, streamId: number, length: number): number;
  /** Part of a DATA frame's payload, without padding. */
  onDataChunk(buffer: Uint8Array, start: number, end: number): void;
  /** A DATA frame is over. `length` is the frame's, padding included, as flow control counts it. */
  onDataEnd(flags: number, streamId: number, length: number): void;
  /** Any other frame, with the part of its payload that was asked for. */
  onFrame(type: number, flags: number, streamId: number, payload: Uint8Array): void;
}

const empty = new Uint8Array(0);

/** `HTTP`, as an HTTP/1 answer begins: read as a frame it would be one of 4,740,180 bytes. */
const http1Word = 0x48545450;

/**
 * Finds frames in bytes that come in any pieces. Payload of DATA is handed on where it lies, whole or in parts; other
 * frames are kept until they are complete, at most as much as the listener asks for.
 *
 * ```text
 * between frames ──9 bytes of header──▶ in a frame ──length bytes of payload──▶ between frames
 * ```
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
  /** Of a DATA frame: padding at its end still to come; -1 until its length byte was read. */
  #padding = 0;
  /** Of any other frame: how much of the payload is kept, where it is gathered, and how much is there. */
  #keep = 0;
  #kept: Uint8Array = empty;
  #keptBytes = 0;
  #stopped = false;

  constructor(listener: FrameListener, maxFrameSize: number) {
    this.#listener = listener;
    this.#maxFrameSize = maxFrameSize;
  }

  /** Nothing is read from now on, not even the rest of the bytes of a call that is running. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Takes bytes in.
   *
   * @throws Http2Error when they break a rule of the connection; nothing may be read afterwards
   */
  receive(buffer: Uint8Array, start: number, end: number): void {
    let at = start;
    while (!this.#stopped) {
      if (this.#left < 0) {
        const next = this.#readHeader(buffer, at, end);
        if (next < 0) return;
        at = next;
      }
      if (this.#type === frameTypes.data) at = this.#readData(buffer, at, end);
      else at = this.#readOther(buffer, at, end);
      // A frame that is not over took all the bytes there are.
      if (at === end) return;
    }
  }

  /** Gives where the payload begins, or -1 when the header is not complete yet. */
  #readHeader(buffer: Uint8Array, start: number, end: number): number {
    if (this.#headerBytes === 0 && end - start >= frameHeaderLength) {
      this.#begin(buffer, start, end - start - frameHeaderLength);
      return start + frameHeaderLength;
    }
    const take = Math.min(frameHeaderLength - this.#headerBytes, end - start);
    for (let i = 0; i < take; i++) this.#header[this.#headerBytes + i] = buffer[start + i] ?? 0;
    this.#headerBytes += take;
    if (this.#headerBytes < frameHeaderLength) return -1;
    this.#headerBytes = 0;
    this.#begin(this.#header, 0, end - start - take);
    return start + take;
  }

  /** Begins the frame whose header is at an offset; `here` is how much of what follows is in the buffer. */
  #begin(header: Uint8Array, at: number, here: number): void {
    const word = readUint32(header, at);
    const length = word >>> 8;
    const type = word & 0xff;
    const flags = header[at + 4] ?? 0;
    const streamId = readUint32(header, at + 5) & maxWindow;
    if (length > this.#maxFrameSize) {
      if (word === http1Word) {
        throw new Http2Error('HTTP_1_1_REQUIRED', 'the peer answers in HTTP/1, it does not speak HTTP/2');
      }
      throw new Http2Error(
        'FRAME_SIZE_ERROR',
        `a frame of ${length} bytes is above the ${this.#maxFrameSize} bytes that were offered`,
      );
    }
    this.#type = type;
    this.#flags = flags;
    this.#streamId = streamId;
    this.#length = length;
    this.#left = length;
    const keep = this.#listener.onFrameStart(type, flags, streamId, length);
    if (type === frameTypes.data) {
      this.#padding = (flags & frameFlags.padded) === 0 ? 0 : -1;
      if (this.#padding < 0 && length === 0) {
        throw new Http2Error('FRAME_SIZE_ERROR', 'a padded DATA frame has no room for its pad length');
      }
      return;
    }
    this.#keep = keep;
    this.#keptBytes = 0;
    // A payload that lies in the buffer as a whole is not gathered.
    this.#kept = keep === 0 || length <= here ? empty : new Uint8Array(keep);
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
      this.#left -= data;
      this.#listener.onDataChunk(buffer, at, at + data);
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
    const take = Math.min(this.#left, end - start);
    if (take === this.#length) {
      this.#left = -1;
      const payload = buffer.subarray(start, start + this.#keep);
      this.#listener.onFrame(this.#type, this.#flags, this.#streamId, payload);
      return start + take;
    }
    const wanted = Math.min(take, this.#keep - this.#keptBytes);
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
