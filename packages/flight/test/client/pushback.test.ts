/** What servers say of another try (`grpc-retry-pushback-ms`, gRFC A6), with grpc-js on either end. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { connect } from '../../src/client/connect.ts';
import type { FlightClient } from '../../src/client/flight-client.ts';
import type { FlightClientOptions } from '../../src/client/options.ts';
import { FlightError, FlightTimedOutError } from '../../src/errors.ts';
import { FlightDescriptor } from '../../src/model/flight-descriptor.ts';
import { FlightInfo } from '../../src/model/flight-info.ts';
import { Ticket } from '../../src/model/ticket.ts';
import { FlightServer } from '../../src/server/flight-server.ts';
import { numbers } from './flight-data.ts';

const asIs = (bytes: Buffer): Buffer => bytes;
const methodOf = (name: string, responseStream: boolean): grpc.MethodDefinition<Buffer, Buffer> => ({
  path: `/arrow.flight.protocol.FlightService/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

/** A failure of a foreign server; undefined: it answers. */
interface Failure {
  readonly code: grpc.status;
  readonly pushback?: string;
}

/** A server of grpc-js whose calls end one after the other as the list says, the last one over and over. */
async function foreignServer(
  t: TestContext,
  failures: readonly (Failure | undefined)[],
  options: FlightClientOptions = {},
): Promise<{ readonly client: FlightClient; readonly tries: () => number }> {
  let tries = 0;
  const next = (): { code: grpc.status; details: string; metadata: grpc.Metadata } | undefined => {
    const failure = failures[Math.min(tries, failures.length - 1)];
    tries += 1;
    if (failure === undefined) return undefined;
    const metadata = new grpc.Metadata();
    if (failure.pushback !== undefined) metadata.set('grpc-retry-pushback-ms', failure.pushback);
    return { code: failure.code, details: 'as told', metadata };
  };
  const info = Buffer.from(new FlightInfo(numbers([1]).schema, undefined, []).serialize());
  const server = new grpc.Server();
  server.addService(
    { GetFlightInfo: methodOf('GetFlightInfo', false), DoGet: methodOf('DoGet', true) },
    {
      GetFlightInfo: (_call: unknown, done: grpc.sendUnaryData<Buffer>) => done(next() ?? null, info),
      DoGet: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        const failure = next();
        if (failure === undefined) call.end();
        else call.emit('error', failure);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const client = connect(`grpc://127.0.0.1:${port}`, options);
  t.after(async () => {
    await client.close();
    server.forceShutdown();
  });
  return { client, tries: () => tries };
}

const descriptor = FlightDescriptor.forPath('x');
const { DEADLINE_EXCEEDED, NOT_FOUND, RESOURCE_EXHAUSTED, UNAVAILABLE } = grpc.status;

describe('a client whose server of another kind', () => {
  for (const pushback of ['-1', 'never', '']) {
    it(`answers with the pushback ${JSON.stringify(pushback)} tries no other time`, async (t) => {
      const { client, tries } = await foreignServer(t, [{ code: UNAVAILABLE, pushback }]);
      await assert.rejects(
        client.getFlightInfo(descriptor),
        (error) => error instanceof FlightError && error.retryAfterMs === 'never',
      );
      assert.equal(tries(), 1);
      await assert.rejects(client.doGet(new Ticket('x')).readAll(), /as told/);
      assert.equal(tries(), 2);
    });
  }

  it('says nothing of it tries as its own options say', async (t) => {
    const { client, tries } = await foreignServer(t, [{ code: DEADLINE_EXCEEDED }], {
      retry: { initialDelayMs: 0 },
    });
    await assert.rejects(client.getFlightInfo(descriptor), FlightTimedOutError);
    assert.equal(tries(), 3);
  });

  it('names a time waits for that time, not for its own', async (t) => {
    const hour = 3_600_000;
    const { client, tries } = await foreignServer(
      t,
      [{ code: UNAVAILABLE, pushback: '0' }, { code: RESOURCE_EXHAUSTED, pushback: '1' }, undefined],
      { retry: { initialDelayMs: hour, maxDelayMs: hour, random: () => 0.99 } },
    );
    await client.getFlightInfo(descriptor);
    assert.equal(tries(), 3);
  });

  it('names a time is not asked sooner', async (t) => {
    const { client } = await foreignServer(t, [{ code: UNAVAILABLE, pushback: '60' }, undefined], {
      retry: { initialDelayMs: 0 },
    });
    const begun = performance.now();
    await client.getFlightInfo(descriptor);
    // timers may be a millisecond early
    assert.ok(performance.now() - begun >= 58);
  });

  it('names a time beyond what a wait may take, or beyond its deadline, is not asked again', async (t) => {
    const { client, tries } = await foreignServer(t, [{ code: UNAVAILABLE, pushback: '600000' }]);
    await assert.rejects(
      client.getFlightInfo(descriptor),
      (error) => error instanceof FlightError && error.retryAfterMs === 600_000,
    );
    assert.equal(tries(), 1);
    const patient = await foreignServer(t, [{ code: UNAVAILABLE, pushback: '600000' }], {
      retry: { maxDelayMs: 700_000 },
    });
    await assert.rejects(patient.client.getFlightInfo(descriptor, { timeoutMs: 60_000 }), /as told/);
    assert.equal(patient.tries(), 1);
  });

  it('names a time for what no other try can mend is not asked again', async (t) => {
    const { client, tries } = await foreignServer(t, [{ code: NOT_FOUND, pushback: '0' }, undefined]);
    await assert.rejects(client.getFlightInfo(descriptor), /as told/);
    assert.equal(tries(), 1);
  });
});

describe('a server whose handlers say when to try again', () => {
  /** How often a client of grpc-js that tries again up to 4 times comes. */
  async function triesOf(t: TestContext, retryAfterMs: number | 'never' | undefined): Promise<number> {
    let tries = 0;
    const server = new FlightServer({
      getFlightInfo: () => {
        tries += 1;
        throw new FlightTimedOutError('too slow', { retryAfterMs });
      },
    });
    await server.listen();
    const retryPolicy = {
      maxAttempts: 4,
      initialBackoff: '0.001s',
      maxBackoff: '0.001s',
      backoffMultiplier: 1,
      retryableStatusCodes: ['DEADLINE_EXCEEDED'],
    };
    const client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), {
      'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{}], retryPolicy }] }),
    });
    t.after(async () => {
      client.close();
      await server.shutdown({ graceMs: 0 });
    });
    const { path } = methodOf('GetFlightInfo', false);
    const code = await new Promise((resolve) => {
      client.makeUnaryRequest(path, asIs, asIs, Buffer.from(descriptor.serialize()), (error) =>
        resolve(error?.code),
      );
    });
    assert.equal(code, DEADLINE_EXCEEDED);
    return tries;
  }

  it('is understood by a client of another kind', async (t) => {
    assert.equal(await triesOf(t, undefined), 4);
    assert.equal(await triesOf(t, 1), 4);
    assert.equal(await triesOf(t, 'never'), 1);
  });
});
