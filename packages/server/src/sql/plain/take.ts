import { FlightDataError } from '@peregrine/flight/errors';
import type { ColumnLayout } from '../../engine/c-data/layout.ts';
import type { Column } from './columns.ts';

/** The row that stands for null in a list of rows. */
export const nullRow = -1;

/** Values up to this length are copied byte by byte, which takes less than a call for each. */
const shortBytes = 32;

/**
 * The values of a column that stand in some of its rows, in the order of the list and as often as they are in it. The
 * column has no dictionaries.
 *
 * @param rows - which; {@link nullRow} gives null
 */
export function takeRows(column: Column, rows: Int32Array): Column {
  const { buffers, children, layout } = column;
  const { shape } = layout;
  if (shape.kind === 'null') return { ...column, length: rows.length, nullCount: rows.length };
  if (shape.kind === 'union') return takeUnion(column, rows, shape);
  const { nullCount, present, validity } = takeValidity(column, rows);
  const made = (own: Uint8Array[], below: Column[] = []): Column => ({
    layout,
    length: rows.length,
    nullCount,
    buffers: [validity, ...own],
    children: below,
  });
  const values = buffers[1] ?? noBytes;
  switch (shape.kind) {
    case 'bits':
      return made([takeBits(values, present)]);
    case 'fixed':
      return made([takeFixed(values, shape.width, present)]);
    case 'views':
      return made([takeFixed(values, 16, present), ...buffers.slice(2)]);
    case 'bytes':
      return made(takeBytes(layout, readOffsets(values, shape.wide), buffers[2] ?? noBytes, present));
    case 'list':
    case 'list-view': {
      const starts = readOffsets(values, shape.wide);
      const sizes = shape.kind === 'list-view' ? readOffsets(buffers[2] ?? noBytes, shape.wide) : undefined;
      const sizeOf = (row: number): number =>
        row < 0 ? 0 : (sizes?.[row] ?? (starts[row + 1] ?? 0) - (starts[row] ?? 0));
      const below = spread(children, present, (row) => starts[row] ?? 0, sizeOf);
      const ends = countUp(present, sizeOf);
      return shape.kind === 'list'
        ? made([writeOffsets(layout, ends, shape.wide)], below)
        : made(
            [
              writeOffsets(layout, ends.slice(0, -1), shape.wide),
              writeOffsets(layout, Float64Array.from(present, sizeOf), shape.wide),
            ],
            below,
          );
    }
    case 'fixed-list': {
      const { size } = shape;
      const inner = new Int32Array(present.length * size);
      for (let i = 0; i < inner.length; i++) {
        const row = present[Math.floor(i / size)] ?? nullRow;
        inner[i] = row < 0 ? nullRow : row * size + (i % size);
      }
      return made(
        [],
        children.map((child) => takeRows(child, inner)),
      );
    }
    case 'struct':
      return made(
        [],
        children.map((child) => takeRows(child, present)),
      );
  }
}

/** Which rows have a value: the same list with {@link nullRow} for each row that is null. */
function takeValidity(
  { buffers, nullCount: nulls }: Column,
  rows: Int32Array,
): { readonly present: Int32Array; readonly validity: Uint8Array; readonly nullCount: number } {
  const bits = nulls === 0 ? undefined : buffers[0];
  const present = new Int32Array(rows.length);
  const validity = new Uint8Array(Math.ceil(rows.length / 8));
  let nullCount = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? nullRow;
    if (row >= 0 && (bits === undefined || bits.byteLength === 0 || isSet(bits, row))) {
      present[i] = row;
      validity[i >> 3] = (validity[i >> 3] ?? 0) | (1 << (i & 7));
    } else {
      present[i] = nullRow;
      nullCount++;
    }
  }
  return { present, validity: nullCount === 0 ? noBytes : validity, nullCount };
}

function takeBits(source: Uint8Array, rows: Int32Array): Uint8Array {
  const target = new Uint8Array(Math.ceil(rows.length / 8));
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? nullRow;
    if (row >= 0 && isSet(source, row)) target[i >> 3] = (target[i >> 3] ?? 0) | (1 << (i & 7));
  }
  return target;
}

function takeFixed(source: Uint8Array, width: number, rows: Int32Array): Uint8Array {
  const target = new Uint8Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? nullRow;
    if (row >= 0) copyBytes(source, row * width, target, i * width, width);
  }
  return target;
}

function takeBytes(
  layout: ColumnLayout,
  offsets: Int32Array | Float64Array,
  source: Uint8Array,
  rows: Int32Array,
): Uint8Array[] {
  const ends = countUp(rows, (row) => (row < 0 ? 0 : (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)));
  const target = new Uint8Array(ends.at(-1) ?? 0);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? nullRow;
    if (row < 0) continue;
    const at = ends[i] ?? 0;
    copyBytes(source, offsets[row] ?? 0, target, at, (ends[i + 1] ?? 0) - at);
  }
  const { shape } = layout;
  return [writeOffsets(layout, ends, shape.kind === 'bytes' && shape.wide), target];
}

/*
 * Unions have no validity: a row that is not there gets the first type, and null there.
 */
function takeUnion(
  { buffers, children, layout }: Column,
  rows: Int32Array,
  shape: { readonly dense: boolean; readonly childOf: ReadonlyMap<number, number> },
): Column {
  const ids = buffers[0] ?? noBytes;
  const [firstId = 0] = shape.childOf.keys();
  const types = Uint8Array.from(rows, (row) => (row < 0 ? firstId : (ids[row] ?? firstId)));
  const made = (own: Uint8Array[], below: Column[]): Column => ({
    layout,
    length: rows.length,
    nullCount: 0,
    buffers: own,
    children: below,
  });
  if (!shape.dense)
    return made(
      [types],
      children.map((child) => takeRows(child, rows)),
    );
  const places = readOffsets(buffers[1] ?? noBytes, false);
  const inner = children.map((): number[] => []);
  const offsets = Float64Array.from(rows, (row, i) => {
    const list = inner[shape.childOf.get(types[i] ?? 0) ?? 0] ?? [];
    return list.push(row < 0 ? nullRow : (places[row] ?? 0)) - 1;
  });
  return made(
    [types, writeOffsets(layout, offsets, false)],
    children.map((child, i) => takeRows(child, Int32Array.from(inner[i] ?? []))),
  );
}

/** The rows of children that lists stand for. */
function spread(
  children: readonly Column[],
  rows: Int32Array,
  startOf: (row: number) => number,
  sizeOf: (row: number) => number,
): Column[] {
  let total = 0;
  for (const row of rows) total += sizeOf(row);
  const inner = new Int32Array(total);
  let at = 0;
  for (const row of rows) {
    const size = sizeOf(row);
    if (size === 0) continue;
    const start = startOf(row);
    for (let i = 0; i < size; i++) inner[at++] = start + i;
  }
  return children.map((child) => takeRows(child, inner));
}

/** Where each begins when they lie one after the other, and where the last ends. */
function countUp(rows: Int32Array, sizeOf: (row: number) => number): Float64Array {
  const ends = new Float64Array(rows.length + 1);
  let total = 0;
  for (let i = 0; i < rows.length; i++) {
    total += sizeOf(rows[i] ?? nullRow);
    ends[i + 1] = total;
  }
  return ends;
}

function readOffsets(bytes: Uint8Array, wide: boolean): Int32Array | Float64Array {
  const count = Math.floor(bytes.byteLength / (wide ? 8 : 4));
  // A copy begins where numbers may lie, and is not shared with other threads.
  const aligned = new Uint8Array(bytes).buffer;
  return wide
    ? Float64Array.from(new BigInt64Array(aligned, 0, count), Number)
    : new Int32Array(aligned, 0, count);
}

function writeOffsets({ name }: ColumnLayout, values: Float64Array, wide: boolean): Uint8Array {
  if (wide) return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  if ((values.at(-1) ?? 0) >= 2 ** 31) {
    throw new FlightDataError(
      `column "${name}": without their dictionary its values take more than 2^31 bytes a batch; cast it in the statement`,
    );
  }
  return new Uint8Array(Int32Array.from(values).buffer);
}

function copyBytes(source: Uint8Array, from: number, target: Uint8Array, to: number, length: number): void {
  if (length > shortBytes) target.set(source.subarray(from, from + length), to);
  else for (let i = 0; i < length; i++) target[to + i] = source[from + i] ?? 0;
}

/** Whether a bit of a bitmap is set. */
export function isSet(bits: Uint8Array, index: number): boolean {
  return (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}

const noBytes = new Uint8Array(0);
