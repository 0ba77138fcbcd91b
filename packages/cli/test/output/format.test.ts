import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError, exitCodeOf } from '../../src/exit-codes.ts';
import { chooseFormat } from '../../src/output/format.ts';

describe('the format of an output', () => {
  it('is the one that is told, whatever the file is called', () => {
    assert.equal(chooseFormat('csv', 'x.parquet', true), 'csv');
    assert.throws(() => chooseFormat('parquet', undefined, true), UsageError);
  });

  it('is the one of the ending, in any case', () => {
    assert.equal(chooseFormat(undefined, 'a.b/x.CSV', true), 'csv');
    assert.equal(chooseFormat(undefined, 'x.jsonl', false), 'ndjson');
    assert.equal(chooseFormat(undefined, 'x.feather', true), 'arrow-file');
  });

  it('is a table for people, and NDJSON for pipes and files without an ending', () => {
    assert.equal(chooseFormat(undefined, undefined, true), 'table');
    assert.equal(chooseFormat(undefined, undefined, false), 'ndjson');
    for (const file of ['rows', '/dev/null', 'a.b/rows', '.rows', '-'])
      assert.equal(chooseFormat(undefined, file, true), 'ndjson', file);
  });

  it('is refused for an ending that says none', () => {
    for (const file of ['x.parquet', 'x.xyz', 'x.csv.gz', 'x.constructor']) {
      assert.throws(
        () => chooseFormat(undefined, file, false),
        (error) => {
          assert.ok(error instanceof UsageError, file);
          assert.match(error.message, /\.csv, .*\.ndjson, .*\.arrow.*--format/);
          assert.ok(error.message.includes(file));
          assert.equal(exitCodeOf(error), 2);
          return true;
        },
      );
    }
  });
});
