import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { takeWriteMemory } from '../../src/bytes/write-memory.ts';
import { writeSlabBytes } from '../../src/limits/bytes.ts';

describe('memory for heads of messages', () => {
  it('begins at a multiple of 8 and is there in full, as bytes and as words', () => {
    for (let length = 0; length < 2 * writeSlabBytes; length += 1 + (length >> 2)) {
      const { at, bytes, words } = takeWriteMemory(length);
      assert.equal(at % 8, 0);
      assert.ok(at + length <= bytes.byteLength, `${length}`);
      assert.ok(at + 4 * (length >> 2) <= words.byteLength, `${length}`);
      assert.equal(words.buffer, bytes.buffer);
      assert.equal(words.byteOffset, bytes.byteOffset);
    }
  });

  it('is nobody else’s', () => {
    const taken = Array.from({ length: 3000 }, (_, i) => ({
      length: (i * 37) % 700,
      ...takeWriteMemory((i * 37) % 700),
    }));
    for (const [i, { at, bytes, length }] of taken.entries()) bytes.fill(i % 251, at, at + length);
    for (const [i, { at, bytes, length }] of taken.entries()) {
      assert.ok(bytes.subarray(at, at + length).every((byte) => byte === i % 251));
    }
  });

  it('is shared where it is short, and can be used again where it is long', () => {
    assert.equal(takeWriteMemory(8).body, undefined);
    const { body, bytes } = takeWriteMemory(100_000);
    body?.release();
    assert.equal(body?.bytes.byteLength, 0);
    const again = takeWriteMemory(100_000);
    assert.equal(again.bytes.buffer, bytes.buffer);
  });

  it('stays when a message is transferred to another thread', () => {
    const { bytes } = takeWriteMemory(8);
    assert.ok(bytes.buffer instanceof ArrayBuffer);
    try {
      structuredClone(bytes, { transfer: [bytes.buffer] });
    } catch {
      // newer versions of Node refuse it, older ones copy
    }
    assert.equal(bytes.byteLength, writeSlabBytes);
  });
});
