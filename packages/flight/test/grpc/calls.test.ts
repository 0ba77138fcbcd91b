import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FlightError, FlightNotFoundError } from '../../src/errors.ts';
import { bytesMessage, Metadata } from '../../src/grpc/index.ts';
import { bytesDecoder, bytesOf, echo, message, pair, textOf } from './support.ts';

describe('calls of all kinds', () => {
  it('unary: one message each way, with headers and trailers', async (t) => {
    const { channel } = await pair(t, {
      Upper: async (call) => {
        const text = textOf(await call.read()) ?? '';
        assert.equal(await call.read(), undefined);
        call.initialMetadata.append('x-head', call.metadata.get('x-in') ?? '');
        call.trailers.append('x-tail-bin', bytesOf('\u0001'));
        call.write(message(text.toUpperCase()));
      },
    });
    const metadata = Metadata.from({ 'x-in': 'v' });
    const { response, headers, trailers } = await channel.unary('/t.T/Upper', message('abc'), { metadata });
    assert.equal(textOf(response), 'ABC');
    assert.deepEqual([...headers], [['x-head', 'v']]);
    assert.deepEqual(trailers.getBinary('x-tail-bin'), bytesOf('\u0001'));
  });

  it('server streaming', async (t) => {
    const { channel } = await pair(t, {
      Count: async (call) => {
        const to = Number(textOf(await call.read()));
        for (let n = 1; n <= to; n += 1) if (!call.write(message(String(n)))) await call.drained();
      },
    });
    const call = channel.call('/t.T/Count', bytesDecoder);
    call.write(message('1000'));
    call.end();
    let sum = 0;
    for (;;) {
      const bytes = call.tryRead() ?? (await call.read());
      if (bytes === undefined) break;
      sum += Number(textOf(bytes));
    }
    assert.equal(sum, 500_500);
    assert.equal((await call.status).code, 0);
  });

  it('client streaming', async (t) => {
    const { channel } = await pair(t, {
      Join: async (call) => {
        let all = '';
        for (;;) {
          const bytes = await call.read();
          if (bytes === undefined) break;
          all += textOf(bytes);
        }
        call.write(message(all));
      },
    });
    const call = channel.call('/t.T/Join', bytesDecoder);
    for (const text of ['a', '', 'b', 'c']) call.write(message(text));
    call.end();
    assert.equal(textOf(await call.read()), 'abc');
    assert.equal(await call.read(), undefined);
  });

  it('both ways, in turn', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    for (let n = 0; n < 50; n += 1) {
      call.write(message(`m${n}`));
      assert.equal(textOf(await call.read()), `m${n}`);
    }
    call.end();
    assert.equal(await call.read(), undefined);
  });

  it('a call may get no message at all', async (t) => {
    const { channel } = await pair(t, { Nothing: (call) => call.initialMetadata.set('a', 'b') });
    const call = channel.call('/t.T/Nothing', bytesDecoder);
    call.end();
    assert.equal(await call.read(), undefined);
    assert.equal((await call.headers).get('a'), 'b');
  });

  it('unary fails without a message, and with two', async (t) => {
    const { channel } = await pair(t, {
      None: () => undefined,
      Two: (call) => {
        call.write(message('1'));
        call.write(message('2'));
      },
    });
    await assert.rejects(channel.unary('/t.T/None', message('')), /without the one message/);
    await assert.rejects(channel.unary('/t.T/Two', message('')), /more than the one message/);
  });

  it('sends headers before the first message when told to', async (t) => {
    const { channel } = await pair(t, {
      Slow: async (call) => {
        call.initialMetadata.set('early', 'yes');
        call.sendHeaders();
        assert.equal(call.headersSent, true);
        await call.read();
        call.write(message('late'));
      },
    });
    const call = channel.call('/t.T/Slow', bytesDecoder);
    assert.equal((await call.headers).get('early'), 'yes');
    call.write(message('go'));
    call.end();
    assert.equal(textOf(await call.read()), 'late');
  });
});

describe('big and compressed messages', () => {
  it('go both ways when they are larger than any window', async (t) => {
    const { channel } = await pair(
      t,
      { Echo: echo },
      { server: { windowBytes: 65_535 }, channel: { windowBytes: 65_535 } },
    );
    const big = new Uint8Array(8 << 20).map((_, index) => index * 7);
    const { response } = await channel.unary('/t.T/Echo', bytesMessage(big));
    assert.equal(Buffer.compare(response, big), 0);
  });

  it('say when the memory of a message may be used again', async (t) => {
    const { channel } = await pair(t, { Echo: echo });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    let flushed = 0;
    const bytes = new Uint8Array(3 << 20);
    call.write({
      pieces: [bytes.subarray(0, 7), bytes.subarray(7)],
      byteLength: 3 << 20,
      onFlushed: () => (flushed += 1),
    });
    call.end();
    assert.equal((await call.read())?.byteLength, 3 << 20);
    assert.equal(flushed, 1);
  });

  it('are compressed in both directions', async (t) => {
    const { channel } = await pair(
      t,
      { Echo: echo },
      { server: { compression: 'gzip' }, channel: { compression: 'gzip' } },
    );
    const text = 'abcdefgh'.repeat(100_000);
    const { response } = await channel.unary('/t.T/Echo', message(text));
    assert.equal(textOf(response), text);
  });

  it('are refused above the limits of client, call and server, naming both numbers', async (t) => {
    const { channel } = await pair(
      t,
      { Echo: echo },
      { server: { maxReceiveBytes: 2000 }, channel: { maxReceiveBytes: 1000 } },
    );
    await assert.rejects(
      channel.unary('/t.T/Echo', bytesMessage(new Uint8Array(2001))),
      (error: FlightError) => error.code === 'RESOURCE_EXHAUSTED' && /2001.*2000/.test(error.message),
    );
    await assert.rejects(channel.unary('/t.T/Echo', bytesMessage(new Uint8Array(1500))), /1500.*1000/);
    await channel.unary('/t.T/Echo', bytesMessage(new Uint8Array(1500)), { maxReceiveBytes: 1500 });
  });
});

describe('errors of handlers', () => {
  it('reach the client as they are, with their extra info', async (t) => {
    const { channel } = await pair(t, {
      Fail: () => {
        throw new FlightNotFoundError('no table "ü"', { extraInfo: Uint8Array.of(0, 255) });
      },
    });
    await assert.rejects(channel.unary('/t.T/Fail', message('')), (error: FlightError) => {
      assert.ok(error instanceof FlightNotFoundError);
      assert.equal(error.rawMessage, 'no table "ü"');
      assert.deepEqual(error.extraInfo, Uint8Array.of(0, 255));
      return true;
    });
  });

  it('become UNKNOWN when they are none of the family', async (t) => {
    const { channel } = await pair(t, {
      Throw: () => {
        throw new TypeError('a bug');
      },
      Reject: () => Promise.reject(new RangeError('another bug')),
    });
    await assert.rejects(channel.unary('/t.T/Throw', message('')), { code: 'UNKNOWN', rawMessage: 'a bug' });
    await assert.rejects(channel.unary('/t.T/Reject', message('')), {
      code: 'UNKNOWN',
      rawMessage: 'another bug',
    });
  });

  it('do no harm to other calls of the connection', async (t) => {
    const { channel } = await pair(t, {
      Echo: echo,
      Fail: () => {
        throw new Error('x');
      },
    });
    const call = channel.call('/t.T/Echo', bytesDecoder);
    call.write(message('a'));
    assert.equal(textOf(await call.read()), 'a');
    await assert.rejects(channel.unary('/t.T/Fail', message('')));
    call.write(message('b'));
    call.end();
    assert.equal(textOf(await call.read()), 'b');
    assert.equal(await call.read(), undefined);
  });

  it('before the first message carry their headers in the trailers, and both reach the client', async (t) => {
    const { channel } = await pair(t, {
      Fail: (call) => {
        call.initialMetadata.set('x-head', '1');
        call.trailers.set('x-tail', '2');
        throw new FlightNotFoundError('gone');
      },
    });
    const call = channel.call('/t.T/Fail', bytesDecoder);
    call.end();
    assert.equal((await call.headers).get('x-head'), '1');
    const { code, metadata } = await call.status;
    assert.equal(code, 5);
    assert.equal(metadata.get('x-tail'), '2');
  });

  it('come after the messages that were sent before', async (t) => {
    const { channel } = await pair(t, {
      Half: (call) => {
        call.write(message('1'));
        call.write(message('2'));
        throw new FlightNotFoundError('the third');
      },
    });
    const call = channel.call('/t.T/Half', bytesDecoder);
    call.end();
    assert.equal((await call.status).code, 5);
    assert.equal(textOf(await call.read()), '1');
    assert.equal(textOf(call.tryRead()), '2');
    await assert.rejects(call.read(), /the third/);
  });

  it('stop a client that is still sending', async (t) => {
    const { channel } = await pair(t, {
      Refuse: async (call) => {
        await call.read();
        throw new FlightNotFoundError('no such table');
      },
    });
    const call = channel.call('/t.T/Refuse', bytesDecoder);
    await assert.rejects(async () => {
      for (;;) if (!call.write(bytesMessage(new Uint8Array(100_000)))) await call.drained();
    }, /no such table/);
    await assert.rejects(call.read(), /no such table/);
  });

  it('are a refusal to send more when the server has ended well before its client', async (t) => {
    const { channel } = await pair(t, { Enough: async (call) => void (await call.read()) });
    const call = channel.call('/t.T/Enough', bytesDecoder);
    call.write(message('x'));
    assert.equal(await call.read(), undefined);
    assert.throws(() => call.write(message('y')), /the server has ended the call/);
  });

  it('name a method that is not there', async (t) => {
    const { channel } = await pair(t, {});
    await assert.rejects(channel.unary('/t.T/What', message('')), { code: 'UNIMPLEMENTED' });
  });

  it('can be given as a status', async (t) => {
    const { channel } = await pair(t, {
      Status: (call) => call.finish({ code: 9, message: 'not now', metadata: Metadata.from({ a: 'b' }) }),
    });
    const call = channel.call('/t.T/Status', bytesDecoder);
    const status = await call.status;
    assert.equal(status.code, 9);
    assert.equal(status.metadata.get('a'), 'b');
    await assert.rejects(call.read(), { code: 'FAILED_PRECONDITION', rawMessage: 'not now' });
  });
});
