import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillBody, planBody } from '../../../src/engine/c-data/gather.ts';
import type { ColumnLayout } from '../../../src/engine/c-data/layout.ts';
import { addressOf } from '../../../src/engine/c-data/native.ts';
import { parseBatch } from '../../../src/engine/c-data/parse-batch.ts';
import { countBits, measure, type Piece } from '../../../src/engine/c-data/pieces.ts';
import type { CArray } from '../../../src/engine/c-data/structs.ts';
import {
  arrayOf,
  int32s,
  int64s,
  layout,
  randomArray,
  randomNumbers,
  testMemory,
  valuesOf,
} from './arrays.ts';

const int = layout({ kind: 'fixed', width: 4 });
const bytes = layout({ kind: 'bytes', wide: false, text: false });
const largeBytes = layout({ kind: 'bytes', wide: true, text: false });
const views = layout({ kind: 'views', text: false });
const unionOf = (dense: boolean): ColumnLayout =>
  layout(
    {
      kind: 'union',
      dense,
      childOf: new Map([
        [7, 0],
        [-3, 1],
      ]),
    },
    int,
    bytes,
  );

const columns: ReadonlyMap<string, ColumnLayout> = new Map([
  ['nulls', layout({ kind: 'null' })],
  ['booleans', layout({ kind: 'bits' })],
  ['integers', int],
  ['decimals', layout({ kind: 'fixed', width: 16 })],
  ['bytes', bytes],
  ['large bytes', largeBytes],
  ['views', views],
  ['lists', layout({ kind: 'list', wide: false }, int)],
  ['large lists of bytes', layout({ kind: 'list', wide: true }, bytes)],
  ['lists of lists', layout({ kind: 'list', wide: false }, layout({ kind: 'list', wide: true }, largeBytes))],
  ['list views', layout({ kind: 'list-view', wide: false }, int)],
  ['large list views', layout({ kind: 'list-view', wide: true }, bytes)],
  ['lists of fixed size', layout({ kind: 'fixed-list', size: 3 }, layout({ kind: 'bits' }))],
  ['structs', layout({ kind: 'struct' }, int, views, layout({ kind: 'bits' }))],
  ['sparse unions', unionOf(false)],
  ['dense unions', unionOf(true)],
  ['lists of dense unions', layout({ kind: 'list', wide: false }, unionOf(true))],
  [
    'structs of lists of structs',
    layout({ kind: 'struct' }, layout({ kind: 'list', wide: false }, layout({ kind: 'struct' }, bytes))),
  ],
]);

/** Gathers pieces in memory that was used before, and reads the body as a batch that comes in. */
function gathered(
  column: ColumnLayout,
  pieces: readonly Piece[],
): { values: unknown[]; array: CArray; body: Uint8Array } {
  const rows = pieces.reduce((sum, { count }) => sum + count, 0);
  const plan = planBody([column], [pieces], rows);
  const body = new Uint8Array(Math.ceil(plan.bodyLength / 64) * 64 + 64).fill(0xaa);
  fillBody(plan, { bytes: body, address: addressOf(body) });
  assert.ok(
    body.subarray(plan.bodyLength).every((byte) => byte === 0xaa),
    'wrote behind the body',
  );
  // What the pieces said to take is about what they took: by that results are cut.
  const said = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  const buffers = plan.layout.buffers.length / 2;
  assert.ok(plan.bodyLength <= said + 72 * buffers, `${plan.bodyLength} bytes and not ${said}`);
  assert.ok(
    said <= plan.bodyLength + 9 * (buffers + 1) * pieces.length,
    `${plan.bodyLength} bytes and not ${said}`,
  );
  const kept: Uint8Array[] = [body];
  const [array] = parseBatch([column], {
    layout: plan.layout,
    body: body.subarray(0, plan.bodyLength),
    address: addressOf(body),
    version: 'V5',
    dictionaries: new Map(),
    // of views alone: the lengths of their buffers
    copyIn: (lengths) => addressOf(kept[kept.push(lengths) - 1] ?? lengths),
  });
  assert.ok(array);
  const values = valuesOf(column, array);
  // Behind what reads by address: until here the memory is referenced.
  for (const each of kept) assert.notEqual(each.byteLength, 0);
  checkPadding(plan.layout.buffers, body);
  return { values, array, body };
}

/** Each buffer begins at a multiple of 64, and zeros stand behind it. */
function checkPadding(buffers: ArrayLike<number>, body: Uint8Array): void {
  for (let i = 0; i < buffers.length; i += 2) {
    const [place = -1, length = 0] = [buffers[i], buffers[i + 1]];
    assert.equal(place % 64, 0);
    const end = place + length;
    const padding = body.subarray(end, Math.ceil(end / 64) * 64);
    assert.ok(
      padding.every((byte) => byte === 0),
      `${padding.length} bytes behind buffer ${i / 2}`,
    );
  }
}

describe('batches that are gathered of arrays of a driver', () => {
  // The first: it has just more bytes of bits than there is room for in the beginning.
  it('take bits in as many bytes as they lie in', () => {
    const memory = testMemory();
    const bits = layout({ kind: 'bits' });
    for (const rows of [131_057, 131_065, 131_072]) {
      const place = memory.put(new Uint8Array(16_386).fill(0xff));
      const { values } = gathered(bits, [measure(bits, arrayOf(rows, [0, place], { offset: 7 }), 0, rows)]);
      assert.equal(values.length, rows);
      assert.ok(values.every((value) => value === true));
    }
    memory.free();
  });

  for (const [name, column] of columns) {
    it(`have the rows of all pieces: ${name}`, () => {
      const random = randomNumbers(name.length);
      for (let round = 0; round < 12; round++) {
        const memory = testMemory();
        const pieces: Piece[] = [];
        const wanted: unknown[] = [];
        for (let i = random(4); i >= 0; i--) {
          const array = randomArray(column, random(40), random, memory);
          const first = random(array.length + 1);
          const count = random(3) === 0 ? 0 : random(array.length - first + 1);
          pieces.push(measure(column, array, first, count));
          wanted.push(...valuesOf(column, array).slice(first, first + count));
        }
        const { values, array } = gathered(column, pieces);
        assert.deepEqual(values, wanted, `round ${round}`);
        assert.equal(
          array.nullCount,
          column.shape.kind === 'union' ? 0 : wanted.filter((value) => value === null).length,
        );
        memory.free();
      }
    });
  }

  it('have an offset where they have no rows', () => {
    const memory = testMemory();
    for (const column of [bytes, largeBytes]) {
      const { body } = gathered(column, [measure(column, arrayOf(0, [0, 0, 0]), 0, 0)]);
      assert.deepEqual(body.subarray(0, 8), new Uint8Array(8));
    }
    memory.free();
  });

  it('have bits where a driver leaves the values of a null column out, or the nulls of one that has none', () => {
    const memory = testMemory();
    const column = layout({ kind: 'bits' });
    const zeros = memory.put(Uint8Array.of(0));
    const ones = memory.put(Uint8Array.of(0xff));
    const nulls = arrayOf(3, [zeros, 0], { nullCount: 3 });
    const full = arrayOf(3, [zeros, ones], { nullCount: 0 });
    const pieces = [full, nulls, full].map((each) => measure(column, each, 0, 3));
    assert.deepEqual(gathered(column, pieces).values, [true, true, true, null, null, null, true, true, true]);
    memory.free();
  });

  it('have zeros where a driver leaves the values of a null column out', () => {
    const memory = testMemory();
    const nulls = memory.put(new Uint8Array(1));
    const piece = measure(int, arrayOf(3, [nulls, 0], { nullCount: 3 }), 0, 3);
    const one = measure(int, arrayOf(1, [0, memory.put(int32s(5))]), 0, 1);
    const { body } = gathered(int, [one, piece, one]);
    assert.deepEqual(new Int32Array(body.buffer, 64, 5), Int32Array.of(5, 0, 0, 0, 5));
    memory.free();
  });

  it('have empty values where a driver leaves offsets out', () => {
    for (const column of [bytes, largeBytes]) {
      const memory = testMemory();
      const wide = column === largeBytes;
      const nulls = arrayOf(2, [memory.put(new Uint8Array(1)), 0, 0], { nullCount: 2 });
      const offsets = memory.put(wide ? int64s(0, 2) : int32s(0, 2));
      const full = arrayOf(1, [0, offsets, memory.put(Uint8Array.of(1, 2))]);
      const { values } = gathered(
        column,
        [full, nulls, full].map((each) => measure(column, each, 0, each.length)),
      );
      assert.deepEqual(values, ['0102', null, null, '0102']);
      memory.free();
    }
  });

  it('count nulls as the driver did, and those of a part by their bits', () => {
    const memory = testMemory();
    const valid = memory.put(Uint8Array.of(0b0000_0101, 0xff));
    const values = memory.put(new Uint8Array(64));
    const counted = arrayOf(9, [valid, values], { nullCount: 6 });
    assert.equal(measure(int, counted, 0, 9).nullCount, 6);
    assert.equal(measure(int, counted, 0, 8).nullCount, 6);
    assert.equal(measure(int, counted, 0, 3).nullCount, 1);
    assert.equal(measure(int, { ...counted, nullCount: 0 }, 0, 3).nullCount, 0);
    assert.equal(measure(int, { ...counted, nullCount: -1 }, 1, 8).nullCount, 6);
    memory.free();
  });

  it('count the nulls of columns with more bits than are looked at in one go', () => {
    const random = randomNumbers(1);
    const memory = testMemory();
    const bits = Uint8Array.from({ length: 75_001 }, () => random(256));
    const place = memory.put(bits);
    for (const start of [0, 5]) {
      const rows = 600_000;
      let wanted = 0;
      for (let i = start; i < start + rows; i++) wanted += 1 - (((bits[i >> 3] ?? 0) >> (i & 7)) & 1);
      const column = layout({ kind: 'fixed', width: 0 });
      const array = arrayOf(rows, [place, place], { offset: start });
      assert.equal(measure(column, array, 0, rows).nullCount, wanted);
      assert.equal(rows - countBits(bits, start, rows), wanted);
    }
    memory.free();
  });

  it('take more bits than fit in the memory that was there before', () => {
    const random = randomNumbers(2);
    const memory = testMemory();
    const column = layout({ kind: 'bits' });
    const array = randomArray(column, 200_000, random, memory);
    const { values } = gathered(column, [measure(column, array, 3, 199_990)]);
    assert.equal(values.length, 199_990);
    for (const at of [0, 131_040, 199_900]) {
      const part = { ...array, offset: array.offset + 3 + at, length: 50 };
      assert.deepEqual(values.slice(at, at + 50), valuesOf(column, part));
    }
    memory.free();
  });

  it('refuse arrays with fewer children than the schema', () => {
    const column = layout({ kind: 'struct' }, int);
    assert.throws(() => measure(column, arrayOf(1, [0]), 0, 1), /array of column "struct" has no child 0/);
    const list = layout({ kind: 'fixed-list', size: 1 });
    assert.throws(() => measure(list, arrayOf(1, [0]), 0, 1), /column "fixed-list" has no child 0/);
  });
});
