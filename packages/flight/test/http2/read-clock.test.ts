// PINGs that tell how much a peer on the same machine has read, and what is held back by it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReadClock } from '../../src/http2/read-clock.ts';
import { nearPeerMs, readClockStepBytes, unreadAheadBytes } from '../../src/limits/http2.ts';
import { type Harness, type Recorder, client, server } from './harness.ts';
import { ACK, type Frame, frame, parse, request } from './wire.ts';

/** A clock at a time that stands still until it is set, and the PINGs that it sent. */
function clockAt(sameMachine: boolean): { clock: ReadClock; pings: Frame[]; time: { now: number } } {
  const pings: Frame[] = [];
  const time = { now: 1000 };
  const clock = new ReadClock(
    sameMachine,
    (bytes) => pings.push(...parse(Buffer.from(bytes))),
    () => time.now,
  );
  return { clock, pings, time };
}

function answer(clock: ReadClock, ping: Frame | undefined): boolean {
  return clock.onAnswer(ping?.payload.readUInt32BE(0) ?? 0, ping?.payload.readUInt32BE(4) ?? 0);
}

describe('the clock of what a peer has read', () => {
  it('runs when the peer measures too, and answers soon', () => {
    const { clock, pings, time } = clockAt(true);
    clock.onSent(10 * unreadAheadBytes);
    assert.equal(pings.length, 0, 'the peer may not know pings');
    clock.onPeerPing();
    clock.onPeerPing();
    assert.equal(pings.length, 1);
    assert.equal(clock.open, true);
    time.now += nearPeerMs - 1;
    assert.equal(answer(clock, pings.shift()), true);
    assert.equal(clock.open, true);
    assert.equal(clock.frameLimit, readClockStepBytes);
    let sent = 0;
    while (clock.open) {
      clock.onSent(readClockStepBytes);
      sent += readClockStepBytes;
    }
    assert.equal(sent, unreadAheadBytes);
    assert.equal(pings.length, sent / readClockStepBytes);
    assert.equal(answer(clock, pings.shift()), true);
    assert.equal(clock.open, true);
  });

  it('asks for what was sent until the first answer, so that it opens again', () => {
    const { clock, pings } = clockAt(true);
    clock.onPeerPing();
    clock.onSent(5 * unreadAheadBytes);
    answer(clock, pings.shift());
    assert.equal(clock.open, false);
    assert.equal(pings.length, 1);
    answer(clock, pings.shift());
    assert.equal(clock.open, true);
  });

  it('does not run for a peer that is far behind a tunnel, until an answer comes soon', () => {
    const { clock, pings, time } = clockAt(true);
    clock.onPeerPing();
    time.now += nearPeerMs;
    assert.equal(answer(clock, pings.shift()), true);
    clock.onSent(10 * unreadAheadBytes);
    assert.equal(clock.open, true);
    assert.equal(pings.length, 0);
    clock.onPeerPing();
    answer(clock, pings.shift());
    clock.onSent(10 * unreadAheadBytes);
    assert.equal(clock.open, false);
  });

  it('does not run for a peer on another machine', () => {
    const { clock, pings } = clockAt(false);
    clock.onPeerPing();
    clock.onSent(10 * unreadAheadBytes);
    assert.equal(clock.open, true);
    assert.equal(pings.length, 0);
  });

  it('takes no answers but those that are due, in order', () => {
    const { clock, pings } = clockAt(true);
    clock.onPeerPing();
    answer(clock, pings[0]);
    assert.equal(answer(clock, pings.shift()), false, 'twice');
    for (let i = 0; i < 3; i++) clock.onSent(readClockStepBytes);
    assert.equal(answer(clock, pings[2]), false, 'out of order');
    assert.equal(clock.onAnswer(0, 1), false, 'of the session');
    assert.equal(clock.open, false);
  });
});

/** A server on this machine that has begun to answer stream 1, to a client that takes everything. */
function answering(): [Harness, Recorder] {
  const harness = server(
    {},
    [
      [4, 0x7fffffff],
      [5, 0xffffff],
    ],
    {},
    true,
  );
  harness.send(frame('WINDOW_UPDATE', 0, 0, [0x7fffffff - 65_535]), request(1));
  const { handler } = harness.requests[0] ?? assert.fail();
  handler.stream?.sendHeaders([[':status', '200']]);
  harness.output();
  return [harness, handler];
}

/** Sends a PING of the peer and the answer to ours. */
function becomeNear(harness: Harness): void {
  harness.send(frame('PING', 0, 0, [7, 9]));
  const pings = harness.frames();
  assert.deepEqual(
    pings.map(({ type, flags }) => [type, flags]),
    [
      ['PING', ACK],
      ['PING', 0],
    ],
  );
  harness.send(frame('PING', ACK, 0, pings[1]?.payload));
}

function payloadIn(frames: readonly Frame[]): number {
  return frames.reduce((sum, { type, payload }) => sum + (type === 'DATA' ? payload.length : 0), 0);
}

describe('payload for a peer on the same machine', () => {
  it('goes out as the peer reads, with a PING behind every few frames', (context) => {
    context.mock.method(performance, 'now', () => 1000);
    const [harness, { stream, told }] = answering();
    becomeNear(harness);
    const total = 4 * unreadAheadBytes + 486;
    stream?.write([Buffer.alloc(total)], total);
    stream?.end([['grpc-status', '0']]);
    let frames = harness.frames();
    assert.equal(payloadIn(frames), unreadAheadBytes);
    let sent = unreadAheadBytes;
    const pings = frames.filter(({ type }) => type === 'PING');
    for (let ping = pings.shift(); ping !== undefined; ping = pings.shift()) {
      harness.send(frame('PING', ACK, 0, ping.payload));
      frames = harness.frames();
      sent += payloadIn(frames);
      pings.push(...frames.filter(({ type }) => type === 'PING'));
    }
    assert.equal(sent, total);
    assert.equal(
      frames.some(({ type }) => type === 'GOAWAY'),
      false,
    );
    assert.ok(told.includes('drain'));
    assert.equal(harness.core.hasOutput, false);
  });

  it('is never all that a stream waits for: headers and ends go out', (context) => {
    context.mock.method(performance, 'now', () => 1000);
    const [harness, { stream }] = answering();
    becomeNear(harness);
    stream?.write([Buffer.alloc(unreadAheadBytes)], unreadAheadBytes);
    harness.output();
    harness.send(request(3));
    const other = harness.requests[1]?.handler.stream;
    other?.sendHeaders([[':status', '200']]);
    other?.end([['grpc-status', '0']]);
    assert.deepEqual(
      harness.frames().map(({ type }) => type),
      ['HEADERS', 'HEADERS'],
    );
  });

  it('is given up when the peer answers no more (slow read)', (context) => {
    context.mock.method(performance, 'now', () => 1000);
    const [harness, handler] = answering();
    becomeNear(harness);
    handler.stream?.write([Buffer.alloc(2 * unreadAheadBytes)], 2 * unreadAheadBytes);
    harness.output();
    for (let look = 0; look < 5; look++) harness.core.resetStalled(4, 1000);
    assert.equal(handler.error?.code, 'ENHANCE_YOUR_CALM');
  });

  it('of a client is not counted', () => {
    const harness = client({}, [], true);
    harness.send(frame('PING', 0, 0, [7, 9]));
    assert.deepEqual(
      harness.frames().map(({ type, flags }) => [type, flags]),
      [['PING', ACK]],
    );
  });
});
