import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Data,
  Dictionary,
  Field,
  Int8,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  makeData,
  makeVector,
  vectorFromArray,
} from 'apache-arrow';
import { FlightDataError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { IpcDecoder } from '../../src/ipc/decode/decoder.ts';
import { IpcEncoder } from '../../src/ipc/encode/encoder.ts';
import type { EncodedMessage } from '../../src/ipc/encode/message.ts';
import { maxWaitingDictionaries } from '../../src/limits/ipc.ts';

const innerType = new Dictionary(new Utf8(), new Int8(), 1);
const pair: Struct = new Struct([new Field('word', innerType, true)]);
const outerType: Dictionary = new Dictionary(pair, new Int8(), 2);
const schema = new Schema([new Field('column', outerType, true)]);

/** A column of dictionary-encoded structs, which hold dictionary-encoded words. */
function batch(
  words: readonly string[],
  innerIndices: readonly number[],
  indices: readonly number[],
): RecordBatch {
  const child = makeData({
    type: innerType,
    length: innerIndices.length,
    nullCount: 0,
    data: Int8Array.from(innerIndices),
    dictionary: vectorFromArray(words, new Utf8()),
  });
  const struct: Data = makeData({ type: pair, length: innerIndices.length, nullCount: 0, children: [child] });
  const column: Data = makeData({
    type: outerType,
    length: indices.length,
    nullCount: 0,
    data: Int8Array.from(indices),
    dictionary: makeVector(struct),
  });
  const all = new Struct(schema.fields);
  return new RecordBatch(
    schema,
    makeData({ type: all, length: indices.length, nullCount: 0, children: [column] }),
  );
}

function decodeInOrder(messages: readonly EncodedMessage[]): unknown[][] {
  const decoder = new IpcDecoder({ validate: 'full' }, schema);
  return messages.flatMap(({ header, bodyPieces }) => {
    const decoded = decoder.decode(header, Uint8Array.from(Buffer.concat(bodyPieces)));
    if (decoded === undefined) return [];
    return [[...(decoded.getChildAt(0) ?? [])].map((value) => value?.toJSON().word)];
  });
}

function decoderAfter(messages: readonly EncodedMessage[]): IpcDecoder {
  const decoder = new IpcDecoder({ validate: 'full' }, schema);
  for (const { header, bodyPieces } of messages)
    decoder.decode(header, Uint8Array.from(Buffer.concat(bodyPieces)));
  return decoder;
}

function messagesOf(...batches: readonly RecordBatch[]): EncodedMessage[] {
  const encoder = new IpcEncoder(schema);
  return batches.flatMap((one) => encoder.batch(one));
}

describe('a dictionary of values that are dictionary-encoded', () => {
  it('comes behind the inner one or before it', () => {
    const [inner, outer, rows] = messagesOf(batch(['x', 'y'], [1, 0], [0, 1, 0]));
    assert.ok(inner !== undefined && outer !== undefined && rows !== undefined);
    const expected = [['y', 'x', 'y']];
    assert.deepEqual(decodeInOrder([inner, outer, rows]), expected);
    assert.deepEqual(decodeInOrder([outer, inner, rows]), expected);
  });

  it('is looked at when the stream ends without a batch', () => {
    const [inner, outer] = messagesOf(batch(['x', 'y'], [1, 0], [0, 1, 0]));
    assert.ok(inner !== undefined && outer !== undefined);
    const whole = decoderAfter([outer, inner]);
    whole.end();
    const lacking = decoderAfter([outer]);
    assert.throws(() => lacking.end(), FlightDataError);
  });

  it('is replaced in either order, and its last batch counts', () => {
    const first = messagesOf(batch(['x', 'y'], [1, 0], [0, 1]));
    const [inner, outer, rows] = messagesOf(batch(['a', 'b', 'c'], [2, 1, 0], [0, 1, 2]));
    assert.ok(inner !== undefined && outer !== undefined && rows !== undefined);
    const [otherInner, otherOuter] = first;
    assert.ok(otherInner !== undefined && otherOuter !== undefined);
    assert.deepEqual(decodeInOrder([...first, inner, outer, rows]), [
      ['y', 'x'],
      ['c', 'b', 'a'],
    ]);
    assert.deepEqual(decodeInOrder([...first, outer, inner, rows]), [
      ['y', 'x'],
      ['c', 'b', 'a'],
    ]);
    assert.deepEqual(decodeInOrder([otherOuter, outer, otherInner, inner, rows]), [['c', 'b', 'a']]);
  });

  it('without the inner one is an error of the batch that needs it', () => {
    const [, outer, rows] = messagesOf(batch(['x'], [0], [0]));
    assert.ok(outer !== undefined && rows !== undefined);
    assert.throws(
      () => decodeInOrder([outer, rows]),
      (error) => error instanceof FlightDataError && error.message.includes('dictionary 1'),
    );
  });

  it('waits no more often than the limit says', () => {
    const [, outer] = messagesOf(batch(['x'], [0], [0]));
    assert.ok(outer !== undefined);
    assert.throws(
      () => decodeInOrder(Array.from({ length: maxWaitingDictionaries + 1 }, () => outer)),
      (error) =>
        error instanceof FlightResourceExhaustedError && error.message.includes('maxWaitingDictionaries'),
    );
  });
});
