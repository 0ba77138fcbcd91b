import type { ColumnLayout } from '../../../src/engine/c-data/layout.ts';
import type { Address } from '../../../src/engine/c-data/native.ts';
import { allocate, readBytes, write } from '../../../src/engine/c-data/native.ts';
import { chainAt } from '../../../src/engine/c-data/chain.ts';
import type { CArray } from '../../../src/engine/c-data/structs.ts';

/*
 * Arrays of the C data interface, made and read as its specification says, apart from the code that is tested.
 */

/** Native memory of a test. */
export interface TestMemory {
  put(bytes: Uint8Array): Address;
  free(): void;
}

/** Memory that is taken block by block and given back at once. */
export function testMemory(): TestMemory {
  const place = allocate(8);
  const chain = chainAt(place);
  return {
    put(bytes) {
      const address = chain.allocate(bytes.byteLength);
      write(address, bytes);
      return address;
    },
    free() {
      chain.freeOlder(0);
    },
  };
}

/** Numbers that are the same in each run. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A layout without dictionary. */
export function layout(shape: ColumnLayout['shape'], ...children: ColumnLayout[]): ColumnLayout {
  return { name: shape.kind, shape, children, dictionary: undefined };
}

/** An array with no children and no dictionary, without offset and nulls that are counted. */
export function arrayOf(length: number, buffers: readonly Address[], more: Partial<CArray> = {}): CArray {
  return { length, nullCount: -1, offset: 0, buffers, children: [], dictionary: undefined, ...more };
}

/** 32-bit numbers as bytes. */
export function int32s(...values: number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

/** 64-bit numbers as bytes. */
export function int64s(...values: number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}

/** An array of that layout with values, nulls and offsets by chance. */
export function randomArray(
  column: ColumnLayout,
  rows: number,
  random: (below: number) => number,
  memory: TestMemory,
): CArray {
  const { shape } = column;
  const offset = random(3) === 0 ? 0 : random(20);
  const total = offset + rows;
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => random(256));
  const child = (index: number, count: number): CArray => {
    const below = column.children[index];
    if (below === undefined) throw new Error(`no child ${index}`);
    return randomArray(below, count, random, memory);
  };
  const made = (buffers: readonly Address[], children: readonly CArray[] = []): CArray => ({
    length: rows,
    nullCount: shape.kind === 'null' ? rows : -1,
    offset: shape.kind === 'null' ? 0 : offset,
    buffers,
    children,
    dictionary: undefined,
  });
  const validity = random(3) === 0 ? 0 : memory.put(bytes(Math.ceil(total / 8) + 1));
  const rising = (wide: boolean): { place: Address; end: number } => {
    let end = random(5);
    const values = Array.from({ length: total + 1 }, (_, i) => (i === 0 ? end : (end += random(4))));
    return { place: memory.put(wide ? int64s(...values) : int32s(...values)), end };
  };
  switch (shape.kind) {
    case 'null':
      return made([]);
    case 'bits':
      return made([validity, memory.put(bytes(Math.ceil(total / 8) + 1))]);
    case 'fixed':
      return made([validity, memory.put(bytes(total * shape.width))]);
    case 'bytes': {
      const { place, end } = rising(shape.wide);
      return made([validity, place, memory.put(bytes(end))]);
    }
    case 'views': {
      const data = Array.from({ length: random(4) }, () => bytes(40 + random(100)));
      const views = new DataView(new ArrayBuffer(16 * total));
      for (let i = 0; i < total; i++) {
        const buffer = random(Math.max(data.length, 1));
        const size = data.length === 0 ? random(13) : random(30);
        views.setInt32(16 * i, size, true);
        if (size > 12) {
          views.setInt32(16 * i + 8, buffer, true);
          views.setInt32(16 * i + 12, random((data[buffer]?.length ?? 0) - size), true);
        } else for (let k = 0; k < size; k++) views.setUint8(16 * i + 4 + k, random(256));
      }
      const lengths = int64s(...data.map(({ length }) => length), 0).subarray(0, 8 * data.length);
      return made([
        validity,
        memory.put(new Uint8Array(views.buffer)),
        ...data.map(memory.put),
        memory.put(lengths),
      ]);
    }
    case 'list': {
      const { place, end } = rising(shape.wide);
      return made([validity, place], [child(0, end)]);
    }
    case 'list-view': {
      const below = 10 + random(20);
      const starts = Array.from({ length: total }, () => random(below));
      const sizes = starts.map((start) => random(below - start + 1));
      const put = (values: number[]): Address =>
        memory.put(shape.wide ? int64s(...values) : int32s(...values));
      return made([validity, put(starts), put(sizes)], [child(0, below)]);
    }
    case 'fixed-list':
      return made([validity], [child(0, total * shape.size)]);
    case 'struct':
      return made(
        [validity],
        column.children.map((_, i) => child(i, total)),
      );
    case 'union': {
      const ids = [...shape.childOf.keys()];
      const types = Int8Array.from({ length: total }, () => ids[random(ids.length)] ?? 0);
      const typesPlace = memory.put(new Uint8Array(types.buffer));
      if (!shape.dense) {
        return made(
          [typesPlace],
          column.children.map((_, i) => child(i, total)),
        );
      }
      const places = Array.from(types, () => random(9));
      return made(
        [typesPlace, memory.put(int32s(...places))],
        column.children.map((_, i) => child(i, 9 + 4 * i)),
      );
    }
  }
}

/** The rows of an array: bytes as hex text, null, and lists of values; of unions the type id, too. */
export function valuesOf(column: ColumnLayout, array: CArray): unknown[] {
  return Array.from({ length: array.length }, (_, row) => valueAt(column, array, row));
}

function valueAt(column: ColumnLayout, array: CArray, row: number): unknown {
  const { shape } = column;
  const at = array.offset + row;
  const buffer = (index: number): Address => array.buffers[index] ?? 0;
  const int = (index: number, place: number, wide: boolean): number => {
    const bytes = new DataView(readBytes(buffer(index) + (wide ? 8 : 4) * place, wide ? 8 : 4).buffer);
    return wide ? Number(bytes.getBigInt64(0, true)) : bytes.getInt32(0, true);
  };
  const below = (index: number, place: number): unknown => {
    const [child, values] = [column.children[index], array.children[index]];
    if (child === undefined || values === undefined) throw new Error(`no child ${index}`);
    if (place >= values.length) throw new Error(`value ${place} of ${values.length}`);
    return valueAt(child, values, place);
  };
  const range = (from: number, to: number): unknown[] =>
    Array.from({ length: to - from }, (_, i) => below(0, from + i));
  if (shape.kind === 'null') return null;
  if (shape.kind === 'union') {
    const id = ((readBytes(buffer(0) + at, 1)[0] ?? 0) << 24) >> 24;
    const child = shape.childOf.get(id) ?? -1;
    return [id, below(child, shape.dense ? int(1, at, false) : at)];
  }
  if (buffer(0) !== 0 && !bit(buffer(0), at)) return null;
  switch (shape.kind) {
    case 'bits':
      return bit(buffer(1), at);
    case 'fixed':
      return hex(readBytes(buffer(1) + at * shape.width, shape.width));
    case 'bytes': {
      const from = int(1, at, shape.wide);
      return hex(readBytes(buffer(2) + from, int(1, at + 1, shape.wide) - from));
    }
    case 'views': {
      const size = int(1, 4 * at, false);
      const place =
        size <= 12
          ? buffer(1) + 16 * at + 4
          : buffer(2 + int(1, 4 * at + 2, false)) + int(1, 4 * at + 3, false);
      return hex(readBytes(place, size));
    }
    case 'list':
      return range(int(1, at, shape.wide), int(1, at + 1, shape.wide));
    case 'list-view':
      return range(int(1, at, shape.wide), int(1, at, shape.wide) + int(2, at, shape.wide));
    case 'fixed-list':
      return range(at * shape.size, (at + 1) * shape.size);
    case 'struct':
      return column.children.map((_, i) => below(i, at));
  }
}

function bit(address: Address, at: number): boolean {
  return (((readBytes(address + (at >> 3), 1)[0] ?? 0) >> (at & 7)) & 1) === 1;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
