// RFC 9113, sections 3.4, 4, 5.1.1, 6: what a connection may say. All by bytes, the server's side.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Error } from '../../src/http2/errors.ts';
import { Harness, server } from './harness.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  PADDED,
  PRIORITY,
  block,
  frame,
  parse,
  preface,
  request,
  requestFields,
  settings,
} from './wire.ts';

const codes = {
  PROTOCOL_ERROR: 1,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  COMPRESSION_ERROR: 9,
};

/** The bytes end the connection with a code, and nothing that follows is taken. */
function ends(code: keyof typeof codes, ...parts: readonly Buffer[]): void {
  const harness = server();
  harness.send(...parts);
  assert.equal(harness.fatal?.code, code);
  const before = harness.requests.length;
  harness.send(request(99));
  assert.equal(harness.requests.length, before);
  assert.equal(harness.goawayCode(), codes[code]);
  for (const { handler } of harness.requests) assert.equal(handler.error?.code, code);
}

/** The bytes end their stream with a code; the connection goes on. */
function resets(code: keyof typeof codes, stream: number, ...parts: readonly Buffer[]): void {
  const harness = server();
  harness.send(...parts);
  assert.equal(harness.fatal, undefined);
  const reset = harness.frames().find(({ type }) => type === 'RST_STREAM');
  assert.equal(reset?.stream, stream);
  assert.equal(reset?.payload.readUInt32BE(), codes[code]);
  harness.send(frame('PING', 0, 0, [1, 2]));
  assert.equal(harness.frames()[0]?.type, 'PING');
}

describe('the beginning of a connection', () => {
  it('is SETTINGS from the server, and a connection window', () => {
    const frames = new Harness('server').frames();
    assert.equal(frames[0]?.type, 'SETTINGS');
    assert.deepEqual(
      frames.map(({ type, stream }) => [type, stream]),
      [
        ['SETTINGS', 0],
        ['WINDOW_UPDATE', 0],
      ],
    );
  });

  it('is the preface and SETTINGS without push from the client', () => {
    const bytes = new Harness('client').output();
    assert.deepEqual(bytes.subarray(0, 24), preface);
    const [first] = parse(bytes.subarray(24));
    assert.equal(first?.type, 'SETTINGS');
    const pairs = Array.from({ length: (first?.payload.length ?? 0) / 6 }, (_, i) => [
      first?.payload.readUInt16BE(i * 6),
      first?.payload.readUInt32BE(i * 6 + 2),
    ]);
    assert.ok(pairs.some(([id, value]) => id === 2 && value === 0));
  });

  it('is the preface from the client, at whatever places it is cut', () => {
    const bytes = Buffer.concat([preface, settings()]);
    for (let at = 0; at <= bytes.length; at++) {
      const harness = new Harness('server');
      harness.send(bytes.subarray(0, at));
      harness.send(bytes.subarray(at));
      assert.ok(harness.ready);
    }
  });

  it('is refused when it is something else', () => {
    const harness = new Harness('server');
    harness.send(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    assert.equal(harness.fatal?.code, 'PROTOCOL_ERROR');
    assert.match(harness.fatal?.message ?? '', /does not speak HTTP\/2/);
  });

  it('is refused when the first frame is not SETTINGS', () => {
    for (const first of [frame('PING', 0, 0, [1, 2]), frame('SETTINGS', ACK, 0), request(1)]) {
      const harness = new Harness('server');
      harness.send(preface, first);
      assert.equal(harness.fatal?.code, 'PROTOCOL_ERROR');
    }
  });
});

describe('SETTINGS', () => {
  it('are acknowledged', () => {
    const harness = server();
    harness.send(settings([3, 100]));
    assert.deepEqual(
      harness.frames().map(({ type, flags, payload }) => [type, flags, payload.length]),
      [['SETTINGS', ACK, 0]],
    );
  });

  it('of unknown ids are passed over', () => {
    const harness = server();
    harness.send(settings([0x99, 1], [0xffff, 0xffffffff]));
    assert.equal(harness.fatal, undefined);
  });

  it('have to be well formed and in range', () => {
    ends('PROTOCOL_ERROR', frame('SETTINGS', 0, 1));
    ends('FRAME_SIZE_ERROR', frame('SETTINGS', ACK, 0, [1]));
    ends('FRAME_SIZE_ERROR', frame('SETTINGS', 0, 0, Buffer.alloc(5)));
    ends('PROTOCOL_ERROR', settings([2, 2]));
    ends('FLOW_CONTROL_ERROR', settings([4, 0x80000000]));
    ends('PROTOCOL_ERROR', settings([5, 16_383]));
    ends('PROTOCOL_ERROR', settings([5, 16_777_216]));
  });

  it('that allow push are an error of a server', () => {
    const harness = new Harness('client');
    harness.send(settings([2, 1]));
    assert.equal(harness.fatal?.code, 'PROTOCOL_ERROR');
  });
});

describe('PING', () => {
  it('is answered with the same bytes', () => {
    const harness = server();
    harness.send(frame('PING', 0, 0, [0x01020304, 0x05060708]));
    const [pong] = harness.frames();
    assert.equal(pong?.flags, ACK);
    assert.equal(pong?.payload.toString('hex'), '0102030405060708');
  });

  it('of ours is over when its answer comes, and only then', () => {
    const harness = server();
    const done: unknown[] = [];
    harness.core.ping((error) => done.push(error));
    const [ping] = harness.frames();
    harness.send(frame('PING', ACK, 0, [9, 9]));
    assert.deepEqual(done, []);
    harness.send(frame('PING', ACK, 0, ping?.payload));
    assert.deepEqual(done, [undefined]);
    assert.deepEqual(harness.frames(), [], 'an answer is not answered');
  });

  it('of ours ends with the connection', () => {
    const harness = server();
    const done: unknown[] = [];
    harness.core.ping((error) => done.push(error?.code));
    harness.send(frame('DATA', 0, 0));
    harness.core.ping((error) => done.push(error?.code));
    assert.deepEqual(done, ['PROTOCOL_ERROR', 'PROTOCOL_ERROR']);
  });

  it('has eight bytes and no stream', () => {
    ends('FRAME_SIZE_ERROR', frame('PING', 0, 0, [1]));
    ends('PROTOCOL_ERROR', frame('PING', 0, 1, [1, 2]));
  });
});

describe('frames of the wrong kind, place or size', () => {
  it('end the connection', () => {
    ends('FRAME_SIZE_ERROR', Buffer.from('ffffff000000000001', 'hex'));
    ends('PROTOCOL_ERROR', frame('DATA', 0, 0));
    ends('PROTOCOL_ERROR', frame('HEADERS', END_HEADERS, 0, block(...requestFields)));
    ends('PROTOCOL_ERROR', frame('PRIORITY', 0, 0, Buffer.alloc(5)));
    ends('PROTOCOL_ERROR', frame('RST_STREAM', 0, 0, [0]));
    ends('FRAME_SIZE_ERROR', request(1), frame('RST_STREAM', 0, 1, [0, 0]));
    ends('PROTOCOL_ERROR', frame('PUSH_PROMISE', END_HEADERS, 1, [2]));
    ends('PROTOCOL_ERROR', frame('GOAWAY', 0, 1, [0, 0]));
    ends('FRAME_SIZE_ERROR', frame('GOAWAY', 0, 0, [0]));
    ends('FRAME_SIZE_ERROR', frame('WINDOW_UPDATE', 0, 0, [1, 1]));
    ends('PROTOCOL_ERROR', frame('CONTINUATION', END_HEADERS, 0));
  });

  it('of types that nobody knows are passed over, except inside a header block', () => {
    const harness = server();
    harness.send(frame(0x42, 0xff, 0, Buffer.alloc(100)), frame(0x42, 0xff, 7), request(1));
    assert.equal(harness.requests.length, 1);
    ends('PROTOCOL_ERROR', request(1, END_STREAM), frame(0x42, 0, 1), frame('CONTINUATION', END_HEADERS, 1));
  });

  it('with flags that nobody knows are taken', () => {
    const harness = server();
    harness.send(frame('PING', 0xfe, 0, [1, 2]), request(1, 0xd2 | END_STREAM | END_HEADERS));
    assert.equal(harness.frames()[0]?.type, 'PING');
    assert.equal(harness.requests.length, 1);
  });
});

describe('header blocks', () => {
  const whole = block(...requestFields);

  it('may be cut into CONTINUATION frames at every place', () => {
    for (let at = 0; at <= whole.length; at++) {
      const harness = server();
      harness.send(
        frame('HEADERS', END_STREAM, 1, whole.subarray(0, at)),
        frame('CONTINUATION', 0, 1),
        frame('CONTINUATION', END_HEADERS, 1, whole.subarray(at)),
      );
      assert.deepEqual(harness.requests[0]?.headers, requestFields);
      assert.equal(harness.requests[0]?.endStream, true);
    }
  });

  it('may be padded and have a priority', () => {
    const harness = server();
    const padded = Buffer.concat([
      Buffer.from([3]),
      Buffer.alloc(4),
      Buffer.from([200]),
      whole,
      Buffer.alloc(3),
    ]);
    harness.send(frame('HEADERS', END_STREAM | END_HEADERS | PADDED | PRIORITY, 1, padded));
    assert.deepEqual(harness.requests[0]?.headers, requestFields);
  });

  it('are not interrupted', () => {
    ends('PROTOCOL_ERROR', request(1, 0), frame('PING', 0, 0, [1, 2]));
    ends('PROTOCOL_ERROR', request(1, 0), request(3));
    ends('PROTOCOL_ERROR', request(1, 0), frame('CONTINUATION', END_HEADERS, 3));
    ends('PROTOCOL_ERROR', frame('CONTINUATION', END_HEADERS, 1, whole));
    ends('PROTOCOL_ERROR', request(1), frame('CONTINUATION', END_HEADERS, 1));
  });

  it('end the connection when they are broken', () => {
    ends('COMPRESSION_ERROR', frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.from([0x80])));
    ends('COMPRESSION_ERROR', frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.from([0xff, 0xff])));
    ends('PROTOCOL_ERROR', frame('HEADERS', END_HEADERS | PADDED, 1, Buffer.from([9, 1, 2])));
    ends('FRAME_SIZE_ERROR', frame('HEADERS', END_HEADERS | PRIORITY, 1, Buffer.from([9, 1, 2])));
    ends('FRAME_SIZE_ERROR', frame('HEADERS', END_HEADERS | PADDED, 1));
  });

  it('are decoded even where nobody wants them, for those that follow', () => {
    const harness = server({ maxConcurrentStreams: 1 });
    // The second request is refused, but adds `x: y` to the table; the third refers to it.
    const added = Buffer.concat([whole, Buffer.from('4001780179', 'hex')]);
    const indexed = Buffer.concat([whole, Buffer.from('be', 'hex')]);
    harness.send(
      request(1),
      frame('HEADERS', END_HEADERS | END_STREAM, 3, added),
      frame('RST_STREAM', 0, 1, [8]),
    );
    harness.send(frame('HEADERS', END_HEADERS | END_STREAM, 5, indexed));
    assert.deepEqual(harness.requests[1]?.headers.at(-1), ['x', 'y']);
  });
});

describe('stream ids', () => {
  it('of a client are odd and rise', () => {
    ends('PROTOCOL_ERROR', request(2));
    ends('STREAM_CLOSED', request(5), request(3));
    const harness = server();
    harness.send(request(1), request(7), request(9));
    assert.equal(harness.requests.length, 3);
  });

  it('that are idle take no frames but HEADERS and PRIORITY', () => {
    ends('PROTOCOL_ERROR', frame('DATA', 0, 1));
    ends('PROTOCOL_ERROR', frame('RST_STREAM', 0, 1, [0]));
    ends('PROTOCOL_ERROR', frame('WINDOW_UPDATE', 0, 1, [1]));
    ends('PROTOCOL_ERROR', frame('WINDOW_UPDATE', 0, 2, [1]));
    const harness = server();
    harness.send(frame('PRIORITY', 0, 5, Buffer.from('0000000110', 'hex')));
    assert.equal(harness.fatal, undefined);
  });
});

describe('PRIORITY', () => {
  it('is passed over', () => {
    const harness = server();
    harness.send(request(1, END_HEADERS), frame('PRIORITY', 0, 1, Buffer.from('80000003ff', 'hex')));
    assert.deepEqual(harness.frames(), []);
  });

  it('has five bytes, and no stream depends on itself', () => {
    resets('FRAME_SIZE_ERROR', 1, request(1), frame('PRIORITY', 0, 1, [1]));
    resets('PROTOCOL_ERROR', 1, request(1), frame('PRIORITY', 0, 1, Buffer.from('0000000110', 'hex')));
    ends('FRAME_SIZE_ERROR', frame('PRIORITY', 0, 1, [1]));
    const own = Buffer.concat([Buffer.from('0000000110', 'hex'), block(...requestFields)]);
    resets('PROTOCOL_ERROR', 1, frame('HEADERS', END_HEADERS | PRIORITY, 1, own));
  });
});

describe('WINDOW_UPDATE', () => {
  it('of nothing is an error', () => {
    ends('PROTOCOL_ERROR', frame('WINDOW_UPDATE', 0, 0, [0]));
    resets('PROTOCOL_ERROR', 1, request(1), frame('WINDOW_UPDATE', 0, 1, [0]));
  });

  it('above 2^31 - 1 is an error', () => {
    ends('FLOW_CONTROL_ERROR', frame('WINDOW_UPDATE', 0, 0, [0x7fffffff]));
    resets('FLOW_CONTROL_ERROR', 1, request(1), frame('WINDOW_UPDATE', 0, 1, [0x7fffffff]));
    ends(
      'FLOW_CONTROL_ERROR',
      request(1),
      frame('WINDOW_UPDATE', 0, 1, [0x7fffffff - 65_535]),
      settings([4, 65_536]),
    );
  });

  it('of a closed stream is passed over', () => {
    const harness = server();
    harness.send(request(1), frame('RST_STREAM', 0, 1, [8]), frame('WINDOW_UPDATE', 0, 1, [10]));
    assert.deepEqual(harness.frames(), []);
  });
});

describe('GOAWAY', () => {
  it('of the client lets its streams go on', () => {
    const harness = server();
    harness.send(request(1, END_HEADERS), frame('GOAWAY', 0, 0, [0, 0]));
    assert.equal(harness.goaways, 1);
    harness.send(frame('DATA', END_STREAM, 1, Buffer.from('x')));
    assert.deepEqual(harness.requests[0]?.handler.told, ['data', 'end']);
  });

  it('of ours announces, then refuses streams above the last one taken', () => {
    const harness = server();
    harness.send(request(1));
    harness.core.goaway('NO_ERROR', true);
    harness.send(request(3));
    assert.equal(harness.requests.length, 2, 'a request that was on its way');
    harness.core.goaway('NO_ERROR');
    harness.send(request(5));
    assert.equal(harness.requests.length, 2);
    const frames = harness.frames();
    assert.deepEqual(
      frames.map(({ type, payload }) => [type, payload.readUInt32BE(0)]),
      [
        ['GOAWAY', 0x7fffffff],
        ['GOAWAY', 3],
        ['RST_STREAM', 7],
      ],
    );
  });

  it('of an error says the last stream taken and why', () => {
    const harness = server();
    harness.send(request(7), frame('DATA', 0, 0));
    const goaway = harness.frames().find(({ type }) => type === 'GOAWAY');
    assert.equal(goaway?.payload.readUInt32BE(0), 7);
    assert.equal(goaway?.payload.subarray(8).toString('latin1'), 'DATA on no stream');
  });
});

describe('a connection that its application ends', () => {
  it('tells nothing of what else has come, in the same bytes or later', () => {
    const harness = server();
    harness.answer = () => harness.core.terminate(new Http2Error('CANCEL', 'enough'));
    harness.send(request(1), request(3), frame('PING', 0, 0, [1, 2]));
    harness.send(request(5));
    assert.equal(harness.requests.length, 1);
    assert.equal(harness.core.openStreams, 0);
    assert.equal(harness.core.failure?.message, 'enough');
    assert.equal(harness.fatal, undefined, 'it was no fault of the peer');
    assert.deepEqual(harness.frames(), []);
  });
});
