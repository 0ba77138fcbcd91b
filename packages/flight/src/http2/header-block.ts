import { maxContinuationFrames, maxHeaderBlockBytes } from '../limits/http2.ts';
import { Http2Error } from './errors.ts';
import { frameFlags, readUint32 } from './frames.ts';

/** A complete header block. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly block: Uint8Array;
  /** The stream that the HEADERS frame's priority names; undefined without priority. */
  readonly dependency: number | undefined;
}

/**
 * Joins the HEADERS and CONTINUATION frames of a header block. While one is incomplete nothing else may come on the
 * connection (RFC 9113, section 6.10).
 */
export class HeaderBlockAssembler {
  #streamId = 0;
  #endStream = false;
  #dependency: number | undefined;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  readonly #maxBytes: number;

  /** @param maxBytes - of a block */
  constructor(maxBytes: number = maxHeaderBlockBytes) {
    this.#maxBytes = maxBytes;
  }

  /** The stream whose block is incomplete; 0 when none is. */
  get pending(): number {
    return this.#streamId;
  }

  /** Takes a HEADERS frame; gives the block if it is complete. */
  headers(flags: number, streamId: number, payload: Uint8Array): HeaderBlock | undefined {
    let start = 0;
    let padding = 0;
    if ((flags & frameFlags.padded) !== 0) {
      padding = payload[0] ?? 0;
      start = 1;
    }
    let dependency: number | undefined;
    if ((flags & frameFlags.priority) !== 0) {
      dependency = readUint32(payload, start) & 0x7fffffff;
      start += 5;
    }
    if (start > payload.length)
      throw new Http2Error('FRAME_SIZE_ERROR', 'a HEADERS frame is too short for its flags');
    if (padding > payload.length - start) {
      throw new Http2Error('PROTOCOL_ERROR', `padding of ${padding} bytes is longer than its HEADERS frame`);
    }
    const block = payload.subarray(start, payload.length - padding);
    const endStream = (flags & frameFlags.endStream) !== 0;
    if ((flags & frameFlags.endHeaders) !== 0) return { streamId, endStream, block, dependency };
    this.#streamId = streamId;
    this.#endStream = endStream;
    this.#dependency = dependency;
    this.#bytes = 0;
    this.#add(block);
    return undefined;
  }

  /** Takes a CONTINUATION frame, of a stream other than 0; gives the block if it is complete. */
  continuation(flags: number, streamId: number, payload: Uint8Array): HeaderBlock | undefined {
    if (streamId !== this.#streamId) {
      throw new Http2Error('PROTOCOL_ERROR', `a CONTINUATION frame of stream ${streamId} continues nothing`);
    }
    this.#add(payload);
    if ((flags & frameFlags.endHeaders) === 0) return undefined;
    const block = Buffer.concat(this.#parts);
    this.#streamId = 0;
    this.#parts = [];
    return { streamId, endStream: this.#endStream, block, dependency: this.#dependency };
  }

  #add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) {
      throw new Http2Error(
        'ENHANCE_YOUR_CALM',
        `a header block of more than ${this.#bytes} bytes is above the limit of ${this.#maxBytes}`,
      );
    }
    if (this.#parts.length > maxContinuationFrames) {
      throw new Http2Error(
        'ENHANCE_YOUR_CALM',
        `a header block in more than ${maxContinuationFrames} CONTINUATION frames is above the limit`,
      );
    }
    // Copied by `from`: the `slice` of a Buffer would be a view of memory that is used again.
    this.#parts.push(Uint8Array.from(part));
  }
}
