import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ArrowField, ArrowType } from '@peregrine/flight/ipc/messages';
import { expandDictionary, expandSchema } from '../../../src/engine/c-data/expand.ts';
import {
  type ColumnLayout,
  dictionaryColumns,
  layoutOf,
  withoutDictionaries,
} from '../../../src/engine/c-data/layout.ts';
import { arrayOf, int32s, layout, randomArray, randomNumbers, testMemory, valuesOf } from './arrays.ts';
import { bytes, type Given, int, none, parsed, refuses, text } from './batches.ts';

describe('dictionaries for a driver', () => {
  const encoded = (width: number, values: ColumnLayout): ColumnLayout => ({
    ...layout({ kind: 'fixed', width }),
    dictionary: { id: 3, values },
  });

  const kinds: readonly ColumnLayout[] = [
    int,
    bytes,
    layout({ kind: 'bytes', wide: true, text: false }),
    layout({ kind: 'views', text: false }),
  ];
  for (const width of [1, 2, 4, 8]) {
    for (const values of kinds) {
      it(`are written out: ${values.name} by indices of ${width} bytes`, () => {
        const random = randomNumbers(width);
        for (let round = 0; round < 10; round++) {
          const memory = testMemory();
          const size = 1 + random(width === 1 ? 256 : 300);
          const dictionary = { ...randomArray(values, size, randomNoOffset(random), memory), offset: 0 };
          const rows = random(50);
          const picks = Array.from({ length: rows }, () => random(size));
          const indices = new Uint8Array(rows * width);
          const isValid = (row: number): boolean =>
            round % 2 === 0 || (((valid[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
          const valid = Uint8Array.from({ length: Math.ceil(rows / 8) }, () => random(256));
          for (const [row, pick] of picks.entries()) {
            // What a null is the index of is nothing.
            const index = isValid(row) ? pick : -1;
            for (let i = 0; i < width; i++) indices[row * width + i] = index >> Math.min(8 * i, 31);
          }
          const given: Given = {
            nodes: [rows, round % 2 === 0 ? 0 : rows],
            buffers: [valid, indices],
            dictionaries: new Map([[3, dictionary]]),
          };
          const all = valuesOf(values, dictionary);
          const wanted = picks.map((pick, row) => (isValid(row) ? all[pick] : null));
          const [array] = parsed([encoded(width, values)], given, memory);
          assert.ok(array);
          assert.deepEqual(valuesOf(values, array), wanted);
          assert.equal(array.nullCount, wanted.filter((value) => value === null).length);
          assert.equal(array.dictionary, undefined);
          if (array.nullCount === 0) assert.equal(array.buffers[0], 0);
          memory.free();
        }
      });
    }
    it(`end where indices of ${width} bytes must end`, () => {
      const memory = testMemory();
      const dictionary = arrayOf(2, [0, memory.put(int32s(8, 9))]);
      const given = (index: readonly number[], nulls: number): Given => ({
        nodes: [1, nulls],
        buffers: [Uint8Array.of(0), Uint8Array.from({ length: width }, (_, i) => index[i] ?? 0)],
        dictionaries: new Map([[3, dictionary]]),
      });
      const column = encoded(width, int);
      const read = (index: readonly number[], nulls: number): unknown[] =>
        parsed([column], given(index, nulls), memory).flatMap((array) => valuesOf(int, array));
      assert.deepEqual(read([1], 0), ['09000000']);
      refuses(column, given([2], 0), /value 0 has index 2 in a dictionary of 2 values/);
      refuses(
        column,
        given(
          Array.from({ length: width }, () => 255),
          0,
        ),
        /in a dictionary of 2 values/,
      );
      assert.deepEqual(read([255], 1), [null]);
      memory.free();
    });
  }

  it('may be empty where every index is null', () => {
    for (const values of kinds) {
      const memory = testMemory();
      const dictionary = arrayOf(0, [0, 0, 0], { nullCount: 0 });
      const column = encoded(1, values);
      const given: Given = {
        nodes: [2, 2],
        buffers: [Uint8Array.of(0), Uint8Array.of(7, 7)],
        dictionaries: new Map([[3, dictionary]]),
      };
      const [array] = parsed([column], given, memory);
      assert.ok(array);
      assert.deepEqual(valuesOf(values, array), [null, null]);
      memory.free();
    }
  });

  it('are refused where they become more than offsets of 32 bits can say', () => {
    const memory = testMemory();
    const size = 2 ** 26;
    const dictionary = arrayOf(1, [0, memory.put(int32s(0, size)), memory.put(new Uint8Array(size))]);
    const given: Given = {
      nodes: [32, 0],
      buffers: [none, new Uint8Array(32)],
      dictionaries: new Map([[3, dictionary]]),
    };
    refuses(encoded(1, bytes), given, /its values take more than 2\^31 bytes/);
    memory.free();
  });

  it('come before the batch, and are of plain values', () => {
    const one: Given = { nodes: [1, 0], buffers: [none, Uint8Array.of(0)] };
    refuses(encoded(1, int), one, /dictionary 3 was not sent before the batch/);
    const memory = testMemory();
    const dictionary = arrayOf(1, [0], { nullCount: 0, children: [] });
    const given = { ...one, dictionaries: new Map([[3, dictionary]]) };
    assert.throws(() => parsed([encoded(1, layout({ kind: 'struct' }))], given, memory), {
      code: 'UNIMPLEMENTED',
      message: /dictionaries of struct values are not taken/,
    });
    const array = arrayOf(1, [0, 0]);
    assert.equal(
      expandDictionary(int, array, 4, () => assert.fail('nothing to write out')),
      array,
    );
    memory.free();
  });

  it('are known by the schema, inner ones first', () => {
    const indexType = { kind: 'int', bitWidth: 8, signed: true } as const;
    const field = { name: 'f', nullable: true, metadata: new Map<string, string>() };
    const inner = {
      ...field,
      type: { kind: 'utf8' } as const,
      children: [],
      dictionary: { id: 1, indexType, ordered: false },
    };
    const outer = {
      ...field,
      type: { kind: 'list' } as const,
      children: [inner],
      dictionary: { id: 0, indexType, ordered: false },
    };
    const struct = { ...field, type: { kind: 'struct' } as const, children: [inner], dictionary: undefined };
    const schema = {
      fields: [outer, struct],
      metadata: new Map<string, string>(),
      endianness: 'little',
    } as const;
    const columns = layoutOf(schema);
    assert.deepEqual(
      dictionaryColumns(columns).map(({ dictionary }) => dictionary?.id),
      [1, 0, 1],
    );
    const [first, second] = columns.map(withoutDictionaries);
    assert.deepEqual([first?.shape.kind, second?.shape.kind], ['list', 'struct']);
    assert.deepEqual(first?.children[0], { ...text, name: 'f' });
    const [plainOuter, plainStruct] = expandSchema(schema).fields;
    assert.equal(plainOuter?.dictionary, undefined);
    assert.deepEqual(plainOuter?.children, [{ ...inner, dictionary: undefined }]);
    assert.deepEqual(plainStruct?.children, [{ ...inner, dictionary: undefined }]);
  });
});

describe('layouts of columns', () => {
  const shapes: readonly (readonly [type: ArrowType, shape: ColumnLayout['shape']])[] = [
    [{ kind: 'null' }, { kind: 'null' }],
    [{ kind: 'bool' }, { kind: 'bits' }],
    [
      { kind: 'int', bitWidth: 8, signed: true },
      { kind: 'fixed', width: 1 },
    ],
    [
      { kind: 'int', bitWidth: 64, signed: false },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'float', precision: 'half' },
      { kind: 'fixed', width: 2 },
    ],
    [
      { kind: 'float', precision: 'single' },
      { kind: 'fixed', width: 4 },
    ],
    [
      { kind: 'float', precision: 'double' },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'decimal', precision: 9, scale: 1, bitWidth: 32 },
      { kind: 'fixed', width: 4 },
    ],
    [
      { kind: 'decimal', precision: 76, scale: 1, bitWidth: 256 },
      { kind: 'fixed', width: 32 },
    ],
    [
      { kind: 'fixed-size-binary', byteWidth: 5 },
      { kind: 'fixed', width: 5 },
    ],
    [
      { kind: 'date', unit: 'day' },
      { kind: 'fixed', width: 4 },
    ],
    [
      { kind: 'date', unit: 'millisecond' },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'time', unit: 'second', bitWidth: 32 },
      { kind: 'fixed', width: 4 },
    ],
    [
      { kind: 'time', unit: 'nanosecond', bitWidth: 64 },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'timestamp', unit: 'second', timezone: undefined },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'duration', unit: 'second' },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'interval', unit: 'year-month' },
      { kind: 'fixed', width: 4 },
    ],
    [
      { kind: 'interval', unit: 'day-time' },
      { kind: 'fixed', width: 8 },
    ],
    [
      { kind: 'interval', unit: 'month-day-nano' },
      { kind: 'fixed', width: 16 },
    ],
    [{ kind: 'utf8' }, { kind: 'bytes', wide: false, text: true }],
    [{ kind: 'large-utf8' }, { kind: 'bytes', wide: true, text: true }],
    [{ kind: 'binary' }, { kind: 'bytes', wide: false, text: false }],
    [{ kind: 'large-binary' }, { kind: 'bytes', wide: true, text: false }],
    [{ kind: 'utf8-view' }, { kind: 'views', text: true }],
    [{ kind: 'binary-view' }, { kind: 'views', text: false }],
    [{ kind: 'list' }, { kind: 'list', wide: false }],
    [{ kind: 'large-list' }, { kind: 'list', wide: true }],
    [
      { kind: 'map', keysSorted: true },
      { kind: 'list', wide: false },
    ],
    [{ kind: 'list-view' }, { kind: 'list-view', wide: false }],
    [{ kind: 'large-list-view' }, { kind: 'list-view', wide: true }],
    [
      { kind: 'fixed-size-list', listSize: 3 },
      { kind: 'fixed-list', size: 3 },
    ],
    [{ kind: 'struct' }, { kind: 'struct' }],
    [
      { kind: 'union', mode: 'dense', typeIds: [5, 0] },
      {
        kind: 'union',
        dense: true,
        childOf: new Map([
          [5, 0],
          [0, 1],
        ]),
      },
    ],
    [
      { kind: 'union', mode: 'sparse', typeIds: [] },
      { kind: 'union', dense: false, childOf: new Map() },
    ],
  ];
  const field = { name: 'f', nullable: true, metadata: new Map<string, string>(), children: [] };
  const layoutsOf = (fields: readonly ArrowField[]): ColumnLayout[] =>
    layoutOf({ fields, metadata: new Map(), endianness: 'little' });

  it('are those of the Arrow format', () => {
    for (const [type, shape] of shapes) {
      const [found] = layoutsOf([{ ...field, type, dictionary: undefined }]);
      assert.deepEqual(found, { name: 'f', shape, children: [], dictionary: undefined });
    }
    assert.throws(() => layoutsOf([{ ...field, type: { kind: 'run-end-encoded' }, dictionary: undefined }]), {
      code: 'UNIMPLEMENTED',
      message: /column "f" is of the Arrow type run-end-encoded/,
    });
  });

  it('without dictionaries are those of the values, however deep they are', () => {
    const inner = { ...int, dictionary: { id: 1, values: text } };
    const outer = { ...layout({ kind: 'fixed', width: 1 }), dictionary: { id: 0, values: inner } };
    assert.deepEqual(withoutDictionaries(outer), text);
    assert.deepEqual(withoutDictionaries(inner), text);
    assert.deepEqual(withoutDictionaries(int), int);
    const nested = layout({ kind: 'struct' }, outer, int);
    assert.deepEqual(withoutDictionaries(nested), layout({ kind: 'struct' }, text, int));
  });
});

/** The same numbers, but those that make offsets. */
function randomNoOffset(random: (below: number) => number): (below: number) => number {
  let isFirst = true;
  return (below) => {
    const found = random(below);
    if (!isFirst) return found;
    isFirst = false;
    return 0;
  };
}
