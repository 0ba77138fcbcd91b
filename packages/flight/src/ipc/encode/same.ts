import type { Data } from 'apache-arrow';
import { BodyWriter } from './buffers.ts';
import { type Chunk, writeChunks } from './chunks.ts';
import type { ColumnPlan } from './plan.ts';

/** Whether two columns are the same memory. */
export function sameColumn(a: Data, b: Data | undefined): boolean {
  if (a === b) return true;
  if (b === undefined || a.length !== b.length || a.offset !== b.offset) return false;
  return (
    sameMemory(a.values, b.values) &&
    sameMemory(a.valueOffsets, b.valueOffsets) &&
    sameMemory(a.nullBitmap, b.nullBitmap) &&
    sameMemory(a.typeIds, b.typeIds) &&
    a.dictionary === b.dictionary &&
    a.variadicBuffers.length === b.variadicBuffers.length &&
    a.variadicBuffers.every((buffer, index) => sameMemory(buffer, b.variadicBuffers[index])) &&
    a.children.length === b.children.length &&
    a.children.every((child, index) => sameColumn(child, b.children[index]))
  );
}

function sameMemory(a: ArrayBufferView | undefined, b: ArrayBufferView | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.byteLength === b.byteLength;
}

/**
 * Whether the first `length` rows of two columns have the same values. Rows that are null may hold different bytes
 * below; then they count as different.
 */
export function sameRows(plan: ColumnPlan, a: readonly Data[], b: readonly Data[], length: number): boolean {
  const [left, right] = [encode(plan, a, length), encode(plan, b, length)];
  return (
    sameNumbers(left.nodes, right.nodes) &&
    sameNumbers(left.buffers, right.buffers) &&
    samePieces(left.pieces, right.pieces)
  );
}

function encode(plan: ColumnPlan, columns: readonly Data[], length: number): BodyWriter {
  const chunks: Chunk[] = [];
  let left = length;
  for (const data of columns) {
    chunks.push({ data, start: 0, length: Math.min(left, data.length) });
    left -= Math.min(left, data.length);
  }
  const body = new BodyWriter();
  writeChunks(body, plan, chunks);
  return body;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

/** Compares two gather lists that have the same length together but may be cut differently. */
function samePieces(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  let index = 0;
  let from = 0;
  for (const piece of a) {
    let at = 0;
    while (at < piece.byteLength) {
      const other = b[index];
      if (other === undefined) return false;
      const count = Math.min(piece.byteLength - at, other.byteLength - from);
      const [left, right] = [piece.subarray(at, at + count), other.subarray(from, from + count)];
      if (Buffer.compare(left, right) !== 0) return false;
      at += count;
      from += count;
      if (from === other.byteLength) {
        index += 1;
        from = 0;
      }
    }
  }
  return true;
}
