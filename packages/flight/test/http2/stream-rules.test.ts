// RFC 9113, sections 5.1, 5.2, 8.1: the life of a stream, the server's side.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Harness, server } from './harness.ts';
import {
  END_HEADERS,
  END_STREAM,
  PADDED,
  PRIORITY,
  block,
  frame,
  request,
  requestFields,
  settings,
} from './wire.ts';

const trailers = frame('HEADERS', END_HEADERS | END_STREAM, 1, block(['x-checksum', '1']));

/** Sends frames behind a request that has not ended; gives the code its stream is reset with. */
function resetCode(harness: Harness, ...parts: readonly Buffer[]): number | undefined {
  harness.send(request(1, END_HEADERS), ...parts);
  assert.equal(harness.fatal, undefined);
  const reset = harness.frames().find(({ type }) => type === 'RST_STREAM');
  return reset?.payload.readUInt32BE();
}

describe('a request', () => {
  it('tells payload, trailers and end in order', () => {
    const harness = server();
    harness.send(
      request(1, END_HEADERS),
      frame('DATA', 0, 1, Buffer.from('ab')),
      frame('DATA', PADDED, 1, Buffer.from('0263640000', 'hex')),
      trailers,
    );
    const { handler } = harness.requests[0] ?? assert.fail();
    assert.deepEqual(handler.told, ['data', 'data', 'trailers', 'end']);
    assert.equal(handler.body.toString(), 'abcd');
    assert.deepEqual(handler.trailers, [['x-checksum', '1']]);
  });

  it('closes when both sides have ended, once', () => {
    const harness = server();
    harness.send(request(1));
    const { handler } = harness.requests[0] ?? assert.fail();
    handler.stream?.sendHeaders([[':status', '200']]);
    handler.stream?.write([Buffer.from('hi')], 2);
    handler.stream?.end([['grpc-status', '0']]);
    assert.deepEqual(handler.told, ['end'], 'nothing was taken yet');
    const frames = harness.frames();
    assert.deepEqual(
      frames.map(({ type, flags }) => [type, flags]),
      [
        ['HEADERS', END_HEADERS],
        ['DATA', 0],
        ['HEADERS', END_HEADERS | END_STREAM],
      ],
    );
    assert.deepEqual(handler.told, ['end', 'close']);
    assert.equal(harness.core.openStreams, 0);
    handler.stream?.reset('CANCEL');
    assert.deepEqual(handler.told, ['end', 'close']);
  });

  it('may be answered with headers alone, in one frame', () => {
    const harness = server();
    harness.send(request(1), request(3));
    harness.requests[0]?.handler.stream?.sendHeaders([[':status', '404']], true);
    harness.requests[1]?.handler.stream?.sendHeaders([[':status', '200']]);
    harness.requests[1]?.handler.stream?.end();
    assert.deepEqual(
      harness.frames().map(({ type, flags, stream }) => [type, flags, stream]),
      [
        ['HEADERS', END_HEADERS | END_STREAM, 1],
        ['HEADERS', END_HEADERS | END_STREAM, 3],
      ],
    );
  });

  it('ends with the last payload when there are no trailers', () => {
    const harness = server();
    harness.send(request(1));
    const stream = harness.requests[0]?.handler.stream;
    stream?.sendHeaders([[':status', '200']]);
    stream?.write([Buffer.from('hi')], 2);
    stream?.end();
    assert.deepEqual(
      harness.frames().map(({ type, flags }) => [type, flags]),
      [
        ['HEADERS', END_HEADERS],
        ['DATA', END_STREAM],
      ],
    );
  });

  it('that is answered before its end is not read any more', () => {
    const harness = server();
    harness.send(request(1, END_HEADERS), frame('DATA', 0, 1, Buffer.from('a')));
    const { handler } = harness.requests[0] ?? assert.fail();
    handler.stream?.sendHeaders([[':status', '200']], true);
    assert.deepEqual(
      harness.frames().map(({ type, payload }) => [type, type === 'RST_STREAM' ? payload.readUInt32BE() : 0]),
      [
        ['HEADERS', 0],
        ['RST_STREAM', 0],
      ],
    );
    assert.deepEqual(handler.told, ['data', 'close']);
    harness.send(frame('DATA', 0, 1, Buffer.from('late')), trailers);
    assert.deepEqual(handler.told, ['data', 'close']);
    assert.deepEqual(harness.frames(), []);
  });

  it('that the client resets closes with its code', () => {
    const harness = server();
    harness.send(
      request(1, END_HEADERS),
      frame('RST_STREAM', 0, 1, [8]),
      request(3),
      frame('RST_STREAM', 0, 3, [99]),
    );
    assert.equal(harness.requests[0]?.handler.error?.code, 'CANCEL');
    assert.equal(harness.requests[1]?.handler.error?.code, 'INTERNAL_ERROR', 'codes that nobody knows');
    assert.deepEqual(harness.frames(), []);
  });

  it('that we reset closes, and late frames of it are passed over', () => {
    const harness = server();
    harness.send(request(1, END_HEADERS));
    const { handler } = harness.requests[0] ?? assert.fail();
    handler.stream?.reset('INTERNAL_ERROR');
    assert.equal(handler.error?.code, 'INTERNAL_ERROR');
    harness.frames();
    harness.send(frame('DATA', 0, 1, Buffer.alloc(100)), frame('WINDOW_UPDATE', 0, 1, [5]), trailers);
    harness.send(frame('RST_STREAM', 0, 1, [8]));
    assert.deepEqual(harness.frames(), []);
    assert.deepEqual(handler.told, ['close INTERNAL_ERROR']);
  });

  it('may be reset while it is told of', () => {
    const harness = server();
    harness.answer = (stream) => stream.reset('REFUSED_STREAM');
    harness.send(request(1));
    assert.deepEqual(harness.requests[0]?.handler.told, ['close REFUSED_STREAM']);
    harness.answer = (stream, handler) => {
      handler.whenData = () => stream.reset('CANCEL');
    };
    harness.send(request(3, END_HEADERS), frame('DATA', END_STREAM, 3, Buffer.from('ab')));
    assert.deepEqual(harness.requests[1]?.handler.told, ['data', 'close CANCEL']);
  });

  it('has no frames behind its end', () => {
    for (const late of [frame('DATA', 0, 1), trailers]) {
      const harness = server();
      assert.equal(resetCode(harness, frame('DATA', END_STREAM, 1), late), 5);
      assert.deepEqual(harness.requests[0]?.handler.told, ['end', 'close STREAM_CLOSED']);
    }
  });

  it('has no second headers that do not end it', () => {
    const harness = server();
    assert.equal(resetCode(harness, frame('HEADERS', END_HEADERS, 1, block(['a', 'b']))), 1);
  });

  it('has trailers without pseudo headers', () => {
    const harness = server();
    const wrong = frame('HEADERS', END_HEADERS | END_STREAM, 1, block([':path', '/']));
    assert.equal(resetCode(harness, wrong), 1);
    assert.match(harness.requests[0]?.handler.error?.message ?? '', /trailers have the pseudo header :path/);
  });

  it('does not depend on itself, with trailers neither', () => {
    const dependent = (stream: number): Buffer =>
      Buffer.concat([Buffer.from([0, 0, 0, stream, 16]), block(['a', 'b'])]);
    const flags = END_HEADERS | END_STREAM | PRIORITY;
    assert.equal(resetCode(server(), frame('HEADERS', flags, 1, dependent(1))), 1);
    assert.equal(resetCode(server(), frame('HEADERS', flags, 1, dependent(3))), undefined);
  });

  it('that is malformed reaches nobody', () => {
    const harness = server();
    harness.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, block([':method', 'GET'])));
    assert.deepEqual(harness.requests, []);
    assert.deepEqual(
      harness.frames().map(({ type, payload }) => [type, payload.readUInt32BE()]),
      [['RST_STREAM', 1]],
    );
  });

  it('has as much payload as its content-length says', () => {
    const cases: [string, number, number | undefined][] = [
      ['3', 3, undefined],
      ['4', 3, 1],
      ['2', 3, 1],
      ['0', 0, undefined],
    ];
    for (const [announced, sent, code] of cases) {
      const harness = server();
      harness.send(
        frame('HEADERS', END_HEADERS, 1, block(...requestFields, ['content-length', announced])),
        frame('DATA', END_STREAM, 1, Buffer.alloc(sent)),
      );
      assert.equal(harness.frames()[0]?.payload.readUInt32BE(), code, `${announced} for ${sent}`);
    }
    const harness = server();
    harness.send(
      frame('HEADERS', END_HEADERS | END_STREAM, 1, block(...requestFields, ['content-length', '1'])),
    );
    assert.equal(harness.frames()[0]?.payload.readUInt32BE(), 1);
  });
});

describe('the windows for what is received', () => {
  it('of streams bound what the peer sends', () => {
    const harness = server({ streamWindowBytes: 65_535 });
    harness.send(request(1, END_HEADERS));
    for (let sent = 0; sent < 60_000; sent += 10_000) harness.send(frame('DATA', 0, 1, Buffer.alloc(10_000)));
    assert.deepEqual(harness.frames(), []);
    harness.send(frame('DATA', 0, 1, Buffer.alloc(5535)));
    assert.deepEqual(harness.frames(), []);
    harness.send(frame('DATA', 0, 1, Buffer.alloc(1)));
    assert.equal(harness.frames()[0]?.payload.readUInt32BE(), 3);
    assert.equal(harness.fatal, undefined);
  });

  it('of streams open again as the application consumes, in large steps', () => {
    const harness = server({ streamWindowBytes: 100_000 });
    harness.send(request(1, END_HEADERS));
    const { stream } = harness.requests[0]?.handler ?? assert.fail();
    harness.send(...Array.from({ length: 10 }, () => frame('DATA', 0, 1, Buffer.alloc(10_000))));
    stream?.consumed(20_000);
    assert.deepEqual(harness.frames(), [], 'a small step is not told');
    stream?.consumed(5_000);
    const [update] = harness.frames();
    assert.deepEqual(
      [update?.type, update?.stream, update?.payload.readUInt32BE()],
      ['WINDOW_UPDATE', 1, 25_000],
    );
    harness.send(frame('DATA', 0, 1, Buffer.alloc(16_384)));
    stream?.consumed(1e9);
    assert.equal(harness.frames()[0]?.payload.readUInt32BE(), 91_384, 'no more than has come');
  });

  it('count padding, and give it back', () => {
    const harness = server({ streamWindowBytes: 65_535 });
    harness.send(request(1, END_HEADERS));
    const padded = frame('DATA', PADDED, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]));
    for (let i = 0; i < 512; i++) harness.send(padded);
    assert.equal(harness.fatal, undefined);
    const updates = harness.frames().filter(({ type }) => type === 'WINDOW_UPDATE');
    assert.ok(updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0) > 256 * 256);
  });

  it('are the initial ones until the peer knows of smaller ones', () => {
    const harness = server({ streamWindowBytes: 1000 });
    assert.equal(resetCode(harness, frame('DATA', 0, 1, Buffer.alloc(1001))), 3);
  });

  it('of the connection open again as bytes arrive', () => {
    const harness = server({ connectionWindowBytes: 65_535 });
    harness.send(request(1, END_HEADERS), frame('DATA', 0, 1, Buffer.alloc(16_384)));
    const [update] = harness.frames();
    assert.deepEqual([update?.stream, update?.payload.readUInt32BE()], [0, 16_384]);
  });

  it('of the connection count what goes nowhere', () => {
    const harness = server({ connectionWindowBytes: 65_535 });
    harness.send(request(1, END_HEADERS));
    harness.requests[0]?.handler.stream?.reset('CANCEL');
    harness.frames();
    for (let i = 0; i < 100; i++) harness.send(frame('DATA', 0, 1, Buffer.alloc(10_000)));
    assert.equal(harness.fatal, undefined);
    const given = harness.frames().reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0);
    assert.ok(given > 900_000);
  });

  it('of the connection bound what the peer sends', () => {
    const harness = server({ connectionWindowBytes: 65_535, maxUnconsumedBytes: 0 });
    harness.send(request(1, END_HEADERS));
    for (let i = 0; i < 6; i++) harness.send(frame('DATA', 0, 1, Buffer.alloc(10_000)));
    assert.deepEqual(harness.frames(), [], 'held back: nobody has consumed');
    harness.send(frame('DATA', 0, 1, Buffer.alloc(6_000)));
    assert.equal(harness.fatal?.code, 'FLOW_CONTROL_ERROR');
  });

  it('of the connection held back for streams that are reset open again', () => {
    const harness = server({ connectionWindowBytes: 65_535, maxUnconsumedBytes: 0 });
    harness.send(request(1, END_HEADERS));
    for (let i = 0; i < 6; i++) harness.send(frame('DATA', 0, 1, Buffer.alloc(10_000)));
    harness.send(frame('RST_STREAM', 0, 1, [8]));
    const [update] = harness.frames();
    assert.deepEqual(
      [update?.type, update?.stream, update?.payload.readUInt32BE()],
      ['WINDOW_UPDATE', 0, 60_000],
    );
  });
});

describe('what a handler throws', () => {
  it('ends its stream and no other', () => {
    const harness = server();
    harness.answer = (_stream, handler) => {
      handler.whenData = () => {
        throw new TypeError('broken handler');
      };
    };
    harness.send(request(1, END_HEADERS), request(3, END_HEADERS));
    harness.send(frame('DATA', 0, 1, Buffer.from('x')));
    assert.equal(harness.fatal, undefined);
    assert.deepEqual(harness.applicationErrors, ['onData: TypeError: broken handler']);
    const { handler } = harness.requests[0] ?? assert.fail();
    assert.equal(handler.error?.code, 'INTERNAL_ERROR');
    assert.ok(handler.error?.cause instanceof TypeError);
    assert.equal(harness.frames()[0]?.payload.readUInt32BE(), 2);
    harness.requests[1]?.handler.stream?.sendHeaders([[':status', '200']], true);
    assert.equal(harness.frames()[0]?.stream, 3);
  });

  it('is told wherever it happens', () => {
    const harness = server();
    harness.answer = () => {
      throw new Error('no');
    };
    harness.send(request(1));
    harness.answer = (_stream, handler) => {
      handler.onEnd = () => {
        throw new Error('no end');
      };
      handler.onClose = () => {
        throw new Error('no close');
      };
    };
    harness.send(request(3));
    assert.deepEqual(harness.applicationErrors, [
      'onRequest: Error: no',
      'onEnd: Error: no end',
      'onClose: Error: no close',
    ]);
    assert.equal(harness.core.openStreams, 0);
    assert.equal(harness.fatal, undefined);
  });
});

describe('misuse of a stream', () => {
  it('is refused before it reaches the wire', () => {
    const harness = server();
    harness.send(request(1));
    const { stream } = harness.requests[0]?.handler ?? assert.fail();
    assert.throws(() => stream?.write([Buffer.from('x')], 1), /headers first/);
    assert.throws(() => stream?.end(), /headers first/);
    assert.throws(() => stream?.sendHeaders([['Bad', '']]), /lower-case/);
    stream?.sendHeaders([[':status', '200']]);
    assert.throws(() => stream?.sendHeaders([[':status', '200']]), /sent twice/);
    assert.throws(() => stream?.write([Buffer.from('abc')], 2), /3 bytes were announced as 2/);
    assert.throws(() => stream?.end([['x', '\n']]), /line break/);
    assert.equal(harness.fatal, undefined);
    stream?.end();
    assert.equal(harness.frames().length, 1);
  });

  it('after its end does nothing', async () => {
    const harness = server();
    harness.send(request(1));
    const { stream } = harness.requests[0]?.handler ?? assert.fail();
    stream?.sendHeaders([[':status', '200']], true);
    harness.frames();
    assert.equal(stream?.closed, true);
    stream?.sendHeaders([[':status', '200']]);
    stream?.end();
    stream?.consumed(10);
    const flushed = new Promise<void>((resolve) => {
      assert.equal(stream?.write([Buffer.from('x')], 1, resolve), true);
    });
    await flushed;
    harness.send(settings([4, 100]));
    assert.deepEqual(
      harness.frames().map(({ type }) => type),
      ['SETTINGS'],
    );
  });
});
