import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, it } from 'node:test';
import type { ArrowField, ArrowSchema, ArrowType } from '@peregrine/flight/ipc/messages';
import { chainAt } from '../../../src/engine/c-data/chain.ts';
import {
  type Address,
  allocate,
  free,
  openAllocations,
  readBytes,
  readPointer,
  readText,
} from '../../../src/engine/c-data/native.ts';
import { readSchema } from '../../../src/engine/c-data/read-schema.ts';
import { readArray, readPointers } from '../../../src/engine/c-data/structs.ts';
import { writeArray, writeSchema } from '../../../src/engine/c-data/write-structs.ts';
import { arrayOf, int32s, int64s, layout, testMemory, valuesOf } from './arrays.ts';

/** https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings */
const formats: readonly (readonly [string, ArrowType])[] = [
  ['n', { kind: 'null' }],
  ['b', { kind: 'bool' }],
  ['c', { kind: 'int', bitWidth: 8, signed: true }],
  ['C', { kind: 'int', bitWidth: 8, signed: false }],
  ['s', { kind: 'int', bitWidth: 16, signed: true }],
  ['S', { kind: 'int', bitWidth: 16, signed: false }],
  ['i', { kind: 'int', bitWidth: 32, signed: true }],
  ['I', { kind: 'int', bitWidth: 32, signed: false }],
  ['l', { kind: 'int', bitWidth: 64, signed: true }],
  ['L', { kind: 'int', bitWidth: 64, signed: false }],
  ['e', { kind: 'float', precision: 'half' }],
  ['f', { kind: 'float', precision: 'single' }],
  ['g', { kind: 'float', precision: 'double' }],
  ['z', { kind: 'binary' }],
  ['Z', { kind: 'large-binary' }],
  ['vz', { kind: 'binary-view' }],
  ['u', { kind: 'utf8' }],
  ['U', { kind: 'large-utf8' }],
  ['vu', { kind: 'utf8-view' }],
  ['d:19,10', { kind: 'decimal', precision: 19, scale: 10, bitWidth: 128 }],
  ['d:4,-1,32', { kind: 'decimal', precision: 4, scale: -1, bitWidth: 32 }],
  ['d:18,2,64', { kind: 'decimal', precision: 18, scale: 2, bitWidth: 64 }],
  ['d:76,0,256', { kind: 'decimal', precision: 76, scale: 0, bitWidth: 256 }],
  ['w:42', { kind: 'fixed-size-binary', byteWidth: 42 }],
  ['tdD', { kind: 'date', unit: 'day' }],
  ['tdm', { kind: 'date', unit: 'millisecond' }],
  ['tts', { kind: 'time', unit: 'second', bitWidth: 32 }],
  ['ttm', { kind: 'time', unit: 'millisecond', bitWidth: 32 }],
  ['ttu', { kind: 'time', unit: 'microsecond', bitWidth: 64 }],
  ['ttn', { kind: 'time', unit: 'nanosecond', bitWidth: 64 }],
  ['tss:', { kind: 'timestamp', unit: 'second', timezone: undefined }],
  ['tsm:', { kind: 'timestamp', unit: 'millisecond', timezone: undefined }],
  ['tsu:Europe/Berlin', { kind: 'timestamp', unit: 'microsecond', timezone: 'Europe/Berlin' }],
  ['tsn:+01:30', { kind: 'timestamp', unit: 'nanosecond', timezone: '+01:30' }],
  ['tDs', { kind: 'duration', unit: 'second' }],
  ['tDm', { kind: 'duration', unit: 'millisecond' }],
  ['tDu', { kind: 'duration', unit: 'microsecond' }],
  ['tDn', { kind: 'duration', unit: 'nanosecond' }],
  ['tiM', { kind: 'interval', unit: 'year-month' }],
  ['tiD', { kind: 'interval', unit: 'day-time' }],
  ['tin', { kind: 'interval', unit: 'month-day-nano' }],
  ['+l', { kind: 'list' }],
  ['+L', { kind: 'large-list' }],
  ['+vl', { kind: 'list-view' }],
  ['+vL', { kind: 'large-list-view' }],
  ['+w:3', { kind: 'fixed-size-list', listSize: 3 }],
  ['+s', { kind: 'struct' }],
  ['+m', { kind: 'map', keysSorted: false }],
  ['+ud:0,5', { kind: 'union', mode: 'dense', typeIds: [0, 5] }],
  ['+us:7', { kind: 'union', mode: 'sparse', typeIds: [7] }],
  ['+ud:', { kind: 'union', mode: 'dense', typeIds: [] }],
  ['+r', { kind: 'run-end-encoded' }],
];

function field(type: ArrowType, more: Partial<ArrowField> = {}): ArrowField {
  return {
    name: '',
    type,
    nullable: false,
    dictionary: undefined,
    children: [],
    metadata: new Map(),
    ...more,
  };
}

function schemaOf(...fields: ArrowField[]): ArrowSchema {
  return { fields, metadata: new Map(), endianness: 'little' };
}

/** An ArrowSchema as a driver would give it, member by member. */
interface Struct {
  readonly format: string;
  readonly name?: string;
  readonly metadata?: Uint8Array;
  readonly flags?: number;
  readonly children?: readonly Struct[];
  readonly dictionary?: Struct;
}

function put({ put: place }: { put(bytes: Uint8Array): Address }, struct: Struct): Address {
  const { format, name, metadata, flags = 0, children = [], dictionary } = struct;
  const text = (value: string): Address => place(Buffer.from(`${value}\0`));
  const pointers = children.map((child) => put({ put: place }, child));
  return place(
    int64s(
      text(format),
      name === undefined ? 0 : text(name),
      metadata === undefined ? 0 : place(metadata),
      flags,
      pointers.length,
      pointers.length === 0 ? 0 : place(int64s(...pointers)),
      dictionary === undefined ? 0 : put({ put: place }, dictionary),
      1,
      0,
    ),
  );
}

const release = { schema: 0x1234_5678_9abc, array: 0x7fff_0000_1111 };

describe('schemas of drivers', () => {
  for (const [format, type] of formats) {
    it(`have columns of format ${format}`, () => {
      const memory = testMemory();
      const given = put(memory, { format: '+s', children: [{ format, name: 'ä', flags: 2 }] });
      assert.deepEqual(readSchema(given), schemaOf(field(type, { name: 'ä', nullable: true })));
      const written = writeSchema(schemaOf(field(type)), release, chainAt(allocate(8)));
      const child = readPointer(readPointer(written + 40));
      assert.equal(readText(readPointer(child)), format);
      assert.equal(readPointer(child + 24), 0);
      memory.free();
    });
  }

  for (const format of ['x', '', 'd:5,2,16', 'tsx:UTC', '+u:1', 'w', '+vx', 'tt', 'ts']) {
    it(`are refused with the format ${JSON.stringify(format)}`, () => {
      const memory = testMemory();
      const given = put(memory, { format: '+s', children: [{ format }] });
      assert.throws(() => readSchema(given), { code: 'UNIMPLEMENTED' });
      memory.free();
    });
  }

  it('may have no names, and flags of each kind', () => {
    const memory = testMemory();
    const indices: Struct = {
      format: 'c',
      flags: 1,
      dictionary: { format: '+l', children: [{ format: 'c', dictionary: { format: 'u' } }] },
    };
    const maps: Struct[] = [
      { format: '+m', flags: 4 },
      { format: '+m', flags: 3 },
    ];
    const given = put(memory, {
      format: '+s',
      children: [indices, ...maps, { format: 's', dictionary: { format: 'u' } }],
    });
    const int = (bitWidth: 8 | 16): Extract<ArrowType, { kind: 'int' }> => ({
      kind: 'int',
      bitWidth,
      signed: true,
    });
    assert.deepEqual(
      readSchema(given),
      schemaOf(
        field(
          { kind: 'list' },
          {
            dictionary: { id: 0, indexType: int(8), ordered: true },
            children: [field({ kind: 'utf8' }, { dictionary: { id: 1, indexType: int(8), ordered: false } })],
          },
        ),
        field({ kind: 'map', keysSorted: true }),
        field({ kind: 'map', keysSorted: false }, { nullable: true }),
        field({ kind: 'utf8' }, { dictionary: { id: 2, indexType: int(16), ordered: false } }),
      ),
    );
    memory.free();
  });

  it('have metadata: a count, then length and bytes of each key and value', () => {
    const memory = testMemory();
    const text = (value: string): Buffer => {
      const bytes = Buffer.from(value);
      return Buffer.concat([int32s(bytes.byteLength), bytes]);
    };
    const metadata = Buffer.concat([int32s(2), ...['kö', 'v', '', 'x\0y'].map(text)]);
    const given = put(memory, { format: '+s', metadata, children: [{ format: 'i', metadata: int32s(0) }] });
    const wanted = new Map([
      ['kö', 'v'],
      ['', 'x\0y'],
    ]);
    const schema = readSchema(given);
    assert.deepEqual(schema.metadata, wanted);
    assert.deepEqual(schema.fields[0]?.metadata, new Map());
    const written = writeSchema({ ...schemaOf(), metadata: wanted }, release, chainAt(allocate(8)));
    assert.deepEqual(Buffer.from(readBytes(readPointer(written + 16), metadata.byteLength)), metadata);
    memory.free();
  });

  it('are structs', () => {
    const memory = testMemory();
    assert.throws(
      () => readSchema(put(memory, { format: 'i' })),
      /schema of type int where a struct belongs/,
    );
    const text: Struct = {
      format: '+s',
      children: [{ format: 'u', name: 'a', dictionary: { format: 'u' } }],
    };
    assert.throws(() => readSchema(put(memory, text)), /column "a" has dictionary indices of type utf8/);
    memory.free();
  });
});

describe('schemas for drivers', () => {
  it('have every member where the C data interface has it', () => {
    const chain = chainAt(allocate(8));
    const int: ArrowType = { kind: 'int', bitWidth: 16, signed: false };
    const schema = schemaOf(
      field(
        { kind: 'map', keysSorted: true },
        { name: 'm', nullable: true, children: [field({ kind: 'struct' })] },
      ),
      field(
        { kind: 'list' },
        {
          name: 'd',
          dictionary: { id: 0, indexType: int, ordered: true },
          children: [field({ kind: 'utf8' }, { name: 'item' })],
          metadata: new Map([['k', 'v']]),
        },
      ),
    );
    const root = writeSchema(schema, release, chain);
    const members = (address: Address): number[] =>
      Array.from({ length: 9 }, (_, i) => readPointer(address + 8 * i));
    const [, , metadata, flags, count, children = 0, dictionary, releasing, own] = members(root);
    assert.deepEqual([metadata, flags, count, dictionary, releasing, own], [0, 0, 2, 0, release.schema, 0]);
    const [first = 0, second = 0] = readPointers(children, 2);
    const map = members(first);
    assert.deepEqual([map[2], map[3], map[4], map[6], map[7], map[8]], [0, 2 | 4, 1, 0, release.schema, 0]);
    assert.equal(readText(map[1] ?? 0), 'm');
    const indices = members(second);
    assert.equal(readText(indices[0] ?? 0), 'S');
    assert.equal(readText(indices[1] ?? 0), 'd');
    assert.notEqual(indices[2], 0);
    assert.deepEqual([indices[3], indices[4], indices[5], indices[7]], [1, 0, 0, release.schema]);
    const values = members(indices[6] ?? 0);
    assert.equal(readText(values[0] ?? 0), '+l');
    assert.deepEqual([values[2], values[3], values[4], values[6]], [0, 2, 1, 0]);
    assert.deepEqual(readSchema(root), {
      ...schema,
      fields: [schema.fields[0], { ...schema.fields[1], name: 'd' }],
    });
    chain.freeOlder(0);
  });

  it('may have thousands of columns', () => {
    const place = allocate(8);
    const chain = chainAt(place);
    const fields = Array.from({ length: 9000 }, (_, i) => field({ kind: 'bool' }, { name: `c${i}` }));
    assert.deepEqual(readSchema(writeSchema(schemaOf(...fields), release, chain)), schemaOf(...fields));
    chain.freeOlder(0);
    free(place);
  });
});

describe('arrays for drivers', () => {
  it('have every member where the C data interface has it', () => {
    const place = allocate(8);
    const chain = chainAt(place);
    const memory = testMemory();
    const values = arrayOf(2, [0, memory.put(int32s(5, 6))], { nullCount: 0 });
    const indices = arrayOf(3, [0, memory.put(Uint8Array.of(9, 0, 1, 0))], {
      offset: 1,
      nullCount: 0,
      dictionary: values,
    });
    const struct = arrayOf(3, [0], { nullCount: 1, children: [values, indices] });
    const root = writeArray([struct, indices], 3, release, chain);
    assert.deepEqual(readArray(root), {
      ...arrayOf(3, [0], { nullCount: 0, children: [struct, indices] }),
    });
    for (const address of [root, ...readPointers(readPointer(root + 48), 2)]) {
      assert.equal(readPointer(address + 64), release.array);
      assert.equal(readPointer(address + 72), 0);
    }
    assert.equal(readPointer(root + 56), 0);
    memory.free();
    chain.freeOlder(0);
    free(place);
  });

  it('may have no buffers, and more of them than a window of memory holds', () => {
    const place = allocate(8);
    const chain = chainAt(place);
    const many = Array.from({ length: 10_000 }, (_, i) => i + 1);
    const columns = [arrayOf(0, []), arrayOf(1, many)];
    assert.deepEqual(readArray(writeArray(columns, 1, release, chain)).children, columns);
    chain.freeOlder(0);
    free(place);
  });
});

describe('blocks of native memory that are freed together', () => {
  it('hang on their place, the newest first, and all but so many are freed', () => {
    const before = openAllocations();
    const place = allocate(8);
    const chain = chainAt(place);
    chain.freeOlder(0);
    const [first, second, third] = [chain.allocate(5), chain.allocate(0), chain.allocate(100)];
    assert.equal(chain.taken, 3);
    assert.equal(openAllocations() - before, 4);
    assert.deepEqual(readBytes(third, 100), new Uint8Array(100));
    assert.deepEqual(
      [readPointer(place), readPointer(third - 8), readPointer(second - 8), readPointer(first - 8)],
      [third, second, first, 0],
    );
    chain.freeOlder(3);
    chain.freeOlder(4);
    assert.equal(openAllocations() - before, 4);
    chain.freeOlder(2);
    assert.equal(openAllocations() - before, 3);
    assert.equal(readPointer(second - 8), 0);
    // Whoever takes the chain up goes on with it.
    chainAt(place).freeOlder(1);
    assert.equal(openAllocations() - before, 2);
    assert.equal(readPointer(place), third);
    chain.freeOlder(0);
    assert.equal(readPointer(place), 0);
    free(place);
    free(0);
    assert.equal(openAllocations(), before);
  });

  it('read rows of arrays as their specification says', () => {
    const memory = testMemory();
    const list = layout({ kind: 'list', wide: false }, layout({ kind: 'fixed', width: 1 }));
    const bytes = arrayOf(3, [0, memory.put(Uint8Array.of(1, 2, 3))]);
    const array = arrayOf(2, [memory.put(Uint8Array.of(0b01)), memory.put(int32s(1, 3, 3))], {
      children: [bytes],
    });
    assert.deepEqual(valuesOf(list, array), [['02', '03'], null]);
    memory.free();
  });
});
