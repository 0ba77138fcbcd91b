import type { BatchLayout } from '@peregrine/flight/ipc';
import type { ColumnLayout } from '../../engine/c-data/layout.ts';

/** A column of a batch as it lies in the body: plain data over the engine's memory. */
export interface Column {
  readonly layout: ColumnLayout;
  readonly length: number;
  readonly nullCount: number;
  /** As the format orders them, validity first where the type has one; a validity of no bytes says that nothing is null. */
  readonly buffers: readonly Uint8Array[];
  readonly children: readonly Column[];
}

/** A batch that has been laid out in a body of its own. */
export interface BuiltBatch {
  readonly layout: BatchLayout;
  readonly body: Uint8Array;
}

/** Buffers begin at multiples of this, as Arrow recommends. */
const alignment = 64;

/** Takes a batch of the engine apart: no copies, and no checks, as the engine laid it out itself. */
export function readColumns(
  layouts: readonly ColumnLayout[],
  { nodes, buffers, variadicBufferCounts }: BatchLayout,
  body: Uint8Array,
): Column[] {
  let node = 0;
  let buffer = 0;
  let variadic = 0;
  function column(layout: ColumnLayout): Column {
    const length = nodes[2 * node] ?? 0;
    const nullCount = nodes[2 * node + 1] ?? 0;
    node++;
    const viewBuffers = layout.shape.kind === 'views' ? (variadicBufferCounts[variadic++] ?? 0) : 0;
    const own = Array.from({ length: bufferCount(layout) + viewBuffers }, () => {
      const place = buffers[2 * buffer] ?? 0;
      const bytes = buffers[2 * buffer + 1] ?? 0;
      buffer++;
      return body.subarray(place, place + bytes);
    });
    return { layout, length, nullCount, buffers: own, children: layout.children.map(column) };
  }
  return layouts.map(column);
}

/** Lays columns out in a new body. */
export function writeColumns(columns: readonly Column[], rows: number): BuiltBatch {
  const nodes: number[] = [];
  const buffers: number[] = [];
  const variadicBufferCounts: number[] = [];
  const parts: { readonly place: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  function add(column: Column): void {
    nodes.push(column.length, column.nullCount);
    if (column.layout.shape.kind === 'views') variadicBufferCounts.push(column.buffers.length - 2);
    for (const bytes of column.buffers) {
      buffers.push(end, bytes.byteLength);
      parts.push({ place: end, bytes });
      end = Math.ceil((end + bytes.byteLength) / alignment) * alignment;
    }
    column.children.forEach(add);
  }
  columns.forEach(add);
  const body = new Uint8Array(end);
  for (const { place, bytes } of parts) body.set(bytes, place);
  return {
    layout: { length: rows, nodes, buffers, variadicBufferCounts, compression: undefined },
    body,
  };
}

/** Bytes of what a column is made of, all levels. */
export function bytesOf({ buffers, children }: Column): number {
  let bytes = 0;
  for (const buffer of buffers) bytes += buffer.byteLength;
  for (const child of children) bytes += bytesOf(child);
  return bytes;
}

/** Without the data buffers of views, of which there are any number. */
function bufferCount({ shape }: ColumnLayout): number {
  switch (shape.kind) {
    case 'null':
      return 0;
    case 'struct':
    case 'fixed-list':
      return 1;
    case 'bits':
    case 'fixed':
    case 'views':
    case 'list':
      return 2;
    case 'bytes':
    case 'list-view':
      return 3;
    case 'union':
      return shape.dense ? 2 : 1;
  }
}
