import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesMessage } from '../../src/grpc/index.ts';
import { bytesDecoder, bytesOf, channelTo, echo, message, pair, textOf, until } from './support.ts';

describe('many at once', () => {
  it('1,000 streams on one connection', async (t) => {
    const { channel, server } = await pair(t, { Echo: echo });
    const calls = Array.from({ length: 1000 }, () => channel.call('/t.T/Echo', bytesDecoder));
    for (let round = 0; round < 3; round += 1) {
      for (const [index, call] of calls.entries()) call.write(message(`${index} ${round}`));
      const answers = await Promise.all(calls.map((call) => call.read()));
      for (const [index, answer] of answers.entries()) assert.equal(textOf(answer), `${index} ${round}`);
    }
    assert.equal(server.activeCalls, 1000);
    assert.equal(server.connections, 1);
    for (const call of calls) call.end();
    const states = await Promise.all(calls.map(({ status }) => status));
    assert.ok(states.every(({ code }) => code === 0));
    await until(() => server.activeCalls === 0);
  });

  it('more calls than a connection takes wait for their turn', async (t) => {
    const { channel } = await pair(t, { Echo: echo }, { server: { maxCallsPerConnection: 10 } });
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, index) => channel.unary('/t.T/Echo', message(String(index)))),
    );
    for (const [index, { response }] of answers.entries()) assert.equal(textOf(response), String(index));
  });

  it('200 connections', async (t) => {
    const { port, server } = await pair(t, { Echo: echo });
    const channels = Array.from({ length: 200 }, () => channelTo(t, port));
    const answers = await Promise.all(channels.map((channel) => channel.unary('/t.T/Echo', message('x'))));
    assert.ok(answers.every(({ response }) => textOf(response) === 'x'));
    assert.equal(server.connections, 200);
  });

  it('a million small messages on one stream, without a promise for each', async (t) => {
    const count = 1_000_000;
    const { channel } = await pair(t, {
      Many: async (call) => {
        const bytes = bytesOf('twenty bytes of text');
        for (let n = 0; n < count; n += 1) if (!call.write(bytesMessage(bytes))) await call.drained();
      },
    });
    const call = channel.call('/t.T/Many', bytesDecoder);
    call.end();
    let received = 0;
    let waits = 0;
    for (;;) {
      let bytes = call.tryRead();
      if (bytes === undefined) {
        waits += 1;
        bytes = await call.read();
        if (bytes === undefined) break;
      }
      received += bytes.byteLength;
    }
    assert.equal(received, count * 20);
    assert.ok(waits < count / 10, `${waits} of ${count} messages were waited for`);
  });

  it('a million small messages up, to a server that reads with pauses', async (t) => {
    const count = 1_000_000;
    const { channel } = await pair(t, {
      Count: async (call) => {
        let received = 0;
        for (;;) {
          const bytes = call.tryRead() ?? (await call.read());
          if (bytes === undefined) break;
          received += 1;
          if (received % 100_000 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        call.write(message(String(received)));
      },
    });
    const call = channel.call('/t.T/Count', bytesDecoder);
    const bytes = bytesOf('x');
    for (let n = 0; n < count; n += 1) if (!call.write(bytesMessage(bytes))) await call.drained();
    call.end();
    assert.equal(textOf(await call.read()), String(count));
  });
});
