import type { Data } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { countBits, sliceBits } from './bits.ts';
import { type BodyWriter, bytesOf, zeroOffset } from './buffers.ts';
import { writeChunks } from './chunks.ts';
import { typeKey, typeName } from './field-type.ts';
import { nullColumn } from './null-column.ts';
import { offsetsOf, sliceOffsets } from './offsets.ts';
import type { ColumnPlan } from './plan.ts';
import { denseUnionSlice } from './unions.ts';
import { sliceViews } from './views.ts';

/*
 * What a Data of apache-arrow says of its rows (row i of the column, i from 0):
 *
 *   validity      bit offset + i of nullBitmap; no bitmap, or one without bytes: no nulls
 *   bool          bit offset + i of values
 *   fixed width   values[i * stride], type ids typeIds[i], offsets valueOffsets[i] and [i + 1]: slicing cuts these
 *   views         the 16 bytes from i * 16 of values
 *   struct, sparse union, fixed-size list   row i (i * listSize) of the children, which slicing cuts too
 *   list, map, dense union                  the children are whole, offsets point into them
 *
 * Values and children may be shorter than the column where the rest of it is null: that is how apache-arrow fills up
 * columns of a table that ended early.
 */

/**
 * Adds rows [start, start + length) of a column to a body, without copying unless bits have to be shifted or offsets
 * do not begin at 0.
 *
 * @throws FlightInvalidArgumentError when the column is not what its schema says
 */
export function writeColumn(
  body: BodyWriter,
  plan: ColumnPlan,
  data: Data,
  start: number,
  length: number,
): void {
  checkColumn(plan, data);
  if (start + length > data.length) {
    const missing = start + length - data.length;
    writeChunks(body, plan, [
      { data, start, length: length - missing },
      { data: nullColumn(plan, missing), start: 0, length: missing },
    ]);
    return;
  }
  switch (plan.layout) {
    case 'null':
      body.node(length, length);
      return;
    case 'fixed':
      writeValidity(body, plan, data, start, length);
      writeValues(body, plan, data, start, length);
      return;
    case 'bool':
      writeValidity(body, plan, data, start, length);
      writeBools(body, plan, data, start, length);
      return;
    case 'binary': {
      writeValidity(body, plan, data, start, length);
      const { first, last } = writeOffsets(body, plan, data, start, length);
      const values: Uint8Array | undefined = data.values;
      if (last > (values?.byteLength ?? 0)) throw tooShort(plan, `${last} bytes`, values?.byteLength ?? 0);
      if (values === undefined || first === last) body.absent();
      else body.buffer(values.subarray(first, last));
      return;
    }
    case 'view': {
      writeValidity(body, plan, data, start, length);
      const { views, buffers } = sliceViews(plan, data, start, length);
      body.buffer(views);
      for (const buffer of buffers) body.buffer(buffer);
      body.variadicBufferCounts.push(buffers.length);
      return;
    }
    case 'list': {
      writeValidity(body, plan, data, start, length);
      const { first, last } = writeOffsets(body, plan, data, start, length);
      writeChild(body, plan, data, 0, first, last - first);
      return;
    }
    case 'fixed-size-list':
      writeValidity(body, plan, data, start, length);
      writeChild(body, plan, data, 0, start * plan.listSize, length * plan.listSize);
      return;
    case 'struct':
      writeValidity(body, plan, data, start, length);
      for (let i = 0; i < plan.children.length; i++) writeChild(body, plan, data, i, start, length);
      return;
    case 'sparse-union':
      writeTypeIds(body, plan, data, start, length);
      for (let i = 0; i < plan.children.length; i++) writeChild(body, plan, data, i, start, length);
      return;
    case 'dense-union': {
      writeTypeIds(body, plan, data, start, length);
      const slice = denseUnionSlice(plan, data, start, length);
      body.buffer(slice.offsets);
      for (let i = 0; i < plan.children.length; i++) {
        const from = slice.starts[i] ?? 0;
        writeChild(body, plan, data, i, from, (slice.ends[i] ?? from) - from);
      }
    }
  }
}

/** How many of the rows are null, by the bitmap. */
export function nullsIn(data: Data, start: number, length: number): number {
  const bitmap: Uint8Array | undefined = data.nullBitmap;
  if (bitmap === undefined || bitmap.byteLength === 0 || length === 0) return 0;
  // The getter counts once and remembers.
  const nulls = data.nullCount;
  if (nulls <= 0) return 0;
  if (length === data.length) return nulls;
  return length - countBits(bitmap, data.offset + start, length);
}

/** Refuses a column whose type is another than its schema says. */
export function checkColumn(plan: ColumnPlan, data: Data): void {
  if (data.type !== plan.type && typeKey(data.type) !== typeKey(plan.type)) {
    throw new FlightInvalidArgumentError(
      `column "${plan.path}" has type ${typeName(data.type)}, but its schema says ${typeName(plan.type)}; cast the column or begin a stream with its schema`,
    );
  }
}

/** Child `index` of a column. */
export function childOf(plan: ColumnPlan, data: Data, index: number): Data {
  const child = data.children[index];
  if (child === undefined) {
    throw new FlightInvalidArgumentError(
      `column "${plan.path}" has ${data.children.length} children, but its schema says ${plan.children.length}`,
    );
  }
  return child;
}

/** The error for a column whose buffers do not hold its rows. */
export function tooShort(plan: ColumnPlan, needed: string, there: number): FlightInvalidArgumentError {
  return new FlightInvalidArgumentError(
    `column "${plan.path}" needs ${needed}, but its buffer holds only ${there}; its length and its buffers do not fit together`,
  );
}

/** The validity bitmap of a column whose rows are all there; undefined when none of them is null. */
function writeValidity(body: BodyWriter, plan: ColumnPlan, data: Data, start: number, length: number): void {
  const nulls = nullsIn(data, start, length);
  body.node(length, nulls);
  if (nulls === 0) {
    body.absent();
    return;
  }
  const bitmap: Uint8Array = data.nullBitmap;
  if (8 * bitmap.byteLength < data.offset + start + length) {
    throw tooShort(plan, `a validity bitmap of ${data.offset + start + length} bits`, bitmap.byteLength);
  }
  body.buffer(sliceBits(bitmap, data.offset + start, length));
}

function writeValues(body: BodyWriter, plan: ColumnPlan, data: Data, start: number, length: number): void {
  const values: ArrayBufferView | undefined = data.values;
  const needed = length * plan.byteWidth;
  const bytes =
    values === undefined ? zeroOffset[4].subarray(4) : bytesOf(values, start * plan.byteWidth, needed);
  if (bytes.byteLength === needed) {
    body.buffer(bytes);
  } else {
    if (data.nullCount <= 0) throw tooShort(plan, `${needed} bytes`, bytes.byteLength);
    body.gathered([bytes, new Uint8Array(needed - bytes.byteLength)]);
  }
}

function writeBools(body: BodyWriter, plan: ColumnPlan, data: Data, start: number, length: number): void {
  const values: Uint8Array = data.values ?? zeroOffset[4].subarray(4);
  const needed = (length + 7) >>> 3;
  if (8 * values.byteLength >= data.offset + start + length) {
    body.buffer(sliceBits(values, data.offset + start, length));
    return;
  }
  if (data.nullCount <= 0) throw tooShort(plan, `${needed} bytes`, values.byteLength);
  const bits = new Uint8Array(needed);
  bits.set(
    sliceBits(
      values,
      data.offset + start,
      Math.min(length, Math.max(0, 8 * values.byteLength - data.offset - start)),
    ),
  );
  body.buffer(bits);
}

function writeOffsets(
  body: BodyWriter,
  plan: ColumnPlan,
  data: Data,
  start: number,
  length: number,
): { first: number; last: number } {
  const offsets = offsetsOf(data, start, length);
  if (offsets.length <= start + length && length > 0 && data.nullCount <= 0) {
    throw tooShort(plan, `${start + length + 1} offsets`, offsets.length);
  }
  const range = sliceOffsets(offsets, plan.offsetWidth, start, length);
  body.buffer(range.bytes);
  return range;
}

function writeTypeIds(body: BodyWriter, plan: ColumnPlan, data: Data, start: number, length: number): void {
  body.node(length, 0);
  if (body.unionValidity) body.absent();
  const typeIds: Int8Array | undefined = data.typeIds;
  if ((typeIds?.length ?? 0) < start + length) {
    throw tooShort(plan, `${start + length} type ids`, typeIds?.length ?? 0);
  }
  if (typeIds === undefined) body.absent();
  else body.buffer(bytesOf(typeIds, start, length));
}

function writeChild(
  body: BodyWriter,
  plan: ColumnPlan,
  data: Data,
  index: number,
  start: number,
  length: number,
): void {
  const childPlan = plan.children[index];
  if (childPlan === undefined) return;
  const child = data.children[index];
  // A list of which every row is empty may have no child at all.
  if (child === undefined && length === 0) writeColumn(body, childPlan, nullColumn(childPlan, 0), 0, 0);
  else writeColumn(body, childPlan, childOf(plan, data, index), start, length);
}
