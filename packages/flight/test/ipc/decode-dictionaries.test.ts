import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dictionary, Field, type Int32, Int64, type RecordBatch, Schema, Uint8, Utf8 } from 'apache-arrow';
import { FlightDataError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { decodeDictionaryBatch } from '../../src/ipc/decode/dictionary-batch.ts';
import { DictionaryMemo } from '../../src/ipc/decode/dictionary-memo.ts';
import { decodeRecordBatch } from '../../src/ipc/decode/record-batch.ts';
import type { DictionaryBatchMessageHeader } from '../../src/ipc/message.ts';
import { maxDictionaryDeltas } from '../../src/limits/ipc.ts';
import { bodyOf, column, header, none, full, i32, i64, text } from './craft.ts';

describe('dictionaries', () => {
  // Columns that share a dictionary share the type object of its values.
  const words = new Utf8();
  const schema = new Schema([
    new Field('small', new Dictionary(words, new Uint8(), 4), true),
    new Field('big', new Dictionary(words, new Int64() as unknown as Int32, 4), true),
  ]);
  const dictionaryHeader = (parts: Partial<DictionaryBatchMessageHeader>): DictionaryBatchMessageHeader => {
    const { length, nodes, buffers } = { length: 0, nodes: [], buffers: [], ...parts };
    return { ...header({ length, nodes, buffers }), kind: 'dictionary', id: 4, isDelta: false, ...parts };
  };
  const send = (memo: DictionaryMemo, values: string, isDelta: boolean, id = 4): void => {
    const offsets = i32(...Array.from({ length: values.length + 1 }, (_, i) => i));
    const { body, buffers } = bodyOf([none, offsets, text(values)]);
    const { length } = values;
    decodeDictionaryBatch(
      schema,
      dictionaryHeader({ id, isDelta, length, nodes: [length, 0], buffers }),
      body,
      memo,
      full,
    );
  };
  const rows = (memo: DictionaryMemo, ...indices: number[]): RecordBatch => {
    const { body, buffers } = bodyOf([none, Uint8Array.from(indices), none, i64(...indices)]);
    const { length } = indices;
    return decodeRecordBatch(
      schema,
      header({ length, nodes: [length, 0, length, 0], buffers }),
      body,
      memo,
      full,
    );
  };
  const values = (batch: RecordBatch): unknown[][] => [0, 1].map((i) => [...(batch.getChildAt(i) ?? [])]);

  it('grow by deltas and are replaced, and batches keep what they had', () => {
    const memo = new DictionaryMemo();
    send(memo, 'ab', false);
    const first = rows(memo, 1, 0);
    send(memo, 'cd', true);
    const second = rows(memo, 3, 2, 0);
    const third = rows(memo, 3);
    send(memo, 'z', false);
    const fourth = rows(memo, 0);
    assert.deepEqual(values(first), [
      ['b', 'a'],
      ['b', 'a'],
    ]);
    assert.deepEqual(values(second), [
      ['d', 'c', 'a'],
      ['d', 'c', 'a'],
    ]);
    assert.deepEqual(values(fourth), [['z'], ['z']]);
    assert.equal(second.data.children[0]?.dictionary, third.data.children[0]?.dictionary);
    assert.equal(second.dictionaries.size, 1);
    assert.throws(() => rows(memo, 1), /index 1 lies outside dictionary 4 of 1 values/);
  });

  it('may begin with a delta', () => {
    const memo = new DictionaryMemo();
    send(memo, 'q', true);
    assert.deepEqual(values(rows(memo, 0)), [['q'], ['q']]);
  });

  it('take 64-bit indices, which are checked without rounding', () => {
    const memo = new DictionaryMemo();
    send(memo, 'ab', false);
    const { body, buffers } = bodyOf([none, Uint8Array.of(0), none, BigInt64Array.of(1n << 32n)]);
    assert.throws(
      () => decodeRecordBatch(schema, header({ length: 1, nodes: [1, 0, 1, 0], buffers }), body, memo, full),
      /"big", row 0: index 4294967296 lies outside/,
    );
  });

  it('grow by so many deltas and no more', () => {
    const memo = new DictionaryMemo();
    const values = column(new Utf8(), 1, [1, 0], [none, i32(0, 1), text('a')]);
    memo.replace(4, values);
    for (let i = 0; i < maxDictionaryDeltas; i++) memo.append(4, values);
    assert.throws(
      () => memo.append(4, values),
      (error) => error instanceof FlightResourceExhaustedError && /maxDictionaryDeltas/.test(error.message),
    );
    memo.replace(4, values);
    memo.append(4, values);
  });

  it('that no field has are refused', () => {
    assert.throws(
      () => send(new DictionaryMemo(), 'a', false, 9),
      /fills dictionary 9, but the schema has only 4/,
    );
  });

  it('whose header fits neither schema nor body are refused, and what was there stays', () => {
    const memo = new DictionaryMemo();
    send(memo, 'ab', false);
    const { body, buffers } = bodyOf([none, i32(0, 1), text('x')]);
    const good = { length: 1, nodes: [1, 0], buffers, bodyLength: body.byteLength };
    const decode = (parts: Partial<DictionaryBatchMessageHeader>, bytes = body): void =>
      decodeDictionaryBatch(schema, dictionaryHeader({ ...good, ...parts }), bytes, memo, full);
    const refusals: readonly (readonly [Partial<DictionaryBatchMessageHeader>, RegExp])[] = [
      [{ bodyLength: body.byteLength + 1 }, /the body has 16 bytes, but its header says 17/],
      [{ nodes: [1, 0, 1, 0] }, /has 2 nodes, but its schema takes 1/],
      [{ buffers: [...buffers, 0, 0] }, /has 4 buffers, but its schema takes 3/],
      [{ variadicBufferCounts: [0] }, /has 1 variadic buffer counts, but its schema takes 0/],
      [{ length: 2 }, /has 1 rows, but the batch has 2/],
    ];
    for (const [parts, message] of refusals) {
      assert.throws(
        () => decode(parts),
        (error) => error instanceof FlightDataError && message.test(error.message),
        message.source,
      );
    }
    assert.throws(() => decode({}, body.subarray(0, 15)), /the body has 15 bytes/);
    assert.throws(
      () => decodeDictionaryBatch(schema, header({}), body, memo, full),
      /a dictionary batch message was expected, but this is a batch message/,
    );
    assert.deepEqual(values(rows(memo, 0, 1)), [
      ['a', 'b'],
      ['a', 'b'],
    ]);
    decode({});
    assert.deepEqual(values(rows(memo, 0)), [['x'], ['x']]);
  });

  it('are looked through like batches where that is asked for', () => {
    const { body, buffers } = bodyOf([none, i32(0, 3, 1, 3), text('abc')]);
    const head = dictionaryHeader({ length: 3, nodes: [3, 0], buffers, bodyLength: body.byteLength });
    decodeDictionaryBatch(schema, head, body, new DictionaryMemo(), {});
    assert.throws(
      () => decodeDictionaryBatch(schema, head, body, new DictionaryMemo(), full),
      (error) => error instanceof FlightDataError && /offset/.test(error.message),
    );
  });
});
