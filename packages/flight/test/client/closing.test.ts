// What ends with a client, and what ends before its time: waits, downloads, and the timers of both.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, it } from 'node:test';
import { tableToIPC } from 'apache-arrow';
import { connect } from '../../src/client/connect.ts';
import { createConnectionPool } from '../../src/client/connection-pool.ts';
import { doPut } from '../../src/client/do-put.ts';
import type { RetryOptions } from '../../src/client/retry.ts';
import {
  FlightCancelledError,
  FlightInvalidArgumentError,
  FlightTimedOutError,
  FlightUnavailableError,
} from '../../src/errors.ts';
import { FlightDescriptor } from '../../src/model/flight-descriptor.ts';
import { FlightEndpoint } from '../../src/model/flight-endpoint.ts';
import { FlightInfo } from '../../src/model/flight-info.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import { numbers, valuesOf } from './flight-data.ts';
import { scriptedCaller } from './scripted-caller.ts';

const body = tableToIPC(numbers([3]), 'stream');
const descriptor = FlightDescriptor.forPath('x');
/** Nobody listens there. */
const nowhere = 'grpc://127.0.0.1:1';
const waiting: ServerResponse[] = [];
const http = createServer((request, response) => {
  if (request.url === '/data') response.end(body);
  else {
    response.write(body.subarray(0, 8));
    waiting.push(response);
    http.emit('waiting');
  }
});
const listening = new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

after(() => {
  http.closeAllConnections();
  http.close();
});

async function infoOf(path: string): Promise<FlightInfo> {
  await listening;
  const { port } = http.address() as AddressInfo;
  const endpoint = new FlightEndpoint('t', [`http://127.0.0.1:${port}/${path}`]);
  return new FlightInfo(undefined, undefined, [endpoint]);
}

describe('closing a client', () => {
  /** Options that wait long between tries, and when the first wait begins. */
  function slowRetry(): { retry: RetryOptions; waits: Promise<void> } {
    let begin: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const random = (): number => {
      begin();
      return 0.9;
    };
    return { retry: { initialDelayMs: 5_000, maxDelayMs: 5_000, random }, waits };
  }

  it('ends the wait for the next try of a call', async () => {
    const server = new FlightServer({
      getFlightInfo: () => {
        throw new FlightUnavailableError('down');
      },
    });
    await server.listen();
    const { retry, waits } = slowRetry();
    const client = connect(`grpc://127.0.0.1:${server.port}`, { retry });
    const failed = assert.rejects(
      client.getFlightInfo(descriptor),
      /given up \(the client was closed\) while waiting to try again after: .*down/,
    );
    await waits;
    await client.close();
    await failed;
    await server.shutdown({ graceMs: 0 });
  });

  it('ends the wait before the places of an endpoint are tried again', async () => {
    const { retry, waits } = slowRetry();
    const client = connect(nowhere, { retry });
    const soon = new Date(Date.now() + 60_000);
    const gone = new FlightEndpoint('t', ['http://127.0.0.1:1/'], {
      expirationTime: soon,
    });
    const failed = assert.rejects(
      client.readAll(new FlightInfo(undefined, undefined, [gone])),
      /given up while waiting to try again after/,
    );
    await waits;
    await client.close();
    await failed;
  });

  it('ends downloads from http locations, and none begins after it', async () => {
    const client = connect(nowhere, { retry: false });
    const requested = once(http, 'waiting');
    const reading = assert.rejects(client.readAll(await infoOf('endless')), FlightCancelledError);
    await requested;
    await client.close();
    for (const response of waiting) response.destroy();
    await reading;
    await assert.rejects(client.readAll(await infoOf('data')), FlightCancelledError);
  });

  it('ends waiting for the service, also over a pool that stays open', async () => {
    await using pool = createConnectionPool();
    const client = connect(nowhere, { pool });
    const waits = assert.rejects(client.waitForAvailable({ timeoutMs: 2_000 }), FlightCancelledError);
    await client.close();
    await waits;
    await assert.rejects(client.waitForAvailable({ timeoutMs: 2_000 }), FlightCancelledError);
  });
});

it('a first write does not wait for the connection once its call was cancelled', async () => {
  const { caller } = scriptedCaller(() => undefined);
  caller.context.channel.connect = (options) =>
    new Promise((_, reject) => {
      options?.signal?.addEventListener('abort', () => reject(new FlightCancelledError('aborted')));
    });
  const put = doPut(caller, descriptor, {});
  const writing = assert.rejects(put.writer.begin(numbers([1]).schema), FlightCancelledError);
  put.cancel('enough');
  await writing;
});

describe('times that no timer can hold', () => {
  it('are no time-out of a download', async () => {
    await using client = connect(nowhere);
    for (const timeoutMs of [2 ** 31, Infinity]) {
      assert.deepEqual(valuesOf(await client.readAll(await infoOf('data'), { timeoutMs })), [3]);
    }
    const info = await infoOf('endless');
    await assert.rejects(client.readAll(info, { timeoutMs: 20 }), FlightTimedOutError);
    await assert.rejects(client.readAll(info, { timeoutMs: Number.NaN }), FlightInvalidArgumentError);
  });

  it('keep a connection of a pool until it closes', async () => {
    await using pool = createConnectionPool({ idleMs: Infinity });
    const client = connect(nowhere, { pool });
    await client.close();
    await sleep(5);
    assert.equal(pool.size, 1);
    for (const idleMs of [-1, Number.NaN]) {
      assert.throws(() => createConnectionPool({ idleMs }), FlightInvalidArgumentError);
    }
  });

  it('are none that a client waits for a service', async () => {
    await using client = connect(nowhere);
    for (const timeoutMs of [-1, Number.NaN]) {
      await assert.rejects(client.waitForAvailable({ timeoutMs }), FlightInvalidArgumentError);
    }
  });
});
