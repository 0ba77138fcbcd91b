import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BodyPool } from '../../src/bytes/body-pool.ts';
import { FlightDataError } from '../../src/errors.ts';
import { maxProtobufGroupDepth } from '../../src/limits/proto.ts';
import { encodeFlightData, type FlightData } from '../../src/proto/flight-data.ts';
import { FlightDataDecoder } from '../../src/proto/flight-data-decoder.ts';
import { fixture, foreign, hex, unhex } from './fixture.ts';

/** Feeds a message in pieces, each from a buffer that is overwritten afterwards, as a socket's is. */
function decode(
  message: Uint8Array,
  cuts: readonly number[] = [],
  decoder = new FlightDataDecoder(),
): FlightData {
  decoder.begin(message.byteLength);
  const borders = [0, ...cuts, message.byteLength];
  for (let i = 1; i < borders.length; i++) {
    const piece = message.subarray(borders[i - 1], borders[i]);
    const buffer = new Uint8Array(piece.byteLength + 7);
    buffer.set(piece, 3);
    decoder.push(buffer, 3, 3 + piece.byteLength);
    buffer.fill(0xee);
  }
  return decoder.finish();
}

function readable(data: FlightData): Record<string, string | undefined> {
  return {
    descriptor: data.descriptor === undefined ? undefined : hex(data.descriptor),
    header: hex(data.dataHeader),
    metadata: data.appMetadata === undefined ? undefined : hex(data.appMetadata),
    body: hex(data.dataBody),
  };
}

function refuses(message: string, expected: RegExp): void {
  const bytes = unhex(message);
  const everyByte = Array.from(bytes, (_, i) => i).slice(1);
  for (const cuts of [[], everyByte]) {
    assert.throws(
      () => decode(bytes, cuts),
      (error: unknown) => {
        assert.ok(error instanceof FlightDataError, String(error));
        assert.match(error.message, expected);
        return true;
      },
    );
  }
}

describe('FlightData is read', () => {
  for (const [name, messages] of Object.entries(fixture.streams)) {
    it(`as it was sent, cut at every byte: ${name}`, () => {
      for (const { message, descriptor, header, metadata, body } of messages) {
        const bytes = unhex(message);
        const whole = readable(decode(bytes));
        assert.deepEqual(
          { ...whole, metadata: whole['metadata'] ?? '' },
          { descriptor: descriptor ?? undefined, header, metadata, body },
        );
        const step = Math.ceil(bytes.byteLength / 400);
        for (let cut = 0; cut <= bytes.byteLength; cut += step) {
          assert.deepEqual(readable(decode(bytes, [cut])), whole);
        }
        assert.deepEqual(readable(decode(bytes, Array.from(bytes, (_, i) => i).slice(1))), whole);
      }
    });
  }

  it('as Google’s protobuf wrote it', () => {
    assert.deepEqual(readable(decode(foreign('python', 'flight_data'))), {
      descriptor: '08011a0178',
      header: hex(Buffer.from('header')),
      metadata: hex(Buffer.from('metadata')),
      body: hex(Uint8Array.from({ length: 200 }, (_, i) => i)),
    });
    assert.deepEqual(readable(decode(foreign('python', 'flight_data_empty'))), {
      descriptor: undefined,
      header: '',
      metadata: undefined,
      body: '',
    });
  });

  it('with its fields in any order, and what is not known between them', () => {
    const unknown = [
      '20 ffffffffffffffffff01', // field 4, varint of ten bytes
      '29 0102030405060708', // field 5, 8 bytes
      '32 03 aabbcc', // field 6, bytes
      '35 01020304', // field 6, 4 bytes
      '3b 12 02 4141 08 05 43 09 1111111111111111 44 3c', // field 7, a group with a group within
      '10 05', // field 2 as a varint, which is not the data header
      'c23f 02 6161', // field 1016
      'fa ff ff ff 0f 01 61', // the last field number there is
    ];
    const fields = ['c23e 02 b0d1', '1a 01 6d', '12 02 6865', '0a 02 0801'];
    fc.assert(
      fc.property(fc.shuffledSubarray([...unknown, ...fields], { minLength: 12, maxLength: 12 }), (parts) => {
        const message = unhex(parts.join(''));
        assert.deepEqual(readable(decode(message)), {
          descriptor: '0801',
          header: '6865',
          metadata: '6d',
          body: 'b0d1',
        });
      }),
      { numRuns: 200 },
    );
  });

  it('with a descriptor in many parts, without copying all of it with each', (t) => {
    const parts = 2000;
    const bytes = Uint8Array.from({ length: parts }, (_, index) => index);
    const message = Buffer.concat(Array.from(bytes, (byte) => Buffer.of(0x0a, 1, byte)));
    const { set } = Uint8Array.prototype;
    let copied = 0;
    const mocked = t.mock.method(
      Uint8Array.prototype,
      'set',
      function copy(this: Uint8Array, from: Uint8Array, to: number) {
        copied += from.length;
        set.call(this, from, to);
      },
    );
    const decoder = new FlightDataDecoder();
    decoder.begin(message.byteLength);
    decoder.push(message, 0, message.byteLength);
    const { descriptor } = decoder.finish();
    mocked.mock.restore();
    assert.equal(hex(descriptor ?? new Uint8Array(0)), hex(bytes));
    assert.ok(copied < 5 * parts, `${copied} bytes were copied for ${parts}`);
  });

  it('with the last of repeated fields, and descriptors joined', () => {
    const message = unhex('0a020801 c23e03010203 12016a 1a0161 c23e020405 12026b6b 0a031a0178 1a00');
    assert.deepEqual(readable(decode(message)), {
      descriptor: '08011a0178',
      header: '6b6b',
      metadata: '',
      body: '0405',
    });
  });

  it('the same however it is cut, for any fields', () => {
    const bytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max });
    const decoder = new FlightDataDecoder();
    fc.assert(
      fc.property(
        fc.option(bytes(40), { nil: undefined }),
        bytes(300),
        fc.option(bytes(60), { nil: undefined }),
        fc.array(bytes(5000), { maxLength: 4 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
        (descriptor, dataHeader, appMetadata, bodyPieces, at) => {
          const message = encodeFlightData({ descriptor, dataHeader, appMetadata, bodyPieces });
          const cuts = at.map((part) => Math.floor(part * message.byteLength)).sort((a, b) => a - b);
          assert.deepEqual(readable(decode(Buffer.concat(message.pieces), cuts, decoder)), {
            descriptor: descriptor === undefined ? undefined : hex(descriptor),
            header: hex(dataHeader),
            metadata: appMetadata === undefined ? undefined : hex(appMetadata),
            body: hex(Buffer.concat(bodyPieces)),
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('or refused with an error of the family, whatever the bytes are', () => {
    const good = Buffer.concat(
      encodeFlightData({ dataHeader: Buffer.from('h'), bodyPieces: [Buffer.from('body')] }).pieces,
    );
    const mutated = fc
      .tuple(fc.nat(good.byteLength - 1), fc.nat(255))
      .map(([at, value]) => Uint8Array.from(good, (byte, i) => (i === at ? value : byte)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), fc.nat(60), (message, cut) => {
        const outcomes = [[], [Math.min(cut, message.byteLength)]].map((cuts) => {
          try {
            return JSON.stringify(readable(decode(message, cuts)));
          } catch (error) {
            assert.ok(error instanceof FlightDataError, String(error));
            return error.message;
          }
        });
        assert.equal(outcomes[0], outcomes[1]);
      }),
      { numRuns: 2000 },
    );
  });

  it('not when a field is longer than the message, before memory is taken for it', () => {
    let asked = 0;
    const pool = new BodyPool();
    const allocate = pool.allocate.bind(pool);
    pool.allocate = (length) => {
      asked++;
      return allocate(length);
    };
    const decoder = new FlightDataDecoder(pool);
    const bytes = unhex('1201 68 c23e ffffffff0f 00');
    assert.throws(() => decode(bytes, [], decoder), /field 1000 .* 4294967295 bytes, but 1 are left .* 11/);
    assert.equal(asked, 0);
    refuses('12 80808080808080808001', /field 2 .* but 0 are left/);
    refuses('32 05 00', /field 6 .* states 5 bytes, but 1 are left/);
    refuses('29 01020304', /field 5 .* states 8 bytes, but 4 are left/);
    refuses('25 010203', /field 4 .* states 4 bytes, but 3 are left/);
    refuses('0b c23e 05 00 0c', /field 1000 .* states 5 bytes, but 2 are left/);
  });

  it('not when it ends in the middle', () => {
    const ends = /ends in the middle of a field/;
    refuses('0a', ends);
    refuses('c2', ends);
    refuses('0a80', ends);
    refuses('08', ends);
    refuses('0880', ends);
    refuses('0b', ends);
    refuses('0b 0800', ends);
  });

  it('not with tags, wire types and groups that there are not', () => {
    refuses('00', /tag 0/);
    refuses('02 00', /tag 2/);
    refuses('ffffffff1f', /tag/);
    refuses('0e', /wire type 6/);
    refuses('0f', /wire type 7/);
    refuses('0c', /ends the group 1, which has not begun/);
    refuses('0b 14', /ends the group 2, which has not begun/);
    refuses('08 ffffffffffffffffffff01', /varint of more than 10 bytes/);
    refuses('0b'.repeat(maxProtobufGroupDepth + 1), /more than 100 nested groups/);
  });

  it('into memory of the pool, which is given back by release, by abort and by a body that is replaced', () => {
    const pool = new BodyPool({ debug: false });
    const decoder = new FlightDataDecoder(pool);
    const body = new Uint8Array(100_000).fill(7);
    const message = Buffer.concat(encodeFlightData({ bodyPieces: [body] }).pieces);

    const first = decode(message, [], decoder);
    const memory = first.dataBody.buffer;
    assert.equal(pool.keptBytes, 0);
    first.body?.release();
    assert.equal(pool.keptBytes, memory.byteLength);

    const second = decode(message, [5, 50_000], decoder);
    assert.equal(second.dataBody.buffer, memory);
    assert.deepEqual(second.dataBody, body);
    second.body?.release();

    decoder.begin(message.byteLength);
    decoder.push(message, 0, 50_000);
    assert.equal(pool.keptBytes, 0);
    decoder.abort();
    assert.equal(pool.keptBytes, memory.byteLength);
    decoder.abort();
    assert.equal(pool.keptBytes, memory.byteLength);

    const twice = decode(Buffer.concat([message, message]), [], decoder);
    assert.equal(twice.dataBody.buffer, memory);
    assert.equal(pool.keptBytes, 0);
    twice.body?.release();

    decoder.begin(message.byteLength + 1);
    decoder.push(message, 0, message.byteLength);
    decoder.push(Uint8Array.of(0x0a), 0, 1);
    assert.throws(() => decoder.finish(), FlightDataError);
    assert.equal(pool.keptBytes, memory.byteLength);
  });

  it('message after message, none with anything of the one before', () => {
    const decoder = new FlightDataDecoder();
    const full = foreign('python', 'flight_data');
    decode(full, [], decoder);
    assert.deepEqual(readable(decode(new Uint8Array(0), [], decoder)), {
      descriptor: undefined,
      header: '',
      metadata: undefined,
      body: '',
    });
    assert.throws(() => decode(full.subarray(0, 30), [], decoder));
    assert.equal(decode(full, [], decoder).dataBody.byteLength, 200);
  });
});
