import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightCancelledError, FlightTimedOutError } from '../../src/errors.ts';
import {
  BytesDecoder,
  bytesMessage,
  type GrpcChannel,
  type GrpcStatus,
  type Metadata,
} from '../../src/grpc/index.ts';
import { Action } from '../../src/model/index.ts';
import { flightMethodPath } from '../../src/proto/names.ts';
import type { ServerCallContext } from '../../src/server/context.ts';
import { aborted, callWithDeadline } from '../grpc/support.ts';
import { action, start, until, withHeaders } from './fixture.ts';

/** One DoAction: its initial metadata and its status. */
async function outcome(channel: GrpcChannel): Promise<{ headers: Metadata; status: GrpcStatus }> {
  const call = channel.call(flightMethodPath('DoAction'), () => new BytesDecoder());
  call.write(bytesMessage(new Action('x').serialize()));
  call.end();
  await call.read().catch(() => undefined);
  await call.read().catch(() => undefined);
  return { headers: await call.headers, status: await call.status };
}

describe('the context of a call', () => {
  it('tells method, peer, headers and deadline', async () => {
    let context: ServerCallContext | undefined;
    await using running = await start({
      doAction: (_action, given) => {
        context = given;
        return 'x';
      },
    });
    const before = Date.now();
    await action(running.channel, 'x', '', {
      ...withHeaders([
        ['x-one', '1'],
        ['X-Many', 'a'],
        ['x-many', 'b'],
        ['x-bytes-bin', Uint8Array.of(0, 255)],
      ]),
      timeoutMs: 60_000,
    });
    assert.ok(context);
    assert.equal(context.method, 'DoAction');
    assert.match(context.peer, /^ipv4:127\.0\.0\.1:\d+$/);
    assert.equal(context.peerIdentity, '');
    assert.equal(context.peerCertificate, undefined);
    assert.equal(context.headers.get('x-one'), '1');
    assert.deepEqual(context.headers.getAll('x-many'), ['a', 'b']);
    assert.deepEqual(context.headers.getBinary('x-bytes-bin'), Uint8Array.of(0, 255));
    const deadline = context.deadline?.getTime() ?? 0;
    assert.ok(deadline > before + 50_000 && deadline <= Date.now() + 60_000);
    assert.equal(context.isCancelled, false);
    assert.equal(context.traceContext, undefined);
    assert.equal(context.getMiddleware('none'), undefined);
  });

  it('has no deadline when the client has none', async () => {
    await using running = await start({ doAction: (_action, { deadline }) => String(deadline) });
    assert.deepEqual(await action(running.channel, 'x'), ['undefined']);
  });

  it('adds headers and trailers to the response', async () => {
    await using running = await start({
      doAction: (_action, context) => {
        context.addHeader('X-Header', 'one');
        context.addHeader('x-header', 'two');
        context.addHeader('x-bytes-bin', Uint8Array.of(1, 2));
        context.addTrailer('x-trailer', 'three');
        return 'x';
      },
    });
    const { headers, status } = await outcome(running.channel);
    assert.equal(status.code, 0);
    assert.deepEqual(headers.getAll('x-header'), ['one', 'two']);
    assert.deepEqual(headers.getBinary('x-bytes-bin'), Uint8Array.of(1, 2));
    assert.equal(status.metadata.get('x-trailer'), 'three');
  });

  it('sends headers that come too late as trailers', async () => {
    await using running = await start({
      doAction: async function* (_action: Action, context: ServerCallContext) {
        yield 'x';
        context.addHeader('x-late', 'but there');
      },
    });
    const { headers, status } = await outcome(running.channel);
    assert.equal(headers.get('x-late'), undefined);
    assert.equal(status.metadata.get('x-late'), 'but there');
  });

  it('sends headers and trailers with errors as well', async () => {
    await using running = await start({
      doAction: (_action, context) => {
        context.addHeader('x-header', 'one');
        context.addTrailer('x-trailer', 'two');
        throw new Error('broke');
      },
    });
    const { headers, status } = await outcome(running.channel);
    assert.equal(status.code, 2);
    // trailers-only: both arrive where the client looks for either
    assert.equal(headers.get('x-header') ?? status.metadata.get('x-header'), 'one');
    assert.equal(status.metadata.get('x-trailer'), 'two');
  });

  it('is cancelled when the client cancels', async () => {
    let context: ServerCallContext | undefined;
    await using running = await start({
      doAction: async (_action, given) => {
        context = given;
        await new Promise((resolve) => given.signal.addEventListener('abort', resolve));
        return 'x';
      },
    });
    const controller = new AbortController();
    const result = action(running.channel, 'x', '', { signal: controller.signal });
    await until(() => context !== undefined, 'the call has begun');
    assert.equal(context?.isCancelled, false);
    controller.abort();
    await assert.rejects(result, FlightCancelledError);
    await until(() => context?.isCancelled === true, 'the server sees it');
    assert.ok(context?.signal.reason instanceof FlightCancelledError);
    await until(() => running.server.runningCalls === 0, 'the call is over');
  });

  it('is cancelled when the deadline passes', async () => {
    let reason: unknown;
    await using running = await start({
      doAction: async (_action, { signal }) => {
        await aborted(signal);
        reason = signal.reason;
        return 'x';
      },
    });
    await callWithDeadline(
      (timeoutMs) => assert.rejects(action(running.channel, 'x', '', { timeoutMs }), FlightTimedOutError),
      () => reason !== undefined,
    );
    assert.ok(reason instanceof FlightTimedOutError || reason instanceof FlightCancelledError);
  });

  it('is cancelled when the connection is lost', async () => {
    let context: ServerCallContext | undefined;
    await using running = await start({
      doAction: async (_action, given) => {
        context = given;
        await new Promise((resolve) => given.signal.addEventListener('abort', resolve));
        return 'x';
      },
    });
    const result = action(running.channel, 'x');
    result.catch(() => undefined);
    await until(() => context !== undefined, 'the call has begun');
    await running.channel.close(0);
    await until(() => context?.isCancelled === true, 'the server sees it');
  });
});
