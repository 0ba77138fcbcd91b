import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCookieDate } from '../../src/middleware/cookie-date.ts';

const march = Date.UTC(2026, 2, 4, 5, 6, 7);

describe('parseCookieDate', () => {
  for (const text of [
    'Wed, 04 Mar 2026 05:06:07 GMT',
    'Wednesday, 04-Mar-26 05:06:07 GMT',
    'Wed Mar  4 05:06:07 2026',
    '4 mar 26 5:6:7',
    '2026 MARCH 4 05:06:07.123',
  ]) {
    it(`reads ${text}`, () => {
      assert.equal(parseCookieDate(text), march);
    });
  }

  it('takes years of two digits from 70 on for the twentieth century', () => {
    assert.equal(parseCookieDate('Thu, 01-Jan-70 00:00:00 GMT'), 0);
    assert.equal(parseCookieDate('Wed, 01-Jan-69 00:00:00 GMT'), Date.UTC(2069, 0, 1));
  });

  for (const text of [
    '',
    'tomorrow',
    'Wed, 04 Mar 2026',
    '05:06:07 Mar 2026',
    '04 Mar 05:06:07',
    '04 Foo 2026 05:06:07',
    '31 Feb 2026 05:06:07',
    '32 Mar 2026 05:06:07',
    '00 Mar 2026 05:06:07',
    '04 Mar 1600 05:06:07',
    '04 Mar 2026 24:06:07',
    '04 Mar 2026 05:60:07',
    '04 Mar 2026 05:06:60',
  ]) {
    it(`does not take "${text}" for a date`, () => {
      assert.equal(parseCookieDate(text), undefined);
    });
  }
});
