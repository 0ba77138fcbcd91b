import type { Data } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { copyBits, setBits } from './bits.ts';
import { type BodyWriter, bytesOf, zeroOffset } from './buffers.ts';
import { checkColumn, childOf, nullsIn, tooShort, writeColumn } from './columns.ts';
import { type Offsets, offsetAt, offsetsOf, rebaseOffsets } from './offsets.ts';
import type { ColumnPlan } from './plan.ts';
import { denseUnionSlice } from './unions.ts';
import { sliceViews } from './views.ts';

/** Some rows of a column. */
export interface Chunk {
  readonly data: Data;
  readonly start: number;
  readonly length: number;
}

/**
 * Adds rows of several columns of one type to a body as one column. Values stay where they are; bitmaps, offsets and
 * views are joined in new memory. Dictionary-encoded chunks must share their dictionary. A chunk whose buffers end before
 * its rows is refused as it is alone: joined, the rows behind it would move.
 */
export function writeChunks(body: BodyWriter, plan: ColumnPlan, chunks: readonly Chunk[]): void {
  const filled = chunks.filter((chunk) => chunk.length > 0);
  const first = filled[0] ?? chunks[0];
  if (first === undefined) {
    throw new FlightInvalidArgumentError(`column "${plan.path}" has no chunks`);
  }
  if (filled.length <= 1) {
    writeColumn(body, plan, first.data, first.start, first.length);
    return;
  }
  const rows = filled.reduce((sum, chunk) => sum + chunk.length, 0);
  for (const { data, start, length } of filled) {
    checkColumn(plan, data);
    if (start + length > data.length) throw tooShort(plan, `${start + length} rows`, data.length);
  }
  switch (plan.layout) {
    case 'null':
      body.node(rows, rows);
      return;
    case 'fixed':
      writeValidity(body, plan, filled, rows);
      body.gathered(filled.map((chunk) => valuesOf(plan, chunk)));
      return;
    case 'bool':
      writeValidity(body, plan, filled, rows);
      writeBools(body, plan, filled, rows);
      return;
    case 'binary':
      writeValidity(body, plan, filled, rows);
      body.buffer(joinOffsets(plan, filled, rows));
      body.gathered(
        filled.map(({ data, start, length }) => {
          const { first, last } = rangeOf(data, start, length);
          const values: Uint8Array = data.values;
          if (last > values.byteLength) throw tooShort(plan, `${last} bytes`, values.byteLength);
          return values.subarray(first, last);
        }),
      );
      return;
    case 'view':
      writeValidity(body, plan, filled, rows);
      writeViews(body, plan, filled, rows);
      return;
    case 'list': {
      writeValidity(body, plan, filled, rows);
      body.buffer(joinOffsets(plan, filled, rows));
      const ranges = filled.map(({ data, start, length }) => rangeOf(data, start, length));
      writeChildren(body, plan, filled, (_, index) => {
        const { first, last } = ranges[index] ?? { first: 0, last: 0 };
        return { start: first, length: last - first };
      });
      return;
    }
    case 'fixed-size-list':
      writeValidity(body, plan, filled, rows);
      writeChildren(body, plan, filled, ({ start, length }) => ({
        start: start * plan.listSize,
        length: length * plan.listSize,
      }));
      return;
    case 'struct':
      writeValidity(body, plan, filled, rows);
      writeChildren(body, plan, filled, ({ start, length }) => ({ start, length }));
      return;
    case 'sparse-union':
      writeTypeIds(body, plan, filled, rows);
      writeChildren(body, plan, filled, ({ start, length }) => ({ start, length }));
      return;
    case 'dense-union':
      writeTypeIds(body, plan, filled, rows);
      writeDenseUnion(body, plan, filled, rows);
  }
}

function writeValidity(body: BodyWriter, plan: ColumnPlan, chunks: readonly Chunk[], rows: number): void {
  let nulls = 0;
  for (const { data, start, length } of chunks) nulls += nullsIn(data, start, length);
  body.node(rows, nulls);
  if (nulls === 0) {
    body.absent();
    return;
  }
  const bits = newBits(rows);
  let at = 0;
  for (const { data, start, length } of chunks) {
    if (nullsIn(data, start, length) === 0) {
      setBits(bits, at, length);
    } else {
      const bitmap: Uint8Array = data.nullBitmap;
      const end = data.offset + start + length;
      if (8 * bitmap.byteLength < end) {
        throw tooShort(plan, `a validity bitmap of ${end} bits`, bitmap.byteLength);
      }
      copyBits(bits, at, bitmap, data.offset + start, length);
    }
    at += length;
  }
  body.buffer(bits);
}

function writeBools(body: BodyWriter, plan: ColumnPlan, chunks: readonly Chunk[], rows: number): void {
  const bits = newBits(rows);
  let at = 0;
  for (const { data, start, length } of chunks) {
    const values: Uint8Array = data.values;
    const end = data.offset + start + length;
    if (8 * values.byteLength < end && data.nullCount <= 0) {
      throw tooShort(plan, `${Math.ceil(end / 8)} bytes`, values.byteLength);
    }
    copyBits(bits, at, values, data.offset + start, length);
    at += length;
  }
  body.buffer(bits);
}

function valuesOf(plan: ColumnPlan, { data, start, length }: Chunk): Uint8Array {
  const values: ArrayBufferView = data.values;
  const needed = length * plan.byteWidth;
  const bytes = bytesOf(values, start * plan.byteWidth, needed);
  if (bytes.byteLength === needed) return bytes;
  if (data.nullCount <= 0) throw tooShort(plan, `${needed} bytes`, bytes.byteLength);
  const padded = new Uint8Array(needed);
  padded.set(bytes);
  return padded;
}

function joinOffsets(plan: ColumnPlan, chunks: readonly Chunk[], rows: number): Uint8Array {
  const width = plan.offsetWidth;
  const target: Offsets = width === 8 ? new BigInt64Array(rows + 1) : new Int32Array(rows + 1);
  let at = 0;
  let end = 0;
  for (const { data, start, length } of chunks) {
    const offsets = offsetsOf(data, start, length);
    if (offsets.length <= start + length && data.nullCount <= 0) {
      throw tooShort(plan, `${start + length + 1} offsets`, offsets.length);
    }
    const { first, last } = rangeOf(data, start, length);
    rebaseOffsets(target, at, offsets, start, length + 1, end - first);
    at += length;
    end += last - first;
  }
  if (width === 4 && end > 0x7fff_ffff) {
    throw new FlightInvalidArgumentError(
      `column "${plan.path}": ${rows} rows take ${end} bytes or elements together, more than 32-bit offsets reach; take fewer rows or a large type`,
    );
  }
  return bytesOf(target, 0, (rows + 1) * width);
}

function rangeOf(data: Data, start: number, length: number): { first: number; last: number } {
  const offsets = offsetsOf(data, start, length);
  return { first: offsetAt(offsets, start), last: offsetAt(offsets, start + length) };
}

function writeViews(body: BodyWriter, plan: ColumnPlan, chunks: readonly Chunk[], rows: number): void {
  const joined = new Uint8Array(16 * rows);
  const views = new DataView(joined.buffer);
  const buffers: Uint8Array[] = [];
  let at = 0;
  for (const { data, start, length } of chunks) {
    const slice = sliceViews(plan, data, start, length);
    joined.set(slice.views, at);
    const end = at + 16 * length;
    for (; at < end; at += 16) {
      // Also for rows that are null: nobody reads theirs.
      if (views.getInt32(at, true) > 12) {
        views.setInt32(at + 8, views.getInt32(at + 8, true) + buffers.length, true);
      }
    }
    buffers.push(...slice.buffers);
  }
  body.buffer(joined);
  for (const buffer of buffers) body.buffer(buffer);
  body.variadicBufferCounts.push(buffers.length);
}

function writeTypeIds(body: BodyWriter, plan: ColumnPlan, chunks: readonly Chunk[], rows: number): void {
  body.node(rows, 0);
  if (body.unionValidity) body.absent();
  body.gathered(
    chunks.map(({ data, start, length }) => {
      const typeIds: Int8Array = data.typeIds;
      if (typeIds.length < start + length) {
        throw tooShort(plan, `${start + length} type ids`, typeIds.length);
      }
      return bytesOf(typeIds, start, length);
    }),
  );
}

function writeDenseUnion(body: BodyWriter, plan: ColumnPlan, chunks: readonly Chunk[], rows: number): void {
  const target = new Int32Array(rows);
  const slices = chunks.map(({ data, start, length }) => denseUnionSlice(plan, data, start, length));
  const ends: number[] = plan.children.map(() => 0);
  let at = 0;
  chunks.forEach(({ data, start, length }, index) => {
    const slice = slices[index];
    if (slice === undefined) return;
    target.set(new Int32Array(slice.offsets.buffer, slice.offsets.byteOffset, length), at);
    const typeIds: Int8Array = data.typeIds;
    for (let row = 0; row < length; row++) {
      const child = plan.childOfTypeId[typeIds[start + row] ?? 0] ?? -1;
      target[at + row] = (target[at + row] ?? 0) + (ends[child] ?? 0);
    }
    plan.children.forEach((_, child) => {
      ends[child] = (ends[child] ?? 0) + (slice.ends[child] ?? 0) - (slice.starts[child] ?? 0);
    });
    at += length;
  });
  body.buffer(bytesOf(target, 0, 4 * rows));
  writeChildren(body, plan, chunks, (_, index, child) => {
    const start = slices[index]?.starts[child] ?? 0;
    return { start, length: (slices[index]?.ends[child] ?? 0) - start };
  });
}

function writeChildren(
  body: BodyWriter,
  plan: ColumnPlan,
  chunks: readonly Chunk[],
  rowsOf: (chunk: Chunk, index: number, child: number) => { start: number; length: number },
): void {
  plan.children.forEach((child, childIndex) => {
    writeChunks(
      body,
      child,
      chunks.map((chunk, index) => ({
        data: childOf(plan, chunk.data, childIndex),
        ...rowsOf(chunk, index, childIndex),
      })),
    );
  });
}

/** An empty bitmap, long enough that no padding has to follow. */
function newBits(rows: number): Uint8Array {
  return rows === 0 ? zeroOffset[8].subarray(8) : new Uint8Array(((rows + 63) >>> 6) << 3);
}
