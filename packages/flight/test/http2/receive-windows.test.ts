import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Error } from '../../src/http2/errors.ts';
import { ReceiveWindows } from '../../src/http2/receive-windows.ts';
import { type StreamOwner, StreamState } from '../../src/http2/stream.ts';
import { type Harness, server } from './harness.ts';
import { END_HEADERS, END_STREAM, PADDED, frame, request } from './wire.ts';

const owner: StreamOwner = {
  markReady: () => assert.fail(),
  reset: () => assert.fail(),
  consumed: () => assert.fail(),
  whenFlushed: () => assert.fail(),
  onApplicationError: () => assert.fail(),
};

const limits = { streamWindowBytes: 40_000, connectionWindowBytes: 100_000, maxUnconsumedBytes: 50_000 };

/** Windows, open already, with the WINDOW_UPDATE frames that they send as [stream, increment]. */
function opened(own = limits): { windows: ReceiveWindows; sent: [number, number][] } {
  const sent: [number, number][] = [];
  const windows = new ReceiveWindows(own, (frame) => {
    const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
    assert.equal(view.getUint8(3), 8, 'a WINDOW_UPDATE');
    sent.push([view.getUint32(5), view.getUint32(9)]);
  });
  windows.open();
  assert.deepEqual(sent.splice(0), [[0, own.connectionWindowBytes - 65_535]]);
  return { windows, sent };
}

function streamOf(windows: ReceiveWindows, id = 1): StreamState {
  const stream = new StreamState(owner, 0, windows.streamWindow);
  stream.id = id;
  return stream;
}

describe('the windows of what is received', () => {
  it('are those of the RFC for streams until the peer knows smaller ones', () => {
    const { windows } = opened();
    const early = streamOf(windows);
    assert.equal(early.receiveWindow, 65_535);
    windows.acknowledged([early]);
    assert.equal(early.receiveWindow, 40_000);
    assert.equal(streamOf(windows).receiveWindow, 40_000);
    windows.acknowledged([early]);
    assert.equal(early.receiveWindow, 40_000);
    const large = opened({ ...limits, streamWindowBytes: 80_000 }).windows;
    const first = streamOf(large);
    assert.equal(first.receiveWindow, 80_000);
    large.acknowledged([first]);
    assert.equal(first.receiveWindow, 80_000);
  });

  it('take as much as the connection has, and not a byte more', () => {
    const { windows } = opened();
    windows.take(100_000);
    assert.throws(
      () => windows.take(1),
      (error) => error instanceof Http2Error && error.code === 'FLOW_CONTROL_ERROR',
    );
  });

  it('give back a quarter of the connection at once, and nothing before', () => {
    const { windows, sent } = opened();
    windows.take(24_999);
    windows.credit();
    assert.deepEqual(sent, []);
    windows.take(1);
    windows.credit();
    assert.deepEqual(sent, [[0, 25_000]]);
    windows.take(100_000);
  });

  it('hold the connection back while too much waits for applications', () => {
    const { windows, sent } = opened();
    const stream = streamOf(windows);
    windows.take(50_000);
    windows.deliver(stream, 50_000);
    windows.credit();
    assert.deepEqual(sent.splice(0), [[0, 50_000]]);
    windows.take(30_000);
    windows.deliver(stream, 30_000);
    windows.credit();
    assert.deepEqual(sent, []);
    windows.consume(stream, 30_000);
    assert.deepEqual(sent.splice(0), [
      [0, 30_000],
      [1, 30_000],
    ]);
    assert.equal(stream.unconsumed, 50_000);
  });

  it('give back what a stream leaves behind, once', () => {
    const { windows, sent } = opened();
    const [left, other] = [streamOf(windows), streamOf(windows, 3)];
    windows.take(60_000);
    windows.deliver(left, 60_000);
    windows.credit();
    assert.deepEqual(sent, []);
    windows.forget(left);
    assert.equal(left.unconsumed, 0);
    assert.deepEqual(sent.splice(0), [[0, 60_000]]);
    windows.forget(left);
    windows.consume(left, 60_000);
    // had it been counted twice, more than the bound would wait now without being held back
    windows.take(50_001);
    windows.deliver(other, 50_001);
    windows.credit();
    assert.deepEqual(sent, []);
  });

  it('give back a quarter of a stream as its application consumes, no more than it got', () => {
    const { windows, sent } = opened();
    const stream = streamOf(windows);
    windows.acknowledged([stream]);
    stream.receiveWindow -= 20_000;
    windows.take(20_000);
    windows.deliver(stream, 20_000);
    windows.consume(stream, 9999);
    assert.deepEqual(sent, []);
    windows.consume(stream, 1);
    assert.deepEqual(sent.splice(0), [[1, 10_000]]);
    assert.equal(stream.receiveWindow, 30_000);
    windows.consume(stream, 50_000);
    assert.deepEqual(sent.splice(0), [[1, 10_000]]);
    assert.deepEqual([stream.receiveWindow, stream.unconsumed], [40_000, 0]);
  });

  it('give nothing to a stream that ended', () => {
    for (const end of ['closed', 'remoteEnded'] as const) {
      const { windows, sent } = opened();
      const stream = streamOf(windows);
      windows.take(20_000);
      windows.deliver(stream, 20_000);
      stream[end] = true;
      windows.consume(stream, 20_000);
      assert.deepEqual(sent, [], end);
      assert.equal(stream.unconsumed, 0);
    }
  });
});

describe('the window of a stream', () => {
  const padded = (flags: number): Buffer =>
    frame('DATA', PADDED | flags, 1, Buffer.concat([Buffer.of(49), Buffer.alloc(50, 7), Buffer.alloc(49)]));
  const updates = (harness: Harness): number[] =>
    harness
      .frames()
      .filter(({ type, stream }) => type === 'WINDOW_UPDATE' && stream === 1)
      .map(({ payload }) => payload.readUInt32BE());

  it('is given back for padding at once, and for the rest when it was taken', () => {
    const harness = server({ streamWindowBytes: 1000 });
    harness.send(request(1, END_HEADERS));
    for (let i = 0; i < 9; i++) harness.send(padded(0));
    assert.deepEqual(updates(harness), [250], 'five times the 50 bytes of padding');
    harness.requests[0]?.handler.stream?.consumed(450);
    assert.deepEqual(updates(harness), [650]);
    // all of it but these last bytes: a frame for the whole window, and none above it
    harness.send(frame('DATA', 0, 1, Buffer.alloc(1000)));
    assert.equal(harness.fatal, undefined);
    assert.deepEqual(
      harness.frames().filter(({ type }) => type === 'RST_STREAM'),
      [],
    );
    harness.send(frame('DATA', 0, 1, Buffer.alloc(1)));
    assert.deepEqual(
      harness.frames().map(({ type, payload }) => [type, payload.readUInt32BE()]),
      [['RST_STREAM', 3]],
    );
  });

  it('is not given back once nothing more can come', () => {
    const harness = server({ streamWindowBytes: 100 });
    harness.send(request(1, END_HEADERS), padded(END_STREAM));
    assert.equal(harness.requests[0]?.handler.body.length, 50);
    harness.requests[0]?.handler.stream?.consumed(50);
    assert.deepEqual(updates(harness), []);
  });

  it('of the connection is given back also for what comes when its stream is over, inside of a frame', () => {
    const harness = server({ connectionWindowBytes: 70_000, maxUnconsumedBytes: 1000 });
    harness.answer = (stream, handler) => {
      handler.onData = () => stream.reset('CANCEL');
    };
    let given = 0;
    for (let id = 1; id < 60; id += 2) {
      const data = frame('DATA', 0, id, Buffer.alloc(5000));
      harness.send(request(id, END_HEADERS), data.subarray(0, 1009));
      harness.send(data.subarray(1009));
      for (const { type, stream, payload } of harness.frames()) {
        if (type === 'WINDOW_UPDATE' && stream === 0) given += payload.readUInt32BE();
      }
    }
    assert.equal(harness.fatal, undefined);
    assert.ok(given > 30 * 5000 - 70_000 / 4 - 5000, `${given} of ${30 * 5000} bytes`);
  });
});
