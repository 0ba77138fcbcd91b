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

describe('a decoder', () => {
  /** Counts messages that the decoder was told of, and whether each came to one end. */
  class Pairing extends BytesDecoder {
    static open = 0;
    static begun = 0;
    override begin(byteLength: number): void {
      Pairing.open += 1;
      Pairing.begun += 1;
      super.begin(byteLength);
    }
    override finish(): Uint8Array {
      Pairing.open -= 1;
      return super.finish();
    }
    override abort(): void {
      Pairing.open -= 1;
    }
  }

  it('hears of the end of each message that it was told of, and of no other', () => {
    const plain = wire([bytesOf('abc')]);
    const packed = wire([gzipSync(bytesOf('abc'))], 1);
    const tooLarge = Uint8Array.of(0, 0, 255, 255, 255, 1);
    const noMessage = Uint8Array.of(7, 0, 0, 0, 1, 1);
    for (const last of [plain, packed, tooLarge, noMessage]) {
      for (let cut = 0; cut <= last.byteLength; cut += 1) {
        Pairing.open = 0;
        Pairing.begun = 0;
        const { inbox, feed } = make({}, () => new Pairing());
        inbox.compression = 'gzip';
        feed(plain);
        feed(last.subarray(0, cut));
        inbox.drop(new FlightCancelledError('x'));
        assert.equal(Pairing.open, 0, `cut at ${cut} of ${Buffer.from(last).toString('hex')}`);
        assert.ok(Pairing.begun >= 1);
      }
    }
  });

  it('hears of the end of a message that it failed in', () => {
    let aborted = 0;
    class Failing extends BytesDecoder {
      override push(): void {
        throw new RangeError('no such field');
      }
      override abort(): void {
        aborted += 1;
      }
    }
    const { inbox, owner, feed } = make({}, () => new Failing());
    feed(wire([bytesOf('abc')]).subarray(0, 6));
    assert.match(owner.error?.message ?? '', /no such field/);
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
    for (const flag of [2, 3, 0x48, 128, 255]) {
      const { owner, feed } = make();
      feed(Uint8Array.of(flag, 0, 0, 0, 1, 0));
      assert.equal(owner.error?.code, 'INTERNAL');
      assert.match(owner.error.message, new RegExp(`the byte ${flag} `));
    }
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
      feed(wire([gzipSync(bytesOf('x'))], 1));
      assert.deepEqual(inbox.tryRead(), bytesOf('x'), 'a single byte');
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

  it('gives nothing of what stands behind something broken, however it waits', async () => {
    const flood = new Uint8Array(5 * maxQueuedMessages);
    for (const ended of [false, true]) {
      const { inbox, owner, feed } = make();
      feed(Buffer.concat([flood, wire([bytesOf('last')])]));
      feed(Uint8Array.of(0, 255, 255, 255, 255));
      // large enough for a block of its own
      feed(wire(Array.from({ length: 20 }, () => new Uint8Array(1000))));
      feed(Uint8Array.of(9, 9, 9, 9, 9));
      if (ended) inbox.end(undefined);
      let seen = 0;
      const reading = async (): Promise<void> => {
        for (; (await inbox.read()) !== undefined; seen += 1);
      };
      await assert.rejects(reading(), /4294967295 bytes is above the limit/);
      assert.equal(seen, maxQueuedMessages + 1);
      assert.match(owner.error?.message ?? '', /4294967295 bytes/);
      await assert.rejects(inbox.read(), /4294967295 bytes is above the limit/);
    }
  });

  it('keeps what cannot be parsed yet in any pieces, also when it was read from in between', async () => {
    const sizes = [1, 3, 20_000, 1, 16_383, 2, 1, 16_384, 5, 40_000, 7];
    const list = Array.from({ length: 2 * maxQueuedMessages + 99 }, (_, i) =>
      Uint8Array.of(i, i >> 8, i >> 16),
    );
    const all = wire(list);
    const { inbox, owner, feed } = make();
    let at = 0;
    const some = (bytes: number): void => {
      const end = Math.min(all.byteLength, at + bytes);
      for (let index = 0; at < end; index += 1) {
        const next = Math.min(end, at + (sizes[index % sizes.length] ?? 1));
        feed(all.subarray(at, next));
        at = next;
      }
    };
    some(200_000);
    const got: (Uint8Array | undefined)[] = [];
    for (let index = 0; index < maxQueuedMessages; index += 1) got.push(inbox.tryRead());
    some(all.byteLength);
    inbox.end(undefined);
    got.push(...(await readAll(inbox)));
    assert.equal(got.length, list.length);
    assert.ok(Buffer.concat(got.map((one) => one ?? bytesOf(''))).equals(Buffer.concat(list)));
    assert.equal(owner.credit, all.byteLength);
  });

  it('parses no more than may wait, also of messages that come one by one', async () => {
    let parsed = 0;
    class Counting extends BytesDecoder {
      override finish(): Uint8Array {
        parsed += 1;
        return super.finish();
      }
    }
    const { inbox, feed } = make({ readAheadBytes: 1 << 30 }, () => new Counting());
    const one = wire([bytesOf('x')]);
    for (let index = 0; index < 2 * maxQueuedMessages; index += 1) feed(one);
    assert.equal(parsed, maxQueuedMessages);
    assert.deepEqual(inbox.tryRead(), bytesOf('x'));
    inbox.end(undefined);
    assert.equal((await readAll(inbox)).length, 2 * maxQueuedMessages - 1);
  });

  it('takes little more for frames of one byte than they hold', async () => {
    const { inbox, feed } = make({ readAheadBytes: 1 << 30 });
    feed(new Uint8Array(5 * maxQueuedMessages + 1));
    const count = 199_999;
    globalThis.gc?.();
    const memory = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = memory();
    const one = Uint8Array.of(0);
    for (let index = 0; index < count; index += 1) feed(one);
    globalThis.gc?.();
    const taken = memory() - before;
    assert.ok(taken < 30 * count, `${taken} bytes for ${count}`);
    inbox.end(undefined);
    assert.equal((await readAll(inbox)).length, maxQueuedMessages + (count + 1) / 5);
  });

  it('gives the credit of a call that is over right away', () => {
    const { inbox, owner, feed } = make();
    inbox.end(undefined);
    feed(new Uint8Array(500));
    assert.equal(owner.credit, 500);
  });
});
