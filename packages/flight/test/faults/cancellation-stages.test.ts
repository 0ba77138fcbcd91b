// Each kind of call is given up at each point of its life. Whatever the moment, the client is told CANCELLED, the handler's
// signal fires, neither side keeps the call, and its connection goes on.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect } from '../../src/client/connect.ts';
import type { FlightClient } from '../../src/client/flight-client.ts';
import { FlightCancelledError } from '../../src/errors.ts';
import { FlightDescriptor, FlightInfo } from '../../src/model/index.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import type { ServerCallContext } from '../../src/server/context.ts';
import type { FlightHandlers } from '../../src/server/types.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import { numbers, until } from '../server/fixture.ts';

const table = numbers(1, 2, 3);
let begun = 0;
let ended = 0;
/** Calls of DoPut and DoExchange whose client has ended its side. */
let halfClosed = 0;

/** A call is in its handler while this runs. */
async function during(work: () => Promise<void>): Promise<void> {
  begun += 1;
  try {
    await work();
  } finally {
    ended += 1;
  }
}

/** Only the signal ends it, so a handler that has ended was told. */
function untilAborted({ signal }: ServerCallContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new Error('nobody waits'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** `silent` never answers, `some` answers once and then waits, `all` answers and ends. */
async function* answers<T>(how: string, context: ServerCallContext, one: T): AsyncGenerator<T> {
  begun += 1;
  try {
    if (how === 'silent') await untilAborted(context);
    yield one;
    if (how === 'some') await untilAborted(context);
  } finally {
    ended += 1;
  }
}

const howOf = ({ path }: FlightDescriptor): string => path[0] ?? '';

const handlers: FlightHandlers = {
  async getFlightInfo(descriptor, context) {
    await during(async () => {
      if (howOf(descriptor) !== 'all') await untilAborted(context);
    });
    return FlightInfo.forTable(table, descriptor, []);
  },
  listFlights: (criteria, context) =>
    answers(
      Buffer.from(criteria).toString(),
      context,
      FlightInfo.forTable(table, FlightDescriptor.forPath('x'), []),
    ),
  doGet: ({ ticket }, context) =>
    new GeneratorStream(table.schema, answers(Buffer.from(ticket).toString(), context, table)),
  doPut: (descriptor, reader, writer, context) =>
    during(async () => {
      const how = howOf(descriptor);
      if (how !== 'silent') await writer.write('one');
      if (how === 'all') return;
      for await (const chunk of reader) chunk.release();
      halfClosed += 1;
      await untilAborted(context);
    }),
  doExchange: (descriptor, reader, writer, context) =>
    during(async () => {
      const how = howOf(descriptor);
      if (how !== 'silent') await writer.writeTable(table);
      if (how === 'all') return;
      for await (const chunk of reader) chunk.release();
      halfClosed += 1;
      await untilAborted(context);
    }),
};

/** A call that was begun. */
interface Begun {
  /** Reads the first answer. */
  first(): Promise<unknown>;
  /** Reads on to the end. */
  rest(): Promise<unknown>;
  /** Ends the client's side. */
  halfClose?(): Promise<void>;
}

const shapes: Readonly<Record<string, (client: FlightClient, how: string, signal: AbortSignal) => Begun>> = {
  GetFlightInfo(client, how, signal) {
    const info = client.getFlightInfo(FlightDescriptor.forPath(how), { signal });
    info.catch(() => undefined);
    return { first: () => info, rest: () => info };
  },
  ListFlights(client, how, signal) {
    const flights = client.listFlights(how, { signal });
    return { first: () => flights.next(), rest: () => flights.toArray() };
  },
  DoGet(client, how, signal) {
    const reader = client.doGet(how, { signal });
    return { first: () => reader.readNext(), rest: () => reader.readAll() };
  },
  DoPut(client, how, signal) {
    const { reader, writer } = client.doPut(FlightDescriptor.forPath(how), { signal });
    writer.writeTable(table).catch(() => undefined);
    return {
      first: () => reader.read(),
      rest: () => writer.close(),
      halfClose: () => writer.doneWriting(),
    };
  },
  DoExchange(client, how, signal) {
    const { reader, writer } = client.doExchange(FlightDescriptor.forPath(how), { signal });
    writer.writeTable(table).catch(() => undefined);
    return {
      first: () => reader.readNext(),
      rest: () => writer.close(),
      halfClose: () => writer.doneWriting(),
    };
  },
};

describe('a call that is given up', () => {
  let server: FlightServer;
  let client: FlightClient;
  before(async () => {
    server = new FlightServer(handlers, { limits: { maxConcurrentCalls: 2 } });
    await server.listen();
    client = connect(`grpc://127.0.0.1:${server.port}`, { retry: false });
  });
  after(async () => {
    // both wait for what still runs
    await client.close();
    await server.shutdown();
  });

  /** Nothing of the call is left, and another one succeeds on the same connection. */
  async function assertGone(): Promise<void> {
    await until(() => server.runningCalls === 0 && begun === ended, 'the handler has ended');
    assert.equal((await client.doGet('all').readAll()).numRows, 3);
    await until(() => server.runningCalls === 0, 'the call beside is over');
    assert.equal(server.connections, 1);
  }

  for (const [name, begin] of Object.entries(shapes)) {
    it(`${name}: at once`, async () => {
      const giver = new AbortController();
      const call = begin(client, 'silent', giver.signal);
      giver.abort();
      await assert.rejects(call.rest(), FlightCancelledError);
      await assertGone();
    });

    it(`${name}: while the server is silent`, async () => {
      const giver = new AbortController();
      const before = begun;
      const call = begin(client, 'silent', giver.signal);
      const waiting = assert.rejects(call.first(), FlightCancelledError);
      await until(() => begun > before, 'the handler has begun');
      giver.abort();
      await waiting;
      await assertGone();
    });

    if (name !== 'GetFlightInfo') {
      it(`${name}: after a first answer`, async () => {
        const giver = new AbortController();
        const call = begin(client, 'some', giver.signal);
        await call.first();
        giver.abort();
        await assert.rejects(call.rest(), FlightCancelledError);
        await assertGone();
      });
    }

    if (name === 'DoPut' || name === 'DoExchange') {
      it(`${name}: after its side has ended`, async () => {
        const giver = new AbortController();
        const seen = halfClosed;
        const call = begin(client, 'some', giver.signal);
        await call.halfClose?.();
        await until(() => halfClosed > seen, 'the server has read to the end');
        giver.abort();
        await assert.rejects(call.rest(), FlightCancelledError);
        await assertGone();
      });
    }

    it(`${name}: when all has been answered and nothing was read`, async () => {
      const giver = new AbortController();
      const before = ended;
      const call = begin(client, 'all', giver.signal);
      await until(() => ended > before && server.runningCalls === 0, 'the server is done');
      giver.abort();
      // depends on what of the answer had come
      await call.rest().catch((error: unknown) => assert.ok(error instanceof FlightCancelledError));
      await assertGone();
    });
  }

  it('many times over leaves nothing behind', async () => {
    // each round would be refused if one of those before were still counted
    for (let round = 0; round < 40; round += 1) {
      for (const begin of Object.values(shapes)) {
        const giver = new AbortController();
        const call = begin(client, round % 2 === 0 ? 'silent' : 'some', giver.signal);
        for (let turn = 0; turn < round; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        giver.abort();
        await assert.rejects(call.rest(), FlightCancelledError);
        await until(() => server.runningCalls === 0, 'the server has given the call up');
      }
    }
    assert.equal(server.connections, 1);
    assert.equal((await client.doGet('all').readAll()).numRows, 3);
  });
});
