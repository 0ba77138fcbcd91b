import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lostReason, toFlightError } from '../../src/engine/adbc/errors.ts';

describe('What DuckDB says of files and buckets', () => {
  for (const [message, code] of [
    ["HTTP Error: Request returned HTTP 503 for HTTP HEAD to 'http://x/b/k'", 'UNAVAILABLE'],
    ["HTTP Error: Request returned HTTP 403 for HTTP HEAD to 'http://x/b/k'", 'UNAUTHORIZED'],
    ["HTTP Error: Request returned HTTP 404 for HTTP GET to 'http://x/b/k'", 'NOT_FOUND'],
    [
      "IO Error: Server returned nothing (no headers, no data) error for HTTP HEAD to 'http://x/b/k'",
      'UNAVAILABLE',
    ],
    ['IO Error: Could not write file "/x": No space left on device', 'RESOURCE_EXHAUSTED'],
    ['IO Error: Could not write file "/x": Disk quota exceeded', 'RESOURCE_EXHAUSTED'],
    ['IO Error: Failed to create directory "/t/x": No such file or directory', 'UNAVAILABLE'],
    ['IO Error: Cannot open file "/t/duckdb_temp_storage_S32K-0.tmp": Not a directory', 'UNAVAILABLE'],
    ['IO Error: Cannot open file "/x": Is a directory', 'FAILED_PRECONDITION'],
    ['IO Error: Extension "/x/y.duckdb_extension" not found.', 'NOT_FOUND'],
    ['IO Error: Cannot open file "/t/duckdb_temp_storage_S32K-0.tmp": Permission denied', 'UNAVAILABLE'],
    ['IO Error: Cannot open file "/x": No such file or directory', 'NOT_FOUND'],
    ['IO Error: Parquet files do not support negative intervals', 'UNIMPLEMENTED'],
    ['IO Error: Could not read from file "/x": Input/output error', 'INTERNAL'],
  ] as const) {
    it(`is ${code}: ${message.slice(0, 60)}`, () => {
      const error = toFlightError({ status: undefined, code: undefined, message });
      assert.deepEqual([error.code, error.rawMessage], [code, message]);
    });
  }
});

describe('What drivers say without a kind, or with a status that does not tell', () => {
  for (const [message, code] of [
    ['type mismatch in AppendDataChunk, expected TINYINT, got INTEGER for column 0', 'INVALID_ARGUMENT'],
    ['failed to execute: database is locked\nquery was: INSERT INTO t VALUES (?)', 'UNAVAILABLE'],
    ['[SQLite] Failed to prepare query: database is locked', 'UNAVAILABLE'],
    ['Failed to reset statement: UNIQUE constraint failed: t.i', 'INVALID_ARGUMENT'],
    ['[FlightSQL] Invalid Input Error: boom (InvalidArgument; DoGet: endpoint 0: [])', 'INVALID_ARGUMENT'],
    ['[FlightSQL] too many wait (ResourceExhausted; DoGet: endpoint 0: [])', 'RESOURCE_EXHAUSTED'],
    ['[FlightSQL] it took too long (DeadlineExceeded; DoGet: endpoint 0: [])', 'TIMED_OUT'],
    ['[FlightSQL] nobody knows (Internal; DoGet: endpoint 0: [])', 'INTERNAL'],
  ] as const) {
    it(`is ${code}: ${message.slice(0, 60)}`, () => {
      assert.equal(toFlightError({ status: 9, code: undefined, message }).code, code);
    });
  }
});

it('tells who can open what DuckDB has closed', () => {
  const message =
    'Permission Error: Cannot access file "/x" - file system operations are disabled by configuration';
  const place = "\n\nLINE 1: SELECT * FROM read_text('/x')\n                      ^";
  const error = toFlightError({ status: undefined, code: undefined, message: `${message}${place}` });
  assert.deepEqual(
    [error.code, error.rawMessage],
    [
      'UNAUTHORIZED',
      `${message}: SQL keeps to what the server serves, unless it is started with --external-access${place}`,
    ],
  );
});

it('tells who may not open a file', () => {
  const message = 'IO Error: Cannot open file "/x": Permission denied';
  const error = toFlightError({ status: undefined, code: undefined, message });
  const told = `${message}: the user as whom the server runs may not open it`;
  assert.deepEqual([error.code, error.rawMessage], ['UNAUTHORIZED', told]);
});

it('is the reason alone where a query fails after its first rows', () => {
  const reason = 'Out of Range Error: Overflow in addition of INT64';
  const wrapper = 'Invalid Input Error: Attempting to execute an unsuccessful or closed pending query result';
  const late = toFlightError({ status: undefined, code: undefined, message: `${wrapper}\nError: ${reason}` });
  assert.deepEqual([late.code, late.rawMessage], ['OUT_OF_RANGE', reason]);
  const alone = toFlightError({ status: undefined, code: undefined, message: wrapper });
  assert.deepEqual([alone.code, alone.rawMessage], ['INVALID_ARGUMENT', wrapper]);
});

it('tells that a folder for temporary files comes again', () => {
  const message =
    'IO Error: Cannot open file "/t/duckdb_temp_storage_DEFAULT-0.tmp": No such file or directory';
  const error = toFlightError({ status: undefined, code: undefined, message });
  assert.equal(error.code, 'UNAVAILABLE');
  assert.match(
    error.rawMessage,
    /-0\.tmp": No such file or directory: .*--temp-dir.* run the statement again$/,
  );
});

it('is read out of the JSON that it comes in, whatever failed after it', () => {
  const json = '{"exception_type":"Conversion","exception_message":"Could not convert \\"x\\""}';
  for (const message of [json, `${json}\nTable "t" does not exist`]) {
    const error = toFlightError({ status: undefined, code: undefined, message });
    assert.deepEqual(
      [error.code, error.rawMessage],
      ['INVALID_ARGUMENT', 'Conversion Error: Could not convert "x"'],
    );
  }
});

describe('An interruption', () => {
  const failure = (message: string): ReturnType<typeof toFlightError> =>
    toFlightError({ status: undefined, code: undefined, message });

  it('that nobody asked for is the failure of another thread, not a cancellation', () => {
    const error = lostReason(failure('INTERRUPT Error: Interrupted!'));
    assert.equal(error?.code, 'INTERNAL');
    assert.match(error.rawMessage, /run it again to see the reason/);
    assert.match(String(error.cause), /Interrupted!/);
  });

  it('is told from other errors', () => {
    assert.equal(lostReason(failure('Invalid Input Error: INTERRUPT')), undefined);
  });
});
