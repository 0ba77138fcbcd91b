import type { Data } from 'apache-arrow';
import { offsetAt, offsetsOf } from './offsets.ts';
import type { ColumnPlan } from './plan.ts';
import { denseUnionSlice } from './unions.ts';
import { viewBufferLengths } from './views.ts';

/**
 * Bytes that rows [start, start + length) of a column take in an uncompressed body, padding counted. Exact but for
 * validity bitmaps, which are counted when any row of the column is null. Looks at rows only for views and sliced
 * dense unions.
 *
 * @param alignment - what buffers are padded to
 */
export function measureColumn(
  plan: ColumnPlan,
  data: Data,
  start: number,
  length: number,
  alignment: number,
): number {
  const mask = alignment - 1;
  const padded = (bytes: number): number => bytes + (-bytes & mask);
  const bits = padded((length + 7) >>> 3);
  const validity = data.nullCount > 0 || start + length > data.length ? bits : 0;
  const child = (index: number, from: number, count: number): number => {
    const childPlan = plan.children[index];
    const childData = data.children[index];
    if (childPlan === undefined || childData === undefined) return 0;
    return measureColumn(childPlan, childData, from, count, alignment);
  };
  const children = (from: number, count: number): number =>
    plan.children.reduce((sum, _, index) => sum + child(index, from, count), 0);
  switch (plan.layout) {
    case 'null':
      return 0;
    case 'fixed':
      return validity + padded(length * plan.byteWidth);
    case 'bool':
      return validity + bits;
    case 'binary': {
      const [first, last] = offsetRange(data, start, length);
      return validity + padded((length + 1) * plan.offsetWidth) + padded(last - first);
    }
    case 'view': {
      let sum = validity + padded(16 * length);
      for (const buffer of viewBufferLengths(plan, data, start, length)) sum += padded(buffer);
      return sum;
    }
    case 'list': {
      const [first, last] = offsetRange(data, start, length);
      return validity + padded((length + 1) * plan.offsetWidth) + child(0, first, last - first);
    }
    case 'fixed-size-list':
      return validity + child(0, start * plan.listSize, length * plan.listSize);
    case 'struct':
      return validity + children(start, length);
    case 'sparse-union':
      return padded(length) + children(start, length);
    case 'dense-union': {
      const slice = denseUnionSlice(plan, data, start, length);
      let sum = padded(length) + padded(4 * length);
      for (let i = 0; i < plan.children.length; i++) {
        const from = slice.starts[i] ?? 0;
        sum += child(i, from, (slice.ends[i] ?? from) - from);
      }
      return sum;
    }
  }
}

/** The first offset of rows [start, start + length), and the one behind the last. */
export function offsetRange(data: Data, start: number, length: number): readonly [number, number] {
  const offsets = offsetsOf(data, start, length);
  return [offsetAt(offsets, start), offsetAt(offsets, start + length)];
}
