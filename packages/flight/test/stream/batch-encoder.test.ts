import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Bool,
  Dictionary,
  Field,
  Int32,
  Int64,
  LargeUtf8,
  List,
  makeData,
  type RecordBatch,
  Struct,
  Table,
  Utf8,
  Utf8View,
  Vector,
  vectorFromArray,
} from 'apache-arrow';
import { FlightWriteSizeExceededError } from '../../src/errors.ts';
import { defaultTargetMessageBytes } from '../../src/limits/stream.ts';
import { FlightBatchDecoder } from '../../src/stream/batch-decoder.ts';
import { FlightBatchEncoder } from '../../src/stream/batch-encoder.ts';
import type { OutgoingMessage } from '../../src/stream/types.ts';
import { everyType } from '../ipc/every-type.ts';
import { batchValues } from '../ipc/values.ts';
import { numbers } from './batches.ts';
import { parse, text } from './fakes.ts';

interface Received {
  readonly kinds: string[];
  readonly metadata: (string | undefined)[];
  readonly batches: RecordBatch[];
}

function receive(messages: Iterable<OutgoingMessage>, decoder = new FlightBatchDecoder()): Received {
  const received: Received = { kinds: [], metadata: [], batches: [] };
  for (const message of messages) {
    assert.equal(
      message.byteLength,
      message.pieces.reduce((sum, piece) => sum + piece.byteLength, 0),
    );
    const decoded = decoder.decode(parse(message));
    received.kinds.push(decoded.kind);
    received.metadata.push(text(decoded.appMetadata));
    if (decoded.kind === 'batch') received.batches.push(decoded.data);
  }
  return received;
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

const utf8 = new TextEncoder();

/** A batch whose rows are all values of a dictionary, the last one first. */
function dictionaryBatch(dictionary: Vector): RecordBatch {
  const type = new Dictionary(dictionary.type, new Int32(), 1);
  const { length } = dictionary;
  const indices = Int32Array.from({ length }, (_, row) => length - 1 - row);
  const [batch] = new Table({ coded: new Vector([makeData({ type, data: indices, dictionary })]) }).batches;
  assert.ok(batch !== undefined);
  return batch;
}

describe('batches as FlightData messages', () => {
  it('go with their dictionaries before them and their metadata on the batch', () => {
    const batch = numbers(100);
    const encoder = new FlightBatchEncoder(batch.schema);
    const messages = [encoder.schema(), ...encoder.batch(batch, { appMetadata: utf8.encode('hello') })];
    const received = receive(messages);
    assert.deepEqual(received.kinds, ['schema', 'dictionary', 'batch']);
    assert.deepEqual(received.metadata, [undefined, undefined, 'hello']);
    assert.deepEqual(valuesOf(received.batches), valuesOf([batch]));
  });

  it('are split so that no message is above the target, with metadata on the first part', () => {
    const batch = numbers(10_000, 0, 40);
    const encoder = new FlightBatchEncoder(batch.schema, { targetMessageBytes: 50_000 });
    const schema = encoder.schema();
    const messages = [...encoder.batch(batch, { appMetadata: utf8.encode('hello') })];
    assert.ok(messages.length > 8 && messages.length < 16, `${messages.length} messages`);
    for (const { byteLength } of messages) assert.ok(byteLength <= 50_000, `${byteLength} bytes`);
    const received = receive([schema, ...messages]);
    assert.deepEqual(received.metadata.slice(2), [
      'hello',
      ...received.metadata.slice(3).map(() => undefined),
    ]);
    assert.deepEqual(valuesOf(received.batches), valuesOf([batch]));
    for (const part of received.batches.slice(0, -1)) assert.equal(part.numRows % 64, 0);
  });

  it('are split where rows differ much in size, down to single rows above the target', () => {
    const sizes = Array.from({ length: 200 }, (_, row) => (row % 50 === 49 ? 30_000 : 10));
    const batch = textBatch(sizes.map((size) => 'x'.repeat(size)));
    const encoder = new FlightBatchEncoder(batch.schema, { targetMessageBytes: 20_000 });
    const messages = [encoder.schema(), ...encoder.batch(batch)];
    const received = receive(messages);
    assert.deepEqual(valuesOf(received.batches), valuesOf([batch]));
    assert.equal(messages.filter(({ byteLength }) => byteLength > 20_000).length, 4);
    assert.deepEqual(
      received.batches.map(({ numRows }) => numRows),
      [49, 1, 49, 1, 49, 1, 49, 1],
    );
  });

  it('of every type can be split', () => {
    const batch = everyType(200);
    const encoder = new FlightBatchEncoder(batch.schema, { targetMessageBytes: 30_000 });
    const messages = [encoder.schema(), ...encoder.batch(batch)];
    assert.ok(messages.length > 4);
    assert.deepEqual(valuesOf(receive(messages).batches), valuesOf([batch]));
  });

  describe('with a dictionary above the target', () => {
    const target = 20_000;
    const texts = (count: number, from = 0): string[] =>
      Array.from({ length: count }, (_, i) => `value ${from + i} `.padEnd(20 + ((from + i) % 90), '.'));
    const types: readonly [string, Vector, maxBytes?: number][] = [
      ['utf8', vectorFromArray(texts(2000), new Utf8())],
      ['large_utf8', vectorFromArray(texts(2000), new LargeUtf8())],
      ['utf8_view', vectorFromArray(texts(2000), new Utf8View())],
      [
        'int64',
        vectorFromArray(
          texts(9000).map((_, i) => BigInt(i)),
          new Int64(),
        ),
      ],
      [
        'bool',
        vectorFromArray(
          Array.from({ length: 40_000 }, (_, i) => i % 3 === 0),
          new Bool(),
        ),
        2_000,
      ],
      [
        'list',
        vectorFromArray(
          texts(3000).map((_, i) => [i, null, i + 1]),
          new List(new Field('i', new Int32())),
        ),
      ],
      [
        'struct',
        vectorFromArray(
          texts(2000).map((value, i) => (i % 7 === 0 ? null : { value })),
          new Struct([new Field('value', new Utf8(), true)]),
        ),
      ],
      [
        'chunks, nulls among them',
        new Vector([
          ...vectorFromArray([...texts(700), null], new Utf8()).data,
          ...vectorFromArray(texts(1, 700), new Utf8()).data,
          ...vectorFromArray([null, ...texts(900, 701)], new Utf8()).data,
        ]),
      ],
    ];
    for (const [name, dictionary, maxBytes = target] of types) {
      for (const compression of [undefined, 'lz4'] as const) {
        it(`of ${name} go as a first part and deltas where the peer knows these (${compression ?? 'plain'})`, () => {
          const batch = dictionaryBatch(dictionary);
          const options = { targetMessageBytes: maxBytes, emitDictionaryDeltas: true, compression };
          const encoder = new FlightBatchEncoder(batch.schema, options);
          const messages = [encoder.schema(), ...encoder.batch(batch)];
          for (const { byteLength } of messages) assert.ok(byteLength <= maxBytes, `${byteLength} bytes`);
          const received = receive(messages);
          assert.ok(received.kinds.filter((kind) => kind === 'dictionary').length > 2);
          assert.deepEqual(valuesOf(received.batches), valuesOf([batch]));
          assert.deepEqual([...encoder.batch(batch)].length, received.batches.length, 'sent again');
        });
      }
    }

    it('that is replaced and grows later does so in parts as well', () => {
      const batches = [texts(1000), texts(2000), texts(1500, 500), texts(1500, 500)].map((values) =>
        dictionaryBatch(vectorFromArray(values, new Utf8())),
      );
      const [first] = batches;
      assert.ok(first !== undefined);
      const options = { targetMessageBytes: target, emitDictionaryDeltas: true };
      const encoder = new FlightBatchEncoder(first.schema, options);
      const messages = [encoder.schema(), ...batches.flatMap((batch) => [...encoder.batch(batch)])];
      for (const { byteLength } of messages) assert.ok(byteLength <= target, `${byteLength} bytes`);
      assert.deepEqual(valuesOf(receive(messages).batches), valuesOf(batches));
    });

    it('whose values are large goes value by value', () => {
      const batch = dictionaryBatch(
        vectorFromArray(['a', 'x'.repeat(3 * target), 'b', 'y'.repeat(2 * target)], new Utf8()),
      );
      const options = { targetMessageBytes: target, emitDictionaryDeltas: true };
      const encoder = new FlightBatchEncoder(batch.schema, options);
      const messages = [encoder.schema(), ...encoder.batch(batch)];
      assert.equal(messages.filter(({ byteLength }) => byteLength > target).length, 2);
      assert.deepEqual(valuesOf(receive(messages).batches), valuesOf([batch]));
    });
  });

  it('of the size that others read at most are accepted by them, unless the limit is lifted', () => {
    const batch = numbers(60_000, 0, 200);
    const sizes = (targetMessageBytes?: number): number[] => {
      const encoder = new FlightBatchEncoder(batch.schema, { targetMessageBytes });
      return [...encoder.batch(batch)].map(({ byteLength }) => byteLength);
    };
    assert.equal(sizes().length, 1 + Math.ceil((60_000 * 208) / defaultTargetMessageBytes));
    for (const bytes of sizes()) assert.ok(bytes < 4 * 1024 * 1024);
    assert.equal(sizes(Number.POSITIVE_INFINITY).length, 2);
  });

  it('have at most as many rows as asked for', () => {
    const batch = numbers(1000);
    const encoder = new FlightBatchEncoder(batch.schema);
    const messages = [encoder.schema(), ...encoder.batch(batch, { maxRows: 300 })];
    assert.deepEqual(
      receive(messages).batches.map(({ numRows }) => numRows),
      [256, 256, 256, 232],
    );
    const few = [encoder.schema(), ...encoder.batch(numbers(10), { maxRows: 3 })];
    assert.deepEqual(
      receive(few.slice(1), receiveSchema(encoder)).batches.map(({ numRows }) => numRows),
      [3, 3, 3, 1],
    );
  });

  it('without rows are one message', () => {
    const batch = numbers(5).slice(2, 2);
    const encoder = new FlightBatchEncoder(batch.schema);
    const received = receive([encoder.schema(), ...encoder.batch(batch)]);
    assert.deepEqual(
      received.batches.map(({ numRows }) => numRows),
      [0],
    );
  });

  it('are counted by kind as they are encoded and decoded, without what was refused', () => {
    const batch = numbers(100, 0, 50);
    const encoder = new FlightBatchEncoder(batch.schema, {
      writeSizeLimitBytes: 4_000,
      targetMessageBytes: 3_000,
    });
    const decoder = new FlightBatchDecoder();
    const take = (...messages: readonly OutgoingMessage[]): void => {
      for (const message of messages) decoder.decode(parse(message));
    };
    const before = encoder.stats;
    take(encoder.schema());
    const huge = numbers(1, 0, 10_000);
    assert.throws(() => encoder.batch(huge).next(), FlightWriteSizeExceededError);
    take(...encoder.batch(batch));
    take(...encoder.batch(numbers(1, 0, 3, ['blue'])));
    assert.equal(before.messages, 0, 'numbers that were asked for do not change');
    const { recordBatches } = encoder.stats;
    assert.ok(recordBatches > 3, 'parts are counted');
    assert.deepEqual(encoder.stats, {
      messages: recordBatches + 3,
      recordBatches,
      dictionaryBatches: 2,
      dictionaryDeltas: 0,
      replacedDictionaries: 1,
    });
    assert.deepEqual(decoder.stats, encoder.stats);
  });

  it('above the write size limit are refused before anything is sent, and can be written in parts', () => {
    const batch = numbers(10_000, 0, 50);
    const encoder = new FlightBatchEncoder(batch.schema, { writeSizeLimitBytes: 300_000 });
    assert.throws(
      () => encoder.batch(batch).next(),
      (error) => {
        assert.ok(error instanceof FlightWriteSizeExceededError);
        assert.equal(error.limit, 300_000);
        assert.ok(error.actual > 500_000);
        return true;
      },
    );
    // The dictionary was not sent, so it comes with the first part.
    const parts = [...encoder.batch(batch.slice(0, 4_000)), ...encoder.batch(batch.slice(4_000, 8_000))];
    const received = receive([encoder.schema(), ...parts]);
    assert.deepEqual(received.kinds, ['schema', 'dictionary', 'batch', 'batch']);
    assert.deepEqual(valuesOf(received.batches), valuesOf([batch.slice(0, 8_000)]));
  });

  it('are within the write size limit when they are split below it', () => {
    const batch = numbers(10_000, 0, 50);
    const options = { writeSizeLimitBytes: 100_000, targetMessageBytes: 100_000 };
    const messages = [...new FlightBatchEncoder(batch.schema, options).batch(batch)];
    assert.ok(messages.length > 6);
    for (const { byteLength } of messages) assert.ok(byteLength <= 100_000);
  });
});

function receiveSchema(encoder: FlightBatchEncoder): FlightBatchDecoder {
  const decoder = new FlightBatchDecoder();
  decoder.decode(parse(encoder.schema()));
  // The dictionary was sent before, to another reader.
  for (const message of new FlightBatchEncoder(numbers(1).schema).batch(numbers(1))) {
    decoder.decode(parse(message));
  }
  return decoder;
}

function textBatch(values: readonly string[]): RecordBatch {
  const [batch] = new Table({ t: vectorFromArray(values, new Utf8()) }).batches;
  assert.ok(batch !== undefined);
  return batch;
}
