// Headers and trailers of an answer that its client does not take: they must not cost more than themselves.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightNotFoundError, FlightResourceExhaustedError } from '../../src/errors.ts';
import { defaultMaxHeaderListBytes, maxHeaderBlockBytes } from '../../src/limits/http2.ts';
import { Metadata } from '../../src/grpc/index.ts';
import { bytesDecoder, type Handler, message, pair, textOf, until } from './support.ts';

const large = 2 * maxHeaderBlockBytes;

/** Answers once it was asked, when another call of the connection has failed or not. */
const patient: Handler = async (call) => {
  const question = await call.read();
  if (question !== undefined) call.write(message(`so: ${textOf(question)}`));
};

/** Each fails or succeeds in its own way, before its first message and after it. */
const handlers: Readonly<Record<string, Handler>> = {
  Patient: patient,
  ExtraInfo: () => {
    throw new FlightNotFoundError('no such table', { extraInfo: new Uint8Array(large) });
  },
  LongMessage: () => {
    throw new FlightNotFoundError('x'.repeat(5000), { extraInfo: new Uint8Array(large) });
  },
  LateExtraInfo: (call) => {
    call.write(message('first'));
    throw new FlightNotFoundError('no such table', { extraInfo: new Uint8Array(large) });
  },
  Trailers: (call) => {
    call.trailers.set('x-large', 'x'.repeat(large));
    call.write(message('first'));
  },
  TrailersOfFailure: (call) => {
    call.trailers.set('x-large', 'x'.repeat(large));
    throw new FlightNotFoundError('no such table', { extraInfo: new Uint8Array(10) });
  },
  Headers: (call) => {
    call.initialMetadata.set('x-large', 'x'.repeat(large));
    call.write(message('first'));
  },
  HeadersOfSuccess: (call) => {
    call.initialMetadata.set('x-large', 'x'.repeat(large));
  },
  HeadersOfFailure: (call) => {
    call.initialMetadata.set('x-large', 'x'.repeat(large));
    throw new FlightNotFoundError('no such table');
  },
};

describe('the size of headers', () => {
  it('is taken up to what the option of each side says', async (t) => {
    const options = { maxHeaderListBytes: 4 * large };
    const { channel } = await pair(
      t,
      {
        ...handlers,
        Size: (call) => {
          call.write(message(String(call.metadata.get('x-large')?.length)));
        },
      },
      { server: options, channel: options },
    );
    await assert.rejects(channel.call('/t.T/ExtraInfo', bytesDecoder).read(), {
      rawMessage: 'no such table',
      extraInfo: new Uint8Array(large),
    });
    const metadata = Metadata.from([['x-large', 'x'.repeat(large)]]);
    const { response } = await channel.unary('/t.T/Size', message(''), { metadata });
    assert.equal(textOf(response), String(large));
  });

  it('of a request above what the server takes is refused before it is sent', async (t) => {
    const { channel } = await pair(t, handlers, { server: { maxHeaderListBytes: 10_000 } });
    const metadata = Metadata.from([['x-large', 'x'.repeat(10_000)]]);
    await assert.rejects(
      channel.unary('/t.T/Patient', message(''), { metadata }),
      (error) =>
        error instanceof FlightResourceExhaustedError &&
        /headers of \d+ bytes are above the 10000 bytes that the peer takes/.test(error.rawMessage),
    );
  });
});

describe('an answer with headers above what the client takes', () => {
  for (const name of ['ExtraInfo', 'LateExtraInfo', 'LongMessage']) {
    it(`keeps its status and leaves the extra info out, as it says: ${name}`, async (t) => {
      const { channel } = await pair(t, handlers);
      const beside = channel.call('/t.T/Patient', bytesDecoder);
      const call = channel.call(`/t.T/${name}`, bytesDecoder);
      if (name === 'LateExtraInfo') assert.equal(textOf(await call.read()), 'first');
      await assert.rejects(call.read(), (error) => {
        assert.ok(error instanceof FlightNotFoundError);
        assert.match(error.rawMessage, name === 'LongMessage' ? /^x{800,}… \(/ : /^no such table \(/);
        assert.ok(
          error.rawMessage.includes(
            `${large} bytes of extra info were left out, as the client takes ${defaultMaxHeaderListBytes} bytes`,
          ),
        );
        return error.extraInfo.byteLength === 0;
      });
      beside.write(message('alive?'));
      assert.equal(textOf(await beside.read()), 'so: alive?');
    });
  }

  for (const name of ['Trailers', 'TrailersOfFailure', 'Headers', 'HeadersOfSuccess', 'HeadersOfFailure']) {
    it(`fails alone and names both numbers: ${name}`, async (t) => {
      const { channel, server } = await pair(t, handlers);
      const beside = channel.call('/t.T/Patient', bytesDecoder);
      const call = channel.call(`/t.T/${name}`, bytesDecoder);
      if (name === 'Trailers') assert.equal(textOf(await call.read()), 'first');
      await assert.rejects(
        call.read(),
        (error) =>
          error instanceof FlightResourceExhaustedError &&
          new RegExp(
            `\\d{7,} bytes are above the ${defaultMaxHeaderListBytes} bytes that the client takes`,
          ).test(error.rawMessage),
      );
      beside.write(message('alive?'));
      assert.equal(textOf(await beside.read()), 'so: alive?');
      await until(() => server.activeCalls === 0);
    });
  }
});
