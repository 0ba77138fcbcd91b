import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutgoingMessage } from '../../src/grpc/message.ts';
import { coalesceBodyBelowBytes, coalesceManyBelowBytes, manyBodyPieces } from '../../src/limits/proto.ts';
import { encodeFlightData } from '../../src/proto/flight-data.ts';
import { fixture, foreign, hex, unhex } from './fixture.ts';

function joined(message: OutgoingMessage): Buffer {
  const bytes = Buffer.concat(message.pieces);
  assert.equal(message.byteLength, bytes.byteLength);
  return bytes;
}

function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value);
}

describe('FlightData is written', () => {
  it('as Google’s protobuf writes it', () => {
    const message = encodeFlightData({
      descriptor: unhex('08011a0178'),
      dataHeader: Buffer.from('header'),
      appMetadata: Buffer.from('metadata'),
      bodyPieces: [Uint8Array.from({ length: 200 }, (_, i) => i)],
    });
    assert.equal(hex(joined(message)), fixture.python['flight_data']);
    assert.equal(
      hex(joined(encodeFlightData({ appMetadata: Buffer.from('metadata') }))),
      fixture.python['flight_data_metadata_only'],
    );
    assert.equal(joined(encodeFlightData({})).byteLength, foreign('python', 'flight_data_empty').byteLength);
  });

  it('as Arrow C++ sends it, but for a body without bytes, which is left out', () => {
    for (const message of Object.values(fixture.streams).flat()) {
      const ours = encodeFlightData({
        descriptor: message.descriptor === null ? undefined : unhex(message.descriptor),
        dataHeader: unhex(message.header),
        appMetadata: message.metadata === '' ? undefined : unhex(message.metadata),
        bodyPieces: [unhex(message.body)],
      });
      assert.equal(hex(joined(ours)), message.message.replace(/c23e00$/, ''));
    }
  });

  it('with large pieces as they are, and small ones copied together', () => {
    const large = filled(coalesceBodyBelowBytes, 1);
    const other = filled(100_000, 2);
    const small = filled(coalesceBodyBelowBytes - 1, 3);
    const message = encodeFlightData({
      dataHeader: filled(10, 9),
      bodyPieces: [small, small, large, other, small, filled(0, 0), small, large],
    });
    assert.equal(message.pieces.length, 5);
    assert.equal(message.pieces[1], large);
    assert.equal(message.pieces[2], other);
    assert.equal(message.pieces[4], large);
    const expected = Buffer.concat([small, small, large, other, small, small, large]);
    assert.ok(joined(message).subarray(-expected.byteLength).equals(expected));
  });

  it('with more of them copied together where they are many', () => {
    const large = filled(coalesceManyBelowBytes, 1);
    const bodyPieces = Array.from({ length: manyBodyPieces - 1 }, (_, i) =>
      filled(i % 2 === 0 ? i : coalesceBodyBelowBytes + i, i),
    );
    assert.equal(encodeFlightData({ bodyPieces }).pieces.length, manyBodyPieces - 1);
    const message = encodeFlightData({ bodyPieces: [...bodyPieces, large] });
    assert.equal(message.pieces.length, 2);
    assert.equal(message.pieces[1], large);
    const expected = Buffer.concat([...bodyPieces, large]);
    assert.ok(joined(message).subarray(-expected.byteLength).equals(expected));
  });

  it('into memory that no other message has', () => {
    const parts = [10, 100, 5000, 70_000].flatMap((length) => [length, length + 1, length + 2]);
    const messages = parts.map((length, i) => encodeFlightData({ appMetadata: filled(length, i) }));
    for (const [i, message] of messages.entries()) {
      const length = parts[i] ?? 0;
      assert.ok(joined(message).subarray(-length).equals(filled(length, i)));
    }
  });

  it('into memory that can be used again only where that is asked for', () => {
    const appMetadata = filled(100_000, 1);
    assert.equal(encodeFlightData({ appMetadata }).memory, undefined);
    const { memory, pieces } = encodeFlightData({ appMetadata, recycle: true });
    assert.equal(memory?.bytes.buffer, pieces[0]?.buffer);
    assert.equal(encodeFlightData({ appMetadata: filled(10, 1), recycle: true }).memory, undefined);
  });

  it('with empty bytes of the application apart from none', () => {
    assert.equal(hex(joined(encodeFlightData({ appMetadata: new Uint8Array(0) }))), '1a00');
    assert.equal(hex(joined(encodeFlightData({ appMetadata: undefined }))), '');
  });

  it('and says when the pieces were sent', () => {
    const onFlushed = (): void => {};
    assert.equal(encodeFlightData({}, onFlushed).onFlushed, onFlushed);
    assert.equal(encodeFlightData({}).onFlushed, undefined);
  });

  it('with a length beyond 32 bits', () => {
    // only the head is looked at: the pieces' length is stated, not taken
    const { pieces, byteLength } = encodeFlightData({ bodyPieces: [], bodyLength: 5_000_000_000 });
    assert.equal(hex(Buffer.concat(pieces)), 'c23e80e497d012');
    assert.equal(byteLength, 7 + 5_000_000_000);
  });
});
