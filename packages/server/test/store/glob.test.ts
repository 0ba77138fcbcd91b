import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isGlob, parseGlob } from '../../src/store/glob.ts';

describe('paths with wildcards', () => {
  it('are told from others', () => {
    for (const path of ['*', 'a/b?.csv', 'a[1]']) assert.ok(isGlob(path), path);
    for (const path of ['', 'a/b.csv', 'a]', '{a}']) assert.ok(!isGlob(path), path);
  });

  it('begin where the first wildcard is', () => {
    const cut = (path: string): string[] => {
      const { base, pattern } = parseGlob(path);
      return [base, pattern];
    };
    assert.deepEqual(cut('a/b/*.csv'), ['a/b', '*.csv']);
    assert.deepEqual(cut('a/*/b/c.csv'), ['a', '*/b/c.csv']);
    assert.deepEqual(cut('/a/**/x?'), ['/a', '**/x?']);
    assert.deepEqual(cut('*'), ['', '*']);
  });

  const cases: readonly (readonly [glob: string, matching: readonly string[], others: readonly string[]])[] =
    [
      ['*.csv', ['a.csv', '.csv', 'ä b.csv'], ['a/b.csv', 'a.csvx', 'acsv', 'xa.csv/']],
      ['a?.csv', ['ab.csv'], ['a.csv', 'abc.csv', 'a/.csv']],
      ['**/x.csv', ['x.csv', 'a/x.csv', 'a/b/x.csv'], ['ax.csv', 'a/x.csv/y']],
      ['d*/**/*.csv', ['d/a.csv', 'dx/a/b/c.csv'], ['a.csv', 'e/a.csv']],
      ['*/**', ['a', 'a/b', 'a/b/c'], []],
      ['x[abc].csv', ['xa.csv', 'xc.csv'], ['xd.csv', 'x[abc].csv', 'xab.csv']],
      ['x[0-9].csv', ['x5.csv'], ['x-.csv', 'xa.csv']],
      ['x[!abc]y', ['xdy', 'x^y', 'x!y'], ['xay', 'xy', 'x/y']],
      ['x[]a]y', ['x]y', 'xay'], ['xby']],
      ['x[!]a]y', ['xby'], ['x]y', 'xay', 'x/y']],
      ['x[^a]', ['x^', 'xa'], ['xb']],
      ['x[a\\b]?', ['x\\1', 'xa1'], ['xc1']],
      ['x[a*', ['x[a', 'x[ab'], ['xa']],
      ['x[]*', ['x[]', 'x[]a'], ['x]']],
      ['a.b+(c){d}|^$\\*', ['a.b+(c){d}|^$\\', 'a.b+(c){d}|^$\\e'], ['axb+(c){d}|^$\\']],
    ];
  for (const [glob, matching, others] of cases) {
    it(`match: ${glob}`, () => {
      const { matches } = parseGlob(glob);
      for (const path of matching) assert.ok(matches(path), path);
      for (const path of others) assert.ok(!matches(path), path);
    });
  }
});
