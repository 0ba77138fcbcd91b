import { FlightDataError, FlightResourceExhaustedError } from '../../errors.ts';
import { maxColumnRows, maxDecompressedBodyBytes } from '../../limits/ipc.ts';
import { allocate } from '../allocate.ts';
import { decompressBuffer } from '../compression/registry.ts';
import { emptyBytes, zeroLargeOffsets, zeroOffsets } from '../empty.ts';
import type { BatchLayout, IpcCompression } from '../message.ts';
import type { ColumnPlan, ValueArray } from './plan.ts';

/*
 * body              := buffers, each at the offset (from the body's start) and of the length that the header states
 * compressed buffer := int64 uncompressed length, frame of the codec
 *                    | int64 -1, the bytes as they are
 *                    | nothing (a buffer of length 0)
 */

/** A typed array that apache-arrow keeps values in. */
export type ValueView =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

const widths: Readonly<Record<ValueArray, number>> = {
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  f32: 4,
  f64: 8,
};

/** Checks a length of the header; written so that NaN fails as well. */
export function checkRows(length: number, what: string): void {
  if (length >= 0 && length <= maxColumnRows) return;
  if (length > maxColumnRows) {
    throw new FlightResourceExhaustedError(
      `${what} has ${length} rows; the limit maxColumnRows is ${maxColumnRows}, send smaller batches`,
    );
  }
  throw new FlightDataError(`${what} states ${length} rows`);
}

/**
 * Gives the nodes and buffers of one batch in the order of the wire, as views on the body. Nothing is copied but a
 * buffer that lies misaligned for its typed array, and what is compressed. Each range is compared with the body, and
 * with what the rows take, before a view is made.
 */
export class BodyReader {
  readonly #layout: BatchLayout;
  readonly #body: Uint8Array;
  readonly #compression: IpcCompression | undefined;
  readonly #decompressedLimit: number;
  #decompressed = 0;
  #node = 0;
  #buffer = 0;
  #variadic = 0;
  /** Bytes that the current buffer lies in, where it starts there, and its length. */
  #source: Uint8Array;
  #start = 0;
  #size = 0;

  /** Rows of the node that {@link BodyReader.node} went to. */
  length = 0;
  /** Nulls of that node. */
  nullCount = 0;

  constructor(layout: BatchLayout, body: Uint8Array, decompressedLimit: number | undefined) {
    this.#layout = layout;
    this.#body = body;
    this.#source = body;
    this.#compression = layout.compression;
    this.#decompressedLimit = decompressedLimit ?? maxDecompressedBodyBytes;
  }

  /** Goes to the next node: sets {@link BodyReader.length} and {@link BodyReader.nullCount}. */
  node(plan: ColumnPlan): void {
    const { nodes } = this.#layout;
    const length = nodes[this.#node];
    const nullCount = nodes[this.#node + 1];
    if (length === undefined || nullCount === undefined) {
      throw new FlightDataError(
        `field "${plan.path}" needs node ${this.#node / 2}, but the batch has ${nodes.length / 2} nodes; does its schema fit?`,
      );
    }
    this.#node += 2;
    checkRows(length, `field "${plan.path}"`);
    if (!(nullCount >= 0 && nullCount <= length)) {
      throw new FlightDataError(
        `field "${plan.path}": null count ${nullCount} is not between 0 and the length ${length}`,
      );
    }
    this.length = length;
    this.nullCount = nullCount;
  }

  /** Passes over a buffer that is not needed. */
  skip(): void {
    this.#buffer += 2;
  }

  /** The next buffer as a validity bitmap: empty when there are no nulls. */
  validity(plan: ColumnPlan, length: number, nullCount: number): Uint8Array {
    if (nullCount === 0) {
      this.skip();
      return emptyBytes;
    }
    this.#next(plan, 'validity');
    return this.#bytes(plan, 'validity', Math.ceil(length / 8));
  }

  /** The next buffer as bits: one a row. */
  bits(plan: ColumnPlan, length: number): Uint8Array {
    this.#next(plan, 'values');
    return this.#bytes(plan, 'values', Math.ceil(length / 8));
  }

  /** The next buffer as `count` elements. */
  values(plan: ColumnPlan, array: ValueArray, count: number, what: string): ValueView {
    this.#next(plan, what);
    this.#need(plan, what, count * widths[array]);
    return this.#view(array, count);
  }

  /** The next buffer, whole, as bytes. */
  data(plan: ColumnPlan): Uint8Array {
    this.#next(plan, 'data');
    return this.#bytes(plan, 'data', this.#size);
  }

  /** The next buffer as 32-bit offsets, one more than rows; a column without rows may leave them out. */
  offsets(plan: ColumnPlan, length: number): Int32Array {
    this.#next(plan, 'offsets');
    if (length === 0 && this.#size < 4) return zeroOffsets;
    this.#need(plan, 'offsets', 4 * (length + 1));
    const at = this.#aligned(4, 4 * (length + 1));
    return new Int32Array(this.#source.buffer, at, length + 1);
  }

  /** The next buffer as 64-bit offsets, one more than rows; a column without rows may leave them out. */
  largeOffsets(plan: ColumnPlan, length: number): BigInt64Array {
    this.#next(plan, 'offsets');
    if (length === 0 && this.#size < 8) return zeroLargeOffsets;
    this.#need(plan, 'offsets', 8 * (length + 1));
    const at = this.#aligned(8, 8 * (length + 1));
    return new BigInt64Array(this.#source.buffer, at, length + 1);
  }

  /** The next buffer as 32-bit offsets of a dense union: one a row. */
  unionOffsets(plan: ColumnPlan, length: number): Int32Array {
    this.#next(plan, 'offsets');
    this.#need(plan, 'offsets', 4 * length);
    if (length === 0) return new Int32Array(0);
    const at = this.#aligned(4, 4 * length);
    return new Int32Array(this.#source.buffer, at, length);
  }

  /** The next buffer as the type ids of a union: one a row. */
  typeIds(plan: ColumnPlan, length: number): Int8Array {
    this.#next(plan, 'type ids');
    this.#need(plan, 'type ids', length);
    return new Int8Array(this.#source.buffer, this.#source.byteOffset + this.#start, length);
  }

  /** The data buffers of a view column. */
  variadic(plan: ColumnPlan): Uint8Array[] {
    const counts = this.#layout.variadicBufferCounts;
    const count = counts[this.#variadic];
    if (count === undefined) {
      throw new FlightDataError(
        `field "${plan.path}" needs variadic buffer count ${this.#variadic}, but the batch has ${counts.length} of them`,
      );
    }
    this.#variadic += 1;
    const left = (this.#layout.buffers.length - this.#buffer) / 2;
    if (!(count >= 0 && count <= left)) {
      throw new FlightDataError(
        `field "${plan.path}": ${count} data buffers for views are stated, but the batch has ${left} buffers left`,
      );
    }
    const buffers: Uint8Array[] = [];
    for (let i = 0; i < count; i++) buffers.push(this.data(plan));
    return buffers;
  }

  /** Checks that the schema took all that the batch has. */
  finish(): void {
    const { nodes, buffers, variadicBufferCounts } = this.#layout;
    if (this.#node !== nodes.length) {
      throw new FlightDataError(
        `the batch has ${nodes.length / 2} nodes, but its schema takes ${this.#node / 2}`,
      );
    }
    if (this.#buffer !== buffers.length) {
      throw new FlightDataError(
        `the batch has ${buffers.length / 2} buffers, but its schema takes ${this.#buffer / 2}`,
      );
    }
    if (this.#variadic !== variadicBufferCounts.length) {
      throw new FlightDataError(
        `the batch has ${variadicBufferCounts.length} variadic buffer counts, but its schema takes ${this.#variadic}`,
      );
    }
  }

  /** Goes to the next buffer. */
  #next(plan: ColumnPlan, what: string): void {
    const { buffers } = this.#layout;
    const offset = buffers[this.#buffer];
    const size = buffers[this.#buffer + 1];
    if (offset === undefined || size === undefined) {
      throw new FlightDataError(
        `field "${plan.path}" needs buffer ${this.#buffer / 2} for its ${what}, but the batch has ${buffers.length / 2} buffers; does its schema fit?`,
      );
    }
    const bodyLength = this.#body.byteLength;
    // Written so that NaN and rounded numbers beyond 2^53 fail as well.
    if (!(offset >= 0 && size >= 0 && offset <= bodyLength && size <= bodyLength - offset)) {
      throw new FlightDataError(
        `field "${plan.path}": buffer ${this.#buffer / 2} (${what}) of ${size} bytes at byte ${offset} lies outside the body of ${bodyLength} bytes`,
      );
    }
    this.#buffer += 2;
    this.#source = this.#body;
    this.#start = offset;
    this.#size = size;
    if (this.#compression !== undefined) this.#decompress(plan, what, this.#compression);
  }

  #decompress(plan: ColumnPlan, what: string, codec: IpcCompression): void {
    if (this.#size === 0) return;
    const at = this.#start;
    const place = (): string => `field "${plan.path}": buffer ${this.#buffer / 2 - 1} (${what})`;
    if (this.#size < 8) {
      throw new FlightDataError(
        `${place()} has ${this.#size} bytes, but a compressed buffer starts with 8 bytes of length`,
      );
    }
    const view = new DataView(this.#body.buffer, this.#body.byteOffset + at, 8);
    const uncompressed = view.getInt32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
    if (uncompressed === -1) {
      this.#start += 8;
      this.#size -= 8;
      return;
    }
    if (uncompressed < 0) {
      throw new FlightDataError(`${place()} states an uncompressed length of ${uncompressed} bytes`);
    }
    this.#decompressed += uncompressed;
    if (this.#decompressed > this.#decompressedLimit) {
      throw new FlightResourceExhaustedError(
        `${place()} takes the decompressed body to ${this.#decompressed} bytes; the limit maxDecompressedBytes is ${this.#decompressedLimit}`,
      );
    }
    try {
      this.#source = decompressBuffer(codec, this.#body.subarray(at + 8, at + this.#size), uncompressed);
    } catch (cause) {
      if (!(cause instanceof FlightDataError)) throw cause;
      throw new FlightDataError(`${place()}: ${cause.rawMessage}`, { cause });
    }
    this.#start = 0;
    this.#size = uncompressed;
  }

  #need(plan: ColumnPlan, what: string, byteLength: number): void {
    if (byteLength > this.#size) {
      throw new FlightDataError(
        `field "${plan.path}": buffer ${this.#buffer / 2 - 1} (${what}) has ${this.#size} bytes, but the rows take ${byteLength}`,
      );
    }
  }

  #bytes(plan: ColumnPlan, what: string, byteLength: number): Uint8Array {
    this.#need(plan, what, byteLength);
    return new Uint8Array(this.#source.buffer, this.#source.byteOffset + this.#start, byteLength);
  }

  /** Position of the current buffer in its ArrayBuffer, after it was copied if it lies misaligned. */
  #aligned(alignment: number, byteLength: number): number {
    const at = this.#source.byteOffset + this.#start;
    if (at % alignment === 0) return at;
    const copy = allocate(byteLength, 'the copy of a misaligned buffer');
    copy.set(this.#source.subarray(this.#start, this.#start + byteLength));
    this.#source = copy;
    this.#start = 0;
    return 0;
  }

  #view(array: ValueArray, count: number): ValueView {
    const width = widths[array];
    const at = this.#aligned(width, count * width);
    const { buffer } = this.#source;
    switch (array) {
      case 'f64':
        return new Float64Array(buffer, at, count);
      case 'i64':
        return new BigInt64Array(buffer, at, count);
      case 'i32':
        return new Int32Array(buffer, at, count);
      case 'u8':
        return new Uint8Array(buffer, at, count);
      case 'f32':
        return new Float32Array(buffer, at, count);
      case 'u32':
        return new Uint32Array(buffer, at, count);
      case 'u64':
        return new BigUint64Array(buffer, at, count);
      case 'i16':
        return new Int16Array(buffer, at, count);
      case 'u16':
        return new Uint16Array(buffer, at, count);
      case 'i8':
        return new Int8Array(buffer, at, count);
    }
  }
}
