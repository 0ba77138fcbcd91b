import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Data,
  type DataType,
  DenseUnion,
  Dictionary,
  Field,
  FixedSizeList,
  Int16,
  Int32,
  Int64,
  Int8,
  List,
  Map_,
  RecordBatch,
  Schema,
  SparseUnion,
  Struct,
  tableFromIPC,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { readIpcFile } from '../../src/ipc/file-reader.ts';
import { writeIpcFile } from '../../src/ipc/file-writer.ts';
import { unifyDictionaries } from '../../src/ipc/unify-dictionaries.ts';
import { batchValues, joined } from './values.ts';

const colors = new Dictionary(new Utf8(), new Int16(), 3);
const keys = new Utf8();

/** A column of these words, each index into a dictionary that holds them in this order. */
function coded(words: readonly string[], type: Dictionary = colors): Data {
  const dictionary = vectorFromArray([...new Set(words), 'not used'], new Utf8());
  const indices = words.map((word) => [...new Set(words)].indexOf(word));
  const bits: number = type.indices.bitWidth;
  const values = bits === 64 ? BigInt64Array.from(indices, BigInt) : Int16Array.from(indices);
  const general: DataType = type;
  return new Data(general, 0, words.length, 0, [undefined, values], [], dictionary);
}

function nested(type: DataType, length: number, parts: Partial<Data>, children: Data[]): Data {
  const { valueOffsets, nullBitmap = new Uint8Array(0), typeIds } = parts;
  const nullCount = nullBitmap.byteLength === 0 ? 0 : 1;
  return new Data(type, 0, length, nullCount, [valueOffsets, undefined, nullBitmap, typeIds], children);
}

const field = new Field('x', colors, true);
const four = Int32Array.of(0, 1, 1, 4, 4);

/** Four rows of each nested type over six words. */
const columns: Readonly<Record<string, (words: readonly string[]) => Data>> = {
  struct: (w) => {
    const bitmap = Uint8Array.of(0b1011);
    return nested(new Struct([field]), 4, { nullBitmap: bitmap }, [coded(w.slice(0, 4))]);
  },
  list: (w) => nested(new List(field), 4, { valueOffsets: four }, [coded(w)]),
  'fixed-size list': (w) => nested(new FixedSizeList(1, field), 4, {}, [coded(w.slice(0, 4))]),
  map: (w) => {
    const entries = new Struct<{ key: DataType; value: DataType }>([
      new Field('key', keys, false),
      new Field('value', colors, true),
    ]);
    const names = vectorFromArray(['a', 'b', 'c', 'd', 'e', 'f'], keys).data[0];
    assert.ok(names !== undefined);
    const pairs = nested(entries, 6, {}, [names, coded(w)]);
    const type = new Map_(new Field('entries', entries, false));
    return nested(type, 4, { valueOffsets: four }, [pairs]);
  },
  'sparse union': (w) => {
    const type = new SparseUnion([5, 7], [field, new Field('n', new Int32())]);
    const numbers = vectorFromArray([1, 2, 3, 4], new Int32()).data[0];
    assert.ok(numbers !== undefined);
    return nested(type, 4, { typeIds: Int8Array.of(5, 7, 5, 5) }, [coded(w.slice(0, 4)), numbers]);
  },
  'dense union': (w) => {
    const type = new DenseUnion([5, 7], [field, new Field('n', new Int32())]);
    const numbers = vectorFromArray([1], new Int32()).data[0];
    assert.ok(numbers !== undefined);
    const parts = { typeIds: Int8Array.of(5, 7, 5, 5), valueOffsets: Int32Array.of(0, 0, 1, 2) };
    return nested(type, 4, parts, [coded(w.slice(0, 3)), numbers]);
  },
  'dictionary of structs': (w) => {
    const value: DataType = new Struct([field]);
    const type = new Dictionary(value, new Int8(), 9);
    const values = new Vector([nested(value, 4, {}, [coded(w.slice(0, 4))])]);
    return new Data(type, 0, 4, 0, [undefined, Int8Array.of(3, 2, 1, 0)], [], values);
  },
  'list of a dictionary of lists': (w) => {
    const value: DataType = new List(field);
    const type = new Dictionary(value, new Int8(), 9);
    const values = new Vector([nested(value, 4, { valueOffsets: four }, [coded(w)])]);
    const inner = new Data(type, 0, 4, 0, [undefined, Int8Array.of(3, 2, 1, 0)], [], values);
    return nested(new List(new Field('l', type)), 4, { valueOffsets: four }, [inner]);
  },
};

function batchOf(data: Data): RecordBatch {
  const schema = new Schema([new Field('c', data.type, true)]);
  return new RecordBatch(schema, new Data(new Struct(schema.fields), 0, data.length, 0, [undefined], [data]));
}

/** The dictionaries of a column and of those below it. */
function dictionaries(data: Data): Vector[] {
  const own: Vector | undefined = data.dictionary;
  const below = (own?.data ?? []).flatMap(dictionaries);
  return [...(own === undefined ? [] : [own]), ...below, ...data.children.flatMap(dictionaries)];
}

const words = [
  ['red', 'green', 'red', 'blue', 'white', 'green'],
  ['black', 'red', 'blue', 'black', 'black', 'blue'],
  ['green', 'green', 'gray', 'red', 'red', 'gray'],
] as const;

describe('unifying dictionaries', () => {
  for (const [name, make] of Object.entries(columns)) {
    it(`reaches those of a ${name}, so that batches of it can be in one file`, () => {
      const batches = words.map((six) => batchOf(make(six)));
      const [first] = batches;
      assert.ok(first !== undefined);
      const unified = unifyDictionaries(first.schema, batches);
      assert.deepEqual(unified.map(batchValues), batches.map(batchValues));
      const [one, ...others] = unified.map(({ data }) => dictionaries(data));
      for (const other of others) {
        assert.equal(other.length, one?.length);
        other.forEach((vector, index) => assert.equal(vector, one?.[index]));
      }
      const file = joined(writeIpcFile(batches));
      const read = [...readIpcFile(file, { validate: 'full' })];
      assert.deepEqual(read.map(batchValues), batches.map(batchValues));
      // apache-arrow's file reader takes dictionaries in the order of the file, and wants inner ones first as they are.
      assert.equal(tableFromIPC(file).numRows, 12);
    });

    it(`reaches those of parts of a ${name}`, () => {
      const batches = words.map((six) => batchOf(make(six)).slice(1, 3));
      const read = [...readIpcFile(joined(writeIpcFile(batches)), { validate: 'full' })];
      assert.deepEqual(read.map(batchValues), batches.map(batchValues));
    });
  }

  it('leaves batches that agree as they are', () => {
    for (const make of Object.values(columns)) {
      const batch = batchOf(make(words[0]));
      const batches = [batch, batch];
      assert.equal(unifyDictionaries(batch.schema, batches), batches);
    }
  });

  it('joins one dictionary that columns at several depths share', () => {
    const data = [words[0], words[1]].map((six) => {
      const inner = coded(six.slice(0, 4));
      const list = nested(new List(field), 4, { valueOffsets: four }, [coded([...six].toReversed())]);
      const type = new Struct([new Field('a', colors), new Field('b', list.type)]);
      return nested(type, 4, {}, [inner, list]);
    });
    const batches = data.map(batchOf);
    const read = [...readIpcFile(joined(writeIpcFile(batches)), { validate: 'full' })];
    assert.deepEqual(read.map(batchValues), batches.map(batchValues));
    assert.equal(new Set(read.flatMap(({ data: all }) => dictionaries(all))).size, 1);
  });

  it('keeps 64-bit indices readable', () => {
    const wide = new Dictionary(new Utf8(), new Int64() as unknown as Int32, 4);
    const batches = [words[0], words[1]].map((six) => batchOf(coded(six, wide)));
    const [first] = batches;
    assert.ok(first !== undefined);
    const unified = unifyDictionaries(first.schema, batches);
    assert.deepEqual(
      unified.map((batch) => [...(batch.getChildAt(0) ?? [])]),
      [[...words[0]], [...words[1]]],
    );
  });

  it('says which nested column has more values than its indices can count', () => {
    const small = new Dictionary(new Utf8(), new Int8(), 3);
    const batches = [0, 1].map((part) => {
      const names = Array.from({ length: 100 }, (_, i) => `${part} ${i}`);
      const dictionary = vectorFromArray(names, new Utf8());
      const indices = Int8Array.from({ length: 100 }, (_, i) => i);
      const column = new Data(small, 0, 100, 0, [undefined, indices], [], dictionary);
      return batchOf(nested(new Struct([new Field('x', small)]), 100, {}, [column]));
    });
    assert.throws(
      () => writeIpcFile(batches),
      (error) =>
        error instanceof FlightInvalidArgumentError && /"c\.x" has 200 different/.test(error.message),
    );
  });
});
