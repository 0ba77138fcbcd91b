import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import {
  createFlightError,
  FlightError,
  type FlightErrorCode,
  FlightInternalError,
  FlightServerError,
  flightErrorCodes,
} from '../../src/errors.ts';
import type { FlightMethod } from '../../src/proto/names.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import { action, batchOf, exchange, get, numbers, put, request, start, until } from './fixture.ts';

/** What a code arrives as; two of ours have no code on the wire. */
function onTheWire(code: FlightErrorCode): FlightErrorCode {
  if (code === 'INVALID_DATA') return 'INVALID_ARGUMENT';
  if (code === 'WRITE_SIZE_EXCEEDED') return 'RESOURCE_EXHAUSTED';
  return code;
}

describe('what a handler throws', () => {
  it('arrives with its code, message and extra info', async () => {
    await using running = await start({
      doAction: ({ body }) => {
        const code = flightErrorCodes.find((known) => known === Buffer.from(body).toString());
        assert.ok(code);
        throw createFlightError(code, `this is ${code}: grüße\n100 %`, { extraInfo: Uint8Array.of(0, 255) });
      },
    });
    for (const code of flightErrorCodes) {
      await assert.rejects(action(running.channel, 'fail', code), (error) => {
        assert.ok(error instanceof FlightError);
        assert.equal(error.code, onTheWire(code));
        assert.ok(error.message.includes(`this is ${code}: grüße\n100 %`), error.message);
        assert.deepEqual(error.extraInfo, Uint8Array.of(0, 255));
        return true;
      });
    }
  });

  it('arrives as UNKNOWN when it is no FlightError', async () => {
    const thrown: unknown[] = [new TypeError('a type error'), 'a text', undefined, { message: 'an object' }];
    await using running = await start({
      doAction: () => {
        throw thrown.shift();
      },
    });
    await assert.rejects(action(running.channel, 'x'), (error) => {
      assert.ok(error instanceof FlightServerError);
      assert.equal(error.code, 'UNKNOWN');
      assert.match(error.message, /a type error/);
      return true;
    });
    for (let left = thrown.length; left > 0; left -= 1) {
      await assert.rejects(action(running.channel, 'x'), FlightServerError);
    }
  });

  it('fails that call alone, in every method and at every moment', async () => {
    const fail = (): never => {
      throw new FlightInternalError('broke');
    };
    const failLater = async (): Promise<never> => {
      await new Promise((resolve) => setImmediate(resolve));
      return fail();
    };
    const failing = (handler: () => never | Promise<never>): FlightHandlers => ({
      handshake: handler,
      listFlights: handler,
      getFlightInfo: handler,
      pollFlightInfo: handler,
      getSchema: handler,
      doGet: handler,
      doPut: handler,
      doExchange: handler,
      doAction: handler,
      listActions: handler,
    });
    const methods: FlightMethod[] = [
      'Handshake',
      'ListFlights',
      'GetFlightInfo',
      'PollFlightInfo',
      'GetSchema',
      'DoGet',
      'DoAction',
      'ListActions',
    ];
    for (const handler of [fail, failLater]) {
      await using running = await start(failing(handler));
      const { channel } = running;
      for (const method of methods) {
        await assert.rejects(request(channel, method, new Uint8Array(0)), /broke/, method);
      }
      const { call: putCall, writer: putWriter } = put(channel);
      await putWriter.begin(numbers(1).schema).catch(() => undefined);
      await assert.rejects(putCall.read(), /broke/);
      const { call: exchangeCall, writer: exchangeWriter } = exchange(channel);
      await exchangeWriter.begin(numbers(1).schema).catch(() => undefined);
      await assert.rejects(exchangeCall.read(), /broke/);
      await until(() => running.server.runningCalls === 0, 'no call runs');
    }
  });

  it('reaches the client after the results that came before', async () => {
    await using running = await start({
      doAction: function* () {
        yield 'one';
        throw new FlightInternalError('broke half-way');
      },
      doGet: ({ ticket }) =>
        new GeneratorStream(
          numbers(1).schema,
          Buffer.from(ticket).toString() === 'sync'
            ? function* () {
                yield batchOf(1);
                throw new FlightInternalError('broke half-way');
              }
            : async function* () {
                yield batchOf(1);
                await Promise.resolve();
                throw new FlightInternalError('broke half-way');
              },
        ),
      async doExchange(_descriptor, _reader, writer) {
        await writer.writeBatch(batchOf(1));
        throw new FlightInternalError('broke half-way');
      },
    });
    const { channel } = running;
    await assert.rejects(action(channel, 'x'), /broke half-way/);
    for (const ticket of ['sync', 'async']) {
      const { reader } = get(channel, ticket);
      assert.equal((await reader.readNext())?.data?.numRows, 1);
      await assert.rejects(reader.readNext(), /broke half-way/);
    }
    const { reader, writer } = exchange(channel);
    await writer.writeMetadata('go');
    assert.equal((await reader.readNext())?.data?.numRows, 1);
    await assert.rejects(reader.readNext(), /broke half-way/);
  });

  it('is told to onCallError, with its cause, and a throwing onCallError harms nobody', async () => {
    const cause = new TypeError('the cause');
    const told: unknown[] = [];
    const reported: unknown[] = [];
    const subscriber = (event: unknown): void => void reported.push(event);
    subscribe('peregrine:server:error', subscriber);
    try {
      await using running = await start(
        {
          doAction: () => {
            throw cause;
          },
        },
        {
          onCallError: (error, context) => {
            told.push([error.code, error.cause, context.method]);
            throw new Error('from onCallError');
          },
        },
      );
      await assert.rejects(action(running.channel, 'x'), /the cause/);
      await until(() => reported.length > 0, 'it is reported');
    } finally {
      unsubscribe('peregrine:server:error', subscriber);
    }
    assert.deepEqual(told, [['UNKNOWN', cause, 'DoAction']]);
  });

  it('does not end the process when nobody waits for it', async () => {
    await using running = await start({
      async doPut(_descriptor, reader) {
        // a promise that is forgotten: it rejects when the call fails
        void reader.schema;
        await Promise.resolve();
        throw new FlightInternalError('broke');
      },
    });
    const { call, writer } = put(running.channel);
    await writer.writeMetadata('no schema').catch(() => undefined);
    await assert.rejects(call.read(), /broke/);
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('is told by its own name where the server ended the call, not the client', async () => {
    const told: string[] = [];
    await using running = await start(
      {
        doAction: (_action, { signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve('x'))),
        doPut: async (_descriptor, reader) => void (await reader.readAll()),
      },
      {
        limits: { maxReceiveBytes: 10_000 },
        onCallError: ({ code, rawMessage }, { method }) => void told.push(`${method} ${code} ${rawMessage}`),
      },
    );
    const { call, writer } = put(running.channel);
    await writer.writeMetadata('x'.repeat(100_000)).catch(() => undefined);
    assert.equal((await call.status).code, 8);
    await until(() => told.length === 1, 'the upload is refused');
    const waiting = action(running.channel, 'wait');
    waiting.catch(() => undefined);
    await until(() => running.server.runningCalls === 1, 'the call has begun');
    await running.server.shutdown({ graceMs: 20 });
    await assert.rejects(waiting, FlightError);
    assert.match(told[0] ?? '', /^DoPut RESOURCE_EXHAUSTED .*10000/);
    assert.deepEqual(told.slice(1), ['DoAction UNAVAILABLE the server is shutting down']);
  });
});
