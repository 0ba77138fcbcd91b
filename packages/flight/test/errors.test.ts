import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import {
  classifyError,
  createFlightError,
  FlightCancelledError,
  FlightDataError,
  FlightError,
  type FlightErrorClass,
  type FlightErrorCode,
  FlightServerError,
  FlightTimedOutError,
  FlightUnavailableError,
  FlightWriteSizeExceededError,
  flightErrorCodes,
  locateError,
  retryableCodes,
  toFlightError,
} from '../src/errors.ts';
import { statusOfError } from '../src/grpc/status.ts';
import { grpcStatusCodes } from '../src/grpc/types.ts';

const docs = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');

/** The rows of the table below a heading, cells without quotes. */
function table(heading: string): string[][] {
  const [, after = ''] = docs.split(`\n## ${heading}\n`);
  const [section = ''] = after.split('\n## ');
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

/** An error of a code, as it is thrown. */
function errorOf(code: FlightErrorCode): FlightError {
  return code === 'WRITE_SIZE_EXCEEDED'
    ? new FlightWriteSizeExceededError(10, 11)
    : createFlightError(code, 'what happened');
}

function grpcName(code: number): string | undefined {
  return Object.entries(grpcStatusCodes).find(([, number]) => number === code)?.[0];
}

describe('docs/errors.md', () => {
  it('tells each code with class, gRPC status, kind and retry as they are, and no others', () => {
    const actual = flightErrorCodes.map((code) => {
      const error = errorOf(code);
      const { kind, retryable } = classifyError(error);
      return [code, error.name, grpcName(statusOfError(error).code), kind, retryable ? 'yes' : 'no'];
    });
    assert.deepEqual(
      table('Codes').map((row) => row.slice(0, 5)),
      actual,
    );
  });

  it('says of each code what it means and what to do', () => {
    for (const row of table('Codes')) {
      assert.equal(row.length, 7, row[0]);
      assert.ok(
        row.every((cell) => cell !== ''),
        row[0],
      );
    }
  });

  it('tells each kind, and no others', () => {
    const kinds: Readonly<Record<FlightErrorClass, true>> = {
      server: true,
      unavailable: true,
      'timed-out': true,
      cancelled: true,
      caller: true,
      unexpected: true,
    };
    assert.deepEqual(
      table('Kinds').map(([kind]) => kind),
      Object.keys(kinds),
    );
  });
});

describe('a FlightError', () => {
  it('has its code in front of the message, and the message without it', () => {
    for (const code of flightErrorCodes) {
      const error = errorOf(code);
      assert.equal(error.code, code);
      assert.equal(error.message, `[${code}] ${error.rawMessage}`);
      assert.match(String(error), new RegExp(`^${error.name}: \\[${code}\\]`));
    }
  });

  it('keeps what led to it, and bytes for programs', () => {
    const cause = new Error('below');
    const extraInfo = Uint8Array.of(1, 2);
    for (const code of flightErrorCodes) {
      const error = createFlightError(code, 'm', { cause, extraInfo });
      assert.equal(error.cause, cause);
      assert.equal(error.extraInfo, extraInfo);
    }
    const bare = new FlightUnavailableError('m');
    assert.equal(bare.extraInfo.byteLength, 0);
    assert.equal('cause' in bare, false);
  });

  it('is of its class and of the family, and of no other class', () => {
    for (const code of flightErrorCodes) {
      const error = errorOf(code);
      assert.ok(error instanceof Error);
      assert.ok(error instanceof FlightError);
      assert.equal(error instanceof FlightDataError, code === 'INVALID_DATA');
    }
    for (const other of [new Error('x'), undefined, null, 'x', {}]) {
      assert.equal(other instanceof FlightError, false);
    }
  });

  it('of another copy of this package is one as well', () => {
    const foreign: unknown = runInNewContext(
      "Object.assign(new Error('[INTERNAL] x'), { [Symbol.for('peregrine.FlightError')]: true })",
    );
    assert.ok(foreign instanceof FlightError);
    assert.equal(foreign instanceof FlightDataError, false);
  });

  it('of a batch that is too large has both numbers', () => {
    const error = new FlightWriteSizeExceededError(10, 11);
    assert.equal(error.limit, 10);
    assert.equal(error.actual, 11);
    assert.match(error.message, /11 bytes .* 10 bytes/);
  });

  it('of the server may have a code of its own', () => {
    assert.equal(new FlightServerError('m').code, 'UNKNOWN');
    assert.equal(new FlightServerError('m', { code: 'ABORTED' }).code, 'ABORTED');
  });
});

describe('what was thrown', () => {
  it('becomes an error of the family, which keeps it as its cause', () => {
    const plain = new TypeError('x is not a function');
    assert.ok(toFlightError(plain) instanceof FlightServerError);
    assert.equal(toFlightError(plain).cause, plain);
    assert.equal(toFlightError(plain).rawMessage, 'x is not a function');
    assert.equal(toFlightError('text').rawMessage, 'text');
    assert.equal(toFlightError(undefined).code, 'UNKNOWN');
  });

  it('stays what it is when it is of the family', () => {
    const error = new FlightDataError('m');
    assert.equal(toFlightError(error), error);
  });

  it('by an AbortSignal tells cancelling from running out of time', () => {
    assert.ok(toFlightError(AbortSignal.abort().reason) instanceof FlightCancelledError);
    assert.ok(toFlightError(new DOMException('too long', 'TimeoutError')) instanceof FlightTimedOutError);
  });

  it('is classified, as unexpected when it is not of the family', () => {
    assert.deepEqual(classifyError(new Error('x')), { kind: 'unexpected', retryable: false });
    assert.deepEqual(classifyError(new FlightUnavailableError('x')), {
      kind: 'unavailable',
      retryable: true,
    });
    for (const code of flightErrorCodes) {
      assert.equal(classifyError(errorOf(code)).retryable, retryableCodes.has(code));
    }
  });

  it('is not to be tried again where the server says so, and is where it names a time for a limit', () => {
    for (const code of flightErrorCodes) {
      const never = createFlightError(code, 'x', { retryAfterMs: 'never' });
      assert.equal(classifyError(never).retryable, false);
      const soon = createFlightError(code, 'x', { retryAfterMs: 5 });
      assert.equal(soon.retryAfterMs, 5);
      assert.equal(
        classifyError(soon).retryable,
        retryableCodes.has(code) || code === 'RESOURCE_EXHAUSTED',
        code,
      );
    }
  });

  it('keeps when to try again once it says where it happened', () => {
    const error = new FlightUnavailableError('x', { retryAfterMs: 5 });
    assert.equal(locateError(error, 'DoGet at x').retryAfterMs, 5);
  });
});
