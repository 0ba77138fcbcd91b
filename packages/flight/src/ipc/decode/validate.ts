import { isUtf8 } from 'node:buffer';
import type { Data } from 'apache-arrow';
import { FlightDataError } from '../../errors.ts';
import type { ColumnPlan } from './plan.ts';

/**
 * Full validation of one decoded column: afterwards no offset, index, type id or view of it leads outside its memory
 * and its null counts are true. Lengths and the first and last offsets were checked when it was made. Values of null
 * slots may be anything, as the format allows.
 *
 * @param utf8 - whether text must be valid UTF-8
 * @throws FlightDataError naming the field, the row and the numbers
 */
export function validateColumn(plan: ColumnPlan, data: Data, utf8: boolean): void {
  validateNullCount(plan, data);
  switch (plan.layout) {
    case 'binary':
      validateOffsets(plan, data.valueOffsets);
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
    if (childData !== undefined) validateColumn(child, childData, utf8);
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

function validateOffsets(plan: ColumnPlan, offsets: Int32Array): void {
  let previous = offsets[0] ?? 0;
  for (let i = 1; i < offsets.length; i++) {
    // The loop bound is the array's own length.
    const offset = offsets[i]!;
    if (offset < previous) throw decreasing(plan, i - 1, previous, offset);
    previous = offset;
  }
}

/** Compares 64-bit offsets as pairs of 32-bit halves: making a bigint of each would take twenty times as long. */
function validateLargeOffsets(plan: ColumnPlan, offsets: BigInt64Array): void {
  const halves = new Int32Array(offsets.buffer, offsets.byteOffset, 2 * offsets.length);
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
  for (let row = 0, at = 0; row < data.length; row++, at += 16) {
    const length = view.getInt32(at, true);
    if (length >= 0 && length <= 12) {
      if (utf8 && !isUtf8(views.subarray(at + 4, at + 4 + length)) && !isNull(data, row))
        throw notUtf8(plan, row);
      continue;
    }
    if (isNull(data, row)) continue;
    if (length < 0)
      throw new FlightDataError(`field "${plan.path}", row ${row}: a view has length ${length}`);
    const index = view.getInt32(at + 8, true);
    const buffer = data.variadicBuffers[index];
    if (buffer === undefined) {
      throw new FlightDataError(
        `field "${plan.path}", row ${row}: a view refers to data buffer ${index}, but there are ${data.variadicBuffers.length}`,
      );
    }
    const offset = view.getInt32(at + 12, true);
    if (offset < 0 || offset > buffer.byteLength - length) {
      throw new FlightDataError(
        `field "${plan.path}", row ${row}: a view of ${length} bytes at byte ${offset} lies outside data buffer ${index} of ${buffer.byteLength} bytes`,
      );
    }
    if (utf8 && !isUtf8(buffer.subarray(offset, offset + length))) throw notUtf8(plan, row);
  }
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
  const indices: Int32Array = data.values;
  for (let row = 0; row < data.length; row++) {
    const index = indices[row]!;
    if (index < 0 || index >= size) fail(row, index);
  }
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
