import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatBasicAuthorization,
  formatBearerAuthorization,
  parseBasicAuthorization,
  parseBearerAuthorization,
} from '../../src/auth/basic-credentials.ts';

describe('the authorization header', () => {
  it('reads Basic with padding, and without as arrow-go writes it', () => {
    const expected = { username: 'arrow', password: 'flight' };
    assert.deepEqual(parseBasicAuthorization('Basic YXJyb3c6ZmxpZ2h0'), expected);
    // the example of RFC 7617
    const aladdin = { username: 'Aladdin', password: 'open sesame' };
    assert.deepEqual(parseBasicAuthorization('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), aladdin);
    assert.deepEqual(parseBasicAuthorization('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ'), aladdin);
    assert.deepEqual(parseBasicAuthorization('basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ'), aladdin);
  });

  it('keeps colons in passwords, empty parts, and characters beyond ASCII', () => {
    for (const [username, password] of [
      ['a', 'b:c:d'],
      ['', ''],
      ['user', ''],
      ['tëst', '123£'],
    ] as const) {
      assert.deepEqual(parseBasicAuthorization(formatBasicAuthorization(username, password)), {
        username,
        password,
      });
    }
    // the example of RFC 7617 section 2.1
    assert.equal(formatBasicAuthorization('test', '123£'), 'Basic dGVzdDoxMjPCow==');
  });

  it('does not take anything else for Basic', () => {
    for (const value of [
      '',
      'Basic',
      'Basic ',
      'Basicabc',
      'Bearer YXJyb3c6ZmxpZ2h0',
      'Basic YXJyb3c', // no colon
      'Basic YXJyb3c6Z', // cut within a byte
      'Basic YXJy b3c6ZmxpZ2h0',
      'Basic !!!!',
      'Basic /zo=', // not UTF-8
    ]) {
      assert.equal(parseBasicAuthorization(value), undefined, value);
    }
  });

  it('reads Bearer', () => {
    assert.equal(parseBearerAuthorization(formatBearerAuthorization('abc')), 'abc');
    assert.equal(parseBearerAuthorization('bearer   abc '), 'abc');
    assert.equal(parseBearerAuthorization('Basic abc'), undefined);
    assert.equal(parseBearerAuthorization('Bearer'), undefined);
  });
});
