import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OutgoingMessage } from '../../src/grpc/message.ts';
import { coalesceBodyBelowBytes } from '../../src/limits/proto.ts';
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
