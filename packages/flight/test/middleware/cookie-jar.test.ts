import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { maxCookieBytes, maxCookieLocations, maxCookiesPerLocation } from '../../src/limits/middleware.ts';
import { createCookieJar } from '../../src/middleware/cookie-jar.ts';

const here = 'grpc+tcp://example.org:8815';
const there = 'grpc+tcp://example.org:8816';

describe('a cookie jar', () => {
  it('sends back what was set, oldest first, in one header', () => {
    const jar = createCookieJar();
    jar.store(here, 'a=1');
    jar.store(here, ' b = two words ; HttpOnly; Path=/x; Domain=elsewhere');
    jar.store(here, 'a=3');
    assert.equal(jar.header(here), 'a=3; b=two words');
  });

  it('keeps the quotes of a value and equals signs in it', () => {
    const jar = createCookieJar();
    jar.store(here, 'arrow_flight_session_id="abc=="');
    assert.equal(jar.header(here), 'arrow_flight_session_id="abc=="');
  });

  it('sends a cookie to no other location', () => {
    const jar = createCookieJar();
    jar.store(here, 'a=1');
    assert.equal(jar.header(there), undefined);
  });

  it('forgets a cookie after Max-Age seconds', () => {
    let now = 1_000_000;
    const jar = createCookieJar(() => now);
    jar.store(here, 'a=1; Max-Age=60');
    now += 59_999;
    assert.equal(jar.header(here), 'a=1');
    now += 1;
    assert.equal(jar.header(here), undefined);
  });

  for (const end of ['Max-Age=0', 'max-age=-1', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT']) {
    it(`deletes a cookie that comes with ${end}`, () => {
      const jar = createCookieJar();
      jar.store(here, 'arrow_flight_session_id=x');
      jar.store(here, 'b=1');
      jar.store(here, `arrow_flight_session_id=x; ${end}`);
      assert.equal(jar.header(here), 'b=1');
    });
  }

  it('lets Max-Age win over Expires, whatever comes first', () => {
    const jar = createCookieJar(() => Date.UTC(2026, 0, 1));
    jar.store(here, 'a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT');
    jar.store(here, 'b=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT; Max-Age=0');
    assert.equal(jar.header(here), 'a=1');
  });

  it('keeps a cookie until Expires', () => {
    let now = Date.UTC(2026, 0, 1);
    const jar = createCookieJar(() => now);
    jar.store(here, 'a=1; Expires=Thu, 01 Jan 2026 00:00:01 GMT');
    assert.equal(jar.header(here), 'a=1');
    now += 1000;
    assert.equal(jar.header(here), undefined);
  });

  it('ignores attributes that it cannot read', () => {
    const jar = createCookieJar();
    jar.store(here, 'a=1; Max-Age=soon; Expires=never; ;;=; SameSite');
    assert.equal(jar.header(here), 'a=1');
  });

  it('sends a secure cookie only where nobody can listen', () => {
    const jar = createCookieJar();
    const locations = [
      here,
      'grpc+tls://example.org:1',
      'grpc+unix:///tmp/x',
      'grpc://localhost:1',
      'grpc+tcp://127.0.0.1:1',
      'grpc+tcp://[::1]:1',
      'grpc+tcp://127.0.0.1.example.org:1',
    ];
    for (const location of locations) jar.store(location, 'a=1; Secure');
    assert.deepEqual(
      locations.map((location) => jar.header(location) !== undefined),
      [false, true, true, true, true, true, false],
    );
  });

  for (const text of [
    '',
    'novalue',
    '=value',
    ' = ',
    'a=1\r\nx: y',
    'ä=1',
    `a=${'x'.repeat(maxCookieBytes)}`,
  ]) {
    it(`ignores ${JSON.stringify(text.slice(0, 20))}`, () => {
      const jar = createCookieJar();
      jar.store(here, text);
      assert.equal(jar.header(here), undefined);
    });
  }

  it('drops the oldest cookie above the limit of a location', () => {
    const jar = createCookieJar();
    for (let i = 0; i <= maxCookiesPerLocation; i += 1) jar.store(here, `c${i}=x`);
    const names = jar.header(here)?.split('; ') ?? [];
    assert.equal(names.length, maxCookiesPerLocation);
    assert.equal(names[0], 'c1=x');
  });

  it('drops the oldest location above the limit of locations', () => {
    const jar = createCookieJar();
    for (let i = 0; i <= maxCookieLocations; i += 1) jar.store(`grpc://h:${i}`, 'a=1');
    assert.equal(jar.header('grpc://h:0'), undefined);
    assert.equal(jar.header('grpc://h:1'), 'a=1');
  });

  it('keeps the cookies of a location that is in use, whatever else there is', () => {
    const jar = createCookieJar();
    jar.store(here, 'session=1');
    for (let i = 0; i <= 2 * maxCookieLocations; i += 1) {
      jar.store(`grpc://h:${i}`, 'a=1');
      assert.equal(jar.header(here), 'session=1');
    }
  });

  it('forgets a location, or everything', () => {
    const jar = createCookieJar();
    jar.store(here, 'a=1');
    jar.store(there, 'a=1');
    jar.clear(here);
    assert.equal(jar.header(here), undefined);
    assert.equal(jar.header(there), 'a=1');
    jar.clear();
    assert.equal(jar.header(there), undefined);
  });
});
