import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tableToIPC } from 'apache-arrow';
import { createDevCertificates } from '../../src/auth/dev-certificates.ts';
import { connect } from '../../src/client/connect.ts';
import { type ConnectionPool, createConnectionPool } from '../../src/client/connection-pool.ts';
import type { FlightClientOptions, ReadEndpointsOptions } from '../../src/client/options.ts';
import { FlightInvalidArgumentError, FlightTimedOutError } from '../../src/errors.ts';
import { FlightEndpoint } from '../../src/model/flight-endpoint.ts';
import { FlightInfo } from '../../src/model/flight-info.ts';
import type { Location } from '../../src/model/location.ts';
import { Ticket } from '../../src/model/ticket.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import type { FlightServerOptions } from '../../src/server/options.ts';
import { scriptedChannel } from './fake-channel.ts';
import { flightDataMessages, numbers, valuesOf } from './flight-data.ts';

interface Service extends AsyncDisposable {
  readonly location: Location;
  /** `authorization` of the calls that came. */
  readonly seen: (string | undefined)[];
}

async function service(
  value: number,
  options: FlightServerOptions = {},
  location = 'grpc+tcp://127.0.0.1:0',
): Promise<Service> {
  const seen: (string | undefined)[] = [];
  const server = new FlightServer(
    {
      doGet: (_ticket, { headers }) => {
        seen.push(headers.get('authorization'));
        return numbers([value]);
      },
    },
    options,
  );
  await server.listen(location);
  const [bound = assert.fail()] = server.locations;
  return {
    location: bound,
    seen,
    [Symbol.asyncDispose]: () => server.shutdown({ graceMs: 0 }),
  };
}

function infoAt(...locations: readonly (readonly (Location | string)[])[]): FlightInfo {
  return new FlightInfo(
    undefined,
    undefined,
    locations.map((each) => new FlightEndpoint('t', each)),
  );
}

describe('connect', () => {
  it('opens nothing before the first call', async () => {
    await using client = connect('grpc://127.0.0.1:1');
    assert.equal(client.location.port, 1);
  });

  const refusals: readonly [location: string, options: FlightClientOptions, message: RegExp][] = [
    ['localhost:8815', {}, /no scheme|not a location/],
    ['http://localhost:8815', {}, /not a location that a client can connect to/],
    ['arrow-flight-reuse-connection://?', {}, /not a location that a client/],
    ['grpc://a:1', { retry: { maxAttempts: 0 } }, /maxAttempts/],
    ['grpc://a:1', { circuitBreaker: { openMs: 0 } }, /openMs/],
    ['grpc://a:1', { channelOptions: { 'grpc.nonsense': 1 } }, /grpc\.nonsense is not known/],
    ['grpc://a:1', { headers: { 'grpc-status': '0' } }, /reserved/],
    ['grpc://a:1', { headers: { 'x y': '0' } }, /name of metadata/],
  ];
  for (const [location, options, message] of refusals) {
    it(`refuses ${location} with ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => connect(location, options),
        (error) => error instanceof FlightInvalidArgumentError && message.test(error.message),
      );
    });
  }

  it('shares the connections of a pool, which it does not close', async () => {
    await using there = await service(1);
    await using pool = createConnectionPool();
    const one = connect(there.location, { pool });
    const two = connect(there.location, { pool });
    await one.doGet(new Ticket('t')).readAll();
    assert.equal(pool.size, 1);
    await one.close();
    assert.deepEqual(valuesOf(await two.doGet(new Ticket('t')).readAll()), [1]);
    await two.close();
    assert.equal(pool.size, 1);
  });
});

describe('the circuit of a client', () => {
  it('is not blocked by calls that cannot even begin', async () => {
    await using there = await service(1);
    let now = 0;
    const circuitBreaker = { failureThreshold: 1, openMs: 1000, now: () => now };
    await using client = connect(there.location, { circuitBreaker, retry: false });
    const get = (timeoutMs?: number): Promise<unknown> =>
      client.doGet(new Ticket('t'), { timeoutMs }).readAll();
    await assert.rejects(get(0), FlightTimedOutError);
    await assert.rejects(get(), /circuit .* is open/);
    now += 1000;
    await assert.rejects(get(Number.NaN), FlightInvalidArgumentError);
    await get();
  });
});

describe('endpoints at locations that others can listen to', () => {
  /** What `authorization` each location would get. */
  async function sentTo(
    own: string,
    location: string,
    options: FlightClientOptions = {},
    call: ReadEndpointsOptions = {},
  ): Promise<string | undefined> {
    const channel = scriptedChannel(async (call) => {
      for (const message of await flightDataMessages(numbers([1]))) call.send(message);
      call.finish();
    });
    const pool: ConnectionPool = {
      size: 0,
      lease: () => ({ channel, release: () => undefined }),
      close: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const client = connect(own, { pool, headers: { authorization: 'Bearer secret' }, ...options });
    await client.readAll(infoAt([location]), call);
    await client.close();
    return channel.calls[0]?.metadata.get('authorization');
  }

  it('get no credentials of a client that came over TLS, unless they are on this machine', async () => {
    const own = 'grpc+tls://flight.example:1';
    assert.equal(await sentTo(own, 'grpc+tcp://other.example:1'), undefined);
    assert.equal(await sentTo(own, 'grpc://10.0.0.1:1'), undefined);
    assert.equal(await sentTo(own, 'grpc+tcp://127.0.0.1.example:1'), undefined);
    assert.equal(await sentTo(own, 'grpc+tcp://localhost:1'), 'Bearer secret');
    assert.equal(await sentTo(own, 'grpc+tcp://[::1]:1'), 'Bearer secret');
    assert.equal(await sentTo(own, 'grpc+tls://other.example:1'), 'Bearer secret');
    assert.equal(await sentTo('grpc+tcp://flight.example:1', 'grpc+tcp://other.example:1'), 'Bearer secret');
  });

  it('get no headers of the call either, which are where a token may be', async () => {
    const own = 'grpc+tls://flight.example:1';
    const call = { headers: { authorization: 'Bearer other' } };
    assert.equal(await sentTo(own, 'grpc+tcp://other.example:1', {}, call), undefined);
    assert.equal(await sentTo(own, 'grpc+tls://other.example:1', {}, call), 'Bearer other');
    const forwardCredentials = (): boolean => false;
    assert.equal(await sentTo(own, 'grpc+tls://other.example:1', { forwardCredentials }, call), undefined);
  });

  it('get them when the client says so', async () => {
    const forwardCredentials = (): boolean => true;
    const sent = await sentTo('grpc+tls://flight.example:1', 'grpc://10.0.0.1:1', { forwardCredentials });
    assert.equal(sent, 'Bearer secret');
  });
});

describe('endpoints at other locations', () => {
  const headers = { authorization: 'Bearer secret' };

  it('are fetched from there, with the credentials of the client', async () => {
    await using own = await service(1);
    await using other = await service(2);
    await using client = connect(own.location, { headers });
    const info = infoAt([], [other.location], ['arrow-flight-reuse-connection://?'], [own.location]);
    assert.deepEqual(valuesOf(await client.readAll(info)), [1, 2, 1, 1]);
    assert.deepEqual(other.seen, ['Bearer secret']);
    assert.equal(own.seen.length, 3);
  });

  it('do not see the credentials when they are told not to', async () => {
    await using own = await service(1);
    await using other = await service(2);
    await using client = connect(own.location, { headers, forwardCredentials: () => false });
    assert.deepEqual(valuesOf(await client.readAll(infoAt([], [other.location]))), [1, 2]);
    assert.deepEqual([own.seen, other.seen], [['Bearer secret'], [undefined]]);
  });

  it('may be plain HTTP, and are left for the next one when they fail', async () => {
    await using own = await service(1);
    const http = createServer((request, response) => {
      if (request.url === '/gone') response.writeHead(503).end();
      else response.end(tableToIPC(numbers([3]), 'stream'));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const at = (path: string): string => `http://127.0.0.1:${port}/${path}`;
    await using client = connect(own.location, { headers });
    const info = infoAt([at('data')], [at('gone'), own.location], [at('gone'), at('data')]);
    assert.deepEqual(valuesOf(await client.readAll(info)), [3, 1, 3]);
    const streamed = valuesOf(await client.readEndpoints(info).readAll());
    assert.deepEqual(streamed.toSorted(), [1, 3, 3]);
    await assert.rejects(client.readAll(infoAt([at('gone')])), /503.*\(GET http/);
    http.closeAllConnections();
    http.close();
  });

  it('are trusted as endpointTls says', async () => {
    const { server: pair, ca } = createDevCertificates();
    await using own = await service(1);
    await using other = await service(2, { tls: { certificates: [pair] } }, 'grpc+tls://127.0.0.1:0');
    const info = infoAt([other.location]);
    await using trusting = connect(own.location, { endpointTls: { rootCertificates: ca.cert } });
    assert.deepEqual(valuesOf(await trusting.readAll(info)), [2]);
    await using other2 = connect(own.location, { retry: false });
    await assert.rejects(other2.readAll(info), /certificate.*DoGet at grpc\+tls/s);
  });

  it('of every scheme make one ordered stream, each from the first that works', {
    skip: process.platform === 'win32' ? 'there are no Unix sockets on Windows' : false,
  }, async () => {
    const { server: pair, ca } = createDevCertificates();
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-endpoints-'));
    await using own = await service(1);
    await using tls = await service(2, { tls: { certificates: [pair] } }, 'grpc+tls://127.0.0.1:0');
    await using unix = await service(3, {}, `grpc+unix://${join(folder, 'flight.sock')}`);
    const http = createServer((_request, response) => response.end(tableToIPC(numbers([4]), 'stream')));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    // nobody listens at port 1
    const dead = 'grpc://127.0.0.1:1';
    const { endpoints } = infoAt(
      [dead, `http://127.0.0.1:${port}/data`],
      ['unknown://x', unix.location],
      [dead, 'http://127.0.0.1:1/', tls.location],
      [dead, 'arrow-flight-reuse-connection://?'],
      [],
    );
    const info = new FlightInfo(numbers([]).schema, undefined, endpoints, { ordered: true });
    await using client = connect(own.location, {
      endpointTls: { rootCertificates: ca.cert },
      retry: { initialDelayMs: 1, maxDelayMs: 1 },
    });
    assert.deepEqual(valuesOf(await client.readAll(info)), [4, 3, 2, 1, 1]);
    assert.deepEqual(valuesOf(await client.readEndpoints(info).readAll()), [4, 3, 2, 1, 1]);
    http.closeAllConnections();
    http.close();
    await client.close();
    await rm(folder, { recursive: true });
  });
});
