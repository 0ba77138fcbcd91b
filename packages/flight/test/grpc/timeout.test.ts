import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatTimeout, parseTimeout } from '../../src/grpc/timeout.ts';

describe('grpc-timeout', () => {
  for (const [ms, text] of [
    [0, '0u'],
    [0.0001, '1u'],
    [1, '1000u'],
    [1.5, '1500u'],
    [99_999, '99999000u'],
    [100_000, '100000m'],
    [99_999_999, '99999999m'],
    [99_999_999.5, '100000S'],
    [1e12, '16666667M'],
    [1e14, '27777778H'],
    [Number.MAX_VALUE, '99999999H'],
  ] as const) {
    it(`writes ${ms} ms as ${text}`, () => assert.equal(formatTimeout(ms), text));
  }

  for (const [text, ms] of [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['30S', 30_000],
    ['99999999m', 99_999_999],
    ['5u', 0.005],
    ['100n', 0.0001],
    ['0m', 0],
  ] as const) {
    it(`reads ${text}`, () => assert.ok(Math.abs((parseTimeout(text) ?? NaN) - ms) < 1e-9));
  }

  for (const text of ['', '1', 'S', '123456789S', '-1S', '1.5S', '1s', '1 S', '1SS', '١S']) {
    it(`does not read ${JSON.stringify(text)}`, () => assert.equal(parseTimeout(text), undefined));
  }

  it('never shortens a time, and never lengthens it by more than a part in a hundred thousand', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e12, noNaN: true }), (ms) => {
        const read = parseTimeout(formatTimeout(ms)) ?? NaN;
        assert.ok(read >= ms - 1e-6 && read <= ms * 1.000_01 + 0.001_001, `${ms} became ${read}`);
      }),
    );
  });
});
