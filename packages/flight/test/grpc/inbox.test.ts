import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { FlightCancelledError, type FlightError, FlightServerError } from '../../src/errors.ts';
import { Inbox, type InboxLimits } from '../../src/grpc/inbox.ts';
import { BytesDecoder, type MessageDecoder } from '../../src/grpc/message.ts';
import { maxQueuedMessages } from '../../src/limits/grpc.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The wire form of messages, made here by hand. */
function wire(messages: readonly Uint8Array[], flag: number = 0): Uint8Array {
  return Uint8Array.from(
    messages.flatMap((message) => {
      const prefix = Buffer.alloc(5);
      prefix[0] = flag;
      prefix.writeUInt32BE(message.byteLength, 1);
      return [...prefix, ...message];
    }),
  );
}

class Recorder {
  credit = 0;
  error: FlightError | undefined;
  onInboxCredit(byteLength: number): void {
    this.credit += byteLength;
  }
  onInboxError(error: FlightError): void {
    this.error = error;
  }
}

function make(
  limits: Partial<InboxLimits> = {},
  decoder: () => MessageDecoder<Uint8Array> = () => new BytesDecoder(),
): { inbox: Inbox<Uint8Array>; owner: Recorder; feed(bytes: Uint8Array): void } {
  const owner = new Recorder();
  const inbox = new Inbox(decoder, { maxReceiveBytes: 1 << 20, readAheadBytes: 1 << 20, ...limits }, owner);
  // one buffer for everything, as sockets do it
  const buffer = Buffer.alloc(1 << 21);
  return {
    inbox,
    owner,
    feed: (bytes) => {
      buffer.set(bytes, 3);
      inbox.receive(buffer, 3, 3 + bytes.byteLength);
      buffer.fill(0xee, 0, bytes.byteLength + 3);
    },
  };
}

async function readAll(inbox: Inbox<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for (;;) {
    const message = await inbox.read();
    if (message === undefined) return all;
    all.push(message);
  }
}

const long = new Uint8Array(300).map((_, index) => index);
const messages = [bytesOf('one'), new Uint8Array(0), long, bytesOf('four'), new Uint8Array(0)];

describe('the receiving side of a call', () => {
  it('reads messages cut at every byte', async () => {
    const all = wire(messages);
    for (let cut = 0; cut <= all.byteLength; cut += 1) {
      const { inbox, feed } = make();
      feed(all.subarray(0, cut));
      feed(all.subarray(cut));
      inbox.end(undefined);
      assert.deepEqual(await readAll(inbox), messages, `cut at ${cut}`);
    }
  });

  it('reads messages that come byte by byte', async () => {
    const { inbox, feed } = make();
    for (const byte of wire(messages)) feed(Uint8Array.of(byte));
    inbox.end(undefined);
    assert.deepEqual(await readAll(inbox), messages);
  });

  it('reads any messages in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
        async (list, steps) => {
          const { inbox, owner, feed } = make();
          const all = wire(list);
          for (let at = 0, step = 0; at < all.byteLength; step += 1) {
            const length = steps[step % steps.length] ?? 1;
            feed(all.subarray(at, at + length));
            at += length;
          }
          inbox.end(undefined);
          assert.deepEqual(await readAll(inbox), list);
          assert.equal(owner.credit, all.byteLength);
        },
      ),
    );
  });

  it('gives messages that are there without waiting', () => {
    const { inbox, feed } = make();
    assert.equal(inbox.tryRead(), undefined);
    feed(wire([bytesOf('a'), bytesOf('b')]));
    assert.deepEqual(inbox.tryRead(), bytesOf('a'));
    assert.deepEqual(inbox.tryRead(), bytesOf('b'));
    assert.equal(inbox.tryRead(), undefined);
  });

  it('hands a message to the read that waits for it', async () => {
    const { inbox, feed } = make();
    const first = inbox.read();
    feed(wire([bytesOf('a'), bytesOf('b')]));
    assert.deepEqual(await first, bytesOf('a'));
    assert.deepEqual(inbox.tryRead(), bytesOf('b'));
    const end = inbox.read();
    inbox.end(undefined);
    assert.equal(await end, undefined);
    assert.equal(await inbox.read(), undefined);
  });

  it('refuses a second read while one waits', async () => {
    const { inbox, feed } = make();
    const first = inbox.read();
    await assert.rejects(inbox.read(), /another read\(\) waits/);
    feed(wire([bytesOf('a')]));
    assert.deepEqual(await first, bytesOf('a'));
  });

  it('gives what has come before the error that the call ended with', async () => {
    const { inbox, feed } = make();
    feed(wire([bytesOf('a')]));
    inbox.end(new FlightServerError('bad'));
    assert.deepEqual(await inbox.read(), bytesOf('a'));
    await assert.rejects(inbox.read(), /bad/);
    await assert.rejects(inbox.read(), /bad/);
    assert.equal(inbox.tryRead(), undefined);
  });

  it('rejects a read that waits when the call fails', async () => {
    const { inbox } = make();
    const read = inbox.read();
    inbox.end(new FlightServerError('bad'));
    await assert.rejects(read, /bad/);
  });

  it('drops what was not read when the call is given up, also after its end', async () => {
    const { inbox, feed } = make();
    feed(wire([bytesOf('a')]));
    inbox.end(undefined);
    inbox.drop(new FlightCancelledError('no more'));
    await assert.rejects(inbox.read(), /no more/);
  });

  it('finds a message that is cut off at the end', async () => {
    const whole = wire([bytesOf('abc')]);
    for (let cut = 1; cut < whole.byteLength; cut += 1) {
      const { inbox, feed } = make();
      feed(whole.subarray(0, cut));
      inbox.end(undefined);
      await assert.rejects(inbox.read(), /ended inside a message/, `cut at ${cut}`);
    }
  });

  it('tells the decoder that a message will not end', () => {
    let aborted = 0;
    class Counting extends BytesDecoder {
      override abort(): void {
        aborted += 1;
      }
    }
    const { inbox, feed } = make({}, () => new Counting());
    feed(wire([bytesOf('abc')]).subarray(0, 6));
    inbox.drop(new FlightCancelledError('x'));
    assert.equal(aborted, 1);
  });
});

describe('limits of received messages', () => {
  it('refuses a message above the limit before it takes memory, naming both numbers', async () => {
    let begun = 0;
    class Counting extends BytesDecoder {
      override begin(byteLength: number): void {
        begun += byteLength;
        super.begin(byteLength);
      }
    }
    const { inbox, owner, feed } = make({ maxReceiveBytes: 10 }, () => new Counting());
    feed(wire([new Uint8Array(10)]));
    feed(Uint8Array.of(0, 0, 0, 0, 11));
    assert.equal(owner.error?.code, 'RESOURCE_EXHAUSTED');
    assert.match(owner.error.message, /11 bytes is above the limit of 10 bytes/);
    assert.equal(begun, 10);
    assert.equal(inbox.tryRead()?.byteLength, 10);
    await assert.rejects(inbox.read(), /above the limit/);
  });

  it('refuses lengths near 4 GiB as well', () => {
    const { owner, feed } = make({ maxReceiveBytes: 2 ** 31 - 1 });
    feed(Uint8Array.of(0, 255, 255, 255, 255));
    assert.match(owner.error?.message ?? '', /4294967295/);
  });

  it('refuses what does not begin like a message', () => {
    const { owner, feed } = make();
    feed(Uint8Array.of(0x48, 0, 0, 0, 1, 0));
    assert.equal(owner.error?.code, 'INTERNAL');
  });

  it('ends the call with what the decoder throws', async () => {
    class Failing extends BytesDecoder {
      override finish(): Uint8Array {
        throw new RangeError('no such field');
      }
    }
    const { inbox, owner, feed } = make({}, () => new Failing());
    feed(wire([bytesOf('a')]));
    assert.match(owner.error?.message ?? '', /no such field/);
    await assert.rejects(inbox.read(), /no such field/);
  });
});

describe('compressed messages', () => {
  it('are read, also in pieces and empty', async () => {
    for (const size of [1, 7, 10_000]) {
      const { inbox, feed } = make();
      inbox.compression = 'gzip';
      const text = bytesOf('a text that repeats, repeats, repeats'.repeat(20));
      const all = Buffer.concat([
        wire([gzipSync(text)], 1),
        wire([bytesOf('plain')]),
        wire([new Uint8Array(0)], 1),
      ]);
      for (let at = 0; at < all.byteLength; at += size) feed(all.subarray(at, at + size));
      inbox.end(undefined);
      assert.deepEqual(await readAll(inbox), [text, bytesOf('plain'), new Uint8Array(0)]);
    }
  });

  it('are refused when nobody said how they are compressed', () => {
    const { owner, feed } = make();
    feed(wire([gzipSync(bytesOf('x'))], 1));
    assert.equal(owner.error?.code, 'INTERNAL');
    assert.match(owner.error.message, /grpc-encoding/);
  });

  it('are refused when they would grow above the limit', () => {
    const { inbox, owner, feed } = make({ maxReceiveBytes: 100_000 });
    inbox.compression = 'gzip';
    feed(wire([gzipSync(new Uint8Array(50_000_000))], 1));
    assert.equal(owner.error?.code, 'RESOURCE_EXHAUSTED');
    assert.match(owner.error.message, /100000 bytes/);
  });

  it('are refused when they are no gzip', () => {
    const { inbox, owner, feed } = make();
    inbox.compression = 'gzip';
    feed(wire([bytesOf('no gzip at all')], 1));
    assert.equal(owner.error?.code, 'INTERNAL');
  });
});

describe('holding a peer back', () => {
  it('credits what arrives inside of a message, however large', () => {
    const { owner, feed } = make({ readAheadBytes: 1000, maxReceiveBytes: 100_000 });
    feed(wire([new Uint8Array(50_000)]).subarray(0, 40_000));
    assert.equal(owner.credit, 40_000);
  });

  it('waits with credit while complete messages wait, and gives it when they are read', () => {
    const { inbox, owner, feed } = make({ readAheadBytes: 1000 });
    const one = wire([new Uint8Array(600)]);
    feed(one);
    assert.equal(owner.credit, 605);
    feed(one);
    feed(one.subarray(0, 100));
    assert.equal(owner.credit, 605);
    inbox.tryRead();
    assert.equal(owner.credit, 605 + 605 + 100);
    feed(one.subarray(100));
    assert.equal(owner.credit, 605 + 605 + 100);
    inbox.tryRead();
    inbox.tryRead();
    assert.equal(owner.credit, 3 * 605);
  });

  it('keeps a flood of empty messages as bytes, and loses none', async () => {
    const { inbox, owner, feed } = make();
    const count = maxQueuedMessages * 3 + 7;
    const all = new Uint8Array(5 * count);
    const step = 99_998;
    for (let at = 0; at < all.byteLength; at += step) feed(all.subarray(at, at + step));
    inbox.end(undefined);
    let seen = 0;
    for (;;) {
      if ((inbox.tryRead() ?? (await inbox.read())) === undefined) break;
      seen += 1;
    }
    assert.equal(seen, count);
    assert.equal(owner.credit, all.byteLength);
  });

  it('finds a message that is cut off behind such a flood', async () => {
    const { inbox, feed } = make();
    feed(new Uint8Array(5 * (maxQueuedMessages + 10) + 3));
    inbox.end(undefined);
    await assert.rejects(readAll(inbox), /ended inside a message/);
  });

  it('gives the credit of a call that is over right away', () => {
    const { inbox, owner, feed } = make();
    inbox.end(undefined);
    feed(new Uint8Array(500));
    assert.equal(owner.credit, 500);
  });
});
