import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BytesDecoder } from '../../src/grpc/message.ts';
import { FlightDataDecoder } from '../../src/proto/flight-data-decoder.ts';
import { withoutMemoryFor } from '../memory.ts';

const exhausted = (text: RegExp) => ({ code: 'RESOURCE_EXHAUSTED', message: text });

describe('a message that there is no memory for', () => {
  it('of bytes is refused, and the next one is read', () => {
    const decoder = new BytesDecoder();
    withoutMemoryFor(1001, () => {
      assert.throws(() => decoder.begin(1001), exhausted(/cannot take 1001 bytes of memory for a message/));
    });
    decoder.begin(3);
    decoder.push(Buffer.from('.abc.'), 1, 4);
    assert.deepEqual(decoder.finish(), new Uint8Array(Buffer.from('abc')));
  });

  it('of FlightData is refused, and the next one is read', () => {
    const decoder = new FlightDataDecoder();
    // data_header of 1001 bytes
    const message = Buffer.concat([Buffer.from('12e907', 'hex'), Buffer.alloc(1001)]);
    const read = (): number => {
      decoder.begin(message.byteLength);
      decoder.push(message, 0, message.byteLength);
      return decoder.finish().dataHeader.byteLength;
    };
    withoutMemoryFor(1001, () => {
      assert.throws(read, exhausted(/cannot take 1001 bytes of memory for a FlightData field/));
      decoder.abort();
    });
    assert.equal(read(), 1001);
  });
});
