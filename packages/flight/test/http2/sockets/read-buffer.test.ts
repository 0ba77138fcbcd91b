import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReadBuffer } from '../../../src/http2/sockets/read-buffer.ts';

describe('a read buffer', () => {
  it('keeps copies of what comes before anybody listens, in order', () => {
    const read = new ReadBuffer();
    const got: string[] = [];
    const say = (text: string): void => {
      const { buffer, callback } = read.onread;
      buffer.set(Buffer.from(text));
      assert.equal(callback(text.length, buffer), true, 'the socket goes on reading');
    };
    read.keep(Buffer.from('zero'));
    say('first');
    say('two');
    read.start({
      onBytes: (buffer, start, end) => got.push(Buffer.from(buffer.subarray(start, end)).toString()),
      onClosed: () => assert.fail('nothing closed'),
    });
    assert.deepEqual(got, ['zero', 'first', 'two']);
    say('four');
    assert.deepEqual(got, ['zero', 'first', 'two', 'four']);
  });

  it('hands on the very memory that was read into, which is no Buffer', () => {
    const read = new ReadBuffer();
    const got: Uint8Array[] = [];
    read.start({ onBytes: (buffer) => got.push(buffer), onClosed: () => undefined });
    read.onread.callback(3, read.onread.buffer);
    assert.equal(got[0], read.onread.buffer);
    assert.equal(Buffer.isBuffer(read.onread.buffer), false);
  });
});
