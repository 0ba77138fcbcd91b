// Server and client as processes of their own: what they cost, and what happens when one of them is killed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { connect } from '../../src/client/connect.ts';
import type { FlightClient } from '../../src/client/flight-client.ts';
import { FlightUnavailableError } from '../../src/errors.ts';
import { FlightDescriptor } from '../../src/model/flight-descriptor.ts';
import { Ticket } from '../../src/model/ticket.ts';
import { freePort } from '../free-port.ts';
import { batchOfRows } from '../server/fixture.ts';
import { startProgram } from './programs.ts';

const mebibyte = 1024 * 1024;
/** Far below what would be held without back-pressure, with room for what the garbage collector leaves lying. */
const rssLimit = 400 * mebibyte;

interface Facts {
  readonly made: number;
  readonly stopped: number;
  readonly runningCalls: number;
  readonly rss: number;
  readonly mostRss: number;
}

async function factsOf(client: FlightClient): Promise<Facts> {
  const [result] = await client.doAction('facts').toArray();
  return JSON.parse(Buffer.from(result?.body ?? []).toString()) as Facts;
}

async function factsWhen(client: FlightClient, isSo: (facts: Facts) => boolean): Promise<Facts> {
  for (;;) {
    const facts = await factsOf(client);
    if (isSo(facts)) return facts;
    await wait(10);
  }
}

it('a slow reader of a stream of 10 GB costs neither side more memory', async () => {
  const count = Math.ceil(10e9 / mebibyte);
  await using server = startProgram('serve-program');
  const location = await server.line();
  await using reader = startProgram('read-program', location, String(count));
  assert.equal(await reader.line(), 'reading');
  const { bytes, mostRss } = JSON.parse(await reader.line()) as { bytes: number; mostRss: number };
  await using client = connect(location, { connectTimeoutMs: 300_000 });
  const facts = await factsOf(client);
  assert.equal(bytes, count * mebibyte);
  assert.equal(facts.made, count);
  assert.ok(facts.mostRss < rssLimit, `the server held ${Math.round(facts.mostRss / mebibyte)} MiB`);
  assert.ok(mostRss < rssLimit, `the client held ${Math.round(mostRss / mebibyte)} MiB`);
});

describe('a server that is killed', () => {
  it('fails every kind of call that runs with UNAVAILABLE, and is found again when it is back', async () => {
    const server = startProgram('serve-program', `grpc+tcp://127.0.0.1:${await freePort()}`);
    const location = await server.line();
    await using client = connect(location, { retry: false, connectTimeoutMs: 300_000 });
    const reader = client.doGet(new Ticket('1000000')).raw();
    assert.equal((await reader.next()).done, false);
    const put = client.doPut(FlightDescriptor.forPath('x'));
    await server.kill();
    await assert.rejects(async () => {
      while ((await reader.next()).done !== true);
    }, FlightUnavailableError);
    await assert.rejects(async () => {
      await put.writer.writeBatch(batchOfRows(10));
      await put.writer.close();
    }, FlightUnavailableError);
    await assert.rejects(client.listFlights().toArray(), FlightUnavailableError);
    await assert.rejects(client.getSchema(FlightDescriptor.forPath('x')), FlightUnavailableError);
    await using again = startProgram('serve-program', location);
    await again.line();
    await client.waitForAvailable({ timeoutMs: 300_000 });
    assert.equal((await factsOf(client)).made, 0);
  });
});

describe('a client that is killed', () => {
  it('mid-stream stops the generator, and its memory is freed', async () => {
    await using server = startProgram('serve-program');
    const location = await server.line();
    await using client = connect(location, { connectTimeoutMs: 300_000 });
    const before = (await factsOf(client)).rss;
    for (let round = 1; round <= 3; round += 1) {
      const reader = startProgram('read-program', location, '1000000');
      assert.equal(await reader.line(), 'reading');
      await reader.kill();
      await factsWhen(client, ({ stopped, runningCalls }) => stopped === round && runningCalls === 1);
    }
    const after = await factsWhen(client, ({ rss }) => rss < before + rssLimit / 2);
    assert.equal(after.stopped, 3);
  });

  it('by a stop, so that nothing is closed, is found out by keepalive', {
    skip: process.platform === 'win32' ? 'there is no SIGSTOP on Windows' : false,
  }, async () => {
    await using server = startProgram('serve-program', 'grpc+tcp://127.0.0.1:0', '2000');
    const location = await server.line();
    await using client = connect(location, { connectTimeoutMs: 300_000 });
    await using reader = startProgram('read-program', location, '1000000');
    assert.equal(await reader.line(), 'reading');
    reader.process.kill('SIGSTOP');
    await factsWhen(client, ({ stopped, runningCalls }) => stopped === 1 && runningCalls === 1);
  });
});
