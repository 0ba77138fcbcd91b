// Calls that want all they can get, side by side.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GrpcChannel } from '../../src/grpc/index.ts';
import { RawIpcStream } from '../../src/stream/raw-ipc-stream.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { FlightDescriptor } from '../../src/model/flight-descriptor.ts';
import { action, batchOfRows, channelTo, get, put, start, until } from '../server/fixture.ts';

const message = { header: new Uint8Array(16), body: new Uint8Array(256 * 1024) };
const flood: FlightHandlers = {
  doAction: () => 'pong',
  doGet: ({ ticket }) =>
    Buffer.from(ticket).toString().endsWith('async')
      ? new RawIpcStream(async function* () {
          for (;;) {
            await Promise.resolve();
            yield message;
          }
        })
      : new RawIpcStream(function* () {
          for (;;) yield message;
        }),
};

/**
 * Reads streams at the same time until the fastest has this many messages; how many each has then. Counted from when all
 * of them flow: opening a connection takes its time on a busy machine.
 */
async function race(channels: readonly GrpcChannel[], goal: number): Promise<number[]> {
  const counts = channels.map(() => 0);
  const calls = channels.map((channel, index) => get(channel, `${index} ${index % 2 === 0 ? 'async' : ''}`));
  let first: readonly number[] | undefined;
  const since = (): number[] => counts.map((count, index) => count - (first?.[index] ?? count));
  const isOver = (): boolean => Math.max(...since()) >= goal;
  const reading = calls.map(async ({ call, reader }, index) => {
    for await (const received of reader.raw()) {
      received.body?.release();
      counts[index] = (counts[index] ?? 0) + 1;
      if (first === undefined && Math.min(...counts) > 0) first = [...counts];
      if (isOver()) break;
    }
    call.cancel();
  });
  await until(isOver, 'one stream is at the goal');
  const result = since();
  await Promise.allSettled(reading);
  return result;
}

describe('streams without end', () => {
  it('of one connection get about as much each', async () => {
    await using running = await start(flood);
    const counts = await race(
      Array.from({ length: 16 }, () => running.channel),
      400,
    );
    assert.ok(Math.min(...counts) > 100, `messages received: ${counts.join(', ')}`);
  });

  it('of many connections get about as much each', async () => {
    await using running = await start(flood);
    const channels = Array.from({ length: 16 }, () => channelTo(running.server.locations[0]));
    try {
      const counts = await race(channels, 400);
      assert.ok(Math.min(...counts) > 100, `messages received: ${counts.join(', ')}`);
    } finally {
      await Promise.all(channels.map((channel) => channel.close(0)));
    }
  });

  it('that start later get their part, too', async () => {
    await using running = await start(flood);
    const early = Array.from({ length: 8 }, (_, index) => get(running.channel, `early ${index}`));
    let received = 0;
    const reading = early.map(async ({ reader }) => {
      for await (const { body } of reader.raw()) {
        body?.release();
        received += 1;
      }
    });
    await until(() => received > 200, 'the early ones flow');
    const before = received;
    const late = get(running.channel, 'late').reader.raw();
    for (let index = 0; index < 50; index += 1) assert.equal((await late.next()).done, false);
    // each of the eight may be ahead by a window, and by no more
    assert.ok(received - before < 8 * (50 + 256), `${received - before} for the others meanwhile`);
    await late.return?.();
    for (const { call } of early) call.cancel();
    await Promise.allSettled(reading);
  });
});

describe('small calls beside streams without end', () => {
  it('of the same and of another connection are answered', async () => {
    await using running = await start(flood);
    const floods = Array.from({ length: 8 }, (_, index) => get(running.channel, `${index} async`));
    let received = 0;
    const reading = floods.map(async ({ reader }) => {
      for await (const { body } of reader.raw()) {
        body?.release();
        received += 1;
      }
    });
    const other = channelTo(running.server.locations[0]);
    await until(() => received > 50, 'data flows');
    for (let round = 0; round < 20; round += 1) {
      assert.deepEqual(await action(running.channel, 'ping'), ['pong']);
      assert.deepEqual(await action(other, 'ping'), ['pong']);
    }
    for (const { call } of floods) call.cancel();
    await Promise.allSettled(reading);
    await other.close(0);
  });

  it('and beside uploads are answered', async () => {
    let rows = 0;
    await using running = await start({
      doAction: () => 'pong',
      async doPut(_descriptor, reader) {
        for await (const { data } of reader.scoped()) rows += data?.numRows ?? 0;
      },
    });
    const batch = batchOfRows(65_536);
    const stop = new AbortController();
    const uploads = Array.from({ length: 8 }, async (_, index) => {
      const { call, writer } = put(running.channel, FlightDescriptor.forPath(String(index)));
      while (!stop.signal.aborted) await writer.writeBatch(batch);
      await writer.doneWriting();
      assert.equal(await call.read(), undefined);
    });
    await until(() => rows > 8 * 65_536, 'data flows');
    for (let round = 0; round < 20; round += 1) {
      assert.deepEqual(await action(running.channel, 'ping'), ['pong']);
    }
    stop.abort();
    await Promise.all(uploads);
  });
});
