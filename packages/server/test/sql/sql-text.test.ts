import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlightInvalidArgumentError } from '@peregrine/flight';
import { quoteIdentifier, quoteLiteral, quotePath } from '../../src/engine/sql-text.ts';
import { bareSql, isExecute, isStateful, likeToRegExp, onlyReads } from '../../src/sql/sql-text.ts';

describe('quoting', () => {
  it('doubles quotes and refuses U+0000', () => {
    assert.equal(quoteLiteral("it's"), "'it''s'");
    assert.equal(quoteIdentifier('a"b'), '"a""b"');
    assert.equal(quotePath(undefined, 's', 't'), '"s"."t"');
    assert.throws(() => quoteLiteral('a\0b'), FlightInvalidArgumentError);
  });
});

describe('likeToRegExp()', () => {
  it('knows %, _ and the escape character', () => {
    assert.ok(likeToRegExp('a%c').test('abbc'));
    assert.ok(likeToRegExp('a_c').test('a\nc'));
    assert.ok(!likeToRegExp('a\\_c').test('abc'));
    assert.ok(likeToRegExp('a\\%').test('a%'));
    assert.ok(likeToRegExp('(x.y)').test('(x.y)'));
    assert.ok(!likeToRegExp('(x.y)').test('(xay)'));
  });
});

describe('bareSql()', () => {
  it('takes out comments, texts and quoted names', () => {
    const bare = bareSql(`SELECT 'set x; -- ' /* use /* y */ z */ , "reset" -- begin\n, $a$ pragma $a$, $1`);
    for (const word of ['set', 'use', 'reset', 'begin', 'pragma']) assert.ok(!bare.includes(word), word);
    assert.match(bare, /SELECT .*\$1/s);
  });

  it('knows that a backslash keeps the quote open in texts with an E, and in no others', () => {
    assert.equal(
      bareSql("SET VARIABLE a = E'\\'' || 'x'; DROP TABLE t"),
      "SET VARIABLE a = '' | | '' ; DROP TABLE t",
    );
    assert.equal(bareSql("SELECT 'a\\', \"b\" , 'drop'"), `SELECT '' , "" , ''`);
  });
});

describe('isStateful()', () => {
  for (const sql of [
    'SET threads = 1',
    ' /* x */ set schema = a',
    'use other',
    'BEGIN',
    'start transaction',
    'CREATE TEMP TABLE t (i INT)',
    'create or replace temporary view v as select 1',
    'SELECT 1; SET x = 2',
    'PREPARE p AS SELECT 1',
    'PRAGMA enable_profiling',
  ]) {
    it(`is so for ${sql}`, () => assert.ok(isStateful(sql)));
  }
  for (const sql of [
    'SELECT 1',
    "SELECT 'x; SET y = 1'",
    'CREATE TABLE temperature (i INT)',
    'UPDATE t SET a = 1',
    'INSERT INTO t VALUES (1)',
    '-- set x\nSELECT 2',
  ]) {
    it(`is not for ${sql}`, () => assert.ok(!isStateful(sql)));
  }
});

describe('onlyReads()', () => {
  for (const sql of [
    'SELECT 1',
    "SELECT 'insert … returning'",
    '(SELECT 1) UNION (SELECT 2)',
    'FROM t',
    'WITH a AS (SELECT 1) FROM a',
    'EXPLAIN ANALYZE SELECT 1',
    'SHOW TABLES',
  ]) {
    it(`is so for ${sql}`, () => assert.ok(onlyReads(sql)));
  }
  for (const sql of [
    'INSERT INTO t VALUES (1) RETURNING i',
    'WITH a AS (SELECT 1) INSERT INTO t FROM a RETURNING i',
    'EXPLAIN ANALYZE DELETE FROM t',
    'EXPLAIN (ANALYZE) INSERT INTO t VALUES (1)',
    'CALL dbgen(sf = 1)',
    'EXECUTE p',
    'PRAGMA threads = 4',
    "COPY t TO 'x'",
  ]) {
    it(`is not for ${sql}`, () => assert.ok(!onlyReads(sql)));
  }
  it('knows EXECUTE from words of others', () => {
    assert.ok(isExecute(' -- a\nexecute p(1)') && !isExecute('SELECT execute FROM t'));
  });
});
