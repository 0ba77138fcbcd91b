import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordBatch } from 'apache-arrow';
import type { GrpcChannel } from '../../src/grpc/index.ts';
import { Action } from '../../src/model/index.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import type { FlightDataStream } from '../../src/stream/types.ts';
import { aborted, callWithDeadline } from '../grpc/support.ts';
import { action, batchOf, exchange, get, numbers, put, request, start, until } from './fixture.ts';

/** The ways in which a client can go while a stream runs. */
const departures: Readonly<Record<string, (call: { cancel(): void }, channel: GrpcChannel) => void>> = {
  'cancels the call': (call) => call.cancel(),
  'loses its connection': (_call, channel) => void channel.close(0),
};

/** Streams without end, each stopped in another place. */
function endless(kind: string, onStop: () => void, signal: AbortSignal): FlightDataStream {
  const { schema } = numbers(1);
  switch (kind) {
    case 'a synchronous generator':
      return new GeneratorStream(schema, function* () {
        try {
          for (;;) yield batchOf(1);
        } finally {
          onStop();
        }
      });
    case 'an asynchronous generator that has always something':
      return new GeneratorStream(schema, async function* () {
        try {
          for (;;) {
            await Promise.resolve();
            yield batchOf(1);
          }
        } finally {
          onStop();
        }
      });
    case 'a generator that waits for its signal':
      return new GeneratorStream(schema, async function* () {
        try {
          yield batchOf(1);
          await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
          yield batchOf(2);
        } finally {
          onStop();
        }
      });
    default:
      throw new Error(`no stream of the kind ${kind}`);
  }
}

describe('a client that goes mid-stream', () => {
  for (const [how, depart] of Object.entries(departures)) {
    for (const kind of [
      'a synchronous generator',
      'an asynchronous generator that has always something',
      'a generator that waits for its signal',
    ]) {
      it(`${how}: ${kind} is stopped`, async () => {
        let stopped = 0;
        await using running = await start({
          doGet: (_ticket, { signal }) =>
            endless(
              kind,
              () => {
                stopped += 1;
              },
              signal,
            ),
        });
        const { call, reader } = get(running.channel, 'x');
        assert.equal((await reader.readNext())?.data?.numRows, 1);
        assert.equal(stopped, 0);
        depart(call, running.channel);
        await until(() => stopped === 1, 'the generator is stopped');
        await until(() => running.server.runningCalls === 0, 'the call is over');
      });
    }

    it(`${how}: the results of an action are stopped`, async () => {
      let stopped = false;
      await using running = await start({
        doAction: async function* () {
          try {
            for (;;) {
              yield 'x';
              await nextTurn();
            }
          } finally {
            stopped = true;
          }
        },
      });
      const controller = new AbortController();
      const results = request(running.channel, 'DoAction', new Action('x').serialize(), {
        signal: controller.signal,
      });
      results.catch(() => undefined);
      await until(() => running.server.runningCalls === 1, 'the call runs');
      depart({ cancel: () => controller.abort() }, running.channel);
      await until(() => stopped, 'the generator is stopped');
    });

    it(`${how}: a handler that reads hears of it`, async () => {
      const errors: unknown[] = [];
      await using running = await start({
        async doPut(_descriptor, reader) {
          try {
            await reader.readAll();
          } catch (error) {
            errors.push(error);
            throw error;
          }
        },
        async doExchange(_descriptor, reader, writer) {
          await writer.begin(numbers(1).schema);
          try {
            for await (const chunk of reader) assert.ok(chunk);
          } catch (error) {
            errors.push(error);
            throw error;
          }
        },
      });
      const { call: putCall, writer: putWriter } = put(running.channel);
      await putWriter.writeBatch(batchOf(1));
      const { call: exchangeCall, writer: exchangeWriter } = exchange(running.channel);
      await exchangeWriter.writeBatch(batchOf(1));
      await until(() => running.server.runningCalls === 2, 'both calls run');
      depart(putCall, running.channel);
      depart(exchangeCall, running.channel);
      await until(() => errors.length === 2, 'both handlers hear of it');
      await until(() => running.server.runningCalls === 0, 'the calls are over');
    });
  }

  it('frees what the generator held', async () => {
    const held: WeakRef<object>[] = [];
    await using running = await start({
      doGet: (_ticket, { signal }) => {
        // kept alive by the generator alone
        const memory = { bytes: new Uint8Array(64 * 1024 * 1024) };
        held.push(new WeakRef(memory));
        return new GeneratorStream(numbers(1).schema, async function* () {
          for (;;) {
            yield batchOf(memory.bytes.byteLength & 1);
            await new Promise((resolve) => {
              setTimeout(resolve, 1);
              signal.addEventListener('abort', resolve, { once: true });
            });
          }
        });
      },
    });
    const { call, reader } = get(running.channel, 'x');
    await reader.readNext();
    assert.ok(held[0]?.deref());
    call.cancel();
    await until(() => running.server.runningCalls === 0, 'the call is over');
    assert.ok(global.gc, 'the tests run with --expose-gc');
    for (let tries = 0; held[0]?.deref() !== undefined && tries < 100; tries += 1) {
      await nextTurn();
      global.gc();
    }
    assert.equal(held.length, 1);
    assert.equal(held[0]?.deref(), undefined);
  });

  it('does not make the call wait for a producer that hangs', async () => {
    let returned = false;
    await using running = await start({
      // straight to the server, without a generator in between
      doGet: () => ({
        [Symbol.asyncIterator]: () => {
          let isFirst = true;
          return {
            next: (): Promise<IteratorResult<RecordBatch>> => {
              if (!isFirst) return new Promise(() => undefined);
              isFirst = false;
              return Promise.resolve({ done: false, value: batchOf(1) });
            },
            return: () => {
              returned = true;
              return Promise.resolve({ done: true, value: undefined });
            },
          };
        },
      }),
    });
    const { call, reader } = get(running.channel, 'x');
    await reader.readNext();
    call.cancel();
    await until(() => returned && running.server.runningCalls === 0, 'the call is over');
  });
});

describe('a handler that does not notice that its client is gone', () => {
  it('takes no place of others, and keeps nothing alive, once it was given up', async () => {
    assert.ok(global.gc, 'the tests run with --expose-gc');
    const { gc } = global;
    const completed: unknown[] = [];
    const errors: unknown[] = [];
    const held: WeakRef<object>[] = [];
    await using running = await start(
      {
        async doAction(_action, context) {
          const memory = { bytes: new Uint8Array(1024 * 1024) };
          held.push(new WeakRef(memory), new WeakRef(context));
          await new Promise(() => undefined);
          return memory.bytes;
        },
        listFlights: () => [],
      },
      {
        limits: { maxConcurrentCalls: 2, abandonedHandlerMs: 20 },
        middleware: {
          observer: { startCall: () => ({ callCompleted: (error) => void completed.push(error?.code) }) },
        },
        onCallError: (error) => void errors.push(error.code),
      },
    );
    for (let round = 0; round < 3; round += 1) {
      const controller = new AbortController();
      const waiting = [1, 2].map(() => action(running.channel, 'wait', '', { signal: controller.signal }));
      await until(() => running.server.runningCalls === 2, 'both calls run');
      controller.abort();
      await Promise.allSettled(waiting);
      await until(() => running.server.runningCalls === 0, 'the calls are given up');
    }
    assert.deepEqual(
      completed,
      Array.from({ length: 6 }, () => 'CANCELLED'),
    );
    assert.deepEqual(errors, completed);
    assert.deepEqual(await request(running.channel, 'ListFlights', new Uint8Array(0)), []);
    for (let tries = 0; held.some((ref) => ref.deref() !== undefined) && tries < 100; tries += 1) {
      await nextTurn();
      gc();
    }
    assert.equal(held.filter((ref) => ref.deref() !== undefined).length, 0);
  });

  it('may end late, which nobody hears of any more', async () => {
    let finish: ((value: string) => void) | undefined;
    const completed: unknown[] = [];
    let started = 0;
    await using running = await start(
      {
        doAction: () =>
          new Promise<string>((resolve) => {
            finish = resolve;
          }),
      },
      {
        limits: { abandonedHandlerMs: 10 },
        middleware: {
          observer: {
            startCall: () => {
              started += 1;
              return { callCompleted: (error) => void completed.push(error?.code) };
            },
          },
        },
      },
    );
    await callWithDeadline(
      (timeoutMs) => assert.rejects(action(running.channel, 'wait', '', { timeoutMs })),
      () => finish !== undefined,
    );
    await until(() => running.server.runningCalls === 0, 'the call is given up');
    finish?.('late');
    await nextTurn();
    assert.equal(running.server.runningCalls, 0);
    assert.equal(completed.length, started);
  });

  it('is waited for as long as it cleans up in time', async () => {
    let begun = false;
    let cleaned = false;
    await using running = await start({
      doAction: async (_action, { signal }) => {
        begun = true;
        await aborted(signal);
        await nextTurn();
        cleaned = true;
        return undefined;
      },
    });
    await callWithDeadline(
      (timeoutMs) => assert.rejects(action(running.channel, 'wait', '', { timeoutMs })),
      () => begun,
    );
    await until(() => running.server.runningCalls === 0, 'the call is over');
    assert.equal(cleaned, true);
  });
});
