// The rows of a large result that is generated go to a client that takes them as they come, to one that takes them
// slowly, and to one that goes away: the server's memory stays bounded, and nothing is left.
//   PEREGRINE_RESULT_GB   size of the result; 1 by default, 20 for the figures in docs/server.md
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectSql, type FlightSqlClient } from '@peregrine/flight/sql';
import { ownCommand, type Peer, startPeer } from './peers.ts';
import { residentMb, watchResidentMb } from './resident-memory.ts';

const gigabytes = Number(process.env['PEREGRINE_RESULT_GB'] ?? 1);
/** 8 bytes, 1,000 bytes of text and its 4 bytes of offset. */
const rowBytes = 1_012;
const rows = Math.round((gigabytes * 1e9) / rowBytes);
const sql = `SELECT range AS id, repeat(chr(97 + (range % 26)::INTEGER), 1000) AS text FROM range(${rows})`;
/** What the slow client takes, in bytes a second. */
const slowRate = 100e6;
/** Most memory that the server may take, whatever the size of the result, in MB. */
const bound = 500;

describe(`a result of ${gigabytes} GB`, () => {
  let server: Peer;
  let client: FlightSqlClient;
  before(async () => {
    server = startPeer(process.execPath, [
      ownCommand(),
      'serve',
      '--json',
      '--flight-port',
      '0',
      '--http-port',
      'off',
    ]);
    const [, location = ''] = await server.line(/"flight":"([^"]+)"/);
    client = connectSql(location);
  });
  after(async () => {
    await client.close();
    await server.stop();
  });

  /** Reads it; `pause` is awaited after each batch, and false ends it. */
  async function read(pause: (bytes: number) => Promise<boolean>): Promise<number> {
    const { endpoints } = await client.execute(sql);
    const [endpoint] = endpoints;
    assert.ok(endpoint !== undefined);
    let count = 0;
    let last = -1n;
    await using reader = client.flight.doGet(endpoint.ticket);
    for await (const { data } of reader.scoped()) {
      if (data === undefined) continue;
      assert.equal(data.getChild('id')?.get(0), last + 1n);
      count += data.numRows;
      last = BigInt(count - 1);
      if (!(await pause(count * rowBytes))) break;
    }
    return count;
  }

  async function measured(name: string, work: () => Promise<number>): Promise<number> {
    const idle = await residentMb(server.process.pid);
    const most = watchResidentMb(server.process.pid);
    const started = performance.now();
    const count = await work();
    const seconds = (performance.now() - started) / 1_000;
    const peak = await most();
    const rate = (count * rowBytes) / 1e6 / seconds;
    console.log(
      `${name}: ${((count * rowBytes) / 1e9).toFixed(1)} GB in ${seconds.toFixed(1)} s (${rate.toFixed(0)} MB/s), ` +
        `server ${idle?.toFixed(0)} MB before, ${peak?.toFixed(0)} MB at most`,
    );
    assert.ok((peak ?? 0) < bound, `the server took ${peak} MB`);
    return count;
  }

  it('goes to a client that takes it as it comes', async () => {
    assert.equal(await measured('fast', () => read(async () => true)), rows);
  });

  it('goes to a client that takes it slowly', async () => {
    const started = performance.now();
    const count = await measured('slow', () =>
      read(async (bytes) => {
        const ahead = (bytes / slowRate) * 1_000 - (performance.now() - started);
        if (ahead > 0) {
          await new Promise((resolve) => {
            setTimeout(resolve, ahead);
          });
        }
        return true;
      }),
    );
    assert.equal(count, rows);
  });

  it('is given up with the client that goes away', async () => {
    for (let i = 0; i < 10; i += 1) {
      await measured(`gone ${i + 1}`, () => read(async (bytes) => bytes < 10e6));
    }
  });
});
