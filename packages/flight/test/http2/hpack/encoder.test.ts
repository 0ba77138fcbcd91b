import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FlightInvalidArgumentError } from '../../../src/errors.ts';
import { HpackDecoder } from '../../../src/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../../src/http2/hpack/encoder.ts';
import type { HeaderField } from '../../../src/http2/types.ts';

function pair(maxTableSize = 4096): { encoder: HpackEncoder; decoder: HpackDecoder } {
  return {
    encoder: new HpackEncoder({ maxTableSize }),
    decoder: new HpackDecoder({ maxTableSize, maxHeaderListSize: 1 << 24 }),
  };
}

function hex(block: Uint8Array): string {
  return Buffer.from(block).toString('hex');
}

const call: readonly HeaderField[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/arrow.flight.protocol.FlightService/DoGet'],
  [':authority', 'localhost:8815'],
  ['te', 'trailers'],
  ['content-type', 'application/grpc'],
  ['user-agent', 'peregrine/0.1.0'],
  ['grpc-accept-encoding', 'identity,gzip'],
];

describe('HpackEncoder', () => {
  it('writes the headers of a call seen before as one byte each', () => {
    const { encoder, decoder } = pair();
    const first = encoder.encode(call);
    const second = encoder.encode(call);
    assert.ok(first.length < 120, `${first.length}`);
    assert.equal(second.length, call.length);
    assert.deepEqual(decoder.decode(first), call);
    assert.deepEqual(decoder.decode(second), call);
  });

  it('writes a list again as it was, until the table changes', () => {
    const { encoder, decoder } = pair();
    const withSecret: readonly HeaderField[] = [
      ...call,
      ['authorization', 'Bearer abc'],
      ['grpc-timeout', '5S'],
    ];
    const lists = [call, withSecret, [['grpc-status', '0']] as const, [[':status', '200']] as const];
    const blocks = [1, 2, 3].map(() =>
      lists.map((list) => {
        const block = encoder.encode(list);
        assert.deepEqual(decoder.decode(block), list);
        return block;
      }),
    );
    assert.deepEqual(blocks[2], blocks[1]);
    // A new entry moves the indexes of all others.
    decoder.decode(encoder.encode([[':path', '/other']]));
    for (const list of lists) assert.deepEqual(decoder.decode(encoder.encode(list)), list);
    encoder.setPeerMaxTableSize(0);
    for (const list of lists) assert.deepEqual(decoder.decode(encoder.encode(list)), list);
    assert.equal(decoder.tableSize, 0);
  });

  it('is not misled by a list that is changed after it was encoded, or by other secrets', () => {
    const { encoder, decoder } = pair();
    const list: [string, string][] = [
      [':path', '/a'],
      ['te', 'trailers'],
    ];
    for (let i = 0; i < 3; i++) decoder.decode(encoder.encode(list));
    list[0] = [':path', '/b'];
    assert.deepEqual(decoder.decode(encoder.encode(list)), list);
    encoder.encode(list);
    assert.match(hex(encoder.encode(list, new Set([':path']))), /^14/);
  });

  it('gives each block memory of its own', () => {
    const { encoder } = pair();
    const first = encoder.encode(call);
    const copy = Uint8Array.from(first);
    encoder.encode([['x', 'y'.repeat(100)]]);
    assert.deepEqual(first, copy);
  });

  it('never indexes secrets, and says so to whoever passes them on', () => {
    const { encoder, decoder } = pair();
    const list: readonly HeaderField[] = [
      ['authorization', 'Bearer abc'],
      ['cookie', 'a=b'],
      ['auth-token-bin', 'YQ'],
      ['x-api-key', 'k'],
    ];
    const secrets = new Set(['x-api-key']);
    for (let i = 0; i < 3; i++) {
      const block = encoder.encode(list, secrets);
      // 0001 with the static names 23 (authorization) and 32 (cookie); 0001 0000 with a name of its own.
      assert.match(hex(block), /^1f08.*1f11.*10.*10/);
      assert.deepEqual(decoder.decode(block), list);
      assert.equal(encoder.tableSize, 0);
      assert.equal(decoder.tableSize, 0);
    }
  });

  it('never indexes a secret that is in the static table or came as no secret before', () => {
    const { encoder } = pair();
    encoder.encode([['te', 'trailers']]);
    const block = encoder.encode(
      [
        ['te', 'trailers'],
        [':method', 'GET'],
      ],
      new Set(['te', ':method']),
    );
    assert.match(hex(block), /^1f2f.*12/);
  });

  it('indexes other fields when they come again with the same value', () => {
    const { encoder, decoder } = pair();
    const list: readonly HeaderField[] = [['x-tenant', 'red']];
    const lengths = [1, 2, 3].map(() => {
      const block = encoder.encode(list);
      assert.deepEqual(decoder.decode(block), list);
      return block.length;
    });
    assert.equal(lengths[2], 1);
    assert.equal(encoder.tableSize, 43);
  });

  it('leaves values that change each time out of the table', () => {
    const { encoder, decoder } = pair();
    for (let i = 0; i < 100; i++) {
      const list: readonly HeaderField[] = [
        ['grpc-timeout', `${i}m`],
        ['x-request-id', `${i}`],
        ['traceparent', 'same'],
      ];
      assert.deepEqual(decoder.decode(encoder.encode(list)), list);
    }
    assert.equal(encoder.tableSize, 0);
  });

  it('evicts the oldest entries and stays in step with the decoder', () => {
    const { encoder, decoder } = pair(256);
    decoder.setMaxTableSize(256);
    for (let i = 0; i < 200; i++) {
      const list: readonly HeaderField[] = [
        [':path', `/p/${i % 7}`],
        [':authority', `h${i % 3}`],
        ['content-type', `t${i % 2}`],
      ];
      assert.deepEqual(decoder.decode(encoder.encode(list)), list);
      assert.equal(encoder.tableSize, decoder.tableSize);
      assert.ok(encoder.tableSize <= 256);
    }
  });

  it('uses no table where it wants none', () => {
    const { encoder, decoder } = pair(0);
    decoder.setMaxTableSize(0);
    assert.deepEqual(decoder.decode(encoder.encode(call)), call);
    assert.deepEqual(decoder.decode(encoder.encode(call)), call);
    assert.equal(encoder.tableSize, 0);
  });

  it('starts the next block with the smallest and the last size of the meantime', () => {
    const encoder = new HpackEncoder({ maxTableSize: 4096 });
    encoder.encode(call);
    encoder.setPeerMaxTableSize(0);
    encoder.setPeerMaxTableSize(100);
    assert.equal(hex(encoder.encode([[':method', 'GET']])), '203f4582');
    assert.equal(hex(encoder.encode([[':method', 'GET']])), '82');
    encoder.setPeerMaxTableSize(100);
    assert.equal(hex(encoder.encode([])), '');
    encoder.setPeerMaxTableSize(65536);
    assert.equal(hex(encoder.encode([])), '3fe11f');
  });

  it('takes a larger table than 4,096 bytes only when the peer allows it', () => {
    const encoder = new HpackEncoder({ maxTableSize: 65536 });
    assert.equal(hex(encoder.encode([])), '');
    encoder.setPeerMaxTableSize(16384);
    assert.equal(hex(encoder.encode([])), '3fe17f');
  });

  it('refuses characters that are no latin1 before it changes anything', () => {
    const { encoder, decoder } = pair();
    assert.throws(
      () =>
        encoder.encode([
          [':path', '/new'],
          ['x', '\u0100'],
        ]),
      (error) => error instanceof FlightInvalidArgumentError && /"x".*U\+00FF/.test(error.message),
    );
    assert.deepEqual(decoder.decode(encoder.encode(call)), call);
    assert.equal(encoder.tableSize, decoder.tableSize);
  });

  it('writes Huffman code only where it is shorter', () => {
    const { encoder } = pair();
    assert.equal(hex(encoder.encode([['x', '\u0001\u0002']])), '000178020102');
  });
});

describe('HpackEncoder and HpackDecoder together', () => {
  const name = fc.oneof(
    fc.constantFrom(
      ':path',
      ':authority',
      'te',
      'content-type',
      'authorization',
      'x-a',
      'x-b',
      'grpc-status',
    ),
    fc.uint8Array({ minLength: 1, maxLength: 12 }).map(latin1),
  );
  const value = fc.oneof(
    fc.constantFrom('', 'a', 'trailers', 'application/grpc'),
    fc.uint8Array({ maxLength: 300 }).map(latin1),
  );
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.array(fc.tuple(name, value), { maxLength: 8 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 600 }) },
  );

  it('agree on every list, through every change of the table size', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { encoder, decoder } = pair();
        for (const item of steps) {
          if (typeof item === 'number') {
            decoder.setMaxTableSize(item);
            encoder.setPeerMaxTableSize(item);
          } else {
            assert.deepEqual(decoder.decode(encoder.encode(item)), item);
            assert.equal(encoder.tableSize, decoder.tableSize);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('agree over many lists that share fields', () => {
    const { encoder, decoder } = pair(300);
    decoder.setMaxTableSize(300);
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return Math.floor((seed / 2147483648) * below);
    };
    for (let i = 0; i < 5000; i++) {
      const list = Array.from(
        { length: random(6) },
        (): HeaderField => [`n${random(9)}`, 'v'.repeat(random(80))],
      );
      assert.deepEqual(decoder.decode(encoder.encode(list)), list);
    }
  });

  function latin1(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString('latin1');
  }
});
