import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameOfToken, plainText, sqlTokens } from '../../src/engine/sql-tokens.ts';

/** Kind and text of each token. */
function tokens(sql: string, limit?: number): string[] {
  return [...sqlTokens(sql, limit)].map(({ kind, text }) => `${kind} ${text}`);
}

describe('SQL in tokens', () => {
  const cases: readonly (readonly [sql: string, ...wanted: string[]])[] = [
    [''],
    [' \n\t'],
    ['a', 'word a'],
    ['a b', 'word a', 'word b'],
    ['_x$1 ä', 'word _x$1', 'word ä'],
    ['"a b" "c""d" "e', 'quoted "a b"', 'quoted "c""d"', 'quoted "e'],
    ['""x', 'quoted ""', 'word x'],
    ["'a''b' 'c", "text 'a''b'", "text 'c"],
    ["''x", "text ''", 'word x'],
    // Backslashes are letters, except after E.
    ["'a\\' b", "text 'a\\'", 'word b'],
    ["E'a\\'b' e'\\\\' x", "text E'a\\'b'", "text e'\\\\'", 'word x'],
    ["E'a''b'c E''d", "text E'a''b'", 'word c', "text E''", 'word d'],
    ["E'\\", "text E'\\"],
    ['E f', 'word E', 'word f'],
    ["$$a'b$$c", "text $$a'b$$", 'word c'],
    ['$t$a$$b$t$c', 'text $t$a$$b$t$', 'word c'],
    ['$$$$x', 'text $$$$', 'word x'],
    ['$$a', 'text $$a'],
    [
      '? ?1 $1 $ab :x :_y',
      'parameter ?',
      'parameter ?1',
      'parameter $1',
      'parameter $ab',
      'parameter :x',
      'parameter :_y',
    ],
    ['?a', 'parameter ?', 'word a'],
    // A cast is no parameter, nor is a slice.
    ['a::b', 'word a', 'symbol :', 'symbol :', 'word b'],
    ['a:: b:c', 'word a', 'symbol :', 'symbol :', 'word b', 'parameter :c'],
    ['[1:2]', 'symbol [', 'number 1', 'symbol :', 'number 2', 'symbol ]'],
    [':?', 'symbol :', 'parameter ?'],
    ['1.5e3 2x 1.e-5', 'number 1.5e3', 'number 2', 'word x', 'number 1.e-5'],
    ['$1e$$ ( $a$$b', 'parameter $1', 'word e$$', 'symbol (', 'text $a$$b'],
    [
      ":e$$ :E'\\'(' $e'\\'(' x",
      'parameter :e$$',
      'symbol :',
      "text E'\\'('",
      'symbol $',
      "text e'\\'('",
      'word x',
    ],
    // A name may end in dollars, which begin no text then.
    ['a$$ b $$', 'word a$$', 'word b', 'text $$'],
    ['1a$$ (', 'number 1', 'word a$$', 'symbol ('],
    ['1ea$$ 0x1F$$', 'number 1', 'word ea$$', 'number 0', 'word x1F$$'],
    ["1E'\\' (' x", 'number 1', "text E'\\' ('", 'word x'],
    ['\u{1f600}$$ €1$$ a\u2028$$', 'word \u{1f600}$$', 'word €1$$', 'word a\u2028$$'],
    ['$\u{1f600}$ ( $\u{1f600}$ x', 'text $\u{1f600}$ ( $\u{1f600}$', 'word x'],
    ['a\u200b$$x$$\u2060\ufeffb\u00a0c', 'word a', 'text $$x$$', 'word b', 'word c'],
    ['(a)=b;', 'symbol (', 'word a', 'symbol )', 'symbol =', 'word b', 'symbol ;'],
    ['a--b\nc--d', 'word a', 'word c'],
    ['a--b\rc--d\r\ne', 'word a', 'word c', 'word e'],
    // Parts behind line ends go on as the first one, whose backslashes escape.
    ["E'a'\n'b\\'c' d", "text E'a'\n'b\\'c'", 'word d'],
    ["E'a' \t--x'\r\n --y\n 'b\\'c'\n'\\'' d", "text E'a' \t--x'\r\n --y\n 'b\\'c'\n'\\''", 'word d'],
    ["E'a' 'b\\' c", "text E'a'", "text 'b\\'", 'word c'],
    ["'a'\n'b\\' c", "text 'a'", "text 'b\\'", 'word c'],
    ["E'a'\nb", "text E'a'", 'word b'],
    ['a/*b*/c/* /* d */ e */f', 'word a', 'word c', 'word f'],
    ['/*/ a */b', 'word b'],
    ['/**/b', 'word b'],
    ['/* a */*/', 'symbol *', 'symbol /'],
    ['a/* b', 'word a'],
    ['a - b / c', 'word a', 'symbol -', 'word b', 'symbol /', 'word c'],
  ];
  for (const [sql, ...wanted] of cases) {
    it(JSON.stringify(sql), () => assert.deepEqual(tokens(sql), wanted));
  }

  it('know where they are', () => {
    assert.deepEqual(
      [...sqlTokens(' ab "c" ')].map(({ start, end }) => [start, end]),
      [
        [1, 3],
        [4, 7],
      ],
    );
  });

  it('are not looked for behind so many', () => {
    assert.deepEqual(tokens('a b c', 2), ['word a', 'word b']);
    assert.deepEqual(tokens('a b c', 0), []);
  });

  it('are names in lower case', () => {
    const names = [...sqlTokens('Ab "C""d" \'e\' 1 ?')].map(nameOfToken);
    assert.deepEqual(names, ['ab', 'c"d', undefined, undefined, undefined]);
  });

  it('say a text as long as nothing is escaped', () => {
    const texts = [...sqlTokens("'a''b' '' 'c\\' E'd' $$e$$ \"f\" g 1")].map(plainText);
    assert.deepEqual(texts, ["a'b", '', undefined, undefined, undefined, undefined, undefined, undefined]);
    assert.equal(plainText(undefined), undefined);
  });
});
