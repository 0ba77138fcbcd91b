import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { FlightCancelledError } from '../../src/errors.ts';
import { bytesMessage } from '../../src/grpc/message.ts';
import { frame, Outbox } from '../../src/grpc/outbox.ts';
import type { HeaderList, Http2Stream } from '../../src/http2/types.ts';
import { maxHeldBytes, maxMessageBytes } from '../../src/limits/grpc.ts';

class FakeStream implements Http2Stream {
  id = 1;
  queuedBytes = 0;
  closed = false;
  room = true;
  pieces: Uint8Array[] = [];
  ended = 0;
  flushes: (() => void)[] = [];
  get written(): number[] {
    return Array.from(Buffer.concat(this.pieces));
  }
  sendHeaders(): void {}
  write(pieces: readonly Uint8Array[], _byteLength: number, onFlushed?: () => void): boolean {
    this.pieces.push(...pieces);
    if (onFlushed !== undefined) this.flushes.push(onFlushed);
    return this.room;
  }
  end(_trailers?: HeaderList): void {
    this.ended += 1;
  }
  reset(): void {}
  consumed(): void {}
}

const message = (text: string): ReturnType<typeof bytesMessage> =>
  bytesMessage(new TextEncoder().encode(text));
const a = [0, 0, 0, 0, 1, 0x61];
const b = [0, 0, 0, 0, 1, 0x62];

describe('the sending side of a call', () => {
  it('puts the length before a message', () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    assert.equal(outbox.write({ pieces: [Uint8Array.of(1), Uint8Array.of(2, 3)], byteLength: 3 }), true);
    assert.deepEqual(stream.written, [0, 0, 0, 0, 3, 1, 2, 3]);
  });

  it('writes all four bytes of the length', () => {
    const { pieces } = frame({ pieces: [], byteLength: 0x7102_0304 }, 'identity');
    assert.deepEqual([...(pieces[0] ?? [])], [0, 0x71, 2, 3, 4]);
  });

  it('refuses a message that no peer can read', () => {
    assert.throws(
      () => frame({ pieces: [], byteLength: maxMessageBytes + 1 }, 'identity'),
      /2147483648 bytes is above the 2147483647 bytes/,
    );
  });

  it('compresses what is worth it', () => {
    const text = 'abc'.repeat(1000);
    const { pieces, byteLength } = frame(
      { pieces: [new TextEncoder().encode(text), new Uint8Array(0)], byteLength: 3000 },
      'gzip',
    );
    const all = Buffer.concat(pieces);
    assert.equal(all.byteLength, byteLength);
    assert.equal(all[0], 1);
    assert.equal(all.readUInt32BE(1), byteLength - 5);
    assert.equal(gunzipSync(all.subarray(5)).toString(), text);
    assert.equal(frame(message('short'), 'gzip').pieces[0]?.[0], 0);
  });

  it('gives the memory of a compressed message back in its turn: short ones before it may share that', async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.compression = 'gzip';
    outbox.attach(stream);
    let flushed = false;
    const memory = new Uint8Array(6000);
    outbox.write(bytesMessage(memory.subarray(0, 1000)));
    outbox.write({ ...bytesMessage(memory.subarray(1000)), onFlushed: () => (flushed = true) });
    await Promise.resolve();
    assert.equal(flushed, false);
    for (const flush of stream.flushes) flush();
    assert.equal(flushed, true);
  });

  it('keeps messages until there is a stream, and sends them with the end', () => {
    const outbox = new Outbox(true);
    outbox.write(message('a'));
    outbox.write(message('b'));
    outbox.end();
    const stream = new FakeStream();
    outbox.attach(stream);
    assert.deepEqual(stream.written, [...a, ...b]);
    assert.equal(stream.ended, 1);
  });

  it('sends again what a server did not process', () => {
    const outbox = new Outbox(true);
    outbox.attach(new FakeStream());
    outbox.write(message('a'));
    assert.equal(outbox.replayable, true);
    outbox.detach();
    outbox.write(message('b'));
    const second = new FakeStream();
    outbox.attach(second);
    assert.deepEqual(second.written, [...a, ...b]);
    outbox.commit();
    assert.equal(outbox.replayable, false);
  });

  it('keeps no more than the limit to send again', () => {
    const outbox = new Outbox(true);
    outbox.attach(new FakeStream());
    outbox.write(bytesMessage(new Uint8Array(maxHeldBytes - 5)));
    assert.equal(outbox.replayable, true);
    outbox.write(message('a'));
    assert.equal(outbox.replayable, false);
  });

  it('keeps no memory that is used again once it was flushed', () => {
    const outbox = new Outbox(true);
    outbox.attach(new FakeStream());
    outbox.write({ ...message('a'), onFlushed: () => undefined });
    assert.equal(outbox.replayable, false);
  });

  it('gives back the memory of a message once it was flushed, and before its owner is told', () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    const events: string[] = [];
    const memory = { bytes: new Uint8Array(3000), release: () => events.push('released') };
    outbox.write({ ...bytesMessage(memory.bytes), memory, onFlushed: () => events.push('flushed') });
    outbox.write({ ...bytesMessage(memory.bytes), memory });
    assert.deepEqual(events, []);
    for (const flush of stream.flushes) flush();
    assert.deepEqual(events, ['released', 'flushed', 'released']);
  });

  it('keeps the memory of a message that may have to be sent again', () => {
    const outbox = new Outbox(true);
    const [first, second] = [new FakeStream(), new FakeStream()];
    let released = false;
    const memory = { bytes: new Uint8Array(3000), release: () => (released = true) };
    outbox.attach(first);
    outbox.write({ ...bytesMessage(memory.bytes), memory });
    for (const flush of first.flushes) flush();
    assert.equal(outbox.replayable, true);
    outbox.detach();
    outbox.attach(second);
    for (const flush of second.flushes) flush();
    assert.equal(released, false);
    assert.equal(second.written.length, 3005);
  });

  it('makes a writer wait before there is a stream as well', async () => {
    const outbox = new Outbox(true);
    assert.equal(outbox.write(bytesMessage(new Uint8Array(maxHeldBytes))), false);
    let drained = false;
    const waiting = outbox.drained().then(() => (drained = true));
    await Promise.resolve();
    assert.equal(drained, false);
    outbox.attach(new FakeStream());
    await waiting;
  });

  it('makes a writer wait until the stream has room', async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    await outbox.drained();
    stream.room = false;
    assert.equal(outbox.write(message('a')), false);
    const waiting = outbox.drained();
    outbox.onDrain();
    await waiting;
    await outbox.drained();
  });

  it('fails writers with what the call ended with', async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    stream.room = false;
    outbox.write(message('a'));
    const waiting = outbox.drained();
    outbox.close(() => new FlightCancelledError('over'));
    await assert.rejects(waiting, /over/);
    await assert.rejects(outbox.drained(), /over/);
    assert.throws(() => outbox.write(message('a')), /over/);
  });

  it('gives memory back that was never sent', () => {
    let flushed = 0;
    const outbox = new Outbox(true);
    outbox.write({ ...message('a'), onFlushed: () => (flushed += 1) });
    outbox.close(() => new FlightCancelledError('over'));
    assert.equal(flushed, 1);
  });

  it('refuses messages after the end', () => {
    const outbox = new Outbox(true);
    outbox.end();
    outbox.end();
    assert.throws(() => outbox.write(message('a')), /after the end/);
  });
});

describe('small messages that are written one after the other', () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('go out together at the end of the turn, in order with those that are not small', async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    const large = new Uint8Array(2000).fill(7);
    outbox.write(message('a'));
    outbox.write(message('b'));
    outbox.write(message('a'));
    outbox.write(bytesMessage(large));
    outbox.write(message('b'));
    outbox.write({ pieces: [new Uint8Array(0), Uint8Array.of(0x61)], byteLength: 1 });
    await turn();
    assert.deepEqual(stream.written, [...a, ...b, ...a, 0, 0, 0, 7, 208, ...large, ...b, ...a]);
    assert.ok(stream.pieces.length < 9);
  });

  it('go out before the end', () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    outbox.write(message('a'));
    outbox.write(message('b'));
    outbox.end();
    assert.deepEqual(stream.written, [...a, ...b]);
  });

  it('of several calls do not get mixed up', async () => {
    const streams = Array.from({ length: 3 }, () => new FakeStream());
    const outboxes = streams.map((stream) => {
      const outbox = new Outbox(false);
      outbox.attach(stream);
      return outbox;
    });
    const expected: number[][] = [[], [], []];
    for (let n = 0; n < 5000; n += 1) {
      for (const [index, outbox] of outboxes.entries()) {
        const bytes = new Uint8Array(n % 40).fill(index + 1);
        outbox.write(bytesMessage(bytes));
        expected[index]?.push(0, 0, 0, 0, bytes.byteLength, ...bytes);
      }
    }
    await turn();
    assert.deepEqual(
      streams.map(({ written }) => written),
      expected,
    );
  });

  it('make a writer wait as others do', () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    outbox.write(message('a'));
    stream.room = false;
    let written = 0;
    while (outbox.write(bytesMessage(new Uint8Array(100)))) written += 105;
    assert.ok(written > 0 && written <= 64 * 1024);
  });

  it('are not sent when the call is given up', async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(false);
    outbox.attach(stream);
    outbox.write(message('a'));
    outbox.write(message('b'));
    outbox.close(() => new FlightCancelledError('over'));
    await turn();
    assert.deepEqual(stream.written, a);
  });
});
