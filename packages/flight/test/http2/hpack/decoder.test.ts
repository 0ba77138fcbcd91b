import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Http2Error } from '../../../src/http2/errors.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack/encoder.ts';
import { HeaderListTooLargeError } from '../../../src/http2/hpack/errors.ts';
import type { HeaderField } from '../../../src/http2/types.ts';

function decoder(maxTableSize = 4096, maxHeaderListSize = 65536): HpackDecoder {
  return new HpackDecoder({ maxTableSize, maxHeaderListSize });
}

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function refuses(target: HpackDecoder, hex: string, message: RegExp): void {
  assert.throws(
    () => target.decode(bytes(hex)),
    (error) =>
      error instanceof Http2Error && error.code === 'COMPRESSION_ERROR' && message.test(error.message),
  );
}

describe('HpackDecoder', () => {
  it('reads an empty block as an empty list', () => {
    assert.deepEqual(decoder().decode(new Uint8Array(0)), []);
  });

  it('reads a block that lies inside a larger buffer', () => {
    const whole = Uint8Array.of(0xff, 0xff, 0x82, 0x84, 0xff);
    assert.deepEqual(decoder().decode(whole.subarray(2, 4)), [
      [':method', 'GET'],
      [':path', '/'],
    ]);
  });

  it('keeps bytes above 0x7f as latin1', () => {
    assert.deepEqual(decoder().decode(bytes('00 01 61 03 e9 00 ff')), [['a', '\u00e9\u0000\u00ff']]);
  });

  it('reads the last index of the static table, and the first behind it', () => {
    const target = decoder();
    assert.deepEqual(target.decode(bytes('bd')), [['www-authenticate', '']]);
    target.decode(bytes('40 01 61 01 62'));
    assert.deepEqual(target.decode(bytes('bd be 7d 01 63 be bf')), [
      ['www-authenticate', ''],
      ['a', 'b'],
      ['www-authenticate', 'c'],
      ['www-authenticate', 'c'],
      ['a', 'b'],
    ]);
  });

  it('refuses index 0 and indexes behind the table', () => {
    refuses(decoder(), '80', /index 0/);
    refuses(decoder(), 'be', /index 62 is above the last one, 61/);
    refuses(decoder(), '7e 01 61', /index 62/);
    refuses(decoder(), 'ff ff ff 7f', /above the last one/);
  });

  it('refuses blocks that end inside a field', () => {
    const block = bytes('400a637573746f6d2d6b65790d637573746f6d2d686561646572');
    for (let end = 1; end < block.length; end++) {
      assert.throws(
        () => decoder().decode(block.subarray(0, end)),
        (error) => error instanceof Http2Error && error.code === 'COMPRESSION_ERROR',
        `cut at ${end}`,
      );
    }
    refuses(decoder(), 'ff', /inside an integer/);
    refuses(decoder(), '3f ff', /inside an integer/);
  });

  it('refuses integers without end and integers that overflow', () => {
    refuses(decoder(), 'ff 80 80 80 80 80 80 80 80 80 80 80 01', /too large/);
    refuses(decoder(), `ff ${'80 '.repeat(100)}00`, /too large/);
    refuses(decoder(), 'ff ff ff ff ff ff ff ff ff ff 7f', /too large/);
    refuses(decoder(), '00 7f ff ff ff ff 0f 61', /too large/);
    // 2^32 - 1 and what 32-bit arithmetic would wrap to a small number.
    refuses(decoder(), '00 7f 80 ff ff ff 0f 61', /too large/);
    refuses(decoder(), '00 7f 81 ff ff ff 0f 61', /too large/);
  });

  it('takes integers that are longer than they need to be', () => {
    assert.deepEqual(decoder().decode(bytes('0f 80 00 01 61')), [['accept-charset', 'a']]);
    assert.deepEqual(decoder().decode(bytes('0f 80 80 80 80 00 01 61')), [['accept-charset', 'a']]);
    refuses(decoder(), '0f 80 80 80 80 80 00 01 61', /too large/);
  });

  it('knows literals by their first bits, also where the index of their name fills the rest', () => {
    assert.deepEqual(decoder().decode(bytes('1f 00 01 61')), [['accept-charset', 'a']], 'never indexed');
    const target = decoder();
    target.decode(bytes('40 01 61 01 62 40 01 63 01 64'));
    assert.deepEqual(target.decode(bytes('7f 00 01 65')), [['a', 'e']], 'to be indexed');
    assert.deepEqual(target.decode(bytes('be')), [['a', 'e']]);
  });

  it('refuses strings that are longer than the block before it takes memory for them', () => {
    refuses(decoder(), '00 7f 81 ff ff 7f 61', /has only 1 bytes/);
    refuses(decoder(), '00 ff 81 ff ff 7f 61', /has only 1 bytes/);
  });

  it('refuses strings that are not Huffman code', () => {
    refuses(decoder(), '00 84 ff ff ff ff 01 61', /not valid Huffman/);
    refuses(decoder(), '00 01 61 82 3f ff', /not valid Huffman/);
  });

  it('takes an entry larger than its table, which empties it', () => {
    const target = decoder();
    assert.deepEqual(target.decode(bytes('3f 21 40 01 61 01 62')), [['a', 'b']]);
    assert.equal(target.tableSize, 34);
    assert.deepEqual(target.decode(bytes('40 20'.concat(' 61'.repeat(32), ' 01 62'))), [
      ['a'.repeat(32), 'b'],
    ]);
    assert.equal(target.tableSize, 0);
    refuses(target, 'be', /index 62/);
  });

  it('keeps the name of an entry that its own insertion evicts', () => {
    const target = decoder();
    // A table for one entry of 34 bytes; the second takes its name from the first (RFC 7541, section 4.4).
    assert.deepEqual(target.decode(bytes('3f 03 40 01 61 01 62 7e 01 63')), [
      ['a', 'b'],
      ['a', 'c'],
    ]);
    assert.deepEqual(target.decode(bytes('be')), [['a', 'c']]);
  });
});

describe('HpackDecoder and dynamic table size updates', () => {
  it('wants none where the table is as large as it may be', () => {
    const target = decoder(4096);
    target.setMaxTableSize(4096);
    assert.deepEqual(target.decode(bytes('82')), [[':method', 'GET']]);
  });

  it('takes them in front of a block and refuses them behind a field', () => {
    const target = decoder();
    assert.deepEqual(target.decode(bytes('20 3f e1 1f 82')), [[':method', 'GET']]);
    refuses(target, '82 20', /stands behind a header field/);
  });

  it('refuses more than was offered', () => {
    refuses(decoder(), '3f e2 1f', /4097 bytes is above the 4096 bytes offered/);
    assert.deepEqual(decoder(8192).decode(bytes('3f e1 3f')), []);
    refuses(decoder(8192), '3f e2 3f', /8193 bytes is above the 8192/);
  });

  it('allows the first table of 4,096 bytes until the peer knows of a smaller one', () => {
    const target = decoder(0);
    assert.deepEqual(target.decode(bytes('40 01 61 01 62')), [['a', 'b']]);
    target.setMaxTableSize(0);
    refuses(target, 'be', /must come down to 0 bytes/);
  });

  it('wants the update that a smaller setting asks for, once', () => {
    const target = decoder();
    target.decode(bytes('40 01 61 01 62'));
    target.setMaxTableSize(100);
    target.setMaxTableSize(50);
    target.setMaxTableSize(80);
    assert.deepEqual(target.decode(bytes('3f 13 3f 31 be')), [['a', 'b']]);
    assert.deepEqual(target.decode(bytes('be')), [['a', 'b']]);
    refuses(target, '3f 32', /81 bytes is above the 80/);
  });

  it('refuses a block that leaves the lowest setting out', () => {
    const target = decoder();
    target.setMaxTableSize(50);
    target.setMaxTableSize(80);
    refuses(target, '3f 31 82', /must come down to 50/);
  });

  it('wants no update for a setting that is not below the table', () => {
    const target = decoder();
    target.decode(bytes('3f 13'));
    target.setMaxTableSize(60);
    assert.deepEqual(target.decode(bytes('82')), [[':method', 'GET']]);
  });
});

describe('HpackDecoder and the size of header lists', () => {
  it('takes a list of exactly the limit and refuses one byte more, by an error of its own', () => {
    const block = bytes('00 01 61 02 62 63');
    assert.deepEqual(decoder(4096, 35).decode(block), [['a', 'bc']]);
    assert.throws(
      () => decoder(4096, 34).decode(block),
      (error) =>
        error instanceof HeaderListTooLargeError &&
        error.limit === 34 &&
        error.actual === 35 &&
        /35 bytes is above the limit of 34 bytes/.test(error.message),
    );
  });

  it('keeps its table right behind a list that was too large', () => {
    const target = decoder(4096, 40);
    assert.throws(() => target.decode(bytes('40 01 61 01 62 40 01 63 01 64')), HeaderListTooLargeError);
    assert.deepEqual(target.decode(bytes('be')), [['c', 'd']]);
    assert.deepEqual(target.decode(bytes('bf')), [['a', 'b']]);
  });

  it('holds no memory for a bomb: one large entry named again and again', () => {
    const target = decoder(4096, 16384);
    const bomb = new Uint8Array(4 + 4000 + 1_000_000);
    bomb.set(bytes('40 01 61 7f a1 1e'));
    bomb.fill(0x62, 6, 6 + 4000);
    bomb.fill(0xbe, 6 + 4000);
    const before = process.memoryUsage().heapUsed;
    assert.throws(() => target.decode(bomb), HeaderListTooLargeError);
    assert.ok(process.memoryUsage().heapUsed - before < 8_000_000);
    assert.deepEqual(target.decode(bytes('be'))[0]?.[0], 'a');
  });
});

describe('HpackDecoder on random input', () => {
  it('reads a list or throws Http2Error, nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), (blocks) => {
        const target = decoder(4096, 2048);
        for (const block of blocks) {
          try {
            for (const [name, value] of target.decode(block)) {
              assert.equal(typeof name, 'string');
              assert.equal(typeof value, 'string');
            }
          } catch (error) {
            assert.ok(error instanceof Http2Error, String(error));
            if (!(error instanceof HeaderListTooLargeError)) return;
          }
          assert.ok(target.tableSize <= 4096);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('reads blocks with one bit turned, or throws Http2Error', () => {
    const fields = fc.array(
      fc.tuple(fc.constantFrom('a', 'bb', ':path', 'te'), fc.constantFrom('x', 'yy', 'trailers')),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(fields, fc.nat(), (list, at) => {
        const encoder = new HpackEncoder({ maxTableSize: 4096 });
        const block = encoder.encode(list satisfies readonly HeaderField[]);
        const bit = at % (block.length * 8);
        block[bit >> 3] = (block[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        try {
          decoder().decode(block);
        } catch (error) {
          assert.ok(error instanceof Http2Error, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
