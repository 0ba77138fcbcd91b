// A server that goes away at each point of a call, in each way. Whatever the moment, everything of the call that the client
// waits for ends with the right code, and nothing of it stays.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Table, makeVector } from 'apache-arrow';
import { connect } from '../../src/client/connect.ts';
import type { FlightClient } from '../../src/client/flight-client.ts';
import { FlightError } from '../../src/errors.ts';
import { FlightDescriptor, FlightInfo, PutResult } from '../../src/model/index.ts';
import { flightDataMessages, numbers } from '../client/flight-data.ts';
import { END_HEADERS, END_STREAM, type Frame, block, frame } from '../http2/wire.ts';
import { type RawPeer, liveTimers, prefixed, startRawServer } from './raw-peer.ts';

const table = numbers([1, 2, 3]);
const descriptor = FlightDescriptor.forPath('x');
const info = FlightInfo.forTable(table, descriptor, []).serialize();
const [schemaMessage = new Uint8Array(0), batchMessage = new Uint8Array(0)] = await flightDataMessages(table);
/** More than a server lets a client send that gives no windows. */
const large = new Table({ n: makeVector(new Int32Array(1_500_000)) });

/** What came of something that was waited for. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return error instanceof FlightError ? error.code : `not of our family: ${String(error)}`;
  }
}

async function readAll(next: () => Promise<unknown>): Promise<void> {
  while ((await next()) !== undefined);
}

/** Of the large table, behind the schema. */
const isLarge = ({ payload }: Frame): boolean => payload.length > 10_000;

interface Kind {
  readonly answers: readonly Uint8Array[];
  /** Its client goes on sending while the server answers. */
  readonly sending: boolean;
  /** Begins the call; gives everything that somebody waits for, writes first. */
  begin(client: FlightClient): readonly Promise<unknown>[];
}

const kinds: Readonly<Record<string, Kind>> = {
  'a single request (GetFlightInfo)': {
    answers: [info],
    sending: false,
    begin: (client) => [client.getFlightInfo(descriptor)],
  },
  'a stream of answers (DoGet)': {
    answers: [schemaMessage, batchMessage],
    sending: false,
    begin(client) {
      return [client.doGet('x').readAll()];
    },
  },
  'a stream of requests (DoPut)': {
    answers: [new PutResult(Buffer.from('kept')).serialize()],
    sending: true,
    begin(client) {
      const { reader, writer } = client.doPut(descriptor);
      return [writer.writeTable(large), readAll(() => reader.read()), writer.close()];
    },
  },
  'streams in both directions (DoExchange)': {
    answers: [schemaMessage, batchMessage],
    sending: true,
    begin(client) {
      const { reader, writer } = client.doExchange(descriptor);
      return [writer.writeTable(large), readAll(() => reader.readNext()), writer.close()];
    },
  },
};

const headers = (id: number): Buffer =>
  frame('HEADERS', END_HEADERS, id, block([':status', '200'], ['content-type', 'application/grpc']));
const data = (id: number, bytes: Uint8Array): Buffer => frame('DATA', 0, id, bytes);
const trailers = (id: number): Buffer =>
  frame('HEADERS', END_HEADERS | END_STREAM, id, block(['grpc-status', '0']));

/** What the server has sent before it goes. */
const moments: Readonly<Record<string, (id: number, answers: readonly Uint8Array[]) => readonly Buffer[]>> = {
  'before its headers': () => [],
  'after its headers': (id) => [headers(id)],
  'in the prefix of a message': (id) => [headers(id), data(id, Buffer.alloc(3))],
  'inside a message': (id, [first = new Uint8Array(0)]) => [
    headers(id),
    data(id, prefixed(first).subarray(0, -1)),
  ],
  'between message and trailers': (id, answers) => [
    headers(id),
    ...answers.map((one) => data(id, prefixed(one))),
  ],
  'after its trailers': (id, answers) => [
    headers(id),
    ...answers.map((one) => data(id, prefixed(one))),
    trailers(id),
  ],
};

interface Cut {
  run(peer: RawPeer, id: number): void;
  /** What the call ends with, where it had not ended. */
  readonly code: string;
  /** Only the call is over: its connection goes on. */
  readonly connectionStays: boolean;
}

function reset(http2Code: number, code: string): Cut {
  return {
    run: (peer, id) => peer.send(frame('RST_STREAM', 0, id, [http2Code])),
    code,
    connectionStays: true,
  };
}

function lost(run: Cut['run']): Cut {
  return { run, code: 'UNAVAILABLE', connectionStays: false };
}

const goaway = (lastId: number, code: number): Buffer => frame('GOAWAY', 0, 0, [lastId, code]);

const cuts: Readonly<Record<string, Cut>> = {
  'resets its connection': lost(({ socket }) => void socket.resetAndDestroy()),
  'ends its connection': lost(({ socket }) => void socket.end()),
  'says GOAWAY and ends': lost((peer, id) => {
    peer.send(goaway(id, 0));
    peer.socket.end();
  }),
  'says GOAWAY for an error and ends': lost((peer, id) => {
    peer.send(goaway(id, 2));
    peer.socket.end();
  }),
  'resets the stream: NO_ERROR': reset(0, 'INTERNAL'),
  'resets the stream: INTERNAL_ERROR': reset(2, 'INTERNAL'),
  'resets the stream: REFUSED_STREAM': reset(7, 'UNAVAILABLE'),
  'resets the stream: CANCEL': reset(8, 'CANCELLED'),
  'resets the stream: ENHANCE_YOUR_CALM': reset(11, 'RESOURCE_EXHAUSTED'),
};

/** Answers a GetFlightInfo on a connection whose limit of streams would hold it back if the last call were still there. */
async function answerAnother(client: FlightClient, peer: RawPeer, id: number): Promise<void> {
  const another = client.getFlightInfo(descriptor);
  await peer.got('HEADERS', ({ stream }) => stream === id);
  peer.send(headers(id), data(id, prefixed(info)), trailers(id));
  assert.deepEqual((await another).descriptor?.path, ['x']);
}

/** Begins a call, lets the server go at some point of it, and looks at what is left. */
async function cutOff(cut: Cut, when: string, kind: Kind, keepaliveMs: number): Promise<void> {
  await using server = await startRawServer(1);
  const client = connect(`grpc://127.0.0.1:${server.port}`, {
    retry: false,
    connections: { max: 1 },
    channelOptions: { 'grpc.keepalive_time_ms': keepaliveMs, 'grpc.keepalive_timeout_ms': keepaliveMs },
  });
  const outcomes = kind.begin(client).map((one) => outcome(one));
  const peer = await server.peer(0);
  await peer.got('HEADERS');
  await peer.got('DATA', kind.sending ? isLarge : undefined);
  peer.send(...(moments[when]?.(1, kind.answers) ?? []));
  await peer.taken();
  cut.run(peer, 1);
  const over = when === 'after its trailers';
  const [first, ...rest] = await Promise.all(outcomes);
  assert.equal(first, over ? (kind.sending ? 'CANCELLED' : 'done') : cut.code);
  assert.deepEqual(
    rest,
    rest.map(() => (over ? 'done' : cut.code)),
  );
  if (cut.connectionStays) await answerAnother(client, peer, 3);
  await client.close();
  await peer.closed;
  assert.equal(server.peers.length, 1);
}

describe('a server that', () => {
  for (const [how, cut] of Object.entries(cuts)) {
    for (const when of Object.keys(moments)) {
      // before any answer it begins the call anew
      if (how.endsWith('REFUSED_STREAM') && when === 'before its headers') continue;
      for (const [name, kind] of Object.entries(kinds)) {
        it(`${how} ${when}: ${name}`, async () => {
          const timers = liveTimers();
          await cutOff(cut, when, kind, 100_000_000);
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
    const all = Object.values(kinds).flatMap((kind) =>
      Object.keys(moments).map((when) => cutOff(silence, when, kind, 2500)),
    );
    await Promise.all(all);
    assert.equal(liveTimers(), timers);
  });

  for (const [how, refuse] of Object.entries({
    'refuses the stream': (peer: RawPeer) => peer.send(frame('RST_STREAM', 0, 1, [7])),
    'goes away without having begun': (peer: RawPeer) => peer.send(goaway(0, 0)),
  })) {
    for (const [name, { answers, sending, begin }] of Object.entries(kinds)) {
      it(`${how} has the call anew, unless it is too large to be kept: ${name}`, async () => {
        await using server = await startRawServer(1);
        const client = connect(`grpc://127.0.0.1:${server.port}`, { retry: false });
        const outcomes = begin(client).map((one) => outcome(one));
        const first = await server.peer(0);
        await first.got('HEADERS');
        await first.got('DATA', sending ? isLarge : undefined);
        refuse(first);
        if (!sending) {
          const anew = how === 'refuses the stream' ? first : await server.peer(1);
          const { stream } = await anew.got('HEADERS', (one) => anew !== first || one.stream > 1);
          await anew.got('DATA', (one) => one.stream === stream);
          anew.send(headers(stream), ...answers.map((one) => data(stream, prefixed(one))), trailers(stream));
        }
        const wanted = sending ? 'UNAVAILABLE' : 'done';
        assert.deepEqual(
          await Promise.all(outcomes),
          outcomes.map(() => wanted),
        );
        await client.close();
        for (const { closed } of server.peers) await closed;
      });
    }
  }
});
