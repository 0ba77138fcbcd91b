import type { Data } from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../errors.ts';
import { bytesOf } from './buffers.ts';
import type { ColumnPlan } from './plan.ts';

/** The offsets of some rows of a dense union, and the rows of each child that they point to. */
export interface DenseUnionSlice {
  readonly offsets: Uint8Array;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/**
 * Rows [start, start + length) of a dense union. Children that have no more rows than the union go along whole;
 * otherwise the union was sliced: its offsets are copied, beginning at 0 for each child, and the children cut.
 */
export function denseUnionSlice(
  plan: ColumnPlan,
  data: Data,
  start: number,
  length: number,
): DenseUnionSlice {
  const offsets: Int32Array = data.valueOffsets ?? new Int32Array(0);
  const typeIds: Int8Array = data.typeIds;
  if (offsets.length < start + length) {
    throw new FlightInvalidArgumentError(
      `column "${plan.path}" has ${start + length} rows, but ${offsets.length} offsets; its length and its buffers do not fit together`,
    );
  }
  let childRows = 0;
  for (const child of data.children) childRows += child.length;
  if (childRows <= length) {
    return {
      offsets: bytesOf(offsets, 4 * start, 4 * length),
      starts: data.children.map(() => 0),
      ends: data.children.map((child) => child.length),
    };
  }
  const starts: number[] = plan.children.map(() => Number.POSITIVE_INFINITY);
  const ends: number[] = plan.children.map(() => 0);
  for (let row = start; row < start + length; row++) {
    const child = plan.childOfTypeId[typeIds[row] ?? 0] ?? -1;
    const offset = offsets[row] ?? 0;
    const first = starts[child];
    if (first === undefined) {
      throw new FlightInvalidArgumentError(
        `column "${plan.path}": row ${row} has type id ${typeIds[row]}, which its schema does not have`,
      );
    }
    if (offset < first) starts[child] = offset;
    if (offset >= (ends[child] ?? 0)) ends[child] = offset + 1;
  }
  const rebased = new Int32Array((length + 1) & ~1);
  for (let row = 0; row < length; row++) {
    const child = plan.childOfTypeId[typeIds[start + row] ?? 0] ?? -1;
    rebased[row] = (offsets[start + row] ?? 0) - (starts[child] ?? 0);
  }
  return {
    offsets: bytesOf(rebased, 0, 4 * length),
    starts: starts.map((first, index) => Math.min(first, ends[index] ?? 0)),
    ends,
  };
}
