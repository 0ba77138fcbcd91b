// What networks and servers do to clients.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import type { FlightClient } from '../../src/client/flight-client.ts';
import type { FlightCallOptions, FlightClientOptions } from '../../src/client/options.ts';
import {
  FlightCancelledError,
  FlightError,
  type FlightErrorCode,
  FlightUnavailableError,
} from '../../src/errors.ts';
import { FlightDescriptor } from '../../src/model/flight-descriptor.ts';
import { Ticket } from '../../src/model/ticket.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import type { FlightServerOptions } from '../../src/server/options.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import { freePort } from '../free-port.ts';
import { type Faults, type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { numbers, valuesOf } from './flight-data.ts';

interface Setup extends AsyncDisposable {
  readonly client: FlightClient;
  readonly server: FlightServer;
  readonly proxy: FaultProxy;
}

const descriptor = FlightDescriptor.forPath('x');
const ticket = new Ticket('x');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function setUp(
  handlers: FlightHandlers,
  options: { client?: FlightClientOptions; server?: FlightServerOptions; faults?: Partial<Faults> } = {},
): Promise<Setup> {
  const server = new FlightServer(handlers, options.server);
  await server.listen();
  const proxy = await startFaultProxy(server.port, options.faults);
  const client = connect(`grpc://127.0.0.1:${proxy.port}`, options.client);
  return {
    client,
    server,
    proxy,
    async [Symbol.asyncDispose](): Promise<void> {
      await client.close();
      await proxy[Symbol.asyncDispose]();
      await server.shutdown({ graceMs: 0 });
    },
  };
}

/** Handlers whose DoGet sends numbers for ever, and tells whether it was stopped. */
function endless(): { handlers: FlightHandlers; stopped: Promise<void> } {
  let stop: (() => void) | undefined;
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const table = numbers([1, 2, 3]);
  return {
    stopped,
    handlers: {
      listFlights: () => [],
      doGet: () =>
        new GeneratorStream(
          table.schema,
          (async function* () {
            try {
              for (;;) {
                yield table;
                await turn();
              }
            } finally {
              stop?.();
            }
          })(),
        ),
    },
  };
}

function isLost(method: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlightUnavailableError, String(error));
    assert.match(error.message, new RegExp(`\\(${method} at grpc://127\\.0\\.0\\.1:\\d+\\)`));
    return true;
  };
}

describe('a connection that is lost in the middle', () => {
  it('of a DoGet is UNAVAILABLE, and the next call connects again', async () => {
    const { handlers, stopped } = endless();
    await using setup = await setUp(handlers);
    const reader = setup.client.doGet(ticket);
    assert.notEqual(await reader.readNext(), undefined);
    setup.proxy.cut();
    await assert.rejects(async () => {
      while ((await reader.readNext()) !== undefined);
    }, isLost('DoGet'));
    await stopped;
    assert.deepEqual(await setup.client.listFlights().toArray(), []);
    assert.equal(setup.proxy.accepted, 2);
  });

  it('of a DoPut fails the write or the close', async () => {
    await using setup = await setUp({
      async doPut(_descriptor, reader) {
        for await (const chunk of reader) chunk.release();
      },
    });
    const { writer } = setup.client.doPut(descriptor);
    await writer.writeTable(numbers([1]));
    setup.proxy.cut();
    await assert.rejects(async () => {
      for (;;) {
        await writer.writeTable(numbers([1]));
        await turn();
      }
    }, isLost('DoPut'));
    await assert.rejects(writer.close(), isLost('DoPut'));
  });

  it('of a DoExchange fails both sides', async () => {
    await using setup = await setUp({
      async doExchange(_descriptor, reader, writer) {
        for await (const { data } of reader) if (data !== undefined) await writer.writeBatch(data);
      },
    });
    const { writer, reader } = setup.client.doExchange(descriptor);
    await writer.writeTable(numbers([1]));
    assert.equal((await reader.readNext())?.data?.numRows, 1);
    const next = reader.readNext();
    setup.proxy.cut();
    await assert.rejects(next, isLost('DoExchange'));
    await assert.rejects(writer.close(), isLost('DoExchange'));
  });

  it('is hidden by another try where that is safe', async () => {
    let calls = 0;
    await using setup = await setUp(
      {
        async getSchema() {
          calls += 1;
          if (calls === 1) {
            setup.proxy.cut();
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          return numbers([1]).schema;
        },
      },
      { client: { retry: { initialDelayMs: 1 } } },
    );
    assert.deepEqual((await setup.client.getSchema(descriptor)).schema.names, ['n']);
    assert.equal(calls, 2);
  });
});

describe('a server that goes away', () => {
  it('lets a running call end after GOAWAY, while new calls take a new connection', async () => {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const table = numbers([1]);
    await using setup = await setUp(
      {
        listFlights: () => [],
        doGet: () =>
          new GeneratorStream(
            table.schema,
            (async function* () {
              yield table;
              await released;
              yield table;
            })(),
          ),
      },
      { server: { connections: { maxConnectionAgeMs: 30 } } },
    );
    const reader = setup.client.doGet(ticket);
    assert.notEqual(await reader.readNext(), undefined);
    while (setup.proxy.accepted < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      await setup.client.listFlights().toArray();
    }
    release?.();
    assert.deepEqual(valuesOf(await reader.readAll()), [1]);
  });

  it('lets a running call end when it is shut down', async () => {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using setup = await setUp({
      doGet: async () => {
        await released;
        return numbers([1], [2]);
      },
    });
    const reading = setup.client.doGet(ticket).readAll();
    while (setup.server.runningCalls === 0) await turn();
    const shutdown = setup.server.shutdown();
    release?.();
    assert.deepEqual(valuesOf(await reading), [1, 2]);
    await shutdown;
    await assert.rejects(setup.client.getSchema(descriptor), FlightUnavailableError);
  });

  it('without a word is found out by keepalive', async () => {
    const { handlers } = endless();
    await using setup = await setUp(handlers, {
      client: {
        // Longer than a busy machine lets the answer to a ping wait while nothing is frozen.
        channelOptions: { 'grpc.keepalive_time_ms': 50, 'grpc.keepalive_timeout_ms': 1000 },
      },
    });
    const reader = setup.client.doGet(ticket);
    assert.notEqual(await reader.readNext(), undefined);
    setup.proxy.faults.frozen = true;
    await assert.rejects(async () => {
      while ((await reader.readNext()) !== undefined);
    }, isLost('DoGet'));
  });

  it('and comes back is waited for', async () => {
    const first = new FlightServer({ listFlights: () => [] });
    const location = `grpc://127.0.0.1:${await freePort()}`;
    await first.listen(location);
    await using client = connect(location, { retry: false });
    await client.listFlights().toArray();
    await first.shutdown({ graceMs: 0 });
    await assert.rejects(client.listFlights().toArray(), isLost('ListFlights'));
    await assert.rejects(client.waitForAvailable({ timeoutMs: 50 }), FlightError);
    const waiting = client.waitForAvailable({ timeoutMs: 300_000 });
    const second = new FlightServer({ listFlights: () => [] });
    await second.listen(location);
    await waiting;
    await client.listFlights().toArray();
    await second.shutdown({ graceMs: 0 });
  });
});

describe('a server that cannot be reached', () => {
  const unreachable = async (): Promise<string> => {
    return `grpc://127.0.0.1:${await freePort()}`;
  };

  it('is told at the first await of every call', async () => {
    await using client = connect(await unreachable(), { retry: { initialDelayMs: 1 } });
    await assert.rejects(client.getFlightInfo(descriptor), isLost('GetFlightInfo'));
    await assert.rejects(client.listFlights().next(), isLost('ListFlights'));
    await assert.rejects(client.doGet(ticket).schema, isLost('DoGet'));
    await assert.rejects(client.doGet(ticket).readAll(), isLost('DoGet'));
    await assert.rejects(client.doPut(descriptor).writer.begin(numbers([1]).schema), isLost('DoPut'));
    await assert.rejects(client.doPut(descriptor).reader.read(), isLost('DoPut'));
    await assert.rejects(client.doExchange(descriptor).writer.writeMetadata('x'), isLost('DoExchange'));
    await assert.rejects(client.doExchange(descriptor).reader.readNext(), isLost('DoExchange'));
    await assert.rejects(client.authenticateBasicToken('a', 'b'), isLost('Handshake'));
  });

  it('and is there before the next try is not noticed', async () => {
    const location = await unreachable();
    const retry = { initialDelayMs: 0, maxDelayMs: 0, maxAttempts: 1_000_000 };
    await using client = connect(location, { retry });
    const listing = client.listFlights().toArray();
    const server = new FlightServer({ listFlights: () => [] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.listen(location);
    assert.deepEqual(await listing, []);
    await client.close();
    await server.shutdown({ graceMs: 0 });
  });

  it('opens the circuit', async () => {
    const states: string[] = [];
    await using client = connect(await unreachable(), {
      retry: { initialDelayMs: 1 },
      circuitBreaker: { failureThreshold: 4, onStateChange: (_location, state) => states.push(state) },
    });
    await assert.rejects(client.getFlightInfo(descriptor), isLost('GetFlightInfo'));
    await assert.rejects(client.getFlightInfo(descriptor), /circuit to grpc.* is open/);
    assert.deepEqual(states, ['open']);
  });
});

describe('a response that is cut', () => {
  const handlers: FlightHandlers = { doGet: () => numbers([1, 2, 3], [4, 5]) };

  it('into single bytes is read like any other', async () => {
    await using setup = await setUp(handlers, { faults: { byteByByte: true } });
    assert.deepEqual(valuesOf(await setup.client.doGet(ticket).readAll()), [1, 2, 3, 4, 5]);
  });

  it('off after any byte is an error or complete, never anything else', async () => {
    const server = new FlightServer(handlers);
    await server.listen();
    let total = 0;
    {
      await using proxy = await startFaultProxy(server.port);
      await using client = connect(`grpc://127.0.0.1:${proxy.port}`);
      await client.doGet(ticket).readAll();
      total = proxy.fromServer;
    }
    assert.ok(total > 500, `${total} bytes`);
    let complete = 0;
    const readCut = async (cutAfter: number): Promise<void> => {
      await using proxy = await startFaultProxy(server.port, { cutAfter });
      await using client = connect(`grpc://127.0.0.1:${proxy.port}`, { retry: false });
      try {
        assert.deepEqual(valuesOf(await client.doGet(ticket).readAll()), [1, 2, 3, 4, 5]);
        complete += 1;
      } catch (error) {
        isLost('DoGet')(error);
      }
    };
    const concurrency = 8;
    for (let from = 0; from < total; from += concurrency) {
      await Promise.all(Array.from({ length: concurrency }, (_, index) => readCut(from + index)));
    }
    // what is cut off behind the trailers does not matter
    assert.ok(complete < 100, `${complete} of ${total} were complete`);
    await server.shutdown({ graceMs: 0 });
  });
});

describe('many', () => {
  it('calls at once share the one connection that they may have, and its limit of streams', async () => {
    await using setup = await setUp(
      {
        async *doAction({ body }) {
          await turn();
          yield body;
        },
      },
      { client: { connections: { max: 1 } }, server: { limits: { maxCallsPerConnection: 100 } } },
    );
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () => setup.client.doAction('echo', {}).toArray()),
    );
    assert.equal(answers.flat().length, 1000);
    assert.equal(setup.proxy.accepted, 1);
  });

  it('calls at once open as many connections as they may', async () => {
    await using setup = await setUp(
      {
        async *doAction({ body }) {
          await turn();
          yield body;
        },
      },
      { client: { connections: { max: 3 } }, server: { limits: { maxCallsPerConnection: 10 } } },
    );
    await setup.client.doAction('echo').toArray();
    await Promise.all(Array.from({ length: 300 }, () => setup.client.doAction('echo').toArray()));
    assert.equal(setup.proxy.accepted, 3);
  });

  it('clients of one server each have their connection', async () => {
    const server = new FlightServer({ doGet: () => numbers([1, 2, 3]) });
    await server.listen();
    const clients = Array.from({ length: 200 }, () => connect(`grpc://127.0.0.1:${server.port}`));
    const tables = await Promise.all(clients.map((client) => client.doGet(ticket).readAll()));
    assert.ok(tables.every((table) => table.numRows === 3));
    assert.equal(server.connections, 200);
    await Promise.all(clients.map((client) => client.close()));
    await server.shutdown({ graceMs: 0 });
  });

  it('small messages on one stream', async () => {
    const count = 1_000_000;
    const body = new Uint8Array(8);
    const server = new FlightServer({
      *doAction() {
        for (let index = 0; index < count; index += 1) yield body;
      },
    });
    await server.listen();
    await using client = connect(`grpc://127.0.0.1:${server.port}`);
    let results = 0;
    for await (const result of client.doAction('count')) results += result.body.byteLength / 8;
    assert.equal(results, count);
    await client.close();
    await server.shutdown({ graceMs: 0 });
  });
});

describe('giving a call up', () => {
  const waiting: FlightHandlers = {
    getSchema: (_descriptor, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('nobody waits')));
      }),
  };
  const attempts: readonly [how: string, options: () => FlightCallOptions, code: FlightErrorCode][] = [
    ['an aborted signal', () => ({ signal: AbortSignal.abort() }), 'CANCELLED'],
    ['a signal of AbortSignal.timeout', () => ({ signal: AbortSignal.timeout(20) }), 'TIMED_OUT'],
    ['a timeout', () => ({ timeoutMs: 20 }), 'TIMED_OUT'],
    ['no time at all', () => ({ timeoutMs: 0 }), 'TIMED_OUT'],
  ];
  for (const [how, options, code] of attempts) {
    it(`with ${how} is ${code}, and the server is told`, async () => {
      await using setup = await setUp(waiting);
      await assert.rejects(setup.client.getSchema(descriptor, options()), (error) => {
        assert.ok(error instanceof FlightError);
        assert.equal(error.code, code);
        return true;
      });
      while (setup.server.runningCalls > 0) await turn();
    });
  }
});

describe('closing the client', () => {
  it('cancels what runs, and refuses what comes', async () => {
    const { handlers, stopped } = endless();
    await using setup = await setUp(handlers);
    const reader = setup.client.doGet(ticket);
    assert.notEqual(await reader.readNext(), undefined);
    const reading = reader.readAll();
    const rejected = assert.rejects(
      reading,
      (error) => error instanceof FlightCancelledError && /client was closed/.test(error.message),
    );
    await setup.client.close();
    await rejected;
    await stopped;
    await assert.rejects(setup.client.getSchema(descriptor), /the client is closed/);
    await assert.rejects(setup.client.doGet(ticket).readNext(), /the client is closed/);
  });
});
