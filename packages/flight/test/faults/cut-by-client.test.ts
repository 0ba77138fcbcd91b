// A client that goes away at each point of a call, in each way. Whatever the moment, the handler is told and ends, and
// neither the call nor its stream nor, where it is gone, its connection stays.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightDescriptor, FlightInfo, Ticket } from '../../src/model/index.ts';
import type { FlightMethod } from '../../src/proto/names.ts';
import { encodeFlightData } from '../../src/proto/flight-data.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import type { ServerCallContext } from '../../src/server/context.ts';
import { GeneratorStream } from '../../src/stream/generator-stream.ts';
import { END_HEADERS, END_STREAM, block, frame, requestFields } from '../http2/wire.ts';
import { batchOfRows, numbers, until } from '../server/fixture.ts';
import { type RawPeer, connectRaw, liveTimers, prefixed } from './raw-peer.ts';

const table = numbers(1, 2, 3);
/** Its answer is larger than the window of a client that gives none. */
const largeBatch = batchOfRows(100_000);
const largeText = 'x'.repeat(200_000);

/** What a handler does: `wait` for the signal, answer with more than there is window for, or answer at once. */
type Conduct = 'wait' | 'large' | 'all';

/** Calls that began, and how those that ended did. */
class Calls {
  begun = 0;
  ended = 0;
  signalled = 0;
  readonly errors: string[] = [];

  /** Runs a handler. */
  async during(work: () => Promise<void>): Promise<void> {
    this.begun += 1;
    try {
      await work();
    } finally {
      this.ended += 1;
    }
  }

  async waitForEnd({ signal }: ServerCallContext): Promise<void> {
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    this.signalled += 1;
  }
}

function serve(calls: Calls, keepaliveMs: number): FlightServer {
  const conductOf = ({ path: [how] }: FlightDescriptor): string => how ?? '';
  return new FlightServer(
    {
      async getFlightInfo(descriptor, context) {
        const conduct = conductOf(descriptor);
        await calls.during(async () => {
          if (conduct === 'wait') await calls.waitForEnd(context);
        });
        const echoed = conduct === 'large' ? FlightDescriptor.forPath(largeText) : descriptor;
        return FlightInfo.forTable(table, echoed, []);
      },
      doGet({ ticket }, context) {
        const conduct = Buffer.from(ticket).toString();
        return new GeneratorStream(largeBatch.schema, async function* () {
          calls.begun += 1;
          try {
            if (conduct === 'wait') await calls.waitForEnd(context);
            if (conduct === 'large') for (;;) yield largeBatch;
          } finally {
            calls.ended += 1;
          }
        });
      },
      doPut: (descriptor, reader, writer, context) =>
        calls.during(async () => {
          const conduct = conductOf(descriptor);
          if (conduct === 'large') for (;;) await writer.write(largeText);
          if (conduct === 'all') return;
          for await (const chunk of reader) chunk.release();
          await calls.waitForEnd(context);
        }),
      doExchange: (descriptor, reader, writer, context) =>
        calls.during(async () => {
          const conduct = conductOf(descriptor);
          if (conduct === 'large') for (;;) await writer.writeBatch(largeBatch);
          if (conduct === 'all') return;
          for await (const chunk of reader) chunk.release();
          await calls.waitForEnd(context);
        }),
    },
    {
      limits: { maxCallsPerConnection: 1 },
      connections: { keepaliveMs, keepaliveTimeoutMs: keepaliveMs },
      onCallError: ({ code }) => void calls.errors.push(code),
    },
  );
}

const descriptorMessage = (conduct: Conduct): Uint8Array => FlightDescriptor.forPath(conduct).serialize();
const streamMessage = (conduct: Conduct): Uint8Array =>
  Buffer.concat(encodeFlightData({ descriptor: descriptorMessage(conduct) }).pieces);

/** The request of each kind of call. */
const kinds: Readonly<Partial<Record<FlightMethod, (conduct: Conduct) => Uint8Array>>> = {
  GetFlightInfo: descriptorMessage,
  DoGet: (conduct) => new Ticket(conduct).serialize(),
  DoPut: streamMessage,
  DoExchange: streamMessage,
};

function requestBlock(method: string): Buffer {
  return block(
    ...requestFields.filter(([name]) => name !== ':path'),
    [':path', `/arrow.flight.protocol.FlightService/${method}`],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  );
}

interface Moment {
  readonly conduct: Conduct;
  /** The frames of the request up to here. */
  frames(method: string, message: Buffer): readonly Buffer[];
  /** What of the answer has come by then. */
  readonly seen?: 'DATA' | 'HEADERS';
  /** What the handler's call ends with; undefined where there is none, or it has succeeded. */
  readonly error?: 'CANCELLED';
  /** The handler has begun by then, for calls with one request as well as for streams of them. */
  readonly begun: 'never' | 'streams' | 'all';
}

const head = (method: string): Buffer => frame('HEADERS', END_HEADERS, 1, requestBlock(method));

const moments: Readonly<Record<string, Moment>> = {
  'inside its headers': {
    conduct: 'wait',
    frames: (method) => [frame('HEADERS', 0, 1, requestBlock(method).subarray(0, 40))],
    begun: 'never',
  },
  'after its headers': {
    conduct: 'wait',
    frames: (method) => [head(method)],
    error: 'CANCELLED',
    begun: 'never',
  },
  'in the prefix of a message': {
    conduct: 'wait',
    frames: (method) => [head(method), frame('DATA', 0, 1, Buffer.alloc(4))],
    error: 'CANCELLED',
    begun: 'never',
  },
  'inside a message': {
    conduct: 'wait',
    frames: (method, message) => [head(method), frame('DATA', 0, 1, message.subarray(0, -1))],
    error: 'CANCELLED',
    begun: 'never',
  },
  'after a message': {
    conduct: 'wait',
    frames: (method, message) => [head(method), frame('DATA', 0, 1, message)],
    error: 'CANCELLED',
    begun: 'streams',
  },
  'after its end': {
    conduct: 'wait',
    frames: (method, message) => [head(method), frame('DATA', END_STREAM, 1, message)],
    error: 'CANCELLED',
    begun: 'all',
  },
  'while it takes no more of the answer': {
    conduct: 'large',
    frames: (method, message) => [head(method), frame('DATA', END_STREAM, 1, message)],
    seen: 'DATA',
    error: 'CANCELLED',
    begun: 'all',
  },
  'after the answer, its own side open': {
    conduct: 'all',
    frames: (method, message) => [head(method), frame('DATA', 0, 1, message)],
    seen: 'HEADERS',
    begun: 'streams',
  },
};

interface Cut {
  run(peer: RawPeer): void;
  readonly connectionStays: boolean;
}

const lost = (run: Cut['run']): Cut => ({ run, connectionStays: false });

const cuts: Readonly<Record<string, Cut>> = {
  'resets its connection': lost(({ socket }) => void socket.resetAndDestroy()),
  'ends its connection': lost(({ socket }) => void socket.end()),
  'says GOAWAY and ends': lost((peer) => {
    peer.send(frame('GOAWAY', 0, 0, [0, 0]));
    peer.socket.end();
  }),
  'breaks a rule of the connection': lost((peer) => peer.send(frame('PING', 0, 0, Buffer.alloc(7)))),
  'resets its stream: CANCEL': {
    run: (peer) => peer.send(frame('RST_STREAM', 0, 1, [8])),
    connectionStays: true,
  },
  'resets its stream: INTERNAL_ERROR': {
    run: (peer) => peer.send(frame('RST_STREAM', 0, 1, [2])),
    connectionStays: true,
  },
};

async function cutOff(
  cut: Cut,
  moment: Moment,
  method: string,
  message: Buffer,
  keepaliveMs: number,
): Promise<void> {
  const calls = new Calls();
  const server = serve(calls, keepaliveMs);
  await server.listen();
  const peer = await connectRaw(server.port);
  await peer.taken();
  const { frames, seen, begun, conduct } = moment;
  // its handler has done what it had to, whatever of the answer still waits
  const error = conduct === 'large' && method === 'GetFlightInfo' ? undefined : moment.error;
  const streams = method === 'DoPut' || method === 'DoExchange';
  const begins = begun === 'all' || (begun === 'streams' && streams);
  peer.send(...frames(method, message));
  if (begins) await until(() => calls.begun === 1, 'the handler has begun');
  if (seen !== undefined && begins) await peer.got(seen);
  else if (method !== '' && begun !== 'never') await peer.taken();
  cut.run(peer);
  if (!cut.connectionStays) {
    await until(() => server.connections === 0, 'the connection is gone');
    // until then the peer has not left
    peer.socket.destroy();
  }
  await until(() => calls.begun === calls.ended && server.runningCalls === 0, 'the call is over');
  await until(() => calls.errors.length === (error === undefined ? 0 : 1), 'the error was told');
  if (error !== undefined) assert.deepEqual(calls.errors, [error]);
  if (cut.connectionStays) {
    // refused if the stream of the first were still there
    peer.send(
      frame('HEADERS', END_HEADERS, 3, requestBlock('GetFlightInfo')),
      frame('DATA', END_STREAM, 3, prefixed(descriptorMessage('all'))),
      // room for this answer on the connection, which the first may have filled
      frame('WINDOW_UPDATE', 0, 0, [1_000_000]),
    );
    const answer = await peer.got('DATA', ({ stream }) => stream === 3);
    assert.ok(answer.payload.length > 5);
    assert.equal(server.connections, 1);
    peer.socket.destroy();
  }
  await server.shutdown({ graceMs: 0 });
  await peer.closed;
}

describe('a client that', () => {
  for (const [how, cut] of Object.entries(cuts)) {
    for (const [when, moment] of Object.entries(moments)) {
      // there is no stream to reset before its headers are there
      if (cut.connectionStays && when === 'inside its headers') continue;
      for (const [method, request] of Object.entries(kinds)) {
        it(`${how} ${when}: ${method}`, async () => {
          const timers = liveTimers();
          await cutOff(cut, moment, method, prefixed(request(moment.conduct)), 100_000_000);
          assert.equal(liveTimers(), timers);
        });
      }
    }
  }

  it('falls silent at any of these moments is found out by pings', async () => {
    const timers = liveTimers();
    const silence = lost((peer) => {
      peer.silent = true;
    });
    await Promise.all(
      Object.values(moments).flatMap((moment) =>
        Object.entries(kinds).map(([method, request]) =>
          cutOff(silence, moment, method, prefixed(request(moment.conduct)), 2500),
        ),
      ),
    );
    assert.equal(liveTimers(), timers);
  });
});
