import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FlightNotFoundError,
  FlightResourceExhaustedError,
  FlightUnavailableError,
} from '../../src/errors.ts';
import { BytesDecoder, bytesMessage, type GrpcChannel, type GrpcClientCall } from '../../src/grpc/index.ts';
import { createHealthService } from '../../src/server/health-service.ts';
import { start } from './fixture.ts';

const flight = 'arrow.flight.protocol.FlightService';
// HealthCheckResponse { status = 1 }, written by hand: tag 0x08, then the value
const serving = [0x08, 1];
const notServing = [0x08, 2];
const serviceUnknown = [0x08, 3];

/** HealthCheckRequest { service = 1 }, written by hand. */
function request(service: string): Uint8Array {
  return service === '' ? new Uint8Array(0) : Uint8Array.of(0x0a, service.length, ...Buffer.from(service));
}

async function check(channel: GrpcChannel, service: string): Promise<number[]> {
  const { response } = await channel.unary(
    '/grpc.health.v1.Health/Check',
    bytesMessage(request(service)),
    {},
  );
  return [...response];
}

function watch(channel: GrpcChannel, service: string): GrpcClientCall<Uint8Array> {
  const call = channel.call('/grpc.health.v1.Health/Watch', () => new BytesDecoder());
  call.write(bytesMessage(request(service)));
  call.end();
  return call;
}

async function next(call: GrpcClientCall<Uint8Array>): Promise<number[]> {
  return [...((await call.read()) ?? assert.fail('the call ended'))];
}

describe('the health service', () => {
  it('tells the state of the server and of its services, also to those who may not call anything else', async () => {
    const health = createHealthService();
    await using running = await start(
      {},
      {
        services: [health],
        authenticators: {
          authenticate: () => {
            throw new Error('nobody may call');
          },
        },
      },
    );
    const { channel } = running;
    for (const service of ['', flight]) assert.deepEqual(await check(channel, service), serving);
    await assert.rejects(check(channel, 'nothing'), FlightNotFoundError);
    health.setStatus('NOT_SERVING', flight);
    assert.deepEqual(await check(channel, ''), serving);
    assert.deepEqual(await check(channel, flight), notServing);
    health.setStatus('NOT_SERVING');
    assert.deepEqual(await check(channel, ''), notServing);
    health.setStatus('SERVING', 'nothing');
    assert.deepEqual(await check(channel, 'nothing'), serving);
    await assert.rejects(check(channel, 'x'.repeat(5000)), FlightResourceExhaustedError);
  });

  it('tells each change to those who watch, and the end of the server', async () => {
    const health = createHealthService();
    await using running = await start({}, { services: [health] });
    const { channel, server } = running;
    const [whole, unknown] = [watch(channel, ''), watch(channel, 'later')];
    assert.deepEqual(await next(whole), serving);
    assert.deepEqual(await next(unknown), serviceUnknown);
    health.setStatus('SERVING');
    health.setStatus('NOT_SERVING', '');
    assert.deepEqual(await next(whole), notServing);
    health.setStatus('SERVING', '');
    assert.deepEqual(await next(whole), serving);
    health.setStatus('SERVING', 'later');
    assert.deepEqual(await next(unknown), serving);
    const gone = watch(channel, flight);
    assert.deepEqual(await next(gone), serving);
    gone.cancel();
    while (server.runningCalls > 2) await new Promise((resolve) => setImmediate(resolve));
    // without the end of the watching calls, the server would wait for them
    const ending = server.shutdown({ graceMs: 600_000 });
    assert.deepEqual(await next(whole), notServing);
    await assert.rejects(whole.read(), FlightUnavailableError);
    assert.deepEqual(await next(unknown), notServing);
    await assert.rejects(unknown.read(), FlightUnavailableError);
    await ending;
  });

  it("takes no method's place of Flight", async () => {
    const path = `/${flight}/ListActions`;
    const decoder = (): BytesDecoder => new BytesDecoder();
    const mine = { methods: new Map([[path, { decoder, handle: () => assert.fail('not asked for') }]]) };
    await using running = await start({ listActions: () => [] }, { services: [mine] });
    const call = running.channel.call(path, decoder);
    call.write(bytesMessage(new Uint8Array(0)));
    call.end();
    assert.equal(await call.read(), undefined);
  });
});
