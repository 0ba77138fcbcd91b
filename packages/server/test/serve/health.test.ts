import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightServer } from '@peregrine/flight';
import { BytesDecoder, bytesMessage, createChannel, type GrpcChannel } from '@peregrine/flight/grpc';
import { createUnavailableEngine } from '../../src/engine/unavailable.ts';
import type { Engine, EngineState } from '../../src/engine/types.ts';
import { watchHealth } from '../../src/serve/health.ts';

/** An engine whose state the test says. */
function engineOf(): { engine: Engine; set: (state: EngineState) => void } {
  let state: EngineState = { kind: 'ready' };
  const listeners = new Set<(state: EngineState) => void>();
  const engine: Engine = {
    ...createUnavailableEngine('this is a fake'),
    get state() {
      return state;
    },
    onState(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    engine,
    set(next) {
      state = next;
      for (const listener of listeners) listener(next);
    },
  };
}

async function watching(channel: GrpcChannel): Promise<() => Promise<number | undefined>> {
  const call = channel.call('/grpc.health.v1.Health/Watch', () => new BytesDecoder());
  call.write(bytesMessage(new Uint8Array(0)));
  call.end();
  // HealthCheckResponse { status = 1 }: 1 SERVING, 2 NOT_SERVING
  return async () => (await call.read())?.[1];
}

describe('the health of a data server', () => {
  it('turns with the database: NOT_SERVING when it is no longer valid, SERVING when it is open again', async () => {
    const { engine, set } = engineOf();
    const health = watchHealth(engine);
    const server = new FlightServer({}, { services: [health.service] });
    await server.listen();
    const channel = createChannel({ kind: 'tcp', host: '127.0.0.1', port: server.port }, {});
    const next = await watching(channel);
    assert.equal(await next(), 1);
    assert.equal(health.notReady(), undefined);
    set({ kind: 'unavailable', reason: 'the database has been invalidated' });
    assert.equal(await next(), 2);
    assert.equal(health.notReady(), 'the database has been invalidated');
    set({ kind: 'ready' });
    assert.equal(await next(), 1);
    assert.equal(health.notReady(), undefined);
    await channel.close(0);
    await server.shutdown({ graceMs: 0 });
    health.end();
  });

  it('is good without SQL where there was none from the start', () => {
    assert.equal(watchHealth(createUnavailableEngine('--engine none')).notReady(), undefined);
  });
});
