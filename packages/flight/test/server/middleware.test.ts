import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { FlightInternalError, FlightNotFoundError, FlightUnauthorizedError } from '../../src/errors.ts';
import { BytesDecoder, bytesMessage, type GrpcChannel } from '../../src/grpc/index.ts';
import type { ServerMiddleware, ServerMiddlewareFactory } from '../../src/middleware/server-middleware.ts';
import {
  TracingServerMiddleware,
  TracingServerMiddlewareFactory,
} from '../../src/middleware/server-tracing.ts';
import { Action } from '../../src/model/index.ts';
import { flightMethodPath } from '../../src/proto/names.ts';
import type { ServerCallContext } from '../../src/server/context.ts';
import { action, get, numbers, start, until, withHeaders } from './fixture.ts';

/** The value of a header, from wherever it came. */
async function headerOf(channel: GrpcChannel, name: string): Promise<string | undefined> {
  const call = channel.call(flightMethodPath('DoAction'), () => new BytesDecoder());
  call.write(bytesMessage(new Action('x').serialize()));
  call.end();
  await call.read().catch(() => undefined);
  await call.read().catch(() => undefined);
  return (await call.headers).get(name) ?? (await call.status).metadata.get(name);
}

/** Writes down what happens to it. */
function recorder(log: string[], name: string): ServerMiddlewareFactory {
  return {
    startCall: ({ method }) => {
      log.push(`${name} start ${method}`);
      return {
        sendingHeaders: () => {
          log.push(`${name} headers`);
          return { [`x-${name}`]: name };
        },
        callCompleted: (error) => log.push(`${name} completed ${error?.code ?? 'well'}`),
      };
    },
  };
}

describe('server middleware', () => {
  it('starts in order, before the handler, and hears of the end', async () => {
    const log: string[] = [];
    await using running = await start(
      {
        doAction: () => {
          log.push('handler');
          return 'x';
        },
      },
      { middleware: { one: recorder(log, 'one'), two: recorder(log, 'two') } },
    );
    assert.deepEqual(await action(running.channel, 'x'), ['x']);
    await until(() => log.length === 7, 'the call is over');
    assert.deepEqual(log, [
      'one start DoAction',
      'one headers',
      'two start DoAction',
      'two headers',
      'handler',
      'one completed well',
      'two completed well',
    ]);
  });

  it('sends headers with results and with errors', async () => {
    for (const doAction of [
      () => 'x',
      (): never => {
        throw new FlightNotFoundError('nothing');
      },
    ]) {
      await using running = await start({ doAction }, { middleware: { one: recorder([], 'one') } });
      assert.equal(await headerOf(running.channel, 'x-one'), 'one');
    }
  });

  it('hears of the error that the client was told', async () => {
    const log: string[] = [];
    await using running = await start(
      {
        doAction: () => {
          throw new FlightNotFoundError('nothing');
        },
      },
      { middleware: { one: recorder(log, 'one') } },
    );
    await assert.rejects(action(running.channel, 'x'), FlightNotFoundError);
    await until(() => log.includes('one completed NOT_FOUND'), 'the middleware hears it');
  });

  it('hears of calls that the client gave up', async () => {
    const log: string[] = [];
    await using running = await start(
      {
        doGet: () => numbers(1),
        doAction: (_action, { signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve('x'))),
      },
      { middleware: { one: recorder(log, 'one') } },
    );
    const controller = new AbortController();
    const result = action(running.channel, 'x', '', { signal: controller.signal });
    await until(() => log.includes('one headers'), 'the call has begun');
    controller.abort();
    await assert.rejects(result);
    await until(() => log.includes('one completed CANCELLED'), 'the middleware hears it');
  });

  it('can refuse a call, now or later; those that started hear of it', async () => {
    const log: string[] = [];
    let handled = false;
    const refuse: ServerMiddlewareFactory = {
      startCall: async (_info, headers) => {
        await Promise.resolve();
        if (headers.has('x-refuse')) throw new FlightUnauthorizedError('refused');
        return undefined;
      },
    };
    const broken: ServerMiddlewareFactory = {
      startCall: (_info, headers) => {
        if (headers.has('x-break')) throw new TypeError('broken');
        return undefined;
      },
    };
    await using running = await start(
      {
        doAction: () => {
          handled = true;
          return 'x';
        },
        doGet: () => assert.fail('it is refused'),
      },
      { middleware: { one: recorder(log, 'one'), refuse, broken, two: recorder(log, 'two') } },
    );
    const { channel } = running;
    await assert.rejects(action(channel, 'x', '', withHeaders({ 'x-refuse': '1' })), FlightUnauthorizedError);
    await assert.rejects(
      get(channel, 'x', withHeaders({ 'x-refuse': '1' })).reader.readAll(),
      FlightUnauthorizedError,
    );
    await assert.rejects(action(channel, 'x', '', withHeaders({ 'x-break': '1' })), /broken/);
    await until(() => log.length === 9, 'all is said');
    assert.equal(handled, false);
    assert.ok(!log.some((line) => line.startsWith('two')));
    assert.deepEqual(await action(channel, 'x'), ['x']);
  });

  it('that throws at the end of a call, or in sendingHeaders, harms that call at most', async () => {
    const reported: unknown[] = [];
    const subscriber = (event: unknown): void => void reported.push(event);
    subscribe('peregrine:server:error', subscriber);
    try {
      await using running = await start(
        { doAction: () => 'x' },
        {
          middleware: {
            end: {
              startCall: () => ({
                callCompleted: () => {
                  throw new Error('at the end');
                },
              }),
            },
            later: {
              startCall: () => ({
                callCompleted: (): unknown => Promise.reject(new Error('after the end')),
              }),
            },
            headers: {
              startCall: (_info, headers) => ({
                sendingHeaders: () => {
                  if (headers.has('x-break')) throw new FlightInternalError('no headers');
                  return {};
                },
              }),
            },
          },
        },
      );
      assert.deepEqual(await action(running.channel, 'x'), ['x']);
      await assert.rejects(
        action(running.channel, 'x', '', withHeaders({ 'x-break': '1' })),
        FlightInternalError,
      );
      await until(() => reported.length === 4, 'those of both calls are reported');
    } finally {
      unsubscribe('peregrine:server:error', subscriber);
    }
  });

  it('is found by the handler under its key', async () => {
    class Counter implements ServerMiddleware {
      count = 7;
      callCompleted(): void {
        this.count = 0;
      }
    }
    let context: ServerCallContext | undefined;
    await using running = await start(
      {
        doAction: (_action, given) => {
          context = given;
          return String(given.getMiddleware('counter', Counter)?.count);
        },
      },
      { middleware: { counter: { startCall: () => new Counter() }, none: { startCall: () => undefined } } },
    );
    assert.deepEqual(await action(running.channel, 'x'), ['7']);
    assert.ok(context?.getMiddleware('counter') instanceof Counter);
    assert.equal(context.getMiddleware('none'), undefined);
    assert.equal(context.getMiddleware('counter', TracingServerMiddleware), undefined);
  });

  it('carries the trace of the client to the handler', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await using running = await start(
      { doAction: (_action, { traceContext }) => traceContext?.traceId ?? 'none' },
      { middleware: { tracing: new TracingServerMiddlewareFactory() } },
    );
    const headers = withHeaders({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    assert.deepEqual(await action(running.channel, 'x', '', headers), [traceId]);
  });
});
