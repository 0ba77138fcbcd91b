import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createFlightError,
  FlightCancelledError,
  FlightError,
  type FlightErrorCode,
  FlightInternalError,
  FlightNotFoundError,
  FlightServerError,
  FlightUnavailableError,
  flightErrorCodes,
} from '../../src/errors.ts';
import { Metadata } from '../../src/grpc/metadata.ts';
import {
  decodeMessage,
  encodeMessage,
  errorOfHttp2,
  errorOfHttpStatus,
  errorOfStatus,
  formatStatus,
  okStatus,
  parseStatus,
  statusOfError,
  withoutExtraInfo,
} from '../../src/grpc/status.ts';
import { Http2Error } from '../../src/http2/errors.ts';
import type { HeaderList } from '../../src/http2/types.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function fieldOf(fields: HeaderList, name: string): string | undefined {
  return fields.find(([own]) => own === name)?.[1];
}

describe('the status of a call', () => {
  // grpc-status, x-arrow-status and what arrives, for every code of ours
  const table: readonly (readonly [
    FlightErrorCode,
    grpc: string,
    arrow: string,
    arrives: FlightErrorCode,
  ])[] = [
    ['CANCELLED', '1', '8', 'CANCELLED'],
    ['UNKNOWN', '2', '9', 'UNKNOWN'],
    ['INVALID_ARGUMENT', '3', '4', 'INVALID_ARGUMENT'],
    ['TIMED_OUT', '4', '5', 'TIMED_OUT'],
    ['NOT_FOUND', '5', '2', 'NOT_FOUND'],
    ['ALREADY_EXISTS', '6', '45', 'ALREADY_EXISTS'],
    ['UNAUTHORIZED', '7', '5', 'UNAUTHORIZED'],
    ['RESOURCE_EXHAUSTED', '8', '6', 'RESOURCE_EXHAUSTED'],
    ['FAILED_PRECONDITION', '9', '4', 'FAILED_PRECONDITION'],
    ['ABORTED', '10', '5', 'ABORTED'],
    ['OUT_OF_RANGE', '11', '7', 'OUT_OF_RANGE'],
    ['UNIMPLEMENTED', '12', '10', 'UNIMPLEMENTED'],
    ['INTERNAL', '13', '5', 'INTERNAL'],
    ['UNAVAILABLE', '14', '5', 'UNAVAILABLE'],
    ['DATA_LOSS', '15', '5', 'DATA_LOSS'],
    ['UNAUTHENTICATED', '16', '5', 'UNAUTHENTICATED'],
    ['INVALID_DATA', '3', '4', 'INVALID_ARGUMENT'],
    ['WRITE_SIZE_EXCEEDED', '8', '6', 'RESOURCE_EXHAUSTED'],
  ];

  it('has a row for every code', () => {
    assert.deepEqual(new Set(table.map(([code]) => code)), new Set(flightErrorCodes));
  });

  for (const [code, grpc, arrow, arrives] of table) {
    it(`carries ${code} both ways`, () => {
      const error = createFlightError(code, 'what happened: 100% ü', { extraInfo: bytes('\u0000extra') });
      const fields = formatStatus(statusOfError(error), undefined);
      assert.equal(fieldOf(fields, 'grpc-status'), grpc);
      assert.equal(fieldOf(fields, 'grpc-message'), 'what happened: 100%25 %C3%BC');
      assert.equal(fieldOf(fields, 'x-arrow-status'), arrow);
      const status = parseStatus(fields);
      assert.ok(status?.error instanceof FlightError);
      assert.equal(status.error.code, arrives);
      assert.equal(status.error.rawMessage, 'what happened: 100% ü');
      assert.deepEqual(status.error.extraInfo, bytes('\u0000extra'));
    });
  }

  it('makes UNKNOWN of an Error that is not of the family, with its message', () => {
    const status = statusOfError(new TypeError('x is not a function'));
    assert.equal(status.code, 2);
    assert.equal(status.message, 'x is not a function');
    assert.equal(statusOfError('a string').message, 'a string');
  });

  it('sends success as a 0 with the trailers of the call', () => {
    const trailers = Metadata.from({ a: '1' });
    assert.deepEqual(formatStatus(okStatus(), trailers), [
      ['grpc-status', '0'],
      ['a', '1'],
    ]);
    assert.equal(errorOfStatus(okStatus()), undefined);
    assert.equal(parseStatus([['grpc-status', '0']])?.error, undefined);
  });

  it('carries when to try again, and that nobody should', () => {
    const sent = (retryAfterMs: number | 'never' | undefined): string | undefined =>
      fieldOf(
        formatStatus(statusOfError(new FlightUnavailableError('x', { retryAfterMs })), undefined),
        'grpc-retry-pushback-ms',
      );
    assert.deepEqual([sent(undefined), sent('never'), sent(0), sent(1200)], [undefined, '-1', '0', '1200']);
    // the value is a number of 32 bits
    assert.deepEqual([sent(0.2), sent(-5), sent(Number.NaN), sent(Infinity)], ['1', '0', '-1', '2147483647']);

    const read = (...values: readonly string[]): number | 'never' | undefined =>
      parseStatus([
        ['grpc-status', '14'],
        ...values.map((value) => ['grpc-retry-pushback-ms', value] as const),
      ])?.error?.retryAfterMs;
    assert.deepEqual(
      [read(), read('0'), read('1200'), read('2147483647')],
      [undefined, 0, 1200, 2_147_483_647],
    );
    for (const no of ['-1', '', 'soon', '1.5', '1e3', ' 1', '2147483648', '99999999999']) {
      assert.equal(read(no), 'never', no);
    }
    assert.equal(read('1', '1'), 'never');
  });

  it('keeps when to try again where the extra info had to go', () => {
    const error = new FlightUnavailableError('x', { extraInfo: bytes('much'), retryAfterMs: 7 });
    assert.equal(withoutExtraInfo(statusOfError(error), 10).error?.retryAfterMs, 7);
  });

  it('cuts messages that a client would not take', () => {
    const fields = formatStatus(statusOfError(new FlightInternalError('ü'.repeat(5000))), undefined);
    assert.ok((fieldOf(fields, 'grpc-message')?.length ?? 0) < 7000);
  });

  it('gives the reader an unknown code as UNKNOWN and no grpc-status as nothing', () => {
    assert.equal(parseStatus([['grpc-status', '99']])?.code, 2);
    assert.equal(parseStatus([['grpc-status', 'x']])?.code, 2);
    assert.equal(parseStatus([['a', 'b']]), undefined);
  });

  it('prefers what an Arrow server says, with its detail unless that only repeats the code', () => {
    const read = (detail: string): FlightError | undefined =>
      parseStatus([
        ['grpc-status', '3'],
        ['grpc-message', `the message. Detail: ${detail}`],
        ['x-arrow-status', '4'],
        ['x-arrow-status-message-bin', base64('the message')],
        ['x-arrow-status-detail-bin', base64(detail)],
      ])?.error;
    assert.equal(
      read('Python exception: ValueError')?.rawMessage,
      'the message. Detail: Python exception: ValueError',
    );
    assert.equal(read('Unauthenticated')?.rawMessage, 'the message');
    assert.equal(read('')?.rawMessage, 'the message');
  });

  it('learns from the Arrow status what gRPC calls UNKNOWN', () => {
    const read = (arrow: string): string | undefined =>
      parseStatus([
        ['grpc-status', '2'],
        ['x-arrow-status', arrow],
      ])?.error?.code;
    assert.equal(read('2'), 'NOT_FOUND');
    assert.equal(read('10'), 'UNIMPLEMENTED');
    assert.equal(read('1'), 'RESOURCE_EXHAUSTED');
    assert.equal(read('9'), 'UNKNOWN');
    assert.equal(read('nonsense'), 'UNKNOWN');
  });
});

describe('grpc-message', () => {
  it('is plain where it can be', () => {
    assert.equal(encodeMessage('a plain (message), with "signs" ~'), 'a plain (message), with "signs" ~');
  });

  it('keeps space at its ends and line breaks', () => {
    assert.equal(encodeMessage(' a\nb '), '%20a%0Ab%20');
    assert.equal(encodeMessage(' '), '%20');
  });

  it('is read as it is where the encoding is broken', () => {
    assert.equal(decodeMessage('100% %zz %4'), '100% %zz %4');
    assert.equal(decodeMessage('%41%'), 'A%');
    assert.equal(decodeMessage('%E2%82%AC'), '€');
    assert.equal(decodeMessage(Buffer.from('€', 'utf8').toString('latin1')), '€');
  });

  it('brings any text back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const encoded = encodeMessage(text);
        assert.match(encoded, /^[\x20-\x7e]*$/);
        assert.doesNotMatch(encoded, /^ | $/);
        assert.equal(decodeMessage(encoded), Buffer.from(text, 'utf8').toString('utf8'));
      }),
    );
  });
});

describe('what is not gRPC', () => {
  for (const [http, code] of [
    ['400', 'INTERNAL'],
    ['401', 'UNAUTHENTICATED'],
    ['403', 'UNAUTHORIZED'],
    ['404', 'UNIMPLEMENTED'],
    ['429', 'UNAVAILABLE'],
    ['502', 'UNAVAILABLE'],
    ['503', 'UNAVAILABLE'],
    ['504', 'UNAVAILABLE'],
    ['200', 'UNKNOWN'],
    ['500', 'UNKNOWN'],
  ] as const) {
    it(`is ${code} for HTTP status ${http}`, () => {
      const error = errorOfHttpStatus(http, 'text/html');
      assert.equal(error.code, code);
      assert.match(error.rawMessage, new RegExp(`${http}.*text/html`));
    });
  }
});

describe('errors of HTTP/2', () => {
  for (const [name, code] of [
    ['CANCEL', 'CANCELLED'],
    ['REFUSED_STREAM', 'UNAVAILABLE'],
    ['ENHANCE_YOUR_CALM', 'RESOURCE_EXHAUSTED'],
    ['INADEQUATE_SECURITY', 'UNAUTHORIZED'],
    ['CONNECT_ERROR', 'UNAVAILABLE'],
    ['PROTOCOL_ERROR', 'INTERNAL'],
    ['NO_ERROR', 'INTERNAL'],
  ] as const) {
    it(`are ${code} for ${name}`, () => {
      const cause = new Http2Error(name, 'why');
      const error = errorOfHttp2(cause);
      assert.equal(error.code, code);
      assert.equal(error.cause, cause);
    });
  }

  it('give way to what this side closed the connection for', () => {
    const why = new FlightUnavailableError('a ping was not answered');
    assert.equal(errorOfHttp2(new Http2Error('CANCEL', 'closed', { cause: why })), why);
  });

  it('may be no errors of HTTP/2 at all', () => {
    const own = new FlightNotFoundError('x');
    assert.equal(errorOfHttp2(own), own);
    assert.ok(errorOfHttp2(new Error('x')) instanceof FlightServerError);
    assert.ok(errorOfHttp2(new DOMException('x', 'AbortError')) instanceof FlightCancelledError);
  });
});
