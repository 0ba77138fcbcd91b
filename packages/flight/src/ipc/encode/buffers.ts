import { FlightResourceExhaustedError } from '../../errors.ts';
import { maxWrittenBodyBytes } from '../../limits/ipc.ts';
import { compressBuffer } from '../compression/registry.ts';
import type { BatchLayout, IpcCompression } from '../message.ts';

/*
 * body             := { buffer, zeros up to the alignment }
 * compressed buffer := int64 length when decompressed, frame | int64 -1, bytes as they are | nothing (empty buffer)
 *
 * https://arrow.apache.org/docs/format/Columnar.html#recordbatch-message
 */

/** Zeros to pad with; nobody writes to them. */
const zeros = new Uint8Array(64);
const padding: readonly Uint8Array[] = Array.from({ length: 64 }, (_, length) => zeros.subarray(0, length));

/** One zero offset of 32 or 64 bits, for columns without rows. */
export const zeroOffset: Readonly<Record<4 | 8, Uint8Array>> = {
  4: zeros.subarray(0, 4),
  8: zeros.subarray(0, 8),
};

/** Collects the nodes and buffers of one batch, as views: the gather list of its body. */
export class BodyWriter {
  /** Two numbers a node: length, null count. */
  readonly nodes: number[] = [];
  /** Two numbers a buffer: offset, length without padding. */
  readonly buffers: number[] = [];
  /** Data buffers of each view column. */
  readonly variadicBufferCounts: number[] = [];
  /** The body. */
  readonly pieces: Uint8Array[] = [];
  /** Bytes of the body so far, padding counted. */
  length = 0;
  /** Whether unions have a validity buffer. */
  readonly unionValidity: boolean;
  readonly #alignmentMask: number;
  readonly #compression: IpcCompression | undefined;

  /**
   * @param alignment - buffers start at multiples of this
   * @param compression - how buffers are compressed, if at all
   * @param unionValidity - V4: unions have a validity buffer
   */
  constructor(alignment: number = 8, compression?: IpcCompression, unionValidity: boolean = false) {
    this.#alignmentMask = alignment - 1;
    this.#compression = compression;
    this.unionValidity = unionValidity;
  }

  /** Adds a node. */
  node(length: number, nullCount: number): void {
    this.nodes.push(length, nullCount);
  }

  /** Adds a buffer without bytes: an absent validity bitmap. */
  absent(): void {
    this.buffers.push(this.length, 0);
  }

  /** Adds a buffer. */
  buffer(bytes: Uint8Array): void {
    const length = bytes.byteLength;
    if (length === 0) {
      this.absent();
    } else if (this.#compression !== undefined) {
      this.#compressed(bytes, this.#compression);
    } else {
      this.buffers.push(this.length, length);
      this.pieces.push(bytes);
      this.#advance(length);
    }
  }

  /** Adds a buffer that lies in several places. */
  gathered(parts: readonly Uint8Array[]): void {
    const first = parts[0];
    if (first === undefined) return this.absent();
    if (parts.length === 1) return this.buffer(first);
    let length = 0;
    for (const part of parts) length += part.byteLength;
    if (this.#compression !== undefined) {
      this.buffer(join(parts, length));
      return;
    }
    this.buffers.push(this.length, length);
    for (const part of parts) if (part.byteLength > 0) this.pieces.push(part);
    this.#advance(length);
  }

  /** What the header has to say of the body. */
  layout(rows: number): BatchLayout {
    return {
      length: rows,
      nodes: this.nodes,
      buffers: this.buffers,
      variadicBufferCounts: this.variadicBufferCounts,
      compression: this.#compression,
    };
  }

  #compressed(bytes: Uint8Array, compression: IpcCompression): void {
    const frame = compressBuffer(compression, bytes);
    const prefix = new BigInt64Array(1);
    const smaller = frame.byteLength < bytes.byteLength;
    prefix[0] = smaller ? BigInt(bytes.byteLength) : -1n;
    const content = smaller ? frame : bytes;
    this.buffers.push(this.length, 8 + content.byteLength);
    this.pieces.push(new Uint8Array(prefix.buffer), content);
    this.#advance(8 + content.byteLength);
  }

  #advance(length: number): void {
    const pad = -length & this.#alignmentMask;
    if (pad > 0) this.pieces.push(padding[pad] ?? zeros);
    this.length += length + pad;
    if (this.length > maxWrittenBodyBytes) {
      throw new FlightResourceExhaustedError(
        `a batch takes more than ${this.length} bytes; the limit maxWrittenBodyBytes is ${maxWrittenBodyBytes}, write it in smaller parts`,
      );
    }
  }
}

/** Joins parts into one. */
export function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** Bytes [start, start + length) of an array's memory, counted in bytes; fewer when it ends before. */
export function bytesOf(array: ArrayBufferView, start: number, length: number): Uint8Array {
  const from = Math.min(start, array.byteLength);
  return new Uint8Array(array.buffer, array.byteOffset + from, Math.min(length, array.byteLength - from));
}
