// Sessions over transports: time limits, the way out, what is told when the other end goes.
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Http2Error } from '../../src/http2/errors.ts';
import { type Http2SessionOptions, createSession } from '../../src/http2/session.ts';
import type { Http2Stream } from '../../src/http2/types.ts';
import { outputStepBytes, socketInFlightBytes } from '../../src/limits/http2.ts';
import { Recorder, echoing } from './harness.ts';
import { PipeEnd, pipe } from './pipe.ts';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  block,
  frame,
  parse,
  preface,
  request,
  requestFields,
  settings,
} from './wire.ts';

// The sessions' own timers do not keep a process alive, and there are no sockets here that would.
let keepAlive: NodeJS.Timeout | undefined;
before(() => {
  keepAlive = setInterval(() => undefined, 60_000);
});
after(() => clearInterval(keepAlive));

const hello = Buffer.concat([preface, settings(), frame('SETTINGS', ACK, 0)]);

/** A server whose client is the test. */
function serverOn(options: Http2SessionOptions = {}): {
  end: PipeEnd;
  session: ReturnType<typeof createSession>;
  handlers: Recorder[];
} {
  const end = new PipeEnd();
  const handlers: Recorder[] = [];
  const session = createSession('server', end, {
    onRequest: (_headers, _endStream, stream) => {
      const handler = new Recorder();
      handler.stream = stream;
      handlers.push(handler);
      return handler;
    },
    ...options,
  });
  return { end, session, handlers };
}

/** A client and a server joined; the server answers every request with what it sent. */
function joined(): {
  client: ReturnType<typeof createSession>;
  server: ReturnType<typeof createSession>;
} {
  const [one, two] = pipe();
  const server = createSession('server', two, {
    onRequest: (_headers, _endStream, stream) => {
      stream.sendHeaders([[':status', '200']]);
      return echoing(stream);
    },
  });
  return { client: createSession('client', one), server };
}

function echo(client: ReturnType<typeof createSession>, body: Buffer): Promise<Recorder> {
  return new Promise((resolve) => {
    const recorder = new Recorder();
    const { onClose } = recorder;
    recorder.onClose = (error: Http2Error | undefined) => {
      onClose.call(recorder, error);
      resolve(recorder);
    };
    recorder.whenData = (byteLength) => recorder.stream?.consumed(byteLength);
    recorder.stream = client.request(requestFields, recorder);
    recorder.stream.write([body], body.length);
    recorder.stream.end();
  });
}

describe('two sessions', () => {
  it('exchange bodies larger than every window, many at once', async () => {
    const { client, server } = joined();
    await client.ready;
    const bodies = [0, 1, 70_000, 3_000_000].map((size) => Buffer.alloc(size, size % 251));
    const answers = await Promise.all([...bodies, ...bodies].map((body) => echo(client, body)));
    for (const [i, answer] of answers.entries()) {
      assert.equal(answer.error, undefined);
      assert.ok(answer.body.equals(bodies[i % 4] ?? Buffer.alloc(0)));
      assert.deepEqual(answer.trailers, [['grpc-status', '0']]);
    }
    assert.ok((await client.ping()) >= 0);
    assert.ok((await server.ping()) >= 0);
    await client.close();
    assert.equal(await server.ended, undefined);
    assert.equal(await client.ended, undefined);
    assert.equal(client.state, 'closed');
  });

  it('close in order when the server does, after the streams that run', async () => {
    const { client, server } = joined();
    await client.ready;
    const recorder = new Recorder();
    const stream = client.request(requestFields, recorder);
    await client.ping();
    assert.equal(server.openStreams, 1);
    const closed = Promise.all([server.close(), server.close()]);
    await client.ping();
    assert.equal(client.state, 'draining');
    stream.write([Buffer.from('last')], 4);
    stream.end();
    await closed;
    assert.equal(recorder.body.toString(), 'last');
    assert.equal(recorder.error, undefined);
    assert.equal(await client.ended, undefined);
    assert.throws(() => client.request(requestFields, new Recorder()), { code: 'REFUSED_STREAM' });
  });

  it('end at once when one is destroyed, with its error for whoever waits', async () => {
    const { client, server } = joined();
    await client.ready;
    const answer = echo(client, Buffer.alloc(5_000_000));
    await client.ping();
    const why = new TypeError('enough');
    client.destroy(why);
    const { error } = await answer;
    assert.equal(error?.code, 'CANCEL');
    assert.equal(error?.cause, why);
    assert.equal(client.state, 'closed');
    assert.equal(await client.ended, error);
    await assert.rejects(client.ping(), { code: 'CANCEL' });
    server.destroy();
  });
});

describe('a session', () => {
  it('sends what one turn writes together', async () => {
    const { end, handlers } = serverOn();
    end.give(hello);
    await turn();
    let writes = 0;
    end.onWrite = (_bytes, done) => {
      writes++;
      queueMicrotask(done);
    };
    end.give(request(1), request(3));
    for (const { stream } of handlers) {
      stream?.sendHeaders([[':status', '200']]);
      stream?.write([Buffer.from('x')], 1);
      stream?.end([['grpc-status', '0']]);
    }
    await turn();
    assert.equal(writes, 1);
  });

  it('gives the transport no more than it can take, and goes on as it takes', async () => {
    const { end, handlers } = serverOn();
    end.give(
      preface,
      settings([4, 0x7fffffff], [5, 1 << 20]),
      frame('WINDOW_UPDATE', 0, 0, [0x7fff0000]),
      request(1),
    );
    const waiting: (() => void)[] = [];
    await turn();
    end.written = Buffer.alloc(0);
    end.onWrite = (_bytes, done) => waiting.push(done);
    const stream = handlers[0]?.stream;
    stream?.sendHeaders([[':status', '200']]);
    let flushed = false;
    const size = 10 * outputStepBytes;
    stream?.write([Buffer.alloc(size)], size, () => {
      flushed = true;
    });
    await turn();
    assert.ok(
      end.written.length < socketInFlightBytes + outputStepBytes,
      `${end.written.length} bytes at once`,
    );
    for (let done = waiting.shift(); done !== undefined; done = waiting.shift()) {
      assert.equal(flushed, false);
      done();
    }
    assert.equal(flushed, true);
    assert.ok(end.written.length > size);
  });

  it('gives memory back only when what was taken of it has left, also of a stream that is reset', async () => {
    const { end, handlers } = serverOn();
    end.give(hello, request(1));
    await turn();
    const stream = handlers[0]?.stream;
    stream?.sendHeaders([[':status', '200']]);
    const waiting: (() => void)[] = [];
    end.onWrite = (_bytes, done) => waiting.push(done);
    const flushed: string[] = [];
    // More than the windows allow: the first 64 KiB are on their way, the rest waits.
    const bytes = Buffer.alloc(100_000);
    stream?.write([bytes], bytes.length, () => flushed.push('half sent'));
    await turn();
    assert.equal(waiting.length, 1);
    end.give(frame('RST_STREAM', 0, 1, [8]));
    // The last part of a batch, all of whose memory is free with it.
    stream?.write([bytes.subarray(0, 10)], 10, () => flushed.push('too late'));
    await turn();
    assert.equal(flushed.length, 0);
    waiting.shift()?.();
    assert.equal(flushed.join(), 'half sent,too late');
    stream?.write([bytes.subarray(0, 10)], 10, () => flushed.push('later'));
    await turn();
    assert.equal(flushed.join(), 'half sent,too late,later');
  });

  it('tells each request when its transport breaks', async () => {
    const { end, session, handlers } = serverOn();
    end.give(hello, request(1, END_HEADERS), request(3, END_HEADERS));
    end.close(Object.assign(new Error('read failed'), { code: 'ECONNRESET' }));
    assert.deepEqual(
      handlers.map(({ error }) => error?.code),
      ['CONNECT_ERROR', 'CONNECT_ERROR'],
    );
    const error = await session.ended;
    assert.match(error?.message ?? '', /the connection broke: read failed \(ECONNRESET\)/);
    assert.equal((error?.cause as Error | undefined)?.message, 'read failed');
  });

  it('that the peer closes in the middle of a request did not end in order', async () => {
    const { end, session } = serverOn();
    end.give(hello, request(1, END_HEADERS));
    end.close();
    assert.equal((await session.ended)?.code, 'CONNECT_ERROR');
    const idle = serverOn();
    idle.end.give(hello);
    idle.end.close();
    assert.equal(await idle.session.ended, undefined);
  });

  it('that fails says why before it closes', async () => {
    const { end, session } = serverOn();
    end.give(hello, frame('DATA', 0, 0));
    assert.equal(end.ended, true);
    assert.equal(session.state, 'closed');
    const last = parse(end.written).at(-1);
    assert.equal(last?.type, 'GOAWAY');
    assert.match(last?.payload.toString('latin1') ?? '', /DATA on no stream/);
    end.close();
    assert.equal((await session.ended)?.code, 'PROTOCOL_ERROR');
  });

  it('closes its socket though the peer does not close its own', async () => {
    const { end, session } = serverOn();
    end.give(hello);
    const closed = session.close();
    await turn();
    const ping = parse(end.written).find(({ type, flags }) => type === 'PING' && flags === 0);
    end.give(frame('PING', ACK, 0, ping?.payload));
    await closed;
    assert.equal(end.ended, true);
    assert.equal(end.destroyed, true);
  });

  it('closes though a stream was reset with its end still to send', async () => {
    const { end, session, handlers } = serverOn();
    end.give(hello, request(1));
    const stream = handlers[0]?.stream;
    stream?.sendHeaders([[':status', '200']]);
    await turn();
    end.onWrite = (_bytes, done) => queueMicrotask(done);
    const closed = session.close();
    await turn();
    const ping = parse(end.written).find(({ type, flags }) => type === 'PING' && flags === 0);
    stream?.end([['grpc-status', '0']]);
    end.give(frame('RST_STREAM', 0, 1, [8]), frame('PING', ACK, 0, ping?.payload));
    await closed;
    assert.equal(end.ended, true);
  });

  it('of a client that goes away waits for the streams that run', async () => {
    const end = new PipeEnd();
    const session = createSession('client', end);
    end.give(settings(), frame('SETTINGS', ACK, 0));
    const recorder = new Recorder();
    session.request(requestFields, recorder, true);
    await turn();
    end.give(frame('GOAWAY', 0, 0, [0x7fffffff, 0]));
    assert.equal(session.state, 'draining');
    await turn();
    assert.equal(end.ended, false);
    end.give(frame('HEADERS', END_HEADERS | END_STREAM, 1, block([':status', '200'])));
    await turn();
    assert.equal(end.ended, true);
    end.close();
    assert.equal(await session.ended, undefined);
  });

  it('survives what callbacks throw, and publishes it', async () => {
    const heard: unknown[] = [];
    const listen = (event: unknown): void => {
      heard.push(event);
    };
    subscribe('peregrine:server:error', listen);
    try {
      const { end, session, handlers } = serverOn();
      end.give(hello, request(1));
      const stream = handlers[0]?.stream;
      stream?.sendHeaders([[':status', '200']]);
      const boom = new Error('boom');
      const thrower = (): void => {
        throw boom;
      };
      stream?.write([Buffer.from('x')], 1, thrower);
      const handler = handlers[0] ?? assert.fail();
      handler.onClose = thrower;
      stream?.end();
      await turn();
      assert.deepEqual(heard, [
        { where: 'http2 onClose', error: boom },
        { where: 'http2 onFlushed', error: boom },
      ]);
      assert.equal(session.state, 'open');
    } finally {
      unsubscribe('peregrine:server:error', listen);
    }
  });
});

/** Waits until a session is over; the time limits of these tests are a few milliseconds. */
async function endOf(
  options: Http2SessionOptions,
  begin: (end: PipeEnd) => void,
): Promise<[Http2Error | undefined, PipeEnd]> {
  const { end, session } = serverOn(options);
  begin(end);
  end.onEnd = () => end.close();
  const error = await session.ended;
  return [error, end];
}

describe('a peer', () => {
  it('that says nothing is left (preface time limit)', async () => {
    for (const said of [Buffer.alloc(0), preface.subarray(0, 10), preface]) {
      const [error, end] = await endOf({ prefaceTimeoutMs: 5 }, (one) => one.give(said));
      assert.equal(error?.code, 'PROTOCOL_ERROR');
      assert.match(error?.message ?? '', /no SETTINGS within 5 ms/);
      assert.equal(parse(end.written).at(-1)?.type, 'GOAWAY');
    }
  });

  it('that does not acknowledge SETTINGS is left', async () => {
    const [error] = await endOf({ settingsTimeoutMs: 5 }, (end) => end.give(preface, settings()));
    assert.equal(error?.code, 'SETTINGS_TIMEOUT');
  });

  it('that has no stream for a while is told to go (idle time limit)', async () => {
    const [error, end] = await endOf({ idleTimeoutMs: 8 }, (one) => {
      one.onWrite = (bytes, done) => {
        queueMicrotask(done);
        for (const { type, flags, payload } of parse(bytes)) {
          if (type === 'PING' && flags === 0) queueMicrotask(() => one.give(frame('PING', ACK, 0, payload)));
        }
      };
      one.give(hello);
    });
    assert.equal(error, undefined, 'an end in order');
    assert.deepEqual(
      parse(end.written)
        .filter(({ type }) => type === 'GOAWAY')
        .map(({ payload }) => payload.readUInt32BE(4)),
      [0, 0],
    );
  });

  it('that reads nothing is left (stalled writes)', async () => {
    const [error, end] = await endOf({ writeStallTimeoutMs: 5 }, (one) => {
      one.onWrite = () => undefined;
      one.give(hello);
    });
    assert.equal(error?.code, 'CONNECT_ERROR');
    assert.match(error?.message ?? '', /read nothing of the connection for 5 ms/);
    assert.equal(end.destroyed, true);
  });

  it('that opens no window loses its stream (slow read)', async () => {
    const { end, session, handlers } = serverOn({ windowStallTimeoutMs: 8 });
    end.give(preface, settings([4, 0]), frame('SETTINGS', ACK, 0), request(1));
    const handler = handlers[0] ?? assert.fail();
    await new Promise<void>((resolve) => {
      const { onClose } = handler;
      handler.onClose = (error: Http2Error | undefined) => {
        onClose.call(handler, error);
        resolve();
      };
      handler.stream?.sendHeaders([[':status', '200']]);
      handler.stream?.write([Buffer.alloc(10)], 10);
    });
    assert.equal(handler.error?.code, 'ENHANCE_YOUR_CALM');
    assert.equal(session.state, 'open');
    session.destroy();
  });
});

/** A writer that fills a stream as fast as it is told to, for looks at memory. */
function fill(stream: Http2Stream, chunks: number, byteLength: number): Promise<number> {
  return new Promise((resolve) => {
    let left = chunks;
    let highest = 0;
    const go = (): void => {
      while (left > 0) {
        left--;
        const room = stream.write([Buffer.alloc(byteLength)], byteLength);
        highest = Math.max(highest, stream.queuedBytes);
        if (!room) return;
      }
      stream.end();
      resolve(highest);
    };
    fillers.set(stream, go);
    go();
  });
}

const fillers = new WeakMap<Http2Stream, () => void>();

describe('a writer that waits as it is told', () => {
  it('has at most a few MiB queued, however much it sends', async () => {
    const [one, two] = pipe();
    const server = createSession('server', two, {
      onRequest: (_headers, _endStream, stream) => {
        stream.sendHeaders([[':status', '200']]);
        const handler = new Recorder();
        handler.onDrain = () => fillers.get(stream)?.();
        filled = fill(stream, 100, 500_000);
        return handler;
      },
    });
    let filled: Promise<number> = Promise.resolve(0);
    const client = createSession('client', one);
    await client.ready;
    let got = 0;
    const recorder = new Recorder();
    recorder.onData = (_buffer, start, end) => {
      got += end - start;
      recorder.stream?.consumed(end - start);
    };
    const closed = new Promise((resolve) => {
      recorder.onClose = resolve;
    });
    recorder.stream = client.request(requestFields, recorder, true);
    assert.equal(await closed, undefined);
    assert.equal(got, 50_000_000);
    assert.ok((await filled) < 3_000_000);
    await client.close();
    await server.ended;
  });
});
