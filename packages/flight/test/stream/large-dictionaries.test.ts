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
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { FlightInvalidArgumentError, FlightWriteSizeExceededError } from '../../src/errors.ts';
import { makeDictionary } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeMessageHeader } from '../../src/ipc/decode/message.ts';
import { maxDictionaryExpansion } from '../../src/limits/ipc.ts';
import { FlightBatchDecoder } from '../../src/stream/batch-decoder.ts';
import { FlightBatchEncoder } from '../../src/stream/batch-encoder.ts';
import type { FlightWriteOptions, OutgoingMessage } from '../../src/stream/types.ts';
import { batchValues } from '../ipc/values.ts';
import { parse } from './fakes.ts';

const target = 20_000;
const rows = 1200;

const coding = new Dictionary(new Utf8(), new Int32(), 3);

/** Words of many lengths, about 100 KB together. */
const words: readonly string[] = Array.from({ length: 1500 }, (_, i) =>
  `word ${i} `.padEnd(20 + ((i * 7) % 90), '.'),
);
/** Which word comes in each row: all over the dictionary, some of them often. */
const used: readonly number[] = Array.from({ length: 3 * rows }, (_, i) =>
  i % 3 === 0 ? 7 : (i * 389) % words.length,
);

const allWords = vectorFromArray(words, new Utf8());

function wordsVector(values?: readonly (string | null)[]): Vector {
  return values === undefined ? allWords : vectorFromArray(values, new Utf8());
}

/** A bitmap in which every fifth row is null. */
function fifthNull(length: number): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(length / 8));
  for (let row = 0; row < length; row++) {
    if (row % 5 !== 4) bitmap[row >>> 3] = (bitmap[row >>> 3] ?? 0) | (1 << (row & 7));
  }
  return bitmap;
}

function coded(
  indices: readonly number[],
  dictionary: Vector = wordsVector(),
  type: Dictionary = coding,
): Data {
  const length = indices.length;
  const Typed: { from(numbers: readonly number[]): ArrayBufferView } = type.indices.ArrayType;
  const general: DataType = type;
  const keys: DataType = type.indices;
  const values =
    keys instanceof Int64
      ? BigInt64Array.from(indices, BigInt)
      : keys instanceof Uint64
        ? BigUint64Array.from(indices, BigInt)
        : Typed.from(indices);
  const nulls = Math.floor(length / 5);
  return new Data(general, 0, length, nulls, [undefined, values, fifthNull(length)], [], dictionary);
}

function nested(type: DataType, length: number, parts: Partial<Data>, children: Data[]): Data {
  const { nullBitmap = new Uint8Array(0), typeIds, valueOffsets } = parts;
  const nullCount = nullBitmap.byteLength === 0 ? 0 : Math.floor(length / 5);
  return new Data(type, 0, length, nullCount, [valueOffsets, undefined, nullBitmap, typeIds], children);
}

function only(vector: Vector): Data {
  const [data] = vector.data;
  assert.ok(data !== undefined);
  return data;
}

const field = new Field('x', coding, true);
/** Lists of 0, 1, 2, 3 words in turn. */
const offsets = Int32Array.from(
  { length: rows + 1 },
  (_, row) => 6 * Math.floor(row / 4) + ([0, 0, 1, 3][row % 4] ?? 0),
);
const listed = offsets[rows] ?? 0;

/** Columns of 1200 rows of each shape over a dictionary of 100 KB. */
const shapes: Readonly<Record<string, () => Data>> = {
  plain: () => coded(used.slice(0, rows)),
  struct: () =>
    nested(new Struct([field]), rows, { nullBitmap: fifthNull(rows) }, [coded(used.slice(0, rows))]),
  list: () =>
    nested(new List(field), rows, { valueOffsets: offsets, nullBitmap: fifthNull(rows) }, [
      coded(used.slice(0, listed)),
    ]),
  'fixed-size list': () => nested(new FixedSizeList(2, field), rows, {}, [coded(used.slice(0, 2 * rows))]),
  map: () => {
    const entries = new Struct<{ key: DataType; value: DataType }>([
      new Field('key', new Int32(), false),
      new Field('value', coding, true),
    ]);
    const keys = only(
      vectorFromArray(
        used.slice(0, listed).map((_, i) => i),
        new Int32(),
      ),
    );
    const type = new Map_(new Field('entries', entries, false));
    return nested(type, rows, { valueOffsets: offsets }, [
      nested(entries, listed, {}, [keys, coded(used.slice(0, listed))]),
    ]);
  },
  'sparse union': () => {
    const numbers = only(
      vectorFromArray(
        used.slice(0, rows).map((_, i) => i),
        new Int32(),
      ),
    );
    const typeIds = Int8Array.from({ length: rows }, (_, row) => (row % 3 === 1 ? 7 : 5));
    const type = new SparseUnion([5, 7], [field, new Field('n', new Int32())]);
    return nested(type, rows, { typeIds }, [coded(used.slice(0, rows)), numbers]);
  },
  'dense union': () => {
    const numbers = only(
      vectorFromArray(
        used.slice(0, rows / 2).map((_, i) => i),
        new Int32(),
      ),
    );
    const typeIds = Int8Array.from({ length: rows }, (_, row) => (row % 2 === 1 ? 7 : 5));
    const valueOffsets = Int32Array.from({ length: rows }, (_, row) => row >>> 1);
    const type = new DenseUnion([5, 7], [field, new Field('n', new Int32())]);
    return nested(type, rows, { typeIds, valueOffsets }, [coded(used.slice(0, rows / 2)), numbers]);
  },
  'dictionary of lists of a dictionary': () => {
    const value: DataType = new List(field);
    const values = new Vector([
      nested(value, rows, { valueOffsets: offsets }, [coded(used.slice(0, listed))]),
    ]);
    const type = new Dictionary(value, new Int16(), 9);
    return coded(
      used.slice(0, rows).map((index) => index % rows),
      values,
      type,
    );
  },
  'list of a dictionary of structs of a dictionary': () => {
    const value: DataType = new Struct([field, new Field('n', new Int32())]);
    const numbers = only(
      vectorFromArray(
        used.slice(0, rows).map((_, i) => i),
        new Int32(),
      ),
    );
    const values = new Vector([nested(value, rows, {}, [coded(used.slice(0, rows)), numbers])]);
    const type = new Dictionary(value, new Uint16(), 9);
    const indices = used.slice(0, listed).map((index) => index % rows);
    return nested(new List(new Field('l', type)), rows, { valueOffsets: offsets }, [
      coded(indices, values, type),
    ]);
  },
};

function batchOf(...columns: readonly Data[]): RecordBatch {
  const schema = new Schema(columns.map((data, index) => new Field(`c${index}`, data.type, true)));
  const length = columns[0]?.length ?? 0;
  return new RecordBatch(
    schema,
    new Data(new Struct(schema.fields), 0, length, 0, [undefined], [...columns]),
  );
}

/** What each message is: B for a batch, D3 for dictionary 3, with its rows. */
function kind(message: OutgoingMessage): string {
  const header = decodeMessageHeader(parse(message).dataHeader);
  if (header.kind === 'schema') return 'S';
  const name = header.kind === 'batch' ? 'B' : `${header.isDelta ? 'd' : 'D'}${header.id}`;
  return `${name}:${header.length}`;
}

interface Sent {
  readonly messages: readonly OutgoingMessage[];
  readonly kinds: readonly string[];
  readonly batches: readonly RecordBatch[];
}

function send(batches: readonly RecordBatch[], options: FlightWriteOptions = {}): Sent {
  const [first] = batches;
  assert.ok(first !== undefined);
  const encoder = new FlightBatchEncoder(first.schema, { targetMessageBytes: target, ...options });
  const messages = [encoder.schema(), ...batches.flatMap((batch) => [...encoder.batch(batch)])];
  const decoder = new FlightBatchDecoder({ validate: 'full', validateUtf8: true });
  const received: RecordBatch[] = [];
  for (const message of messages) {
    const decoded = decoder.decode(parse(message));
    if (decoded.kind === 'batch') received.push(decoded.data);
  }
  return { messages, kinds: messages.map(kind), batches: received };
}

/** Values of all batches together, by column. */
function valuesOf(batches: readonly RecordBatch[]): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const batch of batches) {
    for (const [name, values] of Object.entries(batchValues(batch))) {
      all[name] = (all[name] ?? []).concat(values);
    }
  }
  return all;
}

function assertSmall(messages: readonly OutgoingMessage[]): void {
  for (const message of messages) {
    assert.ok(message.byteLength <= target, `${kind(message)} takes ${message.byteLength} bytes`);
  }
}

describe('a dictionary above the target', () => {
  for (const [name, make] of Object.entries(shapes)) {
    for (const options of [
      {},
      { compression: 'zstd', alignment: 64, metadataVersion: 'V4' },
      { emitDictionaryDeltas: true },
    ] satisfies FlightWriteOptions[]) {
      it(`of a ${name} column goes as small ones, ${JSON.stringify(options)}`, () => {
        const batch = batchOf(
          make(),
          coded(
            Array.from({ length: rows }, (_, i) => i % 2),
            wordsVector(['a', 'b']),
            new Dictionary(new Utf8(), new Int8(), 77),
          ),
        );
        const { batches, messages } = send([batch, batch.slice(100, 900)], options);
        assertSmall(messages);
        // Deltas give the batch whole, where they can.
        assert.ok(batches.length > 2 || 'emitDictionaryDeltas' in options, `${batches.length} parts`);
        assert.deepEqual(valuesOf(batches), valuesOf([batch, batch.slice(100, 900)]));
        assert.equal(String(batches.at(-1)?.schema), String(batch.schema));
      });
    }
  }

  for (const indices of [Int16, Int32, Int64, Uint16, Uint32, Uint64]) {
    it(`keeps its index type ${String(new indices())}`, () => {
      const type = new Dictionary(new Utf8(), new indices() as unknown as Int32, 3);
      const batch = batchOf(coded(used.slice(0, rows), makeDictionary([...wordsVector().data], true), type));
      const { batches, messages } = send([batch]);
      assertSmall(messages);
      assert.deepEqual(valuesOf(batches), valuesOf([batch]));
      for (const { schema } of batches) {
        assert.equal(String(schema.fields[0]?.type), String(type));
      }
    });
  }

  for (const indices of [Int8, Uint8]) {
    it(`of few large values keeps its index type ${String(new indices())}`, () => {
      const type = new Dictionary(new Utf8(), new indices(), 3);
      const texts = Array.from({ length: 100 }, (_, i) => String(i).padEnd(900, '-'));
      const batch = batchOf(
        coded(
          used.slice(0, rows).map((index) => index % 100),
          wordsVector(texts),
          type,
        ),
      );
      const { batches, messages } = send([batch]);
      assertSmall(messages);
      assert.deepEqual(valuesOf(batches), valuesOf([batch]));
    });
  }

  it('of several chunks, with nulls among its values, is cut down as one', () => {
    const chunks = [words.slice(0, 400), [null, ...words.slice(400, 1000), null], words.slice(1000)];
    const dictionary = new Vector(chunks.flatMap((values) => wordsVector(values).data));
    const batch = batchOf(coded(used.slice(0, rows), dictionary));
    const { batches, messages } = send([batch]);
    assertSmall(messages);
    assert.deepEqual(valuesOf(batches), valuesOf([batch]));
  });

  it('stays in order, as ordered dictionaries need it', () => {
    const sorted = [...words].sort();
    const type = new Dictionary(new Utf8(), new Int32(), 3, true);
    const batch = batchOf(coded(used.slice(0, rows), wordsVector(sorted), type));
    const { batches } = send([batch]);
    assert.ok(batches.length > 2);
    for (const part of batches) {
      const values = [...(part.getChildAt(0)?.data[0]?.dictionary ?? [])].map(String);
      assert.deepEqual(values, [...values].sort());
      assert.ok(values.length < 600);
    }
  });

  it('that two columns share is cut down to what both use', () => {
    const dictionary = wordsVector();
    const first = coded(used.slice(0, rows), dictionary);
    const second = coded(used.slice(rows, 2 * rows), dictionary);
    const shorter = coded(
      used.slice(0, rows).map((index) => index % 300),
      wordsVector(words.slice(0, 300)),
    );
    const list = nested(new List(field), rows, { valueOffsets: offsets }, [coded(used.slice(0, listed))]);
    const batch = batchOf(first, second, shorter, list);
    const { batches, kinds, messages } = send([batch]);
    assertSmall(messages);
    assert.deepEqual(valuesOf(batches), valuesOf([batch]));
    assert.equal(kinds.filter((kind) => kind.startsWith('D')).length, batches.length, kinds.join(' '));
  });

  it('is not sent again where a part uses the same values', () => {
    const batch = batchOf(coded(Array.from({ length: 200 }, (_, row) => 10 * (row % 9))));
    const { kinds } = send([batch, batch.slice(50), batch]);
    assert.deepEqual(kinds, ['S', 'D3:9', 'B:200', 'B:150', 'B:200']);
  });

  it('leaves small ones of the same batch alone', () => {
    const small = new Dictionary(new Utf8(), new Int8(), 77);
    const two = coded(
      Array.from({ length: rows }, (_, i) => i % 2),
      wordsVector(['a', 'b']),
      small,
    );
    const { kinds } = send([batchOf(coded(used.slice(0, rows)), two)]);
    assert.equal(kinds.filter((kind) => kind.startsWith('D77')).join(), 'D77:2');
  });

  it('goes whole where messages have no limit, and small ones always do, once', () => {
    const batch = batchOf(shapes['plain']?.() ?? coded([]));
    const whole = send([batch, batch], { targetMessageBytes: Number.POSITIVE_INFINITY });
    assert.deepEqual(whole.kinds, ['S', `D3:${words.length}`, `B:${rows}`, `B:${rows}`]);
    const dictionary = wordsVector(words.slice(0, 200));
    const below = batchOf(
      coded(
        used.slice(0, rows).map((index) => index % 200),
        dictionary,
      ),
    );
    assert.deepEqual(send([below, below]).kinds, ['S', 'D3:200', `B:${rows}`, `B:${rows}`]);
  });

  it('that no row uses goes empty', () => {
    const nulls = new Data(
      coding,
      0,
      3,
      3,
      [undefined, Int32Array.of(9, 9, 9), Uint8Array.of(0)],
      [],
      wordsVector(),
    );
    const without = coded([]);
    const { batches, kinds } = send([batchOf(without), batchOf(nulls), batchOf(without)]);
    assert.deepEqual(kinds, ['S', 'D3:0', 'B:0', 'B:3', 'B:0']);
    assert.deepEqual(valuesOf(batches), { '0 c0': ['null', 'null', 'null'] });
  });

  it('is cut down in a column that ended early, whose rest is null', () => {
    const long = coded(used.slice(0, rows));
    const short = nested(new Struct([new Field('y', new Dictionary(new Utf8(), new Int32(), 4))]), 500, {}, [
      coded(used.slice(0, 500), wordsVector(), new Dictionary(new Utf8(), new Int32(), 4)),
    ]);
    const batch = batchOf(long, short);
    const { batches, messages } = send([batch]);
    assertSmall(messages);
    const expected = valuesOf([batchOf(short)])['0 c0'] ?? [];
    assert.deepEqual(valuesOf(batches)['1 c1'], [
      ...expected,
      ...Array.from({ length: rows - 500 }, () => 'null'),
    ]);
  });

  it('has single values above the target alone in their message', () => {
    const texts = ['a', 'x'.repeat(3 * target), 'b', 'y'.repeat(2 * target)];
    const { kinds, messages, batches } = send([batchOf(coded([0, 1, 2, 3], wordsVector(texts)))]);
    assert.deepEqual(kinds, ['S', 'D3:1', 'B:1', 'D3:1', 'B:1', 'D3:1', 'B:1', 'D3:1', 'B:1']);
    assert.equal(messages.filter(({ byteLength }) => byteLength > target).length, 1 + 1);
    assert.equal(batches.length, 4);
  });

  it('goes whole where small ones would be sent over and over', () => {
    const texts = ['a', 'x'.repeat(target), 'y'.repeat(target)];
    const many = 6 * maxDictionaryExpansion;
    const few = Array.from({ length: many }, (_, i) => i % 3);
    const { kinds, batches } = send([batchOf(coded(few, wordsVector(texts)))]);
    assert.deepEqual(kinds.slice(0, 2), ['S', 'D3:3']);
    assert.equal(kinds.length, 3);
    assert.equal(batches[0]?.numRows, many);
  });

  it('counts as not sent when the batch was above the write size limit', () => {
    const batch = batchOf(coded(used.slice(0, rows)));
    const encoder = new FlightBatchEncoder(batch.schema, {
      targetMessageBytes: target,
      writeSizeLimitBytes: target / 2,
    });
    assert.throws(() => [...encoder.batch(batch)], FlightWriteSizeExceededError);
    assert.deepEqual([...encoder.batch(batch.slice(0, 20))].map(kind), ['D3:11', 'B:20']);
    assert.deepEqual([...encoder.batch(batch.slice(0, 20))].map(kind), ['B:20']);
  });

  it('refuses indices that it does not have', () => {
    for (const wrong of [-1, words.length]) {
      const batch = batchOf(coded([0, 1, wrong]));
      assert.throws(
        () => send([batch]),
        (error) =>
          error instanceof FlightInvalidArgumentError &&
          error.message.includes(`column "c0": row 2 has index ${wrong}, but its dictionary has 1500 values`),
      );
    }
  });
});
