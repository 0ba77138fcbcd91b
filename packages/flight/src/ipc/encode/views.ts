import type { Data } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { lookThroughViewsAbove } from '../../limits/ipc.ts';
import { bitAt } from './bits.ts';
import { bytesOf } from './buffers.ts';
import type { ColumnPlan } from './plan.ts';

/*
 * view := int32 length, 12 bytes of data                                       (length up to 12)
 *       | int32 length, first 4 bytes, int32 data buffer, int32 place in it    (longer)
 */

const viewBytes = 16;
const inlineBytes = 12;

/** Rows of a view column as they go into a body. */
export interface ViewSlice {
  readonly views: Uint8Array;
  readonly buffers: readonly Uint8Array[];
}

/**
 * The views of rows [start, start + length) and the data buffers that they point to. All buffers go along without a
 * copy, unless more than half of their bytes belong to other rows: then the bytes in use are gathered in one buffer,
 * so that the parts of a split batch do not each carry the whole.
 */
export function sliceViews(plan: ColumnPlan, data: Data, start: number, length: number): ViewSlice {
  const views = viewsOf(plan, data, start, length);
  const buffers = data.variadicBuffers;
  const used = usedBytes(plan, data, views, start, length);
  return used === undefined ? { views, buffers } : compact(plan, data, views, start, length, used);
}

/** Bytes of each data buffer that {@link sliceViews} would give. */
export function viewBufferLengths(plan: ColumnPlan, data: Data, start: number, length: number): number[] {
  const used = usedBytes(plan, data, viewsOf(plan, data, start, length), start, length);
  return used === undefined ? data.variadicBuffers.map((buffer) => buffer.byteLength) : [used];
}

function viewsOf(plan: ColumnPlan, data: Data, start: number, length: number): Uint8Array {
  const values: Uint8Array = data.values ?? new Uint8Array(0);
  const views = bytesOf(values, start * viewBytes, length * viewBytes);
  if (views.byteLength === length * viewBytes) return views;
  if (data.nullCount <= 0) {
    throw new FlightInvalidArgumentError(
      `column "${plan.path}" has ${length} rows from row ${start}, but views for ${views.byteLength / viewBytes} of them`,
    );
  }
  const padded = new Uint8Array(length * viewBytes);
  padded.set(views);
  return padded;
}

/** Bytes in use when the data buffers should be gathered; undefined when they go along as they are. */
function usedBytes(
  plan: ColumnPlan,
  data: Data,
  views: Uint8Array,
  start: number,
  length: number,
): number | undefined {
  let total = 0;
  for (const buffer of data.variadicBuffers) total += buffer.byteLength;
  if (total <= lookThroughViewsAbove * length) return undefined;
  let used = 0;
  forEachLongView(plan, data, views, start, length, (_, size) => {
    used += size;
  });
  return used * 2 < total ? used : undefined;
}

function compact(
  plan: ColumnPlan,
  data: Data,
  views: Uint8Array,
  start: number,
  length: number,
  used: number,
): ViewSlice {
  const newViews = views.slice();
  const target = new DataView(newViews.buffer);
  const bytes = new Uint8Array(used);
  let at = 0;
  forEachLongView(plan, data, views, start, length, (view, size, buffer, place) => {
    bytes.set(buffer.subarray(place, place + size), at);
    target.setInt32(view + 8, 0, true);
    target.setInt32(view + 12, at, true);
    at += size;
  });
  if (data.nullCount > 0) {
    // What lies under a null may be anything, also a place in a buffer that is gone now.
    for (let row = 0; row < length; row++) {
      if (!bitAt(data.nullBitmap, data.offset + start + row)) {
        newViews.fill(0, row * viewBytes, (row + 1) * viewBytes);
      }
    }
  }
  return { views: newViews, buffers: used === 0 ? [] : [bytes] };
}

/** Calls back for each row that is not null and does not lie in its view. */
function forEachLongView(
  plan: ColumnPlan,
  data: Data,
  views: Uint8Array,
  start: number,
  length: number,
  visit: (view: number, size: number, buffer: Uint8Array, place: number) => void,
): void {
  const reader = new DataView(views.buffer, views.byteOffset, views.byteLength);
  const bitmap: Uint8Array | undefined = data.nullCount > 0 ? data.nullBitmap : undefined;
  for (let row = 0; row < length; row++) {
    const view = row * viewBytes;
    const size = reader.getInt32(view, true);
    if (size <= inlineBytes) continue;
    if (bitmap !== undefined && !bitAt(bitmap, data.offset + start + row)) continue;
    const buffer = data.variadicBuffers[reader.getInt32(view + 8, true)];
    const place = reader.getInt32(view + 12, true);
    if (buffer === undefined || place < 0 || place + size > buffer.byteLength) {
      throw new FlightInvalidArgumentError(
        `column "${plan.path}": the view of row ${start + row} points outside of its data buffers`,
      );
    }
    visit(view, size, buffer, place);
  }
}
