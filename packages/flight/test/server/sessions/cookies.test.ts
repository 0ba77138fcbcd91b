import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  expiredSessionCookie,
  findSessionCookie,
  sessionCookie,
} from '../../../src/server/sessions/cookies.ts';

describe('the session cookie', () => {
  it('is found among others, in one header or several, with or without quotes', () => {
    for (const headers of [
      ['arrow_flight_session_id=abc'],
      ['a=b; arrow_flight_session_id=abc; c=d'],
      ['a=b;arrow_flight_session_id=abc'],
      ['a=b', 'arrow_flight_session_id="abc"'],
      ['flag; arrow_flight_session_id=abc'],
    ]) {
      assert.equal(findSessionCookie(headers), 'abc', headers.join(' | '));
    }
  });

  it('may be empty, which is not the same as missing', () => {
    assert.equal(findSessionCookie(['arrow_flight_session_id=']), '');
    assert.equal(findSessionCookie(['arrow_flight_session_id=""; a=b']), '');
    assert.equal(findSessionCookie([]), undefined);
    assert.equal(findSessionCookie(['a=arrow_flight_session_id; xarrow_flight_session_id=1']), undefined);
  });

  it('keeps equals signs in its value', () => {
    assert.equal(findSessionCookie(['arrow_flight_session_id=a=b==']), 'a=b==');
  });

  it('is handed out and taken back', () => {
    assert.equal(sessionCookie('abc'), 'arrow_flight_session_id=abc');
    assert.equal(expiredSessionCookie('abc'), 'arrow_flight_session_id=abc; Max-Age=0');
  });
});
