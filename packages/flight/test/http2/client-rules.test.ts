// RFC 9113, sections 5.1, 6.8, 8.1: the life of a stream, the client's side.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Http2Limits } from '../../src/http2/session-limits.ts';
import type { HeaderList } from '../../src/http2/types.ts';
import { type Harness, Recorder, client } from './harness.ts';
import { END_HEADERS, END_STREAM, block, frame, requestFields, settings } from './wire.ts';

function ask(harness: Harness, endStream: boolean = true, headers: HeaderList = requestFields): Recorder {
  const recorder = new Recorder();
  recorder.stream = harness.core.request(headers, recorder, endStream);
  return recorder;
}

function answer(
  stream: number,
  fields: readonly (readonly [string, string])[],
  end: boolean = false,
): Buffer {
  return frame('HEADERS', END_HEADERS | (end ? END_STREAM : 0), stream, block(...fields));
}

const ok = [[':status', '200']] as const;

describe('a response', () => {
  it('tells headers, payload, trailers and end in order', () => {
    const harness = client();
    const recorder = ask(harness);
    const [sent] = harness.frames();
    assert.deepEqual([sent?.type, sent?.stream, sent?.flags], ['HEADERS', 1, END_HEADERS | END_STREAM]);
    assert.deepEqual(harness.decode(sent), requestFields);
    harness.send(
      answer(1, ok),
      frame('DATA', 0, 1, Buffer.from('ab')),
      answer(1, [['grpc-status', '0']], true),
    );
    assert.deepEqual(recorder.told, ['headers', 'data', 'trailers', 'end', 'close']);
    assert.deepEqual(recorder.headers, ok);
    assert.deepEqual(recorder.trailers, [['grpc-status', '0']]);
    assert.equal(recorder.error, undefined);
  });

  it('may be headers alone', () => {
    const harness = client();
    const recorder = ask(harness);
    harness.frames();
    harness.send(answer(1, [...ok, ['grpc-status', '5']], true));
    assert.deepEqual(recorder.told, ['headers end', 'end', 'close']);
  });

  it('may come while the request still goes on', () => {
    const harness = client();
    const recorder = ask(harness, false);
    harness.frames();
    harness.send(answer(1, ok, true));
    assert.deepEqual(recorder.told, ['headers end', 'end']);
    recorder.stream?.write([Buffer.from('x')], 1);
    recorder.stream?.end();
    assert.deepEqual(
      harness.frames().map(({ type, flags }) => [type, flags]),
      [['DATA', END_STREAM]],
    );
    assert.deepEqual(recorder.told.at(-1), 'close');
    assert.equal(recorder.error, undefined);
  });

  it('that is whole and then reset without an error ends the request', () => {
    const harness = client();
    const recorder = ask(harness, false);
    harness.frames();
    harness.send(answer(1, ok, true), frame('RST_STREAM', 0, 1, [0]));
    assert.deepEqual(recorder.told, ['headers end', 'end', 'close']);
    const cut = ask(harness, false);
    harness.frames();
    harness.send(answer(3, ok), frame('RST_STREAM', 0, 3, [0]));
    assert.equal(cut.error?.code, 'NO_ERROR', 'a response that is cut off is none');
  });

  it('may be preceded by interim ones', () => {
    const harness = client();
    const recorder = ask(harness);
    harness.frames();
    harness.send(
      answer(1, [
        [':status', '103'],
        ['link', 'x'],
      ]),
      answer(1, [[':status', '100']]),
      answer(1, ok, true),
    );
    assert.deepEqual(recorder.headers, ok);
    const wrong = ask(harness);
    harness.frames();
    harness.send(answer(3, [[':status', '100']], true));
    assert.equal(wrong.error?.code, 'PROTOCOL_ERROR');
  });

  it('without payload may have a content-length where the RFC says so', () => {
    const cases: [string, string, boolean][] = [
      ['HEAD', '200', true],
      ['GET', '304', true],
      ['GET', '204', true],
      ['GET', '200', false],
    ];
    for (const [method, status, fine] of cases) {
      const harness = client();
      const recorder = ask(harness, true, [[':method', method], ...requestFields.slice(1)]);
      harness.frames();
      harness.send(
        answer(
          1,
          [
            [':status', status],
            ['content-length', '10'],
          ],
          true,
        ),
      );
      assert.equal(recorder.error === undefined, fine, `${method} ${status}`);
    }
  });

  it('that is malformed ends its stream alone', () => {
    const cases: readonly (readonly Buffer[])[] = [
      [frame('DATA', 0, 1, Buffer.from('x'))],
      [answer(1, [['x', 'y']])],
      [answer(1, [[':status', '2']])],
      [answer(1, ok), answer(1, [['x', 'y']])],
      [answer(1, [...ok, ['content-length', '1']]), frame('DATA', 0, 1, Buffer.from('xx'))],
    ];
    for (const parts of cases) {
      const harness = client();
      const recorder = ask(harness);
      const other = ask(harness);
      harness.frames();
      harness.send(...parts);
      assert.equal(recorder.error?.code, 'PROTOCOL_ERROR');
      assert.equal(harness.frames()[0]?.type, 'RST_STREAM');
      harness.send(answer(3, ok, true));
      assert.equal(other.error, undefined);
      assert.ok(other.closed);
    }
  });

  it('on a stream that was not opened ends the connection', () => {
    for (const parts of [answer(1, ok), answer(2, ok), frame('PUSH_PROMISE', END_HEADERS, 1, [2])]) {
      const harness = client();
      harness.send(parts);
      assert.equal(harness.fatal?.code, 'PROTOCOL_ERROR');
    }
  });

  it('that comes late, after the request was reset, is passed over', () => {
    const harness = client();
    // More than are remembered one by one.
    const recorders = Array.from({ length: 6000 }, () => ask(harness));
    harness.frames();
    for (const { stream } of recorders) stream?.reset('CANCEL');
    assert.equal(harness.frames().length, 6000);
    for (let id = 1; id < 12_000; id += 2)
      harness.send(answer(id, ok), answer(id, [['grpc-status', '1']], true));
    assert.equal(harness.fatal, undefined);
    assert.deepEqual(recorders[0]?.told, ['close CANCEL']);
    assert.equal(recorders[0]?.error?.message, 'reset by this side (CANCEL)');
  });

  it('with too large headers ends its stream, with both numbers', () => {
    const harness = client({ maxHeaderListBytes: 1000 });
    const recorder = ask(harness);
    harness.frames();
    harness.send(answer(1, [...ok, ['x', 'y'.repeat(1000)]]));
    assert.equal(recorder.error?.code, 'ENHANCE_YOUR_CALM');
    assert.match(recorder.error?.message ?? '', /1075 bytes.*1000 bytes/);
    assert.equal(harness.fatal, undefined);
  });
});

describe('requests above what the server takes at once', () => {
  const limited = (limits: Http2Limits = {}): Harness => client(limits, [[3, 2]]);

  it('wait for their turn, in order', () => {
    const harness = limited();
    const recorders = Array.from({ length: 5 }, () => ask(harness));
    assert.equal(harness.core.peerMaxConcurrentStreams, 2);
    assert.equal(harness.core.openStreams, 5);
    assert.equal(harness.frames().length, 2);
    assert.equal(recorders[2]?.stream?.id, 0);
    harness.send(answer(3, ok, true));
    assert.equal(recorders[1]?.closed, true);
    assert.equal(recorders[2]?.stream?.id, 5);
    assert.deepEqual(
      harness.frames().map(({ stream }) => stream),
      [5],
    );
    harness.send(settings([3, 10]));
    assert.deepEqual(
      harness.frames().map(({ type, stream }) => [type, stream]),
      [
        ['SETTINGS', 0],
        ['HEADERS', 7],
        ['HEADERS', 9],
      ],
    );
  });

  it('take payload while they wait', () => {
    const harness = limited();
    ask(harness);
    ask(harness);
    const third = ask(harness, false);
    third.stream?.write([Buffer.from('early')], 5);
    third.stream?.end();
    harness.frames();
    harness.send(answer(1, ok, true));
    assert.deepEqual(
      harness.frames().map(({ type, payload }) => (type === 'DATA' ? payload.toString() : type)),
      ['HEADERS', 'early'],
    );
  });

  it('that are reset while they wait are never sent', () => {
    const harness = limited();
    const recorders = Array.from({ length: 4 }, () => ask(harness));
    recorders[2]?.stream?.reset('CANCEL');
    assert.deepEqual(recorders[2]?.told, ['close CANCEL']);
    harness.frames();
    harness.send(answer(1, ok, true));
    assert.equal(recorders[3]?.stream?.id, 5);
    assert.deepEqual(
      harness.frames().map(({ type, stream }) => [type, stream]),
      [['HEADERS', 5]],
    );
  });

  it('that are reset before their headers went out are never sent either', () => {
    const harness = client();
    const recorder = ask(harness);
    const next = ask(harness);
    recorder.stream?.reset('CANCEL');
    assert.deepEqual(
      harness.frames().map(({ type, stream }) => [type, stream]),
      [['HEADERS', 3]],
    );
    harness.send(answer(3, ok, true));
    assert.ok(next.closed);
  });

  it('are bounded, with an error that names both numbers', () => {
    const harness = limited({ maxWaitingRequests: 3 });
    for (let i = 0; i < 5; i++) ask(harness);
    assert.throws(() => ask(harness), {
      code: 'REFUSED_STREAM',
      message: /3 requests wait.*takes 2 at once.*most 3/,
    });
    assert.equal(harness.core.openStreams, 5);
  });

  it('may be all of them when the server takes none', () => {
    const harness = client({}, [[3, 0]]);
    const recorder = ask(harness);
    assert.deepEqual(harness.frames(), []);
    harness.send(settings([3, 1]));
    assert.equal(recorder.stream?.id, 1);
  });
});

describe('GOAWAY of a server', () => {
  it('ends what waits for a place, whatever of the rest goes on', () => {
    const harness = client({}, [[3, 1]]);
    const [running, waiting, another] = [ask(harness), ask(harness), ask(harness)];
    assert.equal(harness.core.openStreams, 3);
    assert.equal(harness.frames().length, 1);
    harness.send(frame('GOAWAY', 0, 0, [0x7fff_ffff, 0]));
    for (const one of [waiting, another]) assert.equal(one.error?.code, 'REFUSED_STREAM');
    assert.equal(harness.core.openStreams, 1);
    harness.send(answer(1, ok, true));
    assert.equal(running.error, undefined);
    assert.ok(running.closed);
    assert.equal(harness.core.openStreams, 0);
    assert.deepEqual(harness.frames(), []);
  });

  it('refuses the requests that it has not begun, and those that wait', () => {
    const harness = client({}, [[3, 3]]);
    const recorders = Array.from({ length: 5 }, () => ask(harness));
    harness.frames();
    harness.send(frame('GOAWAY', 0, 0, Buffer.from('0000000300000000627965', 'hex')));
    assert.deepEqual(
      recorders.map(({ error }) => error?.code),
      [undefined, undefined, 'REFUSED_STREAM', 'REFUSED_STREAM', 'REFUSED_STREAM'],
    );
    assert.match(recorders[2]?.error?.message ?? '', /goes away \(NO_ERROR: bye\)/);
    assert.equal(harness.core.draining, true);
    assert.throws(() => ask(harness), { code: 'REFUSED_STREAM' });
    harness.send(answer(3, ok, true), frame('GOAWAY', 0, 0, [1, 2]));
    assert.equal(recorders[1]?.error, undefined);
    assert.equal(harness.goaways, 2);
    harness.send(answer(1, ok, true));
    assert.ok(recorders[0]?.closed);
    assert.equal(harness.core.openStreams, 0);
  });
});

describe('a request', () => {
  it('with more headers than the server takes is refused with both numbers', () => {
    const harness = client({}, [[6, 300]]);
    assert.throws(() => ask(harness, true, [...requestFields, ['x', 'y'.repeat(300)]]), {
      code: 'ENHANCE_YOUR_CALM',
      message: /headers of \d+ bytes are above the 300 bytes/,
    });
    assert.equal(harness.core.openStreams, 0);
  });

  it('with headers that cannot be sent is refused', () => {
    const harness = client();
    assert.throws(() => ask(harness, true, [...requestFields, ['Upper', 'x']]), /cannot be sent/);
    assert.equal(harness.core.openStreams, 0);
    assert.deepEqual(harness.frames(), []);
  });

  it('dies with its connection', () => {
    const harness = client({}, [[3, 1]]);
    const recorders = [ask(harness), ask(harness)];
    harness.send(frame('DATA', 0, 0));
    assert.deepEqual(
      recorders.map(({ told }) => told),
      [['close PROTOCOL_ERROR'], ['close PROTOCOL_ERROR']],
    );
    assert.throws(() => ask(harness), { code: 'REFUSED_STREAM' });
  });

  it('may be made when another one ends', () => {
    const harness = client({}, [[3, 1]]);
    const first = ask(harness);
    let second: Recorder | undefined;
    first.onClose = () => {
      second = ask(harness);
    };
    harness.frames();
    harness.send(answer(1, ok, true));
    assert.equal(second?.stream?.id, 3);
  });
});
