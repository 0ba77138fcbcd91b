import { isUtf8 } from 'node:buffer';
import { FlightDataError } from '@peregrine/flight/errors';
import type { ColumnLayout } from './layout.ts';

function fail(column: ColumnLayout, what: string): never {
  throw new FlightDataError(`column "${column.name}": ${what}`);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Offsets begin at 0 or later, never fall, and end within the data; texts are valid UTF-8 each. Gives the last offset.
 *
 * @param text - the data to check as UTF-8; undefined for bytes and lists
 */
export function checkOffsets(
  column: ColumnLayout,
  bytes: Uint8Array,
  wide: boolean,
  length: number,
  limit: number,
  text: Uint8Array | undefined,
): number {
  const at = offsetReader(bytes, wide);
  let last = at(0);
  const first = last;
  if (last < 0) fail(column, `its first offset is ${last}`);
  for (let i = 1; i <= length; i++) {
    const next = at(i);
    if (next < last) fail(column, `offset ${i} (${next}) is below the one before it (${last})`);
    last = next;
  }
  if (last > limit) fail(column, `its last offset is ${last}, and there are ${limit} bytes of data`);
  if (text !== undefined) {
    // All together, which is fast; then that no text begins inside of a character.
    if (!isUtf8(text.subarray(first, last))) fail(column, 'a text is not valid UTF-8');
    for (let i = 0; i <= length; i++) {
      const byte = text[at(i)] ?? 0;
      if (at(i) < last && (byte & 0xc0) === 0x80) fail(column, `text ${i} is not valid UTF-8`);
    }
  }
  return last;
}

/** Reads offsets, of 64 bits where they are wide. */
function offsetReader(bytes: Uint8Array, wide: boolean): (index: number) => number {
  if (!wide) {
    const offsets = new Int32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.byteLength / 4));
    return (index) => offsets[index] ?? -1;
  }
  const offsets = view(bytes);
  return (index) => Number(offsets.getBigInt64(8 * index, true));
}

function isValid(validity: Uint8Array | undefined, index: number): boolean {
  return validity === undefined || (((validity[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

/** Indices that are not null are within the dictionary. */
export function checkDictionaryIndices(
  column: ColumnLayout,
  bytes: Uint8Array,
  width: number,
  length: number,
  validity: Uint8Array | undefined,
  size: number,
): void {
  const values = view(bytes);
  for (let i = 0; i < length; i++) {
    // As unsigned numbers: a negative index is a very large one.
    const index =
      width === 1
        ? values.getUint8(i)
        : width === 2
          ? values.getUint16(2 * i, true)
          : width === 4
            ? values.getUint32(4 * i, true)
            : Number(values.getBigUint64(8 * i, true));
    if (index >= size && isValid(validity, i)) {
      fail(column, `value ${i} has index ${index} in a dictionary of ${size} values`);
    }
  }
}

/** Views of more than 12 bytes point into their data buffers; texts are valid UTF-8. */
export function checkViews(
  column: ColumnLayout,
  bytes: Uint8Array,
  length: number,
  validity: Uint8Array | undefined,
  data: readonly Uint8Array[],
  isText: boolean,
): void {
  const values = view(bytes);
  for (let i = 0; i < length; i++) {
    if (!isValid(validity, i)) continue;
    const size = values.getInt32(16 * i, true);
    const buffer = values.getInt32(16 * i + 8, true);
    const offset = values.getInt32(16 * i + 12, true);
    if (size < 0) fail(column, `value ${i} has ${size} bytes`);
    const source = size <= 12 ? bytes : data[buffer];
    const start = size <= 12 ? 16 * i + 4 : offset;
    if (source === undefined || start < 0 || start + size > source.byteLength) {
      fail(column, `value ${i} (${size} bytes at ${offset} of buffer ${buffer}) is outside of its data`);
    }
    if (isText && !isUtf8(source.subarray(start, start + size))) fail(column, `text ${i} is not valid UTF-8`);
  }
}

/** Each list of a list view is within its child. */
export function checkListViews(
  column: ColumnLayout,
  offsets: Uint8Array,
  sizes: Uint8Array,
  wide: boolean,
  length: number,
  limit: number,
): void {
  const start = offsetReader(offsets, wide);
  const size = offsetReader(sizes, wide);
  for (let i = 0; i < length; i++) {
    if (start(i) < 0 || size(i) < 0 || start(i) + size(i) > limit) {
      fail(column, `list ${i} (${size(i)} values at ${start(i)}) is outside of its ${limit} values`);
    }
  }
}

/** Each type id is one of the schema's; offsets of dense unions are within their child. */
export function checkUnion(
  column: ColumnLayout,
  childOf: ReadonlyMap<number, number>,
  types: Uint8Array,
  offsets: Uint8Array | undefined,
  length: number,
  limits: readonly number[],
): void {
  const places = offsets === undefined ? undefined : view(offsets);
  for (let i = 0; i < length; i++) {
    const id = ((types[i] ?? 0) << 24) >> 24;
    const child = childOf.get(id);
    if (child === undefined) fail(column, `value ${i} has type id ${id}, which the schema does not name`);
    if (places === undefined) continue;
    const place = places.getInt32(4 * i, true);
    if (place < 0 || place >= (limits[child] ?? 0))
      fail(column, `value ${i} is at ${place} of a child of ${limits[child]} values`);
  }
}
