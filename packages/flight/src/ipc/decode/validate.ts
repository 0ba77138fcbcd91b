import { isUtf8 } from 'node:buffer';
import type { Data } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import type { IpcReadOptions } from '../options.ts';
import type { ColumnPlan, ValueArray } from './plan.ts';

/** How deep {@link validateColumn} looks. */
export interface ValidationDepth {
  /** Also what cannot lead anywhere: offsets of text and bytes, and null counts. */
  readonly full: boolean;
  /** Also whether text is valid UTF-8. */
  readonly utf8: boolean;
}

/** How deep to look for these options. */
export function depthOf(options: IpcReadOptions): ValidationDepth {
  const full = options.validate === 'full';
  return { full, utf8: full && options.validateUtf8 === true };
}

/**
 * Validates the values of one decoded column. Afterwards no offset of a list, 64-bit offset, dictionary index, type id
 * or view of it leads outside its memory; at full depth neither does any offset of text, and null counts are true.
 * Lengths and the first and last offsets were checked when it was made. Values of null slots may be anything, as the
 * format allows.
 *
 * @throws FlightDataError naming the field, the row and the numbers
 */
export function validateColumn(plan: ColumnPlan, data: Data, depth: ValidationDepth): void {
  const { full, utf8 } = depth;
  if (full) validateNullCount(plan, data);
  switch (plan.layout) {
    case 'binary':
      if (full) validateOffsets(plan, data.valueOffsets);
      if (utf8 && plan.text) validateText(plan, data, (row) => data.valueOffsets[row]);
      break;
    case 'large-binary':
      validateLargeOffsets(plan, data.valueOffsets);
      if (utf8 && plan.text) validateText(plan, data, (row) => Number(data.valueOffsets[row]));
      break;
    case 'view':
      validateViews(plan, data, utf8 && plan.text);
      break;
    case 'list':
      validateOffsets(plan, data.valueOffsets);
      break;
    case 'large-list':
      validateLargeOffsets(plan, data.valueOffsets);
      break;
    case 'sparse-union':
    case 'dense-union':
      validateUnion(plan, data);
      break;
    case 'dictionary':
      validateIndices(plan, data);
      break;
    default:
      break;
  }
  plan.children.forEach((child, index) => {
    const childData = data.children[index];
    if (childData !== undefined && (full || child.guarded)) validateColumn(child, childData, depth);
  });
}

function validateNullCount(plan: ColumnPlan, data: Data): void {
  const bitmap: Uint8Array = data.nullBitmap;
  if (bitmap === undefined || bitmap.byteLength === 0) return;
  const nulls = data.length - countBits(bitmap, data.length);
  if (nulls !== data.nullCount) {
    throw new FlightDataError(
      `field "${plan.path}" states ${data.nullCount} nulls, but its validity bitmap has ${nulls}`,
    );
  }
}

function countBits(bitmap: Uint8Array, length: number): number {
  const whole = length >> 3;
  let bits = 0;
  for (let i = 0; i < whole; i++) bits += bitCounts[bitmap[i] ?? 0] ?? 0;
  const rest = length & 7;
  if (rest > 0) bits += bitCounts[(bitmap[whole] ?? 0) & ((1 << rest) - 1)] ?? 0;
  return bits;
}

const bitCounts: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits;
});

function isNull(data: Data, row: number): boolean {
  const bitmap: Uint8Array = data.nullBitmap;
  return bitmap !== undefined && bitmap.byteLength > 0 && ((bitmap[row >> 3] ?? 0) & (1 << (row & 7))) === 0;
}

/*
 * The passes over offsets and indices take one value after the other without a branch: the sign of the union of all
 * differences tells whether any was wrong (about 0.6 ns a row). Only then is the row looked for.
 */

function validateOffsets(plan: ColumnPlan, offsets: Int32Array): void {
  let previous = offsets[0] ?? 0;
  let signs = previous;
  for (let i = 1; i < offsets.length; i++) {
    // The loop bound is the array's own length. Of two offsets that are not negative the difference fits 32 bits.
    const offset = offsets[i]!;
    signs |= offset | (offset - previous);
    previous = offset;
  }
  if (signs >= 0) return;
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i]! < offsets[i - 1]!) throw decreasing(plan, i - 1, offsets[i - 1]!, offsets[i]!);
  }
}

/** Compares 64-bit offsets as pairs of 32-bit halves: making a bigint of each would take twenty times as long. */
function validateLargeOffsets(plan: ColumnPlan, offsets: BigInt64Array): void {
  const halves = new Int32Array(offsets.buffer, offsets.byteOffset, 2 * offsets.length);
  let low = halves[0] ?? 0;
  let signs = low;
  let high = 0;
  for (let i = 0; i < halves.length; i += 2) {
    const offset = halves[i]!;
    high |= halves[i + 1]!;
    signs |= offset | (offset - low);
    low = offset;
  }
  if (signs >= 0 && high === 0) return;
  // Wrong, or some are above 2^31: now with their whole values.
  let previous = 0;
  for (let i = 0; i < halves.length; i += 2) {
    const offset = halves[i + 1]! * 0x1_0000_0000 + (halves[i]! >>> 0);
    if (offset < previous) throw decreasing(plan, i / 2 - 1, previous, offset);
    previous = offset;
  }
}

function decreasing(plan: ColumnPlan, row: number, from: number, to: number): FlightDataError {
  return new FlightDataError(`field "${plan.path}", row ${row}: offsets go back from ${from} to ${to}`);
}

/*
 * view := int32 length, then for a length of at most 12: the bytes, padded with zeros
 *                       else: 4 bytes prefix, int32 index of the data buffer, int32 offset in it
 */
function validateViews(plan: ColumnPlan, data: Data, utf8: boolean): void {
  const views: Uint8Array = data.values;
  const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
  const buffers: readonly Uint8Array[] = data.variadicBuffers;
  const sizes = Float64Array.from(buffers, (buffer) => buffer.byteLength);
  const end = 16 * data.length;
  for (let at = 0; at < end; at += 16) {
    const length = view.getInt32(at, true);
    if (length >>> 0 <= 12) {
      if (utf8 && !isUtf8(views.subarray(at + 4, at + 4 + length)) && !isNull(data, at >> 4))
        throw notUtf8(plan, at >> 4);
      continue;
    }
    const index = view.getInt32(at + 8, true);
    const offset = view.getInt32(at + 12, true);
    const size = index >= 0 && index < sizes.length ? sizes[index]! : -1;
    if (length < 0 || offset < 0 || offset > size - length) {
      if (isNull(data, at >> 4)) continue;
      throw strayView(plan, at >> 4, length, index, offset, sizes);
    }
    if (!utf8 || isUtf8(buffers[index]!.subarray(offset, offset + length))) continue;
    if (!isNull(data, at >> 4)) throw notUtf8(plan, at >> 4);
  }
}

function strayView(
  plan: ColumnPlan,
  row: number,
  length: number,
  index: number,
  offset: number,
  sizes: Float64Array,
): FlightDataError {
  const size = sizes[index];
  const what =
    length < 0
      ? `a view has length ${length}`
      : size === undefined
        ? `a view refers to data buffer ${index}, but there are ${sizes.length}`
        : `a view of ${length} bytes at byte ${offset} lies outside data buffer ${index} of ${size} bytes`;
  return new FlightDataError(`field "${plan.path}", row ${row}: ${what}`);
}

/** Rows are below the lengths that the buffers were checked against before: `!` here and in the functions below. */
function validateUnion(plan: ColumnPlan, data: Data): void {
  const childLengths = new Float64Array(128).fill(-1);
  plan.typeIds.forEach((typeId, index) => {
    childLengths[typeId] = data.children[index]?.length ?? -1;
  });
  const typeIds: Int8Array = data.typeIds;
  const offsets: Int32Array | undefined = plan.layout === 'dense-union' ? data.valueOffsets : undefined;
  for (let row = 0; row < data.length; row++) {
    const typeId = typeIds[row]!;
    const childLength = childLengths[typeId] ?? -1;
    if (childLength < 0) {
      throw new FlightDataError(
        `field "${plan.path}", row ${row}: type id ${typeId} is none of the union's (${plan.typeIds.join(', ')})`,
      );
    }
    const offset = offsets === undefined ? row : offsets[row]!;
    if (offset < 0 || offset >= childLength) {
      throw new FlightDataError(
        `field "${plan.path}", row ${row}: offset ${offset} lies outside the ${childLength} rows of the child of type id ${typeId}`,
      );
    }
  }
}

function validateIndices(plan: ColumnPlan, data: Data): void {
  const size = data.dictionary?.length ?? 0;
  const fail = (row: number, index: number | bigint): void => {
    if (isNull(data, row)) return;
    throw new FlightDataError(
      `field "${plan.path}", row ${row}: index ${index} lies outside dictionary ${plan.dictionaryId} of ${size} values`,
    );
  };
  if (plan.array === 'i64' || plan.array === 'u64') {
    const indices: BigInt64Array | BigUint64Array = data.values;
    const halves = new Uint32Array(indices.buffer, indices.byteOffset, 2 * indices.length);
    for (let row = 0; row < data.length; row++) {
      // A negative index has a high half beyond any size.
      if (halves[2 * row + 1]! * 0x1_0000_0000 + halves[2 * row]! >= size) fail(row, indices[row]!);
    }
    return;
  }
  const indices: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array = data.values;
  if (indicesWithin(indices, plan.array, size)) return;
  for (let row = 0; row < data.length; row++) {
    const index = indices[row]!;
    if (index < 0 || index >= size) fail(row, index);
  }
}

/**
 * Whether all indices are below `size`. Negative ones are seen as large ones without a sign, so that each loop meets two
 * kinds of arrays at most, not six: with more than four the compiler gives up on it.
 */
function indicesWithin(
  indices: Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array,
  array: ValueArray,
  size: number,
): boolean {
  const { buffer, byteOffset, length } = indices;
  switch (array) {
    case 'u8':
      return size > 0xff || belowLimit(new Uint8Array(buffer, byteOffset, length), size);
    case 'i8':
      return belowLimit(new Uint8Array(buffer, byteOffset, length), Math.min(size, 0x80));
    case 'u16':
      return size > 0xffff || belowLimit(new Uint16Array(buffer, byteOffset, length), size);
    case 'i16':
      return belowLimit(new Uint16Array(buffer, byteOffset, length), Math.min(size, 0x8000));
    default:
      // A column has fewer than 2^31 rows, so unsigned indices from there on are as wrong as negative ones.
      return wordsBelow(new Int32Array(buffer, byteOffset, length), size);
  }
}

function belowLimit(indices: Uint8Array | Uint16Array, limit: number): boolean {
  const last = limit - 1;
  let signs = 0;
  for (let row = 0; row < indices.length; row++) signs |= last - indices[row]!;
  return signs >= 0;
}

/** The same for 32 bits, where the difference alone does not tell: it wraps around. */
function wordsBelow(indices: Int32Array, limit: number): boolean {
  const last = limit - 1;
  let signs = 0;
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row]!;
    signs |= index | (last - index);
  }
  return signs >= 0;
}

/**
 * Text is looked at as a whole, which is fast, and then whether no offset cuts a character. Only when that fails are the
 * values looked at one by one, since null slots may hold anything.
 */
function validateText(plan: ColumnPlan, data: Data, offsetOf: (row: number) => number): void {
  const values: Uint8Array = data.values;
  const { length } = data;
  let good = isUtf8(values.subarray(offsetOf(0), offsetOf(length)));
  for (let row = 1; good && row < length; row++) {
    // A byte 10xxxxxx continues a character.
    good = ((values[offsetOf(row)] ?? 0) & 0xc0) !== 0x80;
  }
  if (good) return;
  for (let row = 0; row < length; row++) {
    if (!isNull(data, row) && !isUtf8(values.subarray(offsetOf(row), offsetOf(row + 1))))
      throw notUtf8(plan, row);
  }
}

function notUtf8(plan: ColumnPlan, row: number): FlightDataError {
  return new FlightDataError(`field "${plan.path}", row ${row}: the text is not valid UTF-8`);
}
