import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChannel } from '../../src/grpc/index.ts';
import { bytesDecoder, echo, message, pair, textOf, until } from './support.ts';

describe('more than one connection', () => {
  it('are opened when calls ask for it, up to the limit', async (t) => {
    const { channel, server } = await pair(
      t,
      { Echo: echo },
      { channel: { connections: { max: 3, callsPerConnection: 2 } } },
    );
    const calls = [];
    for (let n = 0; n < 12; n += 1) {
      const call = channel.call('/t.T/Echo', bytesDecoder);
      call.write(message('x'));
      await call.read();
      calls.push(call);
      await channel.connect();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => server.connections === 3);
    for (const call of calls) call.end();
    await Promise.all(calls.map(({ status }) => status));
    assert.equal(server.connections, 3);
  });

  it('take over where the server allows no more calls on one', async (t) => {
    const { channel, server } = await pair(
      t,
      { Echo: echo },
      { server: { maxCallsPerConnection: 2 }, channel: { connections: { max: 4 } } },
    );
    const calls = Array.from({ length: 8 }, () => channel.call('/t.T/Echo', bytesDecoder));
    for (const call of calls) {
      call.write(message('x'));
      await Promise.race([call.read(), new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    await until(() => server.connections > 1);
    assert.ok(server.connections <= 4);
    for (const call of calls) call.end();
    const states = await Promise.all(calls.map(({ status }) => status));
    assert.ok(states.every(({ code }) => code === 0));
  });

  it('take over by default, so that no call waits behind long streams', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo }, { server: { maxCallsPerConnection: 2 } });
    const endless = Array.from({ length: 2 }, () => channel.call('/t.T/Echo', bytesDecoder));
    for (const call of endless) {
      call.write(message('x'));
      await call.read();
    }
    assert.equal(textOf((await channel.unary('/t.T/Echo', message('small'))).response), 'small');
    assert.equal(server.connections, 2);
    for (const call of endless) call.end();
    await Promise.all(endless.map(({ status }) => status));
  });

  it('are not needed: where the server accepts no other, calls take turns on the one', async (t) => {
    const { channel, server } = await pair(
      t,
      { Echo: echo },
      { server: { maxCallsPerConnection: 2, maxConnections: 1 } },
    );
    const calls = Array.from({ length: 20 }, (_, n) => channel.unary('/t.T/Echo', message(String(n))));
    const answers = (await Promise.all(calls)).map(({ response }) => Number(textOf(response)));
    assert.deepEqual(answers, [...answers.keys()]);
    assert.equal(server.connections, 1);
  });

  it('do not hold up calls: one that ends lets the next one in while a connection is being opened', async (t) => {
    const { port } = await pair(t, { Echo: echo }, { server: { maxCallsPerConnection: 1 } });
    let lookups = 0;
    // the second connection never gets as far as to have an address
    const lookup = (): Promise<readonly string[]> =>
      (lookups += 1) === 1 ? Promise.resolve(['127.0.0.1']) : new Promise(() => undefined);
    const channel = createChannel({ kind: 'tcp', host: 'example.test', port }, { lookup });
    t.after(() => channel.close(0));
    const first = channel.call('/t.T/Echo', bytesDecoder);
    first.write(message('x'));
    await first.read();
    const second = channel.unary('/t.T/Echo', message('second'));
    assert.equal(lookups, 2);
    first.end();
    assert.equal(textOf((await second).response), 'second');
  });

  it('are opened when the bandwidth asks for it', async (t) => {
    const { channel, server } = await pair(
      t,
      { Echo: echo },
      { channel: { connections: { max: 2, bytesPerSecond: 1000 } } },
    );
    for (let n = 0; n < 100 && server.connections < 2; n += 1) {
      await channel.unary('/t.T/Echo', { pieces: [new Uint8Array(100_000)], byteLength: 100_000 });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(server.connections, 2);
  });
});
