import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '../../src/errors.ts';
import { type HeaderListKind, checkHeaderList, checkOutgoingList } from '../../src/http2/header-rules.ts';
import type { HeaderField, HeaderList } from '../../src/http2/types.ts';

const post: HeaderList = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a'],
  [':authority', 'localhost'],
];

function refuses(headers: HeaderList, kind: HeaderListKind, message: RegExp): void {
  assert.throws(() => checkHeaderList(headers, kind), { code: 'PROTOCOL_ERROR', message });
}

describe('checkHeaderList (RFC 9113, section 8)', () => {
  it('takes what gRPC sends', () => {
    const fields: HeaderField[] = [
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['grpc-timeout', '10S'],
      ['x-custom-bin', 'AAEC'],
      ['x-text', 'caf\u00e9'],
      ['x-repeated', 'a'],
      ['x-repeated', 'b'],
    ];
    assert.equal(checkHeaderList([...post, ...fields], 'request'), undefined);
    assert.equal(checkHeaderList([[':status', '200'], ...fields], 'response'), undefined);
    assert.equal(checkHeaderList([['grpc-status', '0']], 'trailers'), undefined);
    assert.equal(checkHeaderList([], 'trailers'), undefined);
  });

  it('wants names in lower case and of a token', () => {
    for (const name of ['Content-Type', 'a b', '', 'a:b', 'x\u0000', 'caf\u00e9', 'x\u007f', 'a"b']) {
      refuses([...post, [name, '']], 'request', /is not a lower-case field name/);
    }
  });

  it('wants values without line breaks and NUL', () => {
    for (const value of ['a\nb', 'a\rb', 'a\0b', '\n']) {
      refuses([...post, ['x', value]], 'request', /value of x has a character/);
      refuses([[':status', value]], 'response', /value of :status has a character/);
    }
  });

  it('wants pseudo headers once, first, and those of its kind', () => {
    refuses([...post, [':path', '/b']], 'request', /:path stands there twice/);
    refuses([['x', ''], ...post], 'request', /stands behind a regular one/);
    refuses([...post, [':status', '200']], 'request', /:status is not one of a request/);
    refuses([...post, [':protocol', 'x']], 'request', /:protocol is not one of a request/);
    refuses(
      [
        [':status', '200'],
        [':method', 'GET'],
      ],
      'response',
      /:method is not one of a response/,
    );
    refuses([[':status', '200']], 'trailers', /trailers have the pseudo header :status/);
  });

  it('wants method, scheme and path of a request', () => {
    for (const missing of [':method', ':scheme', ':path']) {
      refuses(
        post.filter(([name]) => name !== missing),
        'request',
        new RegExp(`lacks ${missing}`),
      );
      refuses(
        post.map(([name, value]) => [name, name === missing ? '' : value]),
        'request',
        new RegExp(`lacks ${missing}`),
      );
    }
    refuses(
      post.map(([name, value]) => [name, name === ':path' ? 'relative' : value]),
      'request',
      /does not begin with a slash/,
    );
  });

  it('wants an authority and nothing else of CONNECT', () => {
    assert.doesNotThrow(() =>
      checkHeaderList(
        [
          [':method', 'CONNECT'],
          [':authority', 'a:1'],
        ],
        'request',
      ),
    );
    refuses([[':method', 'CONNECT']], 'request', /lacks :authority/);
    refuses(
      [
        [':method', 'CONNECT'],
        [':authority', 'a:1'],
        [':path', '/'],
      ],
      'request',
      /no :scheme and no :path/,
    );
  });

  it('wants a status of three digits', () => {
    for (const status of ['', '20', '2000', '2x0', '020']) {
      refuses([[':status', status]], 'response', /lacks a status/);
    }
    refuses([['x', '']], 'response', /lacks a status/);
  });

  it('wants nothing of HTTP/1 connections, in any list', () => {
    for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']) {
      refuses([...post, [name, 'x']], 'request', /does not belong in HTTP\/2/);
      refuses(
        [
          [':status', '200'],
          [name, 'x'],
        ],
        'response',
        /does not belong in HTTP\/2/,
      );
      refuses([[name, 'x']], 'trailers', /does not belong in HTTP\/2/);
    }
    refuses([...post, ['te', 'gzip']], 'request', /te says gzip/);
  });

  it('wants one content-length', () => {
    assert.equal(checkHeaderList([...post, ['content-length', '12']], 'request'), 12);
    assert.equal(checkHeaderList([...post, ['content-length', '5'], ['content-length', '5']], 'request'), 5);
    for (const value of ['', '-1', '1.5', '0x10', '1, 1', '9999999999999999']) {
      refuses([...post, ['content-length', value]], 'request', /is not one number/);
    }
    refuses([...post, ['content-length', '5'], ['content-length', '6']], 'request', /is not one number/);
  });

  it('takes spaces around a value, as texts of gRPC errors have them', () => {
    assert.doesNotThrow(() => checkHeaderList([['grpc-message', 'it failed: ']], 'trailers'));
  });
});

describe('checkOutgoingList', () => {
  it('refuses what a peer would have to refuse', () => {
    for (const field of [
      ['X-Upper', ''],
      ['', ''],
      [':', ''],
      [':UP', ''],
      ['connection', 'close'],
      ['x', 'a\r\nb: c'],
      ['x', '\0'],
      ['x', '\u20ac'],
    ] as const) {
      assert.throws(() => checkOutgoingList([field]), FlightInvalidArgumentError, JSON.stringify(field));
    }
    assert.doesNotThrow(() => checkOutgoingList([...post, ['x-y', ' caf\u00e9\t']]));
  });
});
