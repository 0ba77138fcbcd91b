import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightResourceExhaustedError } from '../../../src/errors.ts';
import { matchesPattern } from '../../../src/sql/index.ts';

describe('filter patterns', () => {
  it('are those of LIKE', () => {
    for (const [pattern, name] of [
      [undefined, 'anything'],
      ['', ''],
      ['%', ''],
      ['%', 'two\nlines'],
      ['t', 't'],
      ['t_', 'ta'],
      ['_', '😀'],
      ['%a%b', 'xaybb'],
      ['a.b', 'a.b'],
      ['a\\_b', 'a_b'],
      ['a\\\\b', 'a\\b'],
      ['[x]$', '[x]$'],
      ['a-b/c', 'a-b/c'],
    ] as const) {
      assert.ok(matchesPattern(pattern, name), `${pattern} and ${name}`);
    }
    for (const [pattern, name] of [
      ['', 'x'],
      ['t', 'T'],
      ['t', 'tt'],
      ['t_', 't'],
      ['a.b', 'axb'],
      ['a\\_b', 'axb'],
      ['a\\%', 'ax'],
    ] as const) {
      assert.ok(!matchesPattern(pattern, name), `${pattern} and ${name}`);
    }
  });

  it('have the escape character that the server says', () => {
    assert.ok(matchesPattern('a!_b', 'a_b', '!'));
    assert.ok(!matchesPattern('a!_b', 'axb', '!'));
    assert.ok(matchesPattern('a\\b', 'a\\b', '!'));
  });

  it('do not take for ever on hostile ones', () => {
    assert.ok(!matchesPattern(`${'%a'.repeat(500)}b`, 'a'.repeat(1_000)));
    assert.ok(matchesPattern('%a'.repeat(500), 'a'.repeat(1_000)));
  });

  it('are read no further than a name can match, and refused when they are longer than any name', () => {
    const pattern = 'a'.repeat(16_000);
    const started = performance.now();
    for (let i = 0; i < 20_000; i++) assert.ok(!matchesPattern(pattern, 'name'));
    // 20,000 tables; without the bound it is a minute
    assert.ok(performance.now() - started < 10_000, `${performance.now() - started} ms`);
    assert.ok(matchesPattern('%'.repeat(16_000), 'name'));
    assert.ok(matchesPattern('%%a%%_%%', 'xab'));
    assert.throws(() => matchesPattern('a'.repeat(20_000), 'a'), FlightResourceExhaustedError);
  });
});
