import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatDate,
  formatDecimal,
  formatDuration,
  formatMonthDayNano,
  formatTime,
  formatTimestamp,
  formatYearMonth,
} from '../../src/formats/temporal.ts';

describe('formatTimestamp()', () => {
  it('agrees with Date for every millisecond it can hold', () => {
    for (const ms of [
      0, 1, -1, 951_782_400_000, -62_167_219_200_000, 253_402_300_799_999, 1_709_164_800_123,
    ]) {
      assert.equal(`${formatTimestamp(BigInt(ms), 3, undefined)}Z`, new Date(ms).toISOString());
    }
  });
  it('keeps nanoseconds and says Z where the column has a zone', () => {
    assert.equal(
      formatTimestamp(1_709_164_800_123_456_789n, 9, 'Europe/Berlin'),
      '2024-02-29T00:00:00.123456789Z',
    );
    assert.equal(formatTimestamp(-1n, 6, undefined), '1969-12-31T23:59:59.999999');
  });
  it('gives years beyond four digits a sign and six digits', () => {
    assert.equal(formatTimestamp(253_402_300_800n, 0, undefined), '+010000-01-01T00:00:00');
    assert.equal(formatDate(-62_167_219_200_001n), '-000001-12-31');
  });
});

describe('formatTime()', () => {
  it('shows the digits of its unit', () => {
    assert.equal(formatTime(3_661n, 0), '01:01:01');
    assert.equal(formatTime(86_399_999_999_999n, 9), '23:59:59.999999999');
  });
});

describe('formatDecimal()', () => {
  it('reads two complement words of every width', () => {
    assert.equal(formatDecimal(new Uint32Array([12345]), 2), '123.45');
    assert.equal(
      formatDecimal(new Uint32Array([0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]), 3),
      '-0.001',
    );
    assert.equal(formatDecimal(new Uint32Array([5, 0]), -3), '5000');
    assert.equal(
      formatDecimal(new Uint32Array([0, 0, 0, 0, 0, 0, 0, 0x80000000]), 0),
      (-(2n ** 255n)).toString(),
    );
  });
});

describe('intervals and durations', () => {
  it('are ISO 8601 durations', () => {
    assert.equal(formatDuration(-1500n, 3), '-PT1.5S');
    assert.equal(formatDuration(90n, 0), 'PT90S');
    assert.equal(formatYearMonth(14), 'P1Y2M');
    assert.equal(formatMonthDayNano(1, 2, 3_500_000_000n), 'P1M2DT3.5S');
    assert.equal(formatMonthDayNano(0, 0, 0n), 'PT0S');
  });
});
