import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Dictionary,
  Int8,
  type RecordBatch,
  Table,
  tableFromArrays,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import type { EndpointContext } from '../../src/client/endpoint-stream.ts';
import type { EndpointsReader } from '../../src/client/flight-client.ts';
import { readAll } from '../../src/client/read-all.ts';
import { readEndpoints } from '../../src/client/read-endpoints.ts';
import {
  FlightCancelledError,
  FlightDataError,
  FlightInvalidArgumentError,
  FlightNotFoundError,
  FlightTimedOutError,
  FlightUnauthorizedError,
  FlightUnavailableError,
} from '../../src/errors.ts';
import { FlightEndpoint } from '../../src/model/flight-endpoint.ts';
import { FlightInfo } from '../../src/model/flight-info.ts';
import { Location } from '../../src/model/location.ts';
import { Ticket } from '../../src/model/ticket.ts';
import type { ScriptedCall } from './fake-channel.ts';
import { fieldsOf, flightDataMessages, numbers, valuesOf } from './flight-data.ts';
import { scriptedCaller } from './scripted-caller.ts';

type Serve = (ticket: string, call: ScriptedCall, location: string) => Promise<void> | void;

/** Services at any number of locations, all played by one function. */
function services(serve: Serve): {
  context: EndpointContext;
  log: string[];
  calls: ScriptedCall[];
  leases: () => number;
} {
  const log: string[] = [];
  const calls: ScriptedCall[] = [];
  let leases = 0;
  const callerAt = (location: string): EndpointContext['caller'] =>
    scriptedCaller(
      async (call) => {
        await call.ended;
        const ticket = Buffer.from(Ticket.deserialize(call.received[0] ?? assert.fail()).ticket).toString();
        log.push(`${ticket} at ${location}`);
        calls.push(call);
        await serve(ticket, call, location);
      },
      { location },
    ).caller;
  const context: EndpointContext = {
    own: new Location('grpc://own:1'),
    caller: callerAt('own'),
    lease(location) {
      leases += 1;
      let released = false;
      return {
        caller: callerAt(location.host),
        release() {
          assert.ok(!released || leases >= 0);
          if (!released) leases -= 1;
          released = true;
        },
      };
    },
    tls: undefined,
  };
  return { context, log, calls, leases: () => leases };
}

async function sendTable(call: ScriptedCall, table: Table): Promise<void> {
  for (const message of await flightDataMessages(table)) call.send(message);
  call.finish();
}

function infoOf(endpoints: readonly FlightEndpoint[], ordered = false): FlightInfo {
  return new FlightInfo(numbers([]).schema, undefined, endpoints, { ordered });
}

const tickets = ['1', '2', '3', '4', '5', '6'];
const serveNumbers: Serve = (ticket, call) =>
  sendTable(call, numbers([Number(ticket)], [Number(ticket) * 10]));
const down = new FlightUnavailableError('down');

async function collect(reader: ReturnType<typeof readEndpoints>): Promise<number[]> {
  const values: number[] = [];
  for await (const { data } of reader) values.push(...Array.from(data?.getChild('n') ?? [], Number));
  return values;
}

describe('reading all endpoints into a table', () => {
  it('keeps the order of the endpoints', async () => {
    const { context } = services(serveNumbers);
    const table = await readAll(context, infoOf(tickets.map((ticket) => new FlightEndpoint(ticket))), {});
    assert.deepEqual(valuesOf(table), [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]);
  });

  it('opens no more endpoints at a time than it was told', async () => {
    let open = 0;
    let most = 0;
    const { context } = services(async (ticket, call) => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open -= 1;
      await serveNumbers(ticket, call, '');
    });
    const info = infoOf(tickets.map((ticket) => new FlightEndpoint(ticket)));
    await readAll(context, info, { maxParallel: 2 });
    assert.equal(most, 2);
  });

  it('gives an empty table with the schema of the info when there is no endpoint', async () => {
    const { context } = services(serveNumbers);
    const table = await readAll(context, infoOf([]), {});
    assert.deepEqual([table.numRows, fieldsOf(table.schema)], [0, ['n: Int32']]);
    assert.deepEqual((await readEndpoints(context, infoOf([]), {}).readAll()).numRows, 0);
  });

  it('goes to the next location when one fails, even midway', async () => {
    const { context, log, leases } = services(async (ticket, call, location) => {
      if (location === 'a') call.finish(new FlightUnauthorizedError('not you'));
      else if (location === 'b') {
        for (const message of await flightDataMessages(numbers([7], [8]))) call.send(message);
        call.finish(new FlightNotFoundError('lost'));
      } else await serveNumbers(ticket, call, location);
    });
    const endpoint = new FlightEndpoint('1', ['ucx://x:1', 'grpc://a:1', 'grpc+tcp://b:1', 'grpc://own:1']);
    assert.deepEqual(valuesOf(await readAll(context, infoOf([endpoint]), {})), [1, 10]);
    assert.deepEqual(log, ['1 at a', '1 at b', '1 at own']);
    assert.equal(leases(), 0);
  });

  it('tells of all locations when all failed', async () => {
    const { context } = services((_ticket, call, location) =>
      call.finish(location === 'a' ? new FlightNotFoundError('unknown ticket') : down),
    );
    const endpoint = new FlightEndpoint('1', ['grpc://a:1', 'grpc://b:1']);
    await assert.rejects(readAll(context, infoOf([endpoint]), {}), (error) => {
      assert.ok(error instanceof FlightUnavailableError);
      assert.match(error.message, /all 2 locations.*unknown ticket.*DoGet at a.*down.*DoGet at b/);
      assert.ok(error.cause instanceof AggregateError);
      return true;
    });
  });

  it('asks no other location where a server says that nobody should try again', async () => {
    const { context, log } = services((_ticket, call) =>
      call.finish(new FlightTimedOutError('too slow', { retryAfterMs: 'never' })),
    );
    const expirationTime = new Date(Date.now() + 60_000);
    const endpoint = new FlightEndpoint('1', ['grpc://a:1', 'grpc://b:1'], { expirationTime });
    await assert.rejects(readAll(context, infoOf([endpoint]), {}), /too slow/);
    assert.deepEqual(log, ['1 at a']);
  });

  it('keeps to the time that a location names when it tries all of them again', async () => {
    const { context, log } = services((_ticket, call, location) =>
      call.finish(
        location === 'a'
          ? new FlightNotFoundError('x')
          : new FlightUnavailableError('x', { retryAfterMs: 1e6 }),
      ),
    );
    const expirationTime = new Date(Date.now() + 60_000);
    const endpoint = new FlightEndpoint('1', ['grpc://a:1', 'grpc://b:1'], { expirationTime });
    await assert.rejects(
      readAll(context, infoOf([endpoint]), {}),
      (error) => error instanceof FlightUnavailableError && error.retryAfterMs === 1e6,
    );
    assert.deepEqual(log, ['1 at a', '1 at b']);
  });

  it('reads an endpoint again while it has not expired', async () => {
    let tries = 0;
    const { context } = services(async (ticket, call) => {
      tries += 1;
      if (tries < 2) {
        for (const message of await flightDataMessages(numbers([7]))) call.send(message);
        call.finish(down);
      } else await serveNumbers(ticket, call, '');
    });
    const expired = new FlightEndpoint('1', [], { expirationTime: new Date(Date.now() - 1000) });
    await assert.rejects(readAll(context, infoOf([expired]), {}), /down/);
    tries = 0;
    const valid = new FlightEndpoint('1', [], { expirationTime: new Date(Date.now() + 60_000) });
    assert.deepEqual(valuesOf(await readAll(context, infoOf([valid]), {})), [1, 10]);
  });

  it('stops the other endpoints when one failed for good', async () => {
    const { context, calls } = services((ticket, call) => {
      if (ticket === '2') call.finish(new FlightNotFoundError('no such ticket'));
    });
    const info = infoOf([new FlightEndpoint('1'), new FlightEndpoint('2'), new FlightEndpoint('3')]);
    await assert.rejects(readAll(context, info, { maxParallel: 3 }), FlightNotFoundError);
    assert.deepEqual(
      calls.map((call) => call.cancelled !== undefined),
      [true, false, true],
    );
  });

  it('joins endpoints whose dictionaries are numbered differently', async () => {
    const words = (...values: string[]): Table =>
      new Table({ word: vectorFromArray(values, new Dictionary(new Utf8(), new Int8())) });
    const { context } = services((ticket, call) => sendTable(call, words('same', `of ${ticket}`)));
    const info = infoOf(
      ['1', '2', '3'].map((ticket) => new FlightEndpoint(ticket)),
      true,
    );
    const expected = ['same', 'of 1', 'same', 'of 2', 'same', 'of 3'];
    assert.deepEqual([...(await readAll(context, info, {})).getChild('word')!], expected);
    const reader = readEndpoints(context, info, {});
    const chunks: RecordBatch[] = [];
    for await (const { data } of reader) if (data !== undefined) chunks.push(data);
    assert.deepEqual([...new Table(await reader.schema, chunks).getChild('word')!], expected);
  });

  it('refuses endpoints of different schemas', async () => {
    const { context } = services((ticket, call) =>
      sendTable(call, ticket === '1' ? numbers([1]) : tableFromArrays({ m: [1.5] })),
    );
    const info = infoOf([new FlightEndpoint('1'), new FlightEndpoint('2')]);
    await assert.rejects(readAll(context, info, {}), FlightDataError);
    await assert.rejects(readEndpoints(context, info, {}).readAll(), FlightDataError);
  });

  it('gives up when the signal aborts', async () => {
    const { context, calls } = services((_ticket, _call) => undefined);
    const controller = new AbortController();
    const reading = readAll(context, infoOf([new FlightEndpoint('1', ['grpc://a:1', 'grpc://b:1'])]), {
      signal: controller.signal,
    });
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await assert.rejects(reading, FlightCancelledError);
    assert.equal(calls.length, 1);
  });

  for (const maxParallel of [0, 1.5, -1, Number.NaN]) {
    it(`refuses ${maxParallel} endpoints at a time`, async () => {
      const { context } = services(serveNumbers);
      await assert.rejects(readAll(context, infoOf([]), { maxParallel }), FlightInvalidArgumentError);
    });
  }
});

describe('reading all endpoints as a stream', () => {
  it('gives the chunks in order when the info is ordered', async () => {
    const { context } = services(async (ticket, call) => {
      // the first endpoint is the slowest
      for (let turns = 0; turns < 10 - Number(ticket); turns += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await serveNumbers(ticket, call, '');
    });
    const reader = readEndpoints(
      context,
      infoOf(
        tickets.map((ticket) => new FlightEndpoint(ticket)),
        true,
      ),
      {},
    );
    assert.deepEqual(fieldsOf(await reader.schema), ['n: Int32']);
    assert.deepEqual(await collect(reader), [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60]);
  });

  it('gives what is there first when the info is not ordered', async () => {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { context } = services(async (ticket, call) => {
      if (ticket === '1') await released;
      await serveNumbers(ticket, call, '');
    });
    const reader = readEndpoints(context, infoOf(tickets.map((ticket) => new FlightEndpoint(ticket))), {});
    const first: number[] = [];
    while (first.length < 10) {
      const chunk = await reader.readNext();
      first.push(...Array.from(chunk?.data?.getChild('n') ?? [], Number));
    }
    assert.deepEqual(
      first.toSorted((a, b) => a - b),
      [2, 3, 4, 5, 6, 20, 30, 40, 50, 60],
    );
    release?.();
    assert.deepEqual(valuesOf(await reader.readAll()), [1, 10]);
    assert.equal(await reader.readNext(), undefined);
  });

  it('goes to the next location until a first chunk came, and not after it', async () => {
    const { context, log, leases } = services(async (ticket, call, location) => {
      const [schema = assert.fail(), ...batches] = await flightDataMessages(numbers([7], [8]));
      call.send(schema);
      if (location === 'b') for (const batch of batches) call.send(batch);
      call.finish(new FlightNotFoundError(`${ticket} lost`));
    });
    const endpoint = new FlightEndpoint('1', ['grpc://a:1', 'grpc://b:1', 'grpc://c:1']);
    const reader = readEndpoints(context, infoOf([endpoint]), {});
    assert.notEqual(await reader.readNext(), undefined);
    await assert.rejects(collect(reader), /1 lost \(DoGet at b\)/);
    assert.deepEqual(log, ['1 at a', '1 at b']);
    assert.equal(leases(), 0);
  });

  it('rejects the schema when nothing can be read', async () => {
    const { context } = services((_ticket, call) => call.finish(new FlightNotFoundError('gone')));
    const reader = readEndpoints(context, infoOf([new FlightEndpoint('1')]), {});
    await assert.rejects(reader.readNext(), FlightNotFoundError);
    await assert.rejects(reader.schema, FlightNotFoundError);
  });

  it('rejects the schema also when nobody reads', async () => {
    const { context } = services((_ticket, call) => call.finish(new FlightNotFoundError('gone')));
    const failing = readEndpoints(context, infoOf([new FlightEndpoint('1'), new FlightEndpoint('2')]), {});
    await assert.rejects(failing.schema, FlightNotFoundError);
    const silent = services(() => undefined);
    const givenUp = readEndpoints(silent.context, infoOf([new FlightEndpoint('1')]), {});
    givenUp.cancel('enough');
    await assert.rejects(givenUp.schema, FlightCancelledError);
  });

  for (const ordered of [true, false]) {
    it(`cancels all calls when the loop is left early (${ordered ? 'ordered' : 'not ordered'})`, async () => {
      const { context, calls, leases } = services(async (ticket, call) => {
        for (const message of await flightDataMessages(numbers([Number(ticket)]))) call.send(message);
      });
      const endpoints = tickets.map((ticket) => new FlightEndpoint(ticket, ['grpc://a:1']));
      for await (const chunk of readEndpoints(context, infoOf(endpoints, ordered), { maxParallel: 3 })) {
        assert.equal(chunk.data?.numRows, 1);
        break;
      }
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(calls.length, 3);
      assert.ok(calls.every((call) => call.cancelled !== undefined));
      assert.equal(leases(), 0);
    });
  }

  it('tells a waiting reader of the cancellation', async () => {
    const { context, leases } = services(() => undefined);
    const reader = readEndpoints(context, infoOf([new FlightEndpoint('1', ['grpc://a:1'])]), {});
    const next = reader.readNext();
    reader.cancel('enough');
    await assert.rejects(next, FlightCancelledError);
    assert.equal(leases(), 0);
  });

  for (const ordered of [true, false]) {
    it(`does not end well when it was cancelled before all were read (${ordered ? 'ordered' : 'not ordered'})`, async () => {
      const { context } = services((ticket, call) => sendTable(call, numbers([Number(ticket)])));
      const endpoints = tickets.map((ticket) => new FlightEndpoint(ticket));
      const reader = readEndpoints(context, infoOf(endpoints, ordered), { maxParallel: 1 });
      await reader.readNext();
      // the endpoint that is open comes to its end
      await new Promise((resolve) => setImmediate(resolve));
      reader.cancel('enough');
      await assert.rejects(reader.readAll(), FlightCancelledError);
    });
  }

  for (const [how, give] of [
    ['cancelled', (reader: EndpointsReader) => reader.cancel()],
    ['disposed of', (reader: EndpointsReader) => reader[Symbol.asyncDispose]()],
  ] as const) {
    it(`gives connections back when it is ${how} and nobody reads on`, async () => {
      for (const readFirst of [true, false]) {
        const { context, leases } = services(async (ticket, call) => {
          for (const message of await flightDataMessages(numbers([Number(ticket)]))) call.send(message);
        });
        const endpoints = tickets.map((ticket) => new FlightEndpoint(ticket, ['grpc://a:1']));
        const reader = readEndpoints(context, infoOf(endpoints), {});
        if (readFirst) await reader.readNext();
        else await reader.schema;
        assert.ok(leases() > 0);
        await give(reader);
        await new Promise((resolve) => setImmediate(resolve));
        assert.equal(leases(), 0);
        if (how === 'cancelled') {
          await assert.rejects(async () => {
            while ((await reader.readNext()) !== undefined);
          }, FlightCancelledError);
        }
      }
    });
  }

  it('releases each chunk of scoped reading', async () => {
    const { context } = services(serveNumbers);
    let rows = 0;
    for await (const chunk of readEndpoints(context, infoOf([new FlightEndpoint('1')]), {}).scoped()) {
      rows += chunk.data?.numRows ?? 0;
    }
    assert.equal(rows, 2);
  });

  it('fails when its time is over', async () => {
    const { context } = services((_ticket, call) => {
      assert.ok(call.options.timeoutMs !== undefined && call.options.timeoutMs <= 1000);
      call.finish(new FlightTimedOutError('deadline'));
    });
    const reader = readEndpoints(context, infoOf([new FlightEndpoint('1')]), { timeoutMs: 1000 });
    await assert.rejects(reader.readNext(), FlightTimedOutError);
  });
});
