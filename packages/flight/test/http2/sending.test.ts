// What goes out and in which order: frames cut from payload, windows, turns, back-pressure.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeaderList } from '../../src/http2/types.ts';
import { GatherList } from '../../src/http2/gather.ts';
import { sharedFrameBytes, streamHighWaterBytes, streamLowWaterBytes } from '../../src/limits/http2.ts';
import { type Harness, type Recorder, client, server } from './harness.ts';
import {
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  parse,
  request,
  requestFields,
  settings,
} from './wire.ts';

/** A server with answers begun on streams 1, 3, …, whose client takes everything. */
function answering(count: number, ...clientSettings: (readonly [number, number])[]): [Harness, Recorder[]] {
  const harness = server({}, [[4, 0x7fffffff], ...clientSettings]);
  harness.send(frame('WINDOW_UPDATE', 0, 0, [0x7fffffff - 65_535]));
  for (let i = 0; i < count; i++) harness.send(request(1 + 2 * i));
  const handlers = harness.requests.map(({ handler }) => handler);
  for (const { stream } of handlers) stream?.sendHeaders([[':status', '200']]);
  harness.frames();
  return [harness, handlers];
}

function dataOf(frames: readonly Frame[], stream: number): Buffer {
  return Buffer.concat(
    frames.filter((one) => one.type === 'DATA' && one.stream === stream).map((one) => one.payload),
  );
}

function numbered(byteLength: number): Buffer {
  return Buffer.from(Array.from({ length: byteLength }, (_, i) => (i * 7) & 0xff));
}

describe('payload', () => {
  it('is cut into frames of the size that the peer takes', () => {
    for (const size of [16_384, 20_000, 1 << 20]) {
      const [harness, [handler]] = answering(1, [5, size]);
      const body = numbered(100_000);
      handler?.stream?.write(
        [body.subarray(0, 5), body.subarray(5, 70_000), body.subarray(70_000)],
        body.length,
      );
      handler?.stream?.end();
      const frames = harness.frames();
      assert.ok(dataOf(frames, 1).equals(body));
      const lengths = frames.map(({ payload }) => payload.length);
      assert.equal(Math.max(...lengths), Math.min(size, body.length));
      assert.equal(lengths.length, Math.ceil(body.length / size));
      assert.equal(frames.at(-1)?.flags, END_STREAM);
    }
  });

  it('takes a short rest along instead of sending it by itself', () => {
    const [harness, [handler]] = answering(1, [5, 0xffffff]);
    const frameBytes = 1 << 20;
    const lengths = (byteLength: number): number[] => {
      handler?.stream?.write([Buffer.alloc(byteLength)], byteLength);
      return harness.frames().map(({ payload }) => payload.length);
    };
    assert.deepEqual(lengths(2 * frameBytes + 486), [frameBytes, frameBytes + 486]);
    assert.deepEqual(lengths(frameBytes + 5000), [frameBytes, 5000]);
  });

  it('goes out as it lies in memory when it is large, and copied together when it is small', () => {
    const [harness, [handler]] = answering(1, [5, 1 << 20]);
    const large = numbered(50_000);
    const small = Array.from({ length: 10 }, () => numbered(20));
    handler?.stream?.write([...small, large, ...small], 50_400);
    const { pieces } = harness.core.takeOutput(1 << 20);
    assert.equal(pieces.length, 3);
    assert.equal(pieces[1]?.buffer, large.buffer);
    assert.equal(pieces[0]?.length, 209);
    assert.ok(
      Buffer.concat(pieces)
        .subarray(9)
        .equals(Buffer.concat([...small, large, ...small])),
    );
  });

  it('goes out in any pieces alike', () => {
    const body = numbered(60_000);
    for (const step of [1, 7, 1000, 4095, 4096, 16_384, 59_999]) {
      const [harness, [handler]] = answering(1);
      const pieces = [];
      for (let at = 0; at < body.length; at += step)
        pieces.push(body.subarray(at, at + step), Buffer.alloc(0));
      handler?.stream?.write(pieces, body.length);
      assert.ok(dataOf(harness.frames(), 1).equals(body), `pieces of ${step}`);
    }
  });

  it('tells of each write when the last byte of it is on its way', () => {
    const [harness, [handler]] = answering(1);
    const flushed: number[] = [];
    for (let i = 0; i < 3; i++) handler?.stream?.write([numbered(10_000)], 10_000, () => flushed.push(i));
    handler?.stream?.write([], 0, () => flushed.push(3));
    const first = harness.core.takeOutput(9000);
    assert.equal(
      first.flushed.length,
      1,
      'a frame of 16,384 bytes has the first write and part of the second',
    );
    for (const callback of first.flushed) callback();
    assert.deepEqual(flushed, [0]);
    harness.frames();
    assert.deepEqual(flushed, [0, 1, 2, 3]);
  });

  it('is told of also where it ends with pieces of nothing', () => {
    const harness = server();
    harness.send(request(1));
    const { handler } = harness.requests[0] ?? assert.fail();
    handler.stream?.sendHeaders([[':status', '200']]);
    const told: string[] = [];
    const nothing = new Uint8Array(0);
    handler.stream?.write([numbered(5), nothing, nothing], 5, () => told.push('five'));
    handler.stream?.write([nothing], 0, () => told.push('none'));
    handler.stream?.write([nothing, numbered(3)], 3, () => told.push('three'));
    assert.equal(dataOf(harness.frames(), 1).length, 8);
    assert.deepEqual(told, ['five', 'none', 'three']);
    handler.stream?.write([numbered(4), nothing], 4, () => told.push('four'));
    assert.equal(dataOf(harness.frames(), 1).length, 4);
    assert.deepEqual(told, ['five', 'none', 'three', 'four']);
  });

  it('of a stream that dies is told of as well', () => {
    const [harness, [handler]] = answering(1);
    let flushed = 0;
    handler?.stream?.write([numbered(10_000)], 10_000, () => flushed++);
    handler?.stream?.write([numbered(10_000)], 10_000, () => flushed++);
    harness.send(frame('RST_STREAM', 0, 1, [8]));
    assert.equal(flushed, 2);
    assert.equal(handler?.stream?.queuedBytes, 0);
    assert.deepEqual(harness.frames(), []);
  });
});

describe('the windows for what is sent', () => {
  it('of a stream stop it, and only it', () => {
    const harness = server({}, [[4, 10]]);
    harness.send(request(1), request(3));
    const [one, two] = harness.requests.map(({ handler }) => handler.stream);
    for (const stream of [one, two]) {
      stream?.sendHeaders([[':status', '200']]);
      stream?.write([numbered(25)], 25);
      stream?.end([['grpc-status', '0']]);
    }
    assert.equal(dataOf(harness.frames(), 1).length, 10);
    harness.send(frame('WINDOW_UPDATE', 0, 3, [100]));
    const frames = harness.frames();
    assert.deepEqual(
      frames.map(({ type, stream, flags }) => [type, stream, flags]),
      [
        ['DATA', 3, 0],
        ['HEADERS', 3, END_HEADERS | END_STREAM],
      ],
    );
    harness.send(frame('WINDOW_UPDATE', 0, 1, [15]));
    assert.equal(dataOf(harness.frames(), 1).length, 15);
  });

  it('of the connection stop payload, but no headers and ends', () => {
    const harness = server({}, [[4, 0x7fffffff]]);
    harness.send(request(1), request(3), request(5));
    const [one, two, three] = harness.requests.map(({ handler }) => handler.stream);
    one?.sendHeaders([[':status', '200']]);
    one?.write([numbered(70_000)], 70_000);
    assert.equal(dataOf(harness.frames(), 1).length, 65_535);
    two?.sendHeaders([[':status', '200']]);
    two?.write([numbered(10)], 10);
    three?.sendHeaders([[':status', '200']]);
    three?.end([['grpc-status', '5']]);
    assert.deepEqual(
      harness.frames().map(({ type, stream }) => [type, stream]),
      [
        ['HEADERS', 3],
        ['HEADERS', 5],
        ['HEADERS', 5],
      ],
    );
    assert.equal(harness.core.hasOutput, false);
    harness.send(frame('WINDOW_UPDATE', 0, 0, [4465 + 5]));
    const frames = harness.frames();
    assert.deepEqual([dataOf(frames, 1).length, dataOf(frames, 3).length], [4465, 5]);
  });

  it('may be as large as there is a number for', () => {
    const most = 0x7fff_ffff;
    const bySettings = server();
    bySettings.send(request(1, END_HEADERS), settings([4, most]));
    assert.equal(bySettings.fatal, undefined);
    const byUpdates = server();
    byUpdates.send(
      request(1, END_HEADERS),
      frame('WINDOW_UPDATE', 0, 1, [most - 65_535]),
      frame('WINDOW_UPDATE', 0, 0, [most - 65_535]),
    );
    assert.equal(byUpdates.fatal, undefined);
    assert.deepEqual(
      byUpdates.frames().filter(({ type }) => type === 'RST_STREAM'),
      [],
    );
    byUpdates.send(frame('WINDOW_UPDATE', 0, 1, [1]));
    assert.deepEqual(
      byUpdates.frames().map(({ type, payload }) => [type, payload.readUInt32BE()]),
      [['RST_STREAM', 3]],
    );
    byUpdates.send(frame('WINDOW_UPDATE', 0, 0, [1]));
    assert.equal(byUpdates.goawayCode(), 3);
  });

  it('of streams change with SETTINGS, below zero as well', () => {
    const harness = server({}, [[4, 100]]);
    harness.send(request(1));
    const { stream } = harness.requests[0]?.handler ?? assert.fail();
    stream?.sendHeaders([[':status', '200']]);
    stream?.write([numbered(300)], 300);
    assert.equal(dataOf(harness.frames(), 1).length, 100);
    harness.send(settings([4, 40]), frame('WINDOW_UPDATE', 0, 1, [50]));
    assert.equal(dataOf(harness.frames(), 1).length, 0, 'the window is -10');
    harness.send(settings([4, 70]));
    assert.equal(dataOf(harness.frames(), 1).length, 20);
    harness.send(settings([4, 300]));
    assert.equal(dataOf(harness.frames(), 1).length, 180);
  });
});

describe('streams', () => {
  it('send in turn', () => {
    const [harness, handlers] = answering(3, [5, 1 << 20]);
    for (const { stream } of handlers) stream?.write([numbered(3 * sharedFrameBytes)], 3 * sharedFrameBytes);
    const order = harness.frames().map(({ stream }) => stream);
    assert.deepEqual(order.slice(0, 7), [1, 3, 5, 1, 3, 5, 1]);
  });

  it('with a little to say do not wait for those with much', () => {
    const [harness, handlers] = answering(2, [5, 1 << 20]);
    handlers[0]?.stream?.write([numbered(8 << 20)], 8 << 20);
    const first = harness.core.takeOutput(1 << 20);
    assert.ok(first.byteLength < (2 << 20) + 100);
    handlers[1]?.stream?.write([Buffer.from('short')], 5);
    handlers[1]?.stream?.end([['grpc-status', '0']]);
    // The first stream is ahead by its turn: one frame that is no larger than its share.
    const frames = parse(Buffer.concat(harness.core.takeOutput(1 << 20).pieces));
    const before = frames.slice(
      0,
      frames.findIndex(({ stream }) => stream === 3),
    );
    assert.ok(before.reduce((sum, { payload }) => sum + payload.length, 0) <= sharedFrameBytes);
  });

  it('tell writers to wait, and to go on', () => {
    const [harness, [handler]] = answering(1);
    const { stream } = handler ?? assert.fail();
    const half = streamHighWaterBytes / 2;
    assert.equal(stream?.write([numbered(half)], half), true);
    assert.equal(stream?.write([numbered(half)], half), false);
    assert.equal(stream?.queuedBytes, 2 * half);
    const drains = (): number => handler?.told.filter((what) => what === 'drain').length ?? 0;
    const steps = (streamHighWaterBytes - streamLowWaterBytes) / 16_384;
    for (let i = 0; i < steps; i++) {
      assert.equal(drains(), 0);
      harness.core.takeOutput(16_384);
      harness.core.tellDrained();
    }
    assert.equal(stream?.queuedBytes, streamLowWaterBytes);
    assert.equal(drains(), 1);
    harness.frames();
    assert.equal(drains(), 1);
  });

  it('that never say anything hold no more headers than there are streams', () => {
    const harness = server({ maxConcurrentStreams: 10 });
    harness.answer = (stream) => stream.sendHeaders([[':status', '404']], true);
    // The client reads nothing: answers are not made, so the streams stay open and no more are taken.
    for (let i = 0; i < 1000; i++) harness.send(request(1 + 2 * i));
    assert.equal(harness.requests.length, 10);
    assert.equal(harness.frames().filter(({ type }) => type === 'HEADERS').length, 10);
  });
});

describe('header lists', () => {
  it('that fill frames to the last byte end with the last of them', () => {
    const framesOf = (length: number): Frame[] => {
      const harness = server();
      harness.answer = (stream) => {
        // a letter that Huffman code makes no shorter
        stream.sendHeaders([
          [':status', '200'],
          ['x', 'X'.repeat(length)],
        ]);
      };
      harness.send(request(1));
      return harness.frames().filter(({ type }) => type === 'HEADERS' || type === 'CONTINUATION');
    };
    const sizeOf = (frames: readonly Frame[]): number =>
      frames.reduce((sum, { payload }) => sum + payload.length, 0);
    for (const count of [1, 2, 3]) {
      const near = count * 16_384 - 60;
      const beside = sizeOf(framesOf(near)) - near;
      for (const more of [-1, 0, 1]) {
        const frames = framesOf(count * 16_384 - beside + more);
        assert.equal(sizeOf(frames), count * 16_384 + more);
        assert.equal(frames.length, more > 0 ? count + 1 : count);
        assert.deepEqual(
          frames.map(({ flags }) => flags & END_HEADERS),
          frames.map((_, index) => (index === frames.length - 1 ? END_HEADERS : 0)),
        );
      }
    }
  });

  it('that are too large for a frame go on in CONTINUATION frames', () => {
    const harness = client({}, [[5, 16_384]]);
    const long = Array.from({ length: 40_000 }, (_, i) => String.fromCodePoint(33 + ((i * 31) % 90))).join(
      '',
    );
    const headers: HeaderList = [...requestFields, ['x-long', long]];
    harness.core.request(headers, { ...silent }, true);
    const frames = harness.frames();
    assert.deepEqual(frames[0]?.type, 'HEADERS');
    assert.equal(frames[0]?.flags, END_STREAM);
    assert.ok(frames.length > 2);
    for (const one of frames.slice(1)) assert.deepEqual([one.type, one.stream], ['CONTINUATION', 1]);
    assert.deepEqual(
      frames.map(({ flags }) => (flags & END_HEADERS) !== 0),
      frames.map((_, i) => i === frames.length - 1),
    );
    const whole = { ...frames[0], payload: Buffer.concat(frames.map(({ payload }) => payload)) };
    assert.deepEqual(harness.decode(whole), headers);
  });
});

const silent = { onHeaders() {}, onData() {}, onTrailers() {}, onEnd() {}, onClose() {}, onDrain() {} };

describe('GatherList', () => {
  it('keeps the order of large and small pieces and of what is written in place', () => {
    const list = new GatherList();
    const parts = [numbered(10), numbered(5000), numbered(0), numbered(4095), numbered(4096), numbered(3)];
    for (const part of parts) list.push(part);
    const room = list.reserve(4);
    room.set(Buffer.from('abcd'), list.offset(4));
    list.push(numbered(1));
    const whole = Buffer.concat([...parts, Buffer.from('abcd'), numbered(1)]);
    assert.equal(list.byteLength, whole.length);
    assert.ok(Buffer.concat(list.take()).equals(whole));
    assert.equal(list.byteLength, 0);
    assert.deepEqual(list.take(), []);
  });

  it('does not touch what was taken', () => {
    const list = new GatherList();
    list.push(Buffer.from('first'));
    const [first] = list.take();
    for (let i = 0; i < 10_000; i++) list.push(Buffer.from('second'));
    assert.equal(Buffer.from(first ?? []).toString(), 'first');
    assert.equal(Buffer.concat(list.take()).toString(), 'second'.repeat(10_000));
  });
});
