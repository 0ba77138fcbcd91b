import { Data, type Vector } from 'apache-arrow';
import { emptyBytes } from '../empty.ts';
import type { ColumnPlan } from './plan.ts';

/**
 * A column of nothing but nulls: what stands for rows that a column does not have.
 *
 * @param length - rows
 */
export function nullColumn(plan: ColumnPlan, length: number): Data {
  const children = plan.children.map((child, index) => nullColumn(child, childLength(plan, index, length)));
  const bitmap = new Uint8Array(((length + 63) >>> 6) << 3);
  const of = (values: ArrayBufferView | undefined, offsets?: ArrayBufferView): Data =>
    new Data(plan.type, 0, length, length, [offsets, values, bitmap], children);
  switch (plan.layout) {
    case 'null':
      return new Data(plan.type, 0, length, length);
    case 'fixed': {
      const dictionary: Vector | undefined = undefined;
      const values = new Uint8Array(length * plan.byteWidth);
      return new Data(plan.type, 0, length, length, [undefined, values, bitmap], children, dictionary);
    }
    case 'bool':
      return of(new Uint8Array((length + 7) >>> 3));
    case 'binary':
    case 'list':
      return of(
        emptyBytes,
        plan.offsetWidth === 8 ? new BigInt64Array(length + 1) : new Int32Array(length + 1),
      );
    case 'view':
      return of(new Uint8Array(16 * length));
    case 'struct':
    case 'fixed-size-list':
      return of(undefined);
    case 'sparse-union':
    case 'dense-union': {
      // Unions have no nulls of their own: the first child has them.
      const typeIds = new Int8Array(length).fill(Math.max(0, plan.childOfTypeId.indexOf(0)));
      const offsets =
        plan.layout === 'dense-union' ? Int32Array.from({ length }, (_, row) => row) : undefined;
      return new Data(plan.type, 0, length, 0, [offsets, undefined, emptyBytes, typeIds], children);
    }
  }
}

function childLength(plan: ColumnPlan, index: number, length: number): number {
  switch (plan.layout) {
    case 'fixed-size-list':
      return length * plan.listSize;
    case 'list':
      return 0;
    case 'dense-union':
      return index === 0 ? length : 0;
    default:
      return length;
  }
}
