// Each known attack on HTTP/2, sent as bytes, and the limit of `limits/` that ends it. Beside each: honest peers stay.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Http2Error } from '../../src/http2/errors.ts';
import {
  defaultMaxHeaderListBytes,
  floodBudgets,
  maxContinuationFrames,
  maxHeaderBlockBytes,
  maxOwedControlBytes,
  maxSettingsPerFrame,
} from '../../src/limits/http2.ts';
import { type Harness, client, server as serverOf } from './harness.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  block,
  frame,
  parse,
  request,
  requestFields,
  settings,
} from './wire.ts';
import type { FloodBudgets } from '../../src/http2/flood-guard.ts';
import { silentHandler } from '../../src/http2/index.ts';

/** The budgets, of which no time that a busy machine takes gives anything back. */
const budgets: FloodBudgets = {
  reset: { ...floodBudgets.reset, perSecond: 0 },
  ping: { ...floodBudgets.ping, perSecond: 0 },
  settings: { ...floodBudgets.settings, perSecond: 0 },
  emptyData: { ...floodBudgets.emptyData, perSecond: 0 },
  ignored: { ...floodBudgets.ignored, perSecond: 0 },
  windowUpdate: { ...floodBudgets.windowUpdate, perSecond: 0 },
};

function server(...[limits, ...rest]: Parameters<typeof serverOf>): Harness {
  return serverOf({ floodBudgets: budgets, ...limits }, ...rest);
}

/** Sends frames again and again, reading the answers, until the connection fails; gives how many were taken. */
function flood(harness: Harness, make: (i: number) => Uint8Array, most: number = 20_000): number {
  for (let i = 0; i < most; i++) {
    harness.send(make(i));
    if (harness.fatal !== undefined) {
      assert.equal(harness.fatal.code, 'ENHANCE_YOUR_CALM');
      assert.equal(harness.goawayCode(), 0xb);
      return i;
    }
    if (i % 100 === 0) harness.output();
  }
  return most;
}

/** About the budget: what was sent meanwhile gives some of it back. */
function about(count: number, budget: number): void {
  assert.ok(count >= budget && count < budget * 1.5, `${count} were taken of a budget of ${budget}`);
}

describe('a flood of streams', () => {
  it('that the client resets at once (rapid reset) ends', () => {
    const harness = server();
    const taken = flood(harness, (i) =>
      Buffer.concat([request(1 + 2 * i, END_HEADERS), frame('RST_STREAM', 0, 1 + 2 * i, [8])]),
    );
    about(taken, floodBudgets.reset.burst);
    assert.equal(harness.core.openStreams, 0);
  });

  it('that the client makes the server reset (made you reset) ends, whatever the trick', () => {
    const tricks: ((stream: number) => Buffer)[] = [
      (stream) => frame('WINDOW_UPDATE', 0, stream, [0]),
      (stream) => frame('WINDOW_UPDATE', 0, stream, [0x7fffffff]),
      (stream) => frame('PRIORITY', 0, stream, [1]),
      (stream) => frame('DATA', END_STREAM, stream).subarray(0, 0),
      (stream) => frame('HEADERS', END_HEADERS, stream, block(['a', 'b'])),
    ];
    for (const [number, trick] of tricks.entries()) {
      const harness = server({
        floodBudgets: { ...budgets, reset: { burst: 200, perSecond: 0 } },
      });
      const taken = flood(
        harness,
        (i) => {
          const stream = 1 + 2 * i;
          // Behind its end a stream may have no payload: the fourth trick.
          return number === 3
            ? Buffer.concat([request(stream), frame('DATA', 0, stream)])
            : Buffer.concat([request(stream, END_HEADERS), trick(stream)]);
        },
        1000,
      );
      about(taken, 200);
    }
  });

  it('that are malformed, or refused for being too many, ends', () => {
    const few = { ...budgets, reset: { burst: 200, perSecond: 0 } };
    const malformed = server({ floodBudgets: few });
    about(
      flood(malformed, (i) => frame('HEADERS', END_HEADERS, 1 + 2 * i, block([':path', '/'])), 1000),
      200,
    );
    assert.deepEqual(malformed.requests, []);
    const refused = server({ floodBudgets: few, maxConcurrentStreams: 10 });
    about(
      flood(refused, (i) => request(1 + 2 * i), 1000),
      210,
    );
    assert.equal(refused.requests.length, 10);
  });

  it('is no matter when each of them comes to its end', () => {
    const harness = server();
    harness.answer = (stream) => stream.sendHeaders([[':status', '200']], true);
    for (let i = 0; i < 10_000; i++) {
      harness.send(request(1 + 2 * i));
      harness.output();
    }
    assert.equal(harness.fatal, undefined);
    assert.equal(harness.requests.length, 10_000);
    assert.equal(harness.core.openStreams, 0);
  });

  it('beyond the limit of streams at once is refused one by one', () => {
    const harness = server({ maxConcurrentStreams: 3 });
    for (let i = 0; i < 5; i++) harness.send(request(1 + 2 * i, END_HEADERS));
    assert.equal(harness.requests.length, 3);
    assert.deepEqual(
      harness.frames().map(({ type, stream, payload }) => [type, stream, payload.readUInt32BE()]),
      [
        ['RST_STREAM', 7, 7],
        ['RST_STREAM', 9, 7],
      ],
    );
    harness.requests[0]?.handler.stream?.reset('CANCEL');
    harness.send(request(11));
    assert.equal(harness.requests.length, 4);
  });
});

describe('a header block', () => {
  it('in more CONTINUATION frames than are taken ends the connection, empty ones as well', () => {
    for (const part of [Buffer.alloc(0), Buffer.from([0x82])]) {
      const harness = server();
      harness.send(request(1, END_STREAM));
      about(
        flood(harness, () => frame('CONTINUATION', 0, 1, part)),
        maxContinuationFrames,
      );
      assert.deepEqual(harness.requests, []);
    }
  });

  it('of more bytes than are taken ends the connection', () => {
    const harness = server();
    harness.send(request(1, END_STREAM));
    const taken = flood(harness, () => frame('CONTINUATION', 0, 1, Buffer.alloc(100_000, 0x82)));
    assert.equal(taken, Math.floor(maxHeaderBlockBytes / 100_000));
    const whole = server();
    const head = frame('HEADERS', END_HEADERS, 1, Buffer.alloc(maxHeaderBlockBytes + 1)).subarray(0, 9);
    whole.send(head);
    assert.equal(whole.fatal?.code, 'ENHANCE_YOUR_CALM', 'by its length alone');
    assert.match(whole.fatal?.message ?? '', /524289 bytes is above the limit of 524288/);
  });

  it('that stands for a large list (HPACK bomb) is answered with 431, and the connection goes on', () => {
    const harness = server();
    // An entry of some 4,000 bytes, then thousands of references of one byte each.
    const entry = block(['x', 'y'.repeat(4000)]);
    entry[0] = 0x40;
    const bomb = Buffer.concat([block(...requestFields), entry, Buffer.alloc(100_000, 0xbe)]);
    const before = process.memoryUsage().heapUsed;
    harness.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, bomb));
    assert.ok(process.memoryUsage().heapUsed - before < 50_000_000, 'a list of 400 MB was not made');
    assert.equal(harness.fatal, undefined);
    assert.equal(harness.requests.length, 0);
    const [answer] = harness.frames();
    assert.deepEqual(harness.decode(answer), [[':status', '431']]);
    assert.equal(answer?.flags, END_HEADERS | END_STREAM);
    // The tables are still the same on both ends.
    harness.send(
      frame(
        'HEADERS',
        END_HEADERS | END_STREAM,
        3,
        Buffer.concat([block(...requestFields), Buffer.of(0xbe)]),
      ),
    );
    assert.equal(harness.requests[0]?.headers.at(-1)?.[1].length, 4000);
  });

  it('that is too large can be answered as the layer above likes', () => {
    const told: number[][] = [];
    const harness = server({ maxHeaderListBytes: 500 }, [], {
      oversizedAnswer: (actual, limit) => {
        told.push([actual, limit]);
        return [
          [':status', '200'],
          ['grpc-status', '8'],
        ];
      },
    });
    harness.send(frame('HEADERS', END_HEADERS, 1, block(...requestFields, ['x', 'y'.repeat(500)])));
    assert.deepEqual(told, [[722, 500]]);
    const frames = harness.frames();
    assert.deepEqual(harness.decode(frames[0]).at(-1), ['grpc-status', '8']);
    assert.equal(frames[1]?.type, 'RST_STREAM', 'its payload is not wanted');
    assert.equal(harness.core.openStreams, 0);
  });

  it('of the size that we announce is taken', () => {
    const harness = server();
    const value = 'z'.repeat(defaultMaxHeaderListBytes - 1000);
    harness.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, block(...requestFields, ['x', value])));
    assert.equal(harness.requests[0]?.headers.at(-1)?.[1], value);
  });
});

describe('a flood of cheap frames', () => {
  const payload = Buffer.alloc(8, 1);

  it('of PING ends, and of answers to pings that nobody sent', () => {
    about(
      flood(server(), () => frame('PING', 0, 0, payload)),
      floodBudgets.ping.burst,
    );
    about(
      flood(server(), () => frame('PING', ACK, 0, payload)),
      floodBudgets.ping.burst,
    );
  });

  it('of SETTINGS ends, of acknowledgements, and of settings in one frame', () => {
    about(
      flood(server(), () => settings([4, 100])),
      floodBudgets.settings.burst - 1,
    );
    about(
      flood(server(), () => frame('SETTINGS', ACK, 0)),
      floodBudgets.settings.burst - 1,
    );
    const one = server();
    one.send(frame('SETTINGS', 0, 0, Buffer.alloc(6 * (maxSettingsPerFrame + 1))));
    assert.equal(one.fatal?.code, 'ENHANCE_YOUR_CALM');
  });

  it('of DATA without payload ends, on a stream that is reset as well', () => {
    const open = server();
    open.send(request(1, END_HEADERS));
    about(
      flood(open, () => frame('DATA', 0, 1)),
      floodBudgets.emptyData.burst,
    );
    const padded = server();
    padded.send(request(1, END_HEADERS));
    about(
      flood(padded, () => frame('DATA', 8, 1, Buffer.from([3, 0, 0, 0]))),
      floodBudgets.emptyData.burst,
    );
    const closed = server();
    closed.send(request(1, END_HEADERS));
    closed.requests[0]?.handler.stream?.reset('CANCEL');
    about(
      flood(closed, () => frame('DATA', 0, 1)),
      floodBudgets.emptyData.burst,
    );
  });

  it('of WINDOW_UPDATE ends', () => {
    about(
      flood(server(), () => frame('WINDOW_UPDATE', 0, 0, [1])),
      floodBudgets.windowUpdate.burst,
    );
  });

  it('of PRIORITY, GOAWAY, RST_STREAM and frames that nobody knows ends', () => {
    for (const cheap of [
      frame('PRIORITY', 0, 9, Buffer.from('0000000110', 'hex')),
      frame('GOAWAY', 0, 0, [0, 0]),
      frame(0x77, 0, 0, Buffer.alloc(100)),
    ]) {
      about(
        flood(server(), () => cheap),
        floodBudgets.ignored.burst,
      );
    }
    const harness = server();
    harness.send(request(1));
    about(
      flood(harness, () => frame('RST_STREAM', 0, 1, [8])),
      floodBudgets.reset.burst,
    );
  });

  it('of interim responses ends', () => {
    const harness = client();
    harness.core.request(requestFields, silentHandler, true);
    harness.output();
    about(
      flood(harness, () => frame('HEADERS', END_HEADERS, 1, block([':status', '103']))),
      floodBudgets.ignored.burst,
    );
  });

  it('is none when it answers what we send: pings and windows of a peer that receives', () => {
    const harness = server({}, [
      [4, 0x7fffffff],
      [5, 16_384],
    ]);
    harness.send(frame('WINDOW_UPDATE', 0, 0, [0x7fffffff - 65_535]), request(1));
    const { stream } = harness.requests[0]?.handler ?? assert.fail();
    stream?.sendHeaders([[':status', '200']]);
    for (let round = 0; round < 200; round++) {
      stream?.write([Buffer.alloc(1 << 20)], 1 << 20);
      const frames = parse(harness.output()).filter(({ type }) => type === 'DATA');
      // As gRPC's Go implementation does while it measures the bandwidth, and one that gives back each KiB.
      for (const { payload } of frames) {
        harness.send(frame('PING', 0, 0, [round, 0]));
        for (let at = 0; at < payload.length; at += 1024) {
          harness.send(frame('WINDOW_UPDATE', 0, 0, [1024]), frame('WINDOW_UPDATE', 0, 1, [1024]));
        }
      }
      harness.send(settings([4, 0x7fffffff]));
    }
    assert.equal(harness.fatal, undefined);
  });
});

describe('a peer that does not read', () => {
  it('is not owed more than a bound of answers', () => {
    const harness = server({ floodBudgets: { ...floodBudgets, ping: { burst: 1e9, perSecond: 0 } } });
    const ping = frame('PING', 0, 0, [1, 2]);
    const many = Buffer.concat(Array.from({ length: 1000 }, () => ping));
    let sent = 0;
    const failed = (): Http2Error | undefined => harness.fatal;
    for (; failed() === undefined && sent < 10 * maxOwedControlBytes; sent += many.length) harness.send(many);
    assert.equal(failed()?.code, 'ENHANCE_YOUR_CALM');
    assert.match(failed()?.message ?? '', new RegExp(`above the ${maxOwedControlBytes} that are kept`));
    assert.ok(sent < maxOwedControlBytes + 2 * many.length);
  });

  it('is owed anew once it has read', () => {
    const harness = server({ floodBudgets: { ...floodBudgets, ping: { burst: 1e9, perSecond: 0 } } });
    const ping = frame('PING', 0, 0, [1, 2]);
    const many = Buffer.concat(Array.from({ length: 4000 }, () => ping));
    for (let sent = 0; sent < 3 * maxOwedControlBytes; sent += many.length) {
      harness.send(many);
      assert.equal(harness.output().length, many.length);
    }
    assert.equal(harness.fatal, undefined);
  });

  it('may ask more often the more it is sent', () => {
    const budgets = { ...floodBudgets, ping: { burst: 5, perSecond: 0, perFrameSent: 1 } };
    const harness = server({ floodBudgets: budgets });
    harness.answer = (stream) => {
      stream.sendHeaders([[':status', '200']]);
      for (let i = 0; i < 20; i++) {
        stream.write([Buffer.alloc(2000)], 2000);
        harness.output();
      }
    };
    const failed = (): Http2Error | undefined => harness.fatal;
    harness.send(request(1));
    for (let i = 0; i < 20; i++) harness.send(frame('PING', 0, 0, [1, 2]));
    assert.equal(failed(), undefined);
    for (let i = 0; i < 20; i++) harness.send(frame('PING', 0, 0, [1, 2]));
    assert.equal(failed()?.code, 'ENHANCE_YOUR_CALM');
  });

  it('has no more streams open than the limit, each with what was written to it', () => {
    const harness = server({ maxConcurrentStreams: 5 }, [[4, 0]]);
    let room = 0;
    harness.answer = (stream) => {
      stream.sendHeaders([[':status', '200']]);
      while (stream.write([Buffer.alloc(100_000)], 100_000)) room++;
    };
    for (let i = 0; i < 100; i++) harness.send(request(1 + 2 * i));
    assert.equal(harness.requests.length, 5);
    assert.ok(room < 5 * 21, 'each writer was told to wait at 2 MiB');
  });

  it('keeps a stream with a shut window only so long (slow read)', () => {
    const harness = server({}, [[4, 10]]);
    harness.send(request(1), request(3), request(5));
    const [one, two, three] = harness.requests.map(({ handler }) => handler);
    for (const handler of [one, two, three]) handler?.stream?.sendHeaders([[':status', '200']]);
    let flushed = false;
    one?.stream?.write([Buffer.alloc(50)], 50, () => {
      flushed = true;
    });
    two?.stream?.write([Buffer.alloc(50)], 50);
    harness.output();
    for (let look = 0; look < 4; look++) {
      harness.core.resetStalled(4, 1000);
      harness.send(frame('WINDOW_UPDATE', 0, 3, [1]));
      harness.output();
    }
    assert.equal(one?.closed, false, 'progress was made before the first look');
    harness.core.resetStalled(4, 1000);
    assert.equal(one?.error?.code, 'ENHANCE_YOUR_CALM');
    assert.match(one?.error?.message ?? '', /nothing of the stream for 1000 ms, though 40 bytes wait/);
    assert.equal(flushed, true);
    assert.equal(two?.closed, false, 'a slow reader that reads');
    assert.equal(three?.closed, false, 'a stream with nothing to send');
    assert.deepEqual(
      harness.frames().map(({ type, stream }) => [type, stream]),
      [['RST_STREAM', 1]],
    );
  });

  it('is not blamed for what waits for the socket', () => {
    const harness = server({}, [[4, 1000]]);
    harness.send(request(1));
    const { handler } = harness.requests[0] ?? assert.fail();
    handler.stream?.sendHeaders([[':status', '200']]);
    handler.stream?.write([Buffer.alloc(50)], 50);
    for (let look = 0; look < 10; look++) harness.core.resetStalled(4, 1000);
    assert.equal(handler.closed, false);
  });

  it('is blamed when it shuts the window of the connection', () => {
    const harness = server({}, [[4, 1_000_000]]);
    harness.send(request(1));
    const { handler } = harness.requests[0] ?? assert.fail();
    handler.stream?.sendHeaders([[':status', '200']]);
    handler.stream?.write([Buffer.alloc(70_000)], 70_000);
    harness.output();
    for (let look = 0; look < 5; look++) harness.core.resetStalled(4, 1000);
    assert.equal(handler.error?.code, 'ENHANCE_YOUR_CALM');
  });
});
