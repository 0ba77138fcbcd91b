import assert from 'node:assert/strict';
import type { BatchLayout } from '@peregrine/flight/ipc/messages';
import type { ColumnLayout } from '../../../src/engine/c-data/layout.ts';
import { parseBatch } from '../../../src/engine/c-data/parse-batch.ts';
import type { CArray } from '../../../src/engine/c-data/structs.ts';
import { layout, type TestMemory, testMemory, valuesOf } from './arrays.ts';

export const int: ColumnLayout = layout({ kind: 'fixed', width: 4 });
export const text: ColumnLayout = layout({ kind: 'bytes', wide: false, text: true });
export const bytes: ColumnLayout = layout({ kind: 'bytes', wide: false, text: false });
export const views: ColumnLayout = layout({ kind: 'views', text: true });

/** A batch whose buffers follow one another at multiples of 8. */
export interface Given {
  readonly nodes: readonly number[];
  readonly buffers?: readonly Uint8Array[];
  readonly rows?: number;
  readonly variadic?: readonly number[];
  readonly version?: 'V4' | 'V5';
  readonly dictionaries?: ReadonlyMap<number, CArray>;
  readonly compression?: 'lz4' | 'zstd';
  /** Instead of where the buffers are. */
  readonly places?: readonly number[];
}

/** The arrays of a batch. */
export function parsed(columns: readonly ColumnLayout[], given: Given, memory: TestMemory): CArray[] {
  const places: number[] = [];
  let end = 0;
  for (const { byteLength } of given.buffers ?? []) {
    places.push(end, byteLength);
    end = Math.ceil((end + byteLength) / 8) * 8;
  }
  const body = new Uint8Array(end);
  for (const [i, buffer] of (given.buffers ?? []).entries()) body.set(buffer, places[2 * i]);
  const laidOut: BatchLayout = {
    length: given.rows ?? given.nodes[0] ?? 0,
    nodes: given.nodes,
    buffers: given.places ?? places,
    variadicBufferCounts: given.variadic ?? [],
    compression: given.compression,
  };
  return parseBatch(columns, {
    layout: laidOut,
    body,
    address: memory.put(body),
    version: given.version ?? 'V5',
    dictionaries: given.dictionaries ?? new Map(),
    copyIn: memory.put,
  });
}

/** A batch of one column has these rows. */
export function reads(column: ColumnLayout, given: Given, wanted: unknown[], nulls = 0): void {
  const memory = testMemory();
  const [array] = parsed([column], given, memory);
  assert.ok(array);
  assert.deepEqual(valuesOf(column, array), wanted);
  assert.equal(array.nullCount, nulls);
  memory.free();
}

/** A batch of one column is refused. */
export function refuses(column: ColumnLayout, given: Given, message: RegExp): void {
  const memory = testMemory();
  assert.throws(() => parsed([column], given, memory), { code: 'INVALID_DATA', message });
  memory.free();
}

/** A buffer that is left out. */
export const none: Uint8Array = new Uint8Array(0);
