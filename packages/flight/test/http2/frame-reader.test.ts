import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Http2Error } from '../../src/http2/errors.ts';
import { FrameReader } from '../../src/http2/frame-reader.ts';
import { END_STREAM, type TypeName, PADDED, frame } from './wire.ts';

/** Reads bytes in the given pieces; gives what was told, payload of DATA joined. */
function read(
  pieces: readonly Uint8Array[],
  maxFrameSize: number = 65_536,
  keep: number = Infinity,
): string[] {
  const told: string[] = [];
  let data = Buffer.alloc(0);
  const reader = new FrameReader(
    {
      onFrameStart(type, flags, streamId, length) {
        told.push(`start ${type} ${flags} ${streamId} ${length}`);
        return Math.min(length, keep);
      },
      onDataChunk(buffer, start, end) {
        assert.ok(end > start, 'an empty chunk');
        data = Buffer.concat([data, buffer.subarray(start, end)]);
      },
      onDataEnd(flags, streamId, length) {
        told.push(`data ${flags} ${streamId} ${length} ${data.toString('hex')}`);
        data = Buffer.alloc(0);
      },
      onFrame(type, flags, streamId, payload) {
        told.push(`frame ${type} ${flags} ${streamId} ${Buffer.from(payload).toString('hex')}`);
      },
    },
    maxFrameSize,
  );
  // Pieces lie in the middle of larger buffers, as they do in the buffer of a socket.
  for (const piece of pieces) {
    const buffer = Buffer.concat([Buffer.of(0xff), piece, Buffer.of(0xff, 0xff)]);
    reader.receive(buffer, 1, 1 + piece.length);
  }
  return told;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...[...at].sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

const mixed = Buffer.concat([
  frame('SETTINGS', 0, 0, Buffer.from('000300000064', 'hex')),
  frame('DATA', 0, 1, Buffer.from('hello')),
  frame('DATA', PADDED, 3, Buffer.from('0268690000', 'hex')),
  frame('DATA', 0, 5),
  frame('PING', 1, 0, Buffer.from('0102030405060708', 'hex')),
  frame(0xbe, 7, 9, Buffer.from('abcdef', 'hex')),
  frame('DATA', PADDED | END_STREAM, 7, Buffer.from('00', 'hex')),
  frame('RST_STREAM', 0, 7, [8]),
]);

const mixedTold = [
  'start 4 0 0 6',
  'frame 4 0 0 000300000064',
  'start 0 0 1 5',
  'data 0 1 5 68656c6c6f',
  'start 0 8 3 5',
  'data 8 3 5 6869',
  'start 0 0 5 0',
  'data 0 5 0 ',
  'start 6 1 0 8',
  'frame 6 1 0 0102030405060708',
  'start 190 7 9 3',
  'frame 190 7 9 abcdef',
  'start 0 9 7 1',
  'data 9 7 1 ',
  'start 3 0 7 4',
  'frame 3 0 7 00000008',
];

describe('FrameReader', () => {
  it('reads frames that lie in one buffer', () => {
    assert.deepEqual(read([mixed]), mixedTold);
  });

  it('reads frames cut into two at every place', () => {
    for (let at = 0; at <= mixed.length; at++) assert.deepEqual(read(cut(mixed, [at])), mixedTold, `${at}`);
  });

  it('reads frames cut into three at every two places', () => {
    for (let a = 0; a <= mixed.length; a++) {
      for (let b = a; b <= mixed.length; b++) assert.deepEqual(read(cut(mixed, [a, b])), mixedTold);
    }
  });

  it('reads frames that come byte by byte', () => {
    assert.deepEqual(read([...mixed].map((byte) => Buffer.from([byte]))), mixedTold);
  });

  it('reads any frames in any pieces alike', () => {
    const anyFrame = fc
      .record({
        type: fc.integer({ min: 0, max: 12 }),
        flags: fc.integer({ min: 0, max: 255 }),
        stream: fc.integer({ min: 0, max: 0x7fffffff }),
        payload: fc.uint8Array({ maxLength: 300 }),
      })
      .map(({ type, flags, stream, payload }) =>
        // Padding of DATA is valid here; what is not has tests of its own.
        type === 0 && (flags & PADDED) !== 0
          ? frame(0, flags, stream, Buffer.concat([Buffer.from([payload.length >> 1]), payload]))
          : frame(type, flags, stream, payload),
      );
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 12 }),
        fc.array(fc.nat({ max: 4000 }), { maxLength: 40 }),
        (frames, places) => {
          const bytes = Buffer.concat(frames);
          const inside = places.filter((place) => place <= bytes.length);
          assert.deepEqual(read(cut(bytes, inside)), read([bytes]));
          assert.equal(read([bytes]).filter((line) => line.startsWith('start')).length, frames.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('meets bytes of any kind with nothing but Http2Error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 }), (pieces) => {
        try {
          read(pieces, 16_384, 32);
        } catch (error) {
          assert.ok(error instanceof Http2Error);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('ignores the reserved bit before a stream id', () => {
    const bytes = frame('RST_STREAM', 0, 1, [0]);
    bytes[5] = 0x80;
    assert.deepEqual(read([bytes])[0], 'start 3 0 1 4');
  });

  it('keeps no more of a payload than its listener wants', () => {
    const bytes = frame('GOAWAY', 0, 0, Buffer.from('00112233445566778899', 'hex'));
    for (let at = 0; at <= bytes.length; at++) {
      for (const [keep, kept] of [
        [8, '0011223344556677'],
        [1, '00'],
        [0, ''],
      ] as const) {
        assert.deepEqual(read(cut(bytes, [at]), 65_536, keep).at(-1), `frame 7 0 0 ${kept}`);
      }
    }
  });

  it('refuses a frame above the size that was offered before any of its payload', () => {
    const head = frame('DATA', 0, 1, Buffer.alloc(16_385)).subarray(0, 9);
    assert.throws(() => read([head], 16_384), { code: 'FRAME_SIZE_ERROR', message: /16385.*16384/ });
    assert.doesNotThrow(() => read([frame('DATA', 0, 1, Buffer.alloc(16_384))], 16_384));
  });

  it('tells an answer in HTTP/1 from a frame that is too large', () => {
    const answer = Buffer.from('HTTP/1.1 400 Bad Request');
    for (let at = 0; at < 9; at++) {
      assert.throws(() => read(cut(answer, [at])), { code: 'HTTP_1_1_REQUIRED', message: /HTTP\/1/ });
    }
    assert.throws(() => read([Buffer.from('HTTQ/1.1 400 Bad Request')]), { code: 'FRAME_SIZE_ERROR' });
  });

  it('refuses padding that is longer than its frame', () => {
    const refused: [TypeName, Buffer, string][] = [
      ['DATA', Buffer.alloc(0), 'FRAME_SIZE_ERROR'],
      ['DATA', Buffer.from([1]), 'PROTOCOL_ERROR'],
      ['DATA', Buffer.from([3, 1, 2]), 'PROTOCOL_ERROR'],
    ];
    for (const [type, payload, code] of refused) {
      const bytes = frame(type, PADDED, 1, payload);
      for (let at = 0; at <= bytes.length; at++) assert.throws(() => read(cut(bytes, [at])), { code });
    }
  });

  it('reads nothing behind the frame in which it was stopped', () => {
    const told: string[] = [];
    const reader = new FrameReader(
      {
        onFrameStart: (type, _flags, _streamId, length) => {
          told.push(`start ${type}`);
          return length;
        },
        onDataChunk: () => reader.stop(),
        onDataEnd: () => told.push('end'),
        onFrame: () => undefined,
      },
      16_384,
    );
    const bytes = Buffer.concat([frame('DATA', 0, 1, Buffer.from('x')), frame('PING', 0, 0, [1, 2])]);
    reader.receive(bytes, 0, bytes.length);
    assert.deepEqual(told, ['start 0', 'end']);
  });
});
