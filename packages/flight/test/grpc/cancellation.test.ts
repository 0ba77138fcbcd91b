import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightCancelledError, FlightTimedOutError } from '../../src/errors.ts';
import { bytesMessage, type GrpcServerCall, Metadata } from '../../src/grpc/index.ts';
import { aborted, bytesDecoder, callWithDeadline, echo, message, pair, textOf, until } from './support.ts';

describe('cancellation', () => {
  it('is seen by the server at once, and rejects what waits', async (t) => {
    let seen: GrpcServerCall<Uint8Array> | undefined;
    let readError: unknown;
    const { channel, server } = await pair(t, {
      Wait: async (call) => {
        seen = call;
        call.sendHeaders();
        await call.read().catch((error: unknown) => (readError = error));
      },
    });
    const call = channel.call('/t.T/Wait', bytesDecoder);
    await call.headers;
    const { signal } = seen ?? assert.fail();
    const read = call.read();
    call.cancel('enough');
    await assert.rejects(
      read,
      (error) => error instanceof FlightCancelledError && /enough/.test(error.message),
    );
    assert.equal((await call.status).code, 1);
    await until(() => signal.aborted);
    assert.ok(signal.reason instanceof FlightCancelledError);
    assert.equal(seen?.isCancelled, true);
    await until(() => server.activeCalls === 0);
    assert.ok(readError instanceof FlightCancelledError);
    assert.throws(() => seen?.write(message('x')), FlightCancelledError);
  });

  it('works by a signal, also one that was aborted before', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const controller = new AbortController();
    const call = channel.call('/t.T/Echo', bytesDecoder, { signal: controller.signal });
    const read = call.read();
    controller.abort(new Error('why'));
    await assert.rejects(
      read,
      (error: Error) => error instanceof FlightCancelledError && error.cause instanceof Error,
    );
    await assert.rejects(
      channel.unary('/t.T/Echo', message(''), { signal: controller.signal }),
      FlightCancelledError,
    );
  });

  it('drops what was not read', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    call.write(message('a'));
    call.write(message('b'));
    assert.equal(textOf(await call.read()), 'a');
    call.cancel();
    assert.equal(call.tryRead(), undefined);
    await assert.rejects(call.read(), FlightCancelledError);
  });

  it('does nothing to a call that is over', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    call.end();
    assert.equal(await call.read(), undefined);
    call.cancel();
    assert.equal((await call.status).code, 0);
  });

  it('lets a signal go when the call is over', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const { signal } = new AbortController();
    let listeners = 0;
    const { addEventListener, removeEventListener } = signal;
    signal.addEventListener = (...rest: Parameters<typeof addEventListener>): void => {
      listeners += 1;
      addEventListener.apply(signal, rest);
    };
    signal.removeEventListener = (...rest: Parameters<typeof removeEventListener>): void => {
      listeners -= 1;
      removeEventListener.apply(signal, rest);
    };
    await channel.unary('/t.T/Echo', message('x'), { signal });
    assert.equal(listeners, 0);
  });

  it('stops a server that is held back by its client', async (t) => {
    let error: unknown;
    const { channel, server } = await pair(t, {
      Flood: async (call) => {
        try {
          for (;;) if (!call.write(bytesMessage(new Uint8Array(100_000)))) await call.drained();
        } catch (thrown) {
          error = thrown;
          throw thrown;
        }
      },
    });
    const call = channel.call('/t.T/Flood', bytesDecoder);
    call.end();
    assert.equal((await call.read())?.byteLength, 100_000);
    call.cancel();
    await until(() => server.activeCalls === 0);
    assert.ok(error instanceof FlightCancelledError);
  });
});

describe('deadlines', () => {
  it('end the call on both sides', async (t) => {
    let seen: GrpcServerCall<Uint8Array> | undefined;
    const { channel } = await pair(t, {
      Wait: (call) => {
        seen = call;
        return aborted(call.signal);
      },
    });
    const start = Date.now();
    await callWithDeadline(
      (timeoutMs) =>
        assert.rejects(channel.unary('/t.T/Wait', message(''), { timeoutMs }), FlightTimedOutError),
      () => seen !== undefined,
    );
    await until(() => seen?.isCancelled === true);
    const deadline = seen?.deadline?.getTime() ?? NaN;
    assert.ok(deadline >= start + 40, `${deadline - start} ms`);
  });

  it('are kept by a server whose client does not keep them', async (t) => {
    // the client's own timer is the header's, so the server is asked by a raw header here
    const { channel } = await pair(t, {
      Wait: (call) => aborted(call.signal),
    });
    const metadata = new Metadata();
    const spoofed = Object.assign(metadata, {
      appendTo: (headers: (readonly [string, string])[]) => headers.push(['grpc-timeout', '20m']),
    });
    const call = channel.call('/t.T/Wait', bytesDecoder, { metadata: spoofed });
    const status = await call.status;
    assert.equal(status.code, 4);
    assert.match(status.message, /deadline/);
  });

  it('may have passed before the call begins', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    for (const timeoutMs of [0, -5]) {
      await assert.rejects(channel.unary('/t.T/Echo', message(''), { timeoutMs }), FlightTimedOutError);
    }
  });

  it('may be too far for a timer, or none', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    for (const timeoutMs of [Infinity, 1e12, 2 ** 31]) {
      const { response } = await channel.unary('/t.T/Echo', message('x'), { timeoutMs });
      assert.equal(textOf(response), 'x');
    }
    assert.throws(
      () => channel.call('/t.T/Echo', bytesDecoder, { timeoutMs: NaN }),
      /timeoutMs must be a number/,
    );
  });
});
