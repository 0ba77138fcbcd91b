import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightResourceExhaustedError } from '../../src/errors.ts';
import type { GrpcChannel } from '../../src/grpc/index.ts';
import { maxRequestBytes } from '../../src/limits/server.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import { RawIpcStream } from '../../src/stream/raw-ipc-stream.ts';
import {
  action,
  batchOf,
  batchOfRows,
  channelTo,
  get,
  numbers,
  put,
  start,
  until,
  valuesOf,
} from './fixture.ts';

const mebibyte = 1024 * 1024;

describe('many at once', () => {
  it('1,000 concurrent streams on one connection', async () => {
    const total = 1000;
    let most = 0;
    await using running = await start(
      {
        doGet: ({ ticket }) =>
          new GeneratorStream(numbers(1).schema, async function* () {
            // every stream is open before the first one ends
            yield batchOf(Number(Buffer.from(ticket).toString()));
            await until(() => most === total, 'all streams run');
            yield batchOf(-1);
          }),
      },
      { limits: { maxCallsPerConnection: total } },
    );
    const tables = Array.from({ length: total }, async (_item, index) => {
      const { reader } = get(running.channel, String(index));
      const values = valuesOf(await reader.readAll());
      assert.deepEqual(values, [index, -1]);
    });
    await until(() => {
      most = Math.max(most, running.server.runningCalls);
      return most === total;
    }, 'all streams run');
    await Promise.all(tables);
    assert.equal(running.server.connections, 1);
    await until(() => running.server.runningCalls === 0, 'all calls are over');
  });

  it('200 connections', async () => {
    await using running = await start({ doAction: ({ body }) => body, doGet: () => numbers(1, 2, 3) });
    const channels: GrpcChannel[] = [];
    try {
      await Promise.all(
        Array.from({ length: 200 }, async (_item, index) => {
          const channel = channelTo(running.server.locations[0]);
          channels.push(channel);
          assert.deepEqual(await action(channel, 'echo', String(index)), [String(index)]);
          assert.deepEqual(valuesOf(await get(channel, 'x').reader.readAll()), [1, 2, 3]);
        }),
      );
      assert.equal(running.server.connections, 200);
    } finally {
      await Promise.all(channels.map((channel) => channel.close(0)));
    }
    await until(() => running.server.connections === 0, 'all connections are gone');
  });

  it('a small call is answered while a stream keeps the connection busy', async () => {
    const header = { header: new Uint8Array(16), body: new Uint8Array(mebibyte) };
    await using running = await start({
      doAction: () => 'pong',
      doGet: () =>
        new RawIpcStream(function* () {
          for (;;) yield header;
        }),
    });
    const { call, reader } = get(running.channel, 'x');
    let received = 0;
    const reading = (async () => {
      for await (const message of reader.raw()) {
        received += message.dataBody.byteLength;
        message.body?.release();
      }
    })();
    await until(() => received > 4 * mebibyte, 'data flows');
    for (let round = 0; round < 10; round += 1)
      assert.deepEqual(await action(running.channel, 'ping'), ['pong']);
    call.cancel();
    await reading.catch(() => undefined);
  });

  it('calls above the limit are refused, and served when others have ended', async () => {
    await using running = await start(
      {
        doAction: ({ type }, { signal }) =>
          type === 'ping'
            ? 'pong'
            : new Promise((resolve) => signal.addEventListener('abort', () => resolve('x'))),
      },
      { limits: { maxConcurrentCalls: 2 } },
    );
    const controller = new AbortController();
    const waiting = [1, 2].map(() => action(running.channel, 'wait', '', { signal: controller.signal }));
    await until(() => running.server.runningCalls === 2, 'both calls run');
    await assert.rejects(action(running.channel, 'ping'), FlightResourceExhaustedError);
    controller.abort();
    await Promise.allSettled(waiting);
    await until(() => running.server.runningCalls === 0, 'both calls are over');
    assert.deepEqual(await action(running.channel, 'ping'), ['pong']);
  });

  it('a message above the limit is refused before it is kept', async () => {
    await using running = await start({ doAction: () => 'x' }, { limits: { maxReceiveBytes: 1000 } });
    await assert.rejects(
      action(running.channel, 'x', new Uint8Array(2000)),
      (error) =>
        error instanceof FlightResourceExhaustedError && /2\d\d\d.*1000|1000.*2\d\d\d/.test(error.message),
    );
    assert.deepEqual(await action(running.channel, 'x'), ['x']);
  });
});

it('a ticket that is no ticket any more is refused before memory is taken', async () => {
  await using running = await start({ doGet: () => numbers(1) });
  const { reader } = get(running.channel, 'x'.repeat(maxRequestBytes));
  await assert.rejects(reader.readAll(), (error) => {
    assert.ok(error instanceof FlightResourceExhaustedError);
    assert.ok(error.message.includes(String(maxRequestBytes)), error.message);
    return true;
  });
});

describe('a slow peer', () => {
  it('that does not read stops the generator, and little is kept for it', async () => {
    let made = 0;
    const message = { header: new Uint8Array(16), body: new Uint8Array(mebibyte) };
    await using running = await start({
      doGet: () =>
        new RawIpcStream(async function* () {
          // 10 GB, if anybody took them
          for (let index = 0; index < 10_000; index += 1) {
            made += 1;
            yield message;
            await Promise.resolve();
          }
        }),
    });
    const { call, reader } = get(running.channel, 'x');
    const raw = reader.raw();
    await raw.next();
    let before = -1;
    while (made !== before) {
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // windows, queues and kernel buffers: far below what could be made
    assert.ok(made < 200, `${made} MiB were made for a client that read 1`);
    for (let index = 0; index < 200; index += 1) (await raw.next()).value?.body?.release();
    assert.ok(made >= 200);
    call.cancel();
    await until(() => running.server.runningCalls === 0, 'the call is over');
  });

  it('that sends without being read is held back', async () => {
    let read: (() => void) | undefined;
    let received = 0;
    await using running = await start({
      async doPut(_descriptor, reader) {
        await new Promise<void>((resolve) => {
          read = resolve;
        });
        for await (const chunk of reader.scoped()) received += chunk.data?.numRows ?? 0;
      },
    });
    const { call, writer } = put(running.channel);
    const batch = batchOfRows(65_536);
    let sent = 0;
    const sending = (async () => {
      for (; sent < 1200; sent += 1) await writer.writeBatch(batch);
      await writer.doneWriting();
    })();
    await until(() => read !== undefined, 'the server has the call');
    let before = -1;
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(sent < 800, `${sent * 256} KiB were taken by a server that reads nothing`);
    read?.();
    await sending;
    assert.equal(await call.read(), undefined);
    assert.equal(received, 1200 * 65_536);
  });
});
