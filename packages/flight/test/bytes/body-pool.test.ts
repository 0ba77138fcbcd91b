import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BodyPool, defaultBodyPool } from '../../src/bytes/body-pool.ts';
import { FlightResourceExhaustedError } from '../../src/errors.ts';
import { defaultBodyPoolBytes, minPooledBodyBytes } from '../../src/limits/bytes.ts';

const mebibyte = 1024 * 1024;

describe('a pool of bodies', () => {
  it('gives exactly as many bytes as asked for, at the start of their buffer', () => {
    const pool = new BodyPool({ debug: false });
    for (const length of [1, 63, 4097, minPooledBodyBytes, 100_001, 2 * mebibyte, 3_000_001]) {
      const { bytes } = pool.allocate(length);
      assert.equal(bytes.byteLength, length);
      assert.equal(bytes.byteOffset % 64, 0);
      assert.ok(bytes.buffer.byteLength <= Math.max(length * 1.25, length + 8), `${length}`);
    }
  });

  it('gives released memory out again, also for a slightly different length', () => {
    const pool = new BodyPool({ debug: false });
    const first = pool.allocate(2_000_000);
    const memory = first.bytes.buffer;
    first.release();
    assert.equal(pool.keptBytes, memory.byteLength);
    const second = pool.allocate(1_990_000);
    assert.equal(second.bytes.buffer, memory);
    assert.equal(second.bytes.byteLength, 1_990_000);
    assert.equal(pool.keptBytes, 0);
  });

  it('never gives memory to two bodies at once, however often it is released', () => {
    const pool = new BodyPool({ debug: false });
    const first = pool.allocate(mebibyte);
    first.release();
    first.release();
    const second = pool.allocate(mebibyte);
    first.release();
    const third = pool.allocate(mebibyte);
    assert.notEqual(second.bytes.buffer, third.bytes.buffer);
    assert.equal(first.bytes.byteLength, 0);
  });

  it('keeps no more bytes than its limit, and drops the sizes first that were not used lately', () => {
    const pool = new BodyPool({ debug: false, maxKeptBytes: 4 * mebibyte });
    const small = Array.from({ length: 3 }, () => pool.allocate(mebibyte));
    const large = Array.from({ length: 3 }, () => pool.allocate(2 * mebibyte));
    const newest = large.map(({ bytes }) => bytes.buffer);
    for (const body of [...small, ...large]) {
      body.release();
      assert.ok(pool.keptBytes <= 4 * mebibyte);
    }
    assert.equal(pool.keptBytes, 4 * mebibyte);
    assert.ok(newest.includes(pool.allocate(2 * mebibyte).bytes.buffer));
    assert.ok(newest.includes(pool.allocate(2 * mebibyte).bytes.buffer));
    assert.equal(pool.keptBytes, 0);
  });

  it('does not keep what is small, nor what is larger than its limit', () => {
    const pool = new BodyPool({ debug: false, maxKeptBytes: mebibyte });
    pool.allocate(minPooledBodyBytes - 1).release();
    pool.allocate(2 * mebibyte).release();
    assert.equal(pool.keptBytes, 0);
    assert.equal(pool.allocate(2 * mebibyte).bytes.buffer.byteLength, 2 * mebibyte);
  });

  it('can be told to keep nothing, and to drop what it keeps', () => {
    const nothing = new BodyPool({ debug: false, maxKeptBytes: 0 });
    nothing.allocate(mebibyte).release();
    assert.equal(nothing.keptBytes, 0);
    const pool = new BodyPool({ debug: false });
    pool.allocate(mebibyte).release();
    pool.clear();
    assert.equal(pool.keptBytes, 0);
    pool.allocate(mebibyte).release();
    assert.ok(pool.keptBytes >= mebibyte);
  });

  it('gives nothing for nothing', () => {
    const body = new BodyPool().allocate(0);
    assert.equal(body.bytes.byteLength, 0);
    body.release();
    body.release();
  });

  it('says so when there is no such memory', () => {
    assert.throws(() => new BodyPool().allocate(2 ** 52), FlightResourceExhaustedError);
  });

  it('detaches released memory in debug mode, so that use after release shows', () => {
    const pool = new BodyPool({ debug: true });
    for (const length of [100, mebibyte]) {
      const body = pool.allocate(length);
      const { bytes } = body;
      const floats = new Float64Array(bytes.buffer, 0, 8);
      floats[0] = 1.5;
      body.release();
      assert.equal(bytes.byteLength, 0);
      assert.equal(floats[0], undefined);
      assert.throws(() => new Uint8Array(bytes.buffer, 0, 1), TypeError);
    }
    assert.equal(pool.keptBytes, mebibyte);
    assert.equal(pool.allocate(mebibyte).bytes.byteLength, mebibyte);
    assert.equal(pool.keptBytes, 0);
  });

  it('is in debug mode when the environment says so', () => {
    const before = process.env['PEREGRINE_DEBUG_MEMORY'];
    try {
      for (const [value, left] of [
        ['1', 0],
        ['0', mebibyte],
      ] as const) {
        process.env['PEREGRINE_DEBUG_MEMORY'] = value;
        const body = new BodyPool().allocate(mebibyte);
        const { bytes } = body;
        body.release();
        assert.equal(bytes.byteLength, left);
      }
    } finally {
      if (before === undefined) delete process.env['PEREGRINE_DEBUG_MEMORY'];
      else process.env['PEREGRINE_DEBUG_MEMORY'] = before;
    }
  });

  it('takes shared memory when told so, and overwrites it in debug mode', () => {
    const pool = new BodyPool({ shared: true, debug: true });
    const body = pool.allocate(mebibyte);
    const { bytes } = body;
    assert.ok(bytes.buffer instanceof SharedArrayBuffer);
    bytes.fill(1);
    body.release();
    assert.equal(bytes[77], 0xdb);
    assert.equal(pool.allocate(mebibyte).bytes.buffer, bytes.buffer);
  });

  it('is one for the whole thread unless told otherwise', () => {
    assert.equal(defaultBodyPool(), defaultBodyPool());
    assert.ok(defaultBodyPoolBytes > 0);
  });
});
