import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resultToJson } from '../src/commands/actions.ts';
import { promptFormat } from '../src/commands/sql.ts';
import { endWithinMs, startingLine, waitingLine } from '../src/commands/serve.ts';

describe('what an action gave, as a line of JSON', () => {
  it('keeps JSON as it is but for its spaces, and wraps the rest', () => {
    for (const [given, expected] of [
      [
        '{ "a": [1, 12345678901234567890.10],\n  "b c": " \\" x " }',
        '{"a":[1,12345678901234567890.10],"b c":" \\" x "}',
      ],
      ['pong', '"pong"'],
      ['', '""'],
      ['a\nb', '"a\\nb"'],
    ] as const) {
      assert.equal(resultToJson(Buffer.from(given)), expected);
    }
    assert.equal(resultToJson(Uint8Array.of(0xff, 0)), '{"base64":"/wA="}');
  });
});

describe('what is said while a server starts slowly', () => {
  it('names the buckets, which may say nothing', () => {
    const told = startingLine({ data: ['./data', 's3://a/b'], writable: 's3://c' });
    assert.equal(told?.afterMs, 1_500);
    assert.match(told.line, /waits for s3:\/\/a\/b, s3:\/\/c, and starts without after some seconds\n$/);
  });

  it('names the folders, later, where there are no buckets', () => {
    const told = startingLine({ data: ['./a', './b/*.csv'], writable: './c' });
    assert.equal(told?.afterMs, 5_000);
    assert.match(told.line, /^peregrine: looks into the files of \.\/a, \.\/b\/\*\.csv, \.\/c, /);
    assert.equal(startingLine({ data: [], writable: undefined }), undefined);
  });
});

describe('what is said to whoever ends a server', () => {
  it('tells what it waits for, and nothing where it does not', () => {
    assert.equal(waitingLine(0, 10_000), undefined);
    assert.equal(waitingLine(3, 0), undefined);
    assert.match(
      waitingLine(1, 10_000) ?? '',
      /waits for 1 running call, 10 s at most; again to stop at once\n$/,
    );
    assert.match(waitingLine(2, 200) ?? '', /waits for 2 running calls, 1 s at most/);
  });

  it('comes true, by a time that timers know', () => {
    assert.equal(endWithinMs(0), 10_000);
    assert.equal(endWithinMs(2_147_483_647), 2_147_483_647);
  });
});

describe('a prompt for SQL', () => {
  it('refuses what it would have to leave out, or could not show', () => {
    assert.equal(promptFormat({}), 'table');
    assert.equal(promptFormat({ format: 'csv' }), 'csv');
    assert.throws(() => promptFormat({ format: 'arrow' }), /arrow holds one result/);
    assert.throws(() => promptFormat({ output: 'x.csv' }), /at the prompt \\o x\.csv does the same/);
  });
});
